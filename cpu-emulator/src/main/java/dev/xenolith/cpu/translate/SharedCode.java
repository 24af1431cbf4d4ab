package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.Unit;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.interpret.UnitSource.Made;
import dev.xenolith.cpu.interpret.UnitSource.Quality;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Classes of units by content: where the same code becomes hot in another frame, or again in the same one because something else in its page
 * has changed, its class is there already, and so is HotSpot's code for it. Those that were asked for least recently are forgotten.
 */
final class SharedCode {
    /** Most places in pages that are remembered. */
    static final int MAX_PLACES = 4096;
    /** Most different contents of one place. */
    static final int MAX_CONTENTS = 8;

    /** What need not be compared byte by byte. */
    private record Place(int entry, int mode, Quality quality) {
    }

    private final Map<Place, Deque<Made>> places = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Place, Deque<Made>> eldest) {
            return size() > MAX_PLACES;
        }
    };

    /** What was made of the same code as that of {@code hot}, for its frame; null if nothing was, or not any more. */
    @Nullable
    Made find(Hot hot) {
        Deque<Made> contents = places.get(place(hot));
        if (contents == null) {
            return null;
        }
        for (Made made : contents) {
            Unit.Layout layout = made.layout();
            if (layout.isIn(hot.page())) {
                return new Made(layout, made.maker(), hot.frame(), hot.quality(), made.covered());
            }
        }
        return null;
    }

    /** Remembers what was made for {@code hot}. */
    void add(Hot hot, Made made) {
        Deque<Made> contents = places.computeIfAbsent(place(hot), place -> new ArrayDeque<>());
        if (contents.size() == MAX_CONTENTS) {
            contents.removeLast();
        }
        contents.addFirst(made);
    }

    private static Place place(Hot hot) {
        return new Place(hot.entry(), hot.mode(), hot.quality());
    }
}

package dev.xenolith.cpu.interpret;

import java.util.BitSet;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Makes units of code that has become hot; called on the machine thread. */
public interface UnitSource {
    /** How good a unit is, and how dear. */
    enum Quality {
        /** Soon there, and a few times faster than the interpreter. */
        QUICK,
        /** As fast as can be. */
        BEST
    }

    /**
     * Code that has become hot.
     *
     * @param frame where it is
     * @param page the bytes of that frame
     * @param entry offset of the hot block
     * @param mode the decoder's bits of the mode word
     * @param quality what it is worth
     * @param executed offsets in the page of the blocks that have been executed often
     * @param targets offsets in the page of what indirect jumps and calls in it have led to
     * @param heat grows with what has been executed at the entry since; may be asked on any thread, and be a little behind
     */
    record Hot(int frame, byte[] page, int entry, int mode, Quality quality, BitSet executed, BitSet targets,
            LongSupplier heat) {
    }

    /** Makes units of one class. */
    interface Maker {
        /** A unit of {@code layout}, which the class was generated for, in {@code frame}. */
        Unit make(Unit.Layout layout, int frame);
    }

    /**
     * The answer to a request.
     *
     * @param layout what was made
     * @param maker makes it
     * @param frame the frame it was asked for, which may have other code by now
     * @param quality what was asked for
     * @param covered offsets in the page of the blocks that it has besides the hot one
     */
    record Made(Unit.Layout layout, Maker maker, int frame, Quality quality, int[] covered) {
    }

    /** Makes none. */
    UnitSource NONE = new UnitSource() {
        @Override
        public long threshold(Quality quality) {
            return Integer.MAX_VALUE;
        }

        @Override
        public void request(Hot hot) {}

        @Override
        public @Nullable Made next() {
            return null;
        }
    };

    /** How many instructions are executed before code is worth a unit of {@code quality}; of {@link Quality#QUICK} an int. */
    long threshold(Quality quality);

    /** Asks for a unit. It is made before this returns, or later, or never. */
    void request(Hot hot);

    /** A unit that has been made, each once; null if there is none. */
    @Nullable
    Made next();
}

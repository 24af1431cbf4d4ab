package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.interpret.UnitSource.Made;
import dev.xenolith.cpu.interpret.UnitSource.Quality;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes units one at a time, and has HotSpot compile each while the caller waits: so that it can be measured what each costs, which
 * {@link BackgroundTranslator} does where nobody waits for it.
 */
public final class SingleUnits {
    private final UnitFactory factory;
    private final @Nullable HotSpot compiler = HotSpot.open();

    /** Units for processors with the CPUID features {@code hasFeature}. */
    public SingleUnits(Predicate<String> hasFeature) {
        factory = new UnitFactory(hasFeature);
    }

    /** The unit of {@code hot}, of a class that is there already if the code is the same; null if there can be none. */
    public @Nullable Made make(Hot hot) {
        return factory.make(hot);
    }

    /**
     * Has HotSpot compile what {@code made} of this object executes, by the compiler for its quality; false if it does not, as without
     * {@code -XX:+WhiteBoxAPI}, which {@code jvm.options} has.
     */
    public boolean compile(Made made) {
        return compiler != null && ImmediateTranslator.compile(compiler, UnitFactory.method(made),
                made.quality() == Quality.BEST ? HotSpot.C2 : HotSpot.C1);
    }
}

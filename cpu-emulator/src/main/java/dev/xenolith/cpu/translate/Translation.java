package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.Interpreter;
import java.util.Locale;
import java.util.function.Predicate;

/** Whether hot code is translated. */
public enum Translation {
    /** Never: the interpreter does all. */
    OFF,
    /** What is hot, in the background. */
    ON,
    /** Whatever is executed, at once: for tests. */
    ALWAYS,
    /**
     * The same by code of C2 from its first execution on, so that it is C2's code that is tested: many times slower. Needs
     * {@code -XX:+WhiteBoxAPI}, which {@code jvm.options} has.
     */
    ALWAYS_COMPILED,
    /**
     * What is a little hot, and each run of a unit is undone, repeated by the interpreter and compared: proves the translator. At once and
     * not in the background, and without waiting for HotSpot, so that a unit is compared from the first time on that its code is
     * executed again, and two runs of a deterministic machine compare the same.
     */
    LOCKSTEP,
    /** The same with whatever is executed: for test suites, whose code is executed only once or twice. */
    ALWAYS_LOCKSTEP;

    /** Any code, from its first execution on. */
    private static final int EVERYTHING = 1;
    /**
     * Instructions that make code hot in lockstep. Not fewer, for what has been executed around it decides what becomes part of its unit: units
     * shall be as large, and have the loops, that they have without lockstep.
     */
    private static final int LUKEWARM = 400;

    /**
     * What is done where nobody says: property {@code xenolith.translate}, {@link #OFF} unless given. By it all suites run in another mode.
     * Throws if there is none of the name.
     */
    public static Translation byDefault() {
        return valueOf(System.getProperty("xenolith.translate", "off").toUpperCase(Locale.ROOT));
    }

    /** Has {@code interpreter}, of processors with the CPUID features {@code hasFeature}, translate so. */
    public void install(Interpreter interpreter, Predicate<String> hasFeature) {
        if (this == OFF) {
            return;
        }
        UnitFactory factory = new UnitFactory(hasFeature);
        switch (this) {
            case OFF -> {
            }
            case ON -> interpreter.translate(new BackgroundTranslator(factory));
            case ALWAYS -> interpreter.translate(new ImmediateTranslator(factory, EVERYTHING, null));
            case ALWAYS_COMPILED -> interpreter.translate(new ImmediateTranslator(factory, EVERYTHING, compiler()));
            case LOCKSTEP -> interpreter.translateInLockstep(new ImmediateTranslator(factory, LUKEWARM, null));
            case ALWAYS_LOCKSTEP -> interpreter.translateInLockstep(new ImmediateTranslator(factory, EVERYTHING, null));
        }
    }

    private static HotSpot compiler() {
        HotSpot compiler = HotSpot.open();
        if (compiler == null) {
            throw new IllegalStateException("HotSpot compiles on demand only with -XX:+WhiteBoxAPI");
        }
        return compiler;
    }
}

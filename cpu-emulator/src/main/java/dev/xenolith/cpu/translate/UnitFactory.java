package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.emit.SemanticMethods;
import dev.xenolith.cpu.interpret.OpFactory;
import dev.xenolith.cpu.interpret.Unit;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.interpret.UnitSource.Made;
import dev.xenolith.cpu.interpret.UnitSource.Maker;
import dev.xenolith.cpu.interpret.UnitSource.Quality;
import dev.xenolith.cpu.processor.Processor;
import java.lang.constant.ClassDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Makes units: finds their regions, writes their classes and defines them. For one thread at a time. */
final class UnitFactory {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();
    private static final MethodType CONSTRUCTOR = MethodType.methodType(void.class, Unit.Layout.class, int.class);
    private static final MethodType FACTORY = MethodType.methodType(Unit.class, Unit.Layout.class, int.class);

    /** Most instructions of a unit that is to be there soon. */
    private static final int QUICK = 50;
    /** Most instructions of one that is worth more. */
    private static final int BEST = 150;
    /** HotSpot compiles no method of more than 8000 bytes. */
    private static final int MAX_BYTES = 7500;

    private final RegionBuilder builder;
    private final OpFactory factory;
    private final SharedCode shared = new SharedCode();
    private final SemanticMethods methods = new SemanticMethods(UnitFactory.class.getClassLoader());

    /** A factory for processors with the CPUID features {@code hasFeature}. */
    UnitFactory(Predicate<String> hasFeature) {
        OpcodeTable table = OpcodeTable.load();
        builder = new RegionBuilder(new Decoder(table, hasFeature));
        factory = new OpFactory(table);
    }

    /** The unit of {@code hot}, of a class that is there already if the code is the same; null if not even its first instruction can be in one. */
    @Nullable
    Made make(Hot hot) {
        Made known = shared.find(hot);
        if (known != null) {
            return known;
        }
        Region region;
        UnitCode code;
        int most = hot.quality() == Quality.QUICK ? QUICK : BEST;
        do {
            region = builder.build(hot, most);
            if (region == null) {
                return null;
            }
            code = UnitEmitter.emit(name(hot), region, methods);
            most = most * 2 / 3;
        } while (code.length() > MAX_BYTES && most > 0);
        int[] covered = region.blocks.stream().skip(1).filter(block -> !block.leaf)
                .mapToInt(block -> block.start).toArray();
        Made made = new Made(Layouts.of(region, hot.page(), code.links(), factory), define(code), hot.frame(),
                hot.quality(),
                covered);
        shared.add(hot, made);
        return made;
    }

    /** What {@code made}, of a factory, executes. */
    static Method method(Made made) {
        return ((ClassMaker) made.maker()).method();
    }

    /** The name tells a profiler where in its page a unit begins; hidden classes may share it. */
    private static ClassDesc name(Hot hot) {
        return ClassDesc.of(UnitFactory.class.getPackageName(),
                (hot.quality() == Quality.BEST ? "UnitBest" : "UnitQuick") + Integer.toHexString(hot.entry()));
    }

    private static Maker define(UnitCode code) {
        try {
            MethodHandles.Lookup unit = LOOKUP.defineHiddenClass(code.bytes(), true);
            Class<?> type = unit.lookupClass();
            return new ClassMaker(unit.findConstructor(type, CONSTRUCTOR).asType(FACTORY),
                    type.getMethod("run", Processor.class, long.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a unit that cannot be defined", e);
        }
    }

    /** Makes units by {@code constructor}, which execute {@code method}. */
    private record ClassMaker(MethodHandle constructor, Method method) implements Maker {
        @Override
        public Unit make(Unit.Layout layout, int frame) {
            try {
                return (Unit) constructor.invokeExact(layout, frame);
            } catch (Throwable e) {
                throw new IllegalStateException("unit of " + layout, e);
            }
        }
    }
}

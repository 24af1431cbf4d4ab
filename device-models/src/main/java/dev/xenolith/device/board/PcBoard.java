package dev.xenolith.device.board;

import dev.xenolith.cpu.apic.LocalApic;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.Clock;
import dev.xenolith.device.Dma;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.MemoryDma;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.SharedLine;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.boot.BootEntry;
import dev.xenolith.device.boot.BootException;
import dev.xenolith.device.boot.BootImage;
import dev.xenolith.device.boot.BootMemory;
import dev.xenolith.device.boot.BootRequest;
import dev.xenolith.device.boot.FirmwareImage;
import dev.xenolith.device.boot.OptionRom;
import dev.xenolith.device.display.Display;
import dev.xenolith.device.display.StandardVga;
import dev.xenolith.device.firmware.BiosInterrupts;
import dev.xenolith.device.firmware.BoardDescription;
import dev.xenolith.device.firmware.BootDevice;
import dev.xenolith.device.firmware.DebugConsole;
import dev.xenolith.device.firmware.DebugExit;
import dev.xenolith.device.firmware.E820;
import dev.xenolith.device.firmware.FirmwareTables;
import dev.xenolith.device.firmware.FwCfg;
import dev.xenolith.device.firmware.TableLoader;
import dev.xenolith.device.firmware.TestDevice;
import dev.xenolith.device.input.Keyboard;
import dev.xenolith.device.input.KeyboardController;
import dev.xenolith.device.input.Pointer;
import dev.xenolith.device.input.Ps2Keyboard;
import dev.xenolith.device.input.Ps2Mouse;
import dev.xenolith.device.input.SystemControlPortA;
import dev.xenolith.device.irq.IoApic;
import dev.xenolith.device.irq.PicPair;
import dev.xenolith.device.pci.I440fx;
import dev.xenolith.device.pci.PciBus;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.pci.PciSpaces;
import dev.xenolith.device.pci.Piix3;
import dev.xenolith.device.pci.Piix4Pm;
import dev.xenolith.device.serial.CharacterBackend;
import dev.xenolith.device.serial.Uart16550;
import dev.xenolith.device.storage.ide.IdeDrive;
import dev.xenolith.device.storage.ide.Piix3Ide;
import dev.xenolith.device.time.Hpet;
import dev.xenolith.device.time.Pit;
import dev.xenolith.device.time.Rtc;
import dev.xenolith.device.time.SystemControlPort;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A bare SMP PC with an i440FX chipset: processors, memory and devices, wired. Build it, {@link #boot} something, {@link #start} it,
 * and wait for its {@link #outcome}. A reset ends it too: whoever wants the machine back builds a new one.
 */
public final class PcBoard implements AutoCloseable, Saveable {
    /** Least memory: 2 MiB. */
    public static final long MIN_MEMORY = 2 << 20;

    private static final long LOW_RAM_MAX = 3L << 30;
    private static final long GIB_4 = 1L << 32;
    private static final long CONVENTIONAL_TOP = 0xa_0000;
    private static final long EBDA = 0x9_fc00;
    private static final long SHADOW = 0xc_0000;
    private static final long TABLES = 0xe_0000;
    private static final long MIB = 1 << 20;
    private static final int ISA_IRQS = 16;
    private static final int CASCADE = 2;
    private static final int PIT_PIN = 2;
    private static final long LAPIC_SIZE = 0x1000;
    private static final String NO_DEVICE = "none";
    /** In CMOS RAM two bits for each IDE drive: how firmware makes up cylinders and heads (SeaBIOS, block.c). */
    private static final int CMOS_DISK_TRANSLATION = 0x39;
    private static final int ALL_LBA = 0x55;
    /** Host bridge and south bridge are devices 0 and 1. */
    private static final int FIRST_SLOT = 2;

    /**
     * What a board is built with.
     *
     * @param memoryBytes RAM, a multiple of 4 KiB, at least {@link #MIN_MEMORY}
     * @param processors 1 to 8
     * @param serial makes what is plugged into COM1, given who runs things on the machine thread
     * @param seconds time of the real-time clock, since 1970
     * @param firmware image at the top of 4 GiB, null for none
     * @param debugExit whether there is a debug-exit port at 0xf4 and 0x501
     * @param testDevice whether there is a {@link TestDevice}
     * @param instructionLimit how many instructions may be retired
     * @param peripherals what is built in and plugged in besides
     */
    public record Options(long memoryBytes, int processors, CpuModel model, Machine.Configuration machine,
            Function<Executor, CharacterBackend> serial, long seconds, @Nullable FirmwareImage firmware,
            boolean debugExit, boolean testDevice, long instructionLimit,
            Peripherals peripherals) {
        /** A board with a display that has no BIOS, and nothing besides. */
        public Options(long memoryBytes, int processors, CpuModel model, Machine.Configuration machine,
                Function<Executor, CharacterBackend> serial, long seconds, @Nullable FirmwareImage firmware,
                boolean debugExit, boolean testDevice, long instructionLimit) {
            this(memoryBytes, processors, model, machine, serial, seconds, firmware, debugExit, testDevice,
                    instructionLimit, Peripherals.STANDARD);
        }
    }

    /**
     * What is built into a board and plugged into it.
     *
     * @param vga its display, in the first slot, null for none
     * @param cards what is plugged into the PCI slots, in their order from the first that is free
     * @param drives what hangs on the two IDE channels
     * @param bootOrder what firmware boots from; empty: it decides
     */
    public record Peripherals(@Nullable Vga vga, List<Function<PciSlot, ? extends PciFunction>> cards,
            List<IdeDrive> drives, List<BootDevice> bootOrder) {
        /** A display without a BIOS. */
        public static final Peripherals STANDARD = new Peripherals(new Vga(null), List.of(), List.of(), List.of());
    }

    /**
     * A display.
     *
     * @param bios what is in its expansion ROM, null for nothing
     */
    public record Vga(@Nullable OptionRom bios) {
    }

    private final Options options;
    private final Machine machine;
    private final AccessCharge charge;
    private final RunControl control;
    private final BoardDescription description;
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private final PortBus ports = new PortBus();
    private final PicPair pic;
    private final IoApic ioApic;
    private final Hpet hpet;
    private final Pit pit;
    private final SystemControlPort systemControl;
    private final Rtc rtc;
    private final Ps2Keyboard keyboard;
    private final Ps2Mouse mouse;
    private final KeyboardController i8042;
    private final SystemControlPortA portA;
    private final Uart16550 com1;
    private final @Nullable StandardVga display;
    private final Piix4Pm powerManagement;
    private final Piix3 piix3;
    private final I440fx hostBridge;
    private final PciBus pci;
    private final PciWiring slots;
    private final Piix3Ide ide;
    private final FwCfg fwCfg;
    private final @Nullable TestDevice testDevice;
    /** The wires of all interrupts: those of ISA, and after them the inputs of the I/O APIC that only PCI has. */
    private final List<SharedLine> wires = new ArrayList<>();
    private final long rsdp;
    private long milestone = Long.MAX_VALUE;
    private Runnable atMilestone = () -> {};

    public PcBoard(Options options) {
        this.options = options;
        FirmwareImage firmware = options.firmware();
        E820 map = addressMap(options.memoryBytes());
        description = new BoardDescription(options.processors(), options.memoryBytes(),
                Math.min(options.memoryBytes(), LOW_RAM_MAX), map);
        machine = Machine.of(options.machine(),
                new Machine.Hardware(options.memoryBytes(), options.processors(), options.model()),
                layout(options.memoryBytes(), firmware == null ? 0 : firmware.size()));
        charge = new AccessCharge(machine.clock());
        control = new RunControl(machine);
        Clock clock = machine.timers();
        LocalApic bsp = machine.processors().getFirst().apic;

        pic = new PicPair(asserted -> bsp.setLint(0, asserted));
        bsp.connect(pic);
        ioApic = new IoApic(machine.processorSet().apicBus());
        machine.processorSet().apicBus().onEndOfInterrupt(ioApic::endOfInterrupt);
        for (int irq = 0; irq < IoApic.PINS; irq++) {
            wires.add(new SharedLine(irq < ISA_IRQS ? toControllers(irq) : ioApic.input(irq)));
        }
        InterruptLine irq0 = wires.get(0).source();
        InterruptLine irq8 = wires.get(8).source();
        hpet = new Hpet(clock, IntStream.range(0, IoApic.PINS).mapToObj(ioApic::input).toList(), irq0,
                irq8);
        pit = new Pit(clock, hpet.pitInput());
        systemControl = new SystemControlPort(clock, pit);
        rtc = new Rtc(clock, options.seconds(), hpet.rtcInput());
        SharedLine a20 = new SharedLine(open -> machine.processors().forEach(each -> each.setA20Gate(open)));
        keyboard = new Ps2Keyboard(clock);
        mouse = new Ps2Mouse(clock);
        i8042 = KeyboardController.of(keyboard, mouse, wires.get(1).source(), wires.get(12).source(), a20.source(),
                this::reset);
        portA = new SystemControlPortA(a20.source(), this::reset);
        CharacterBackend serial = options.serial().apply(machine::post);
        com1 = new Uart16550("com1", clock, serial, wires.get(BoardDescription.COM1_IRQ).source());
        powerManagement = new Piix4Pm(clock, ports, wires.get(BoardDescription.SCI).source(),
                () -> end(Outcome.of(Outcome.Kind.POWER_OFF)));
        List<List<InterruptLine>> routes = new ArrayList<>();
        for (int pirq = 0; pirq < Piix3.PIRQS; pirq++) {
            routes.add(wires.stream().limit(ISA_IRQS).map(SharedLine::source).toList());
        }
        piix3 = new Piix3(routes, this::reset);
        pci = new PciBus(piix3.resetControl());
        hostBridge = new I440fx(machine.memory(), firmware == null ? new byte[0] : firmware.lowEnd());
        pci.add(0, 0, hostBridge);
        pci.add(1, 0, piix3);
        pci.add(1, 3, powerManagement);
        Dma memory = new MemoryDma(machine.memory());
        List<InterruptLine> apicInputs = wires.stream().skip(BoardDescription.PIRQ_GSI).limit(Piix3.PIRQS)
                .map(SharedLine::source).toList();
        slots = new PciWiring(pci, piix3, apicInputs,
                new PciSpaces(ports, machine.processorSet().map(), charge::memory), clock,
                new ApicMessages(machine.processorSet().apicBus()), memory);
        ide = slots.plug(1, 1, 0, slot -> new Piix3Ide(slot, wires.get(Piix3Ide.PRIMARY_IRQ).source(),
                wires.get(Piix3Ide.SECONDARY_IRQ).source()));
        options.peripherals().drives()
                .forEach(each -> ide.attach(each.channel(), each.unit(), each.drive().apply(clock)));
        display = options.peripherals().vga() == null ? null : plug(options.peripherals().vga());
        options.peripherals().cards().forEach(card -> slots.plug(FIRST_SLOT, card));
        fwCfg = new FwCfg(memory);
        testDevice = options.testDevice() ? new TestDevice(interruptLines()) : null;
        mapPorts(serial);
        mapMemory();
        describe();
        if (firmware == null) {
            hostBridge.openShadow();
        }
        rsdp = firmware == null ? FirmwareTables.install(machine.memory(), description).rsdp() : 0;
    }

    private StandardVga plug(Vga vga) {
        OptionRom bios = vga.bios();
        return slots.plug(FIRST_SLOT, 0, 0, slot -> new StandardVga(slot, bios == null ? null : bios.content()));
    }

    /** An ISA interrupt goes to both controllers, IRQ 0 to input 2 of the I/O APIC; the cascade has no wire. */
    private InterruptLine toControllers(int irq) {
        if (irq == CASCADE) {
            return InterruptLine.NONE;
        }
        InterruptLine first = pic.input(irq);
        InterruptLine second = ioApic.input(irq == 0 ? PIT_PIN : irq);
        return asserted -> {
            first.set(asserted);
            second.set(asserted);
        };
    }

    /** One more source of each interrupt. */
    private List<InterruptLine> interruptLines() {
        return wires.stream().map(SharedLine::source).toList();
    }

    /** RAM below 3 GiB and from 4 GiB on, shadow RAM below 1 MiB, ROM below 4 GiB; devices' memory may be in the holes. */
    private static MemoryLayout layout(long bytes, long rom) {
        List<MemoryLayout.Region> regions = new ArrayList<>();
        long low = Math.min(bytes, LOW_RAM_MAX);
        regions.add(new MemoryLayout.Region(0, CONVENTIONAL_TOP, MemoryLayout.Kind.RAM));
        regions.add(new MemoryLayout.Region(SHADOW, MIB - SHADOW, MemoryLayout.Kind.RAM));
        regions.add(new MemoryLayout.Region(MIB, low - MIB, MemoryLayout.Kind.RAM));
        if (rom > 0) {
            regions.add(new MemoryLayout.Region(GIB_4 - rom, rom, MemoryLayout.Kind.ROM));
        }
        if (bytes > low) {
            regions.add(new MemoryLayout.Region(GIB_4, bytes - low, MemoryLayout.Kind.RAM));
        }
        return new MemoryLayout(regions, Math.max(regions.getLast().end(), GIB_4));
    }

    private static E820 addressMap(long bytes) {
        long low = Math.min(bytes, LOW_RAM_MAX);
        List<E820.Entry> entries = new ArrayList<>();
        entries.add(new E820.Entry(0, EBDA, E820.RAM));
        entries.add(new E820.Entry(EBDA, CONVENTIONAL_TOP - EBDA, E820.RESERVED));
        entries.add(new E820.Entry(TABLES, MIB - TABLES, E820.RESERVED));
        entries.add(new E820.Entry(MIB, low - MIB, E820.RAM));
        if (bytes > low) {
            entries.add(new E820.Entry(GIB_4, bytes - low, E820.RAM));
        }
        return new E820(entries);
    }

    /** Port 0xe9 prints where COM1 does. */
    private void mapPorts(CharacterBackend serial) {
        ports.map("pic1", 0x20, 2, pic.master());
        ports.map("pic2", 0xa0, 2, pic.slave());
        ports.map("elcr", 0x4d0, 2, pic.edgeLevelControl());
        ports.map("pit", 0x40, 4, pit);
        ports.map("port61", 0x61, 1, systemControl);
        ports.map("i8042", 0x60, 1, i8042.data());
        ports.map("i8042", 0x64, 1, i8042.command());
        ports.map("rtc", 0x70, 2, rtc);
        ports.map("port92", 0x92, 1, portA);
        ports.map("apm", 0xb2, 2, powerManagement.apm());
        ports.map("com1", BoardDescription.COM1_PORT, 8, com1);
        ports.map("fw_cfg", FwCfg.PORT, FwCfg.PORTS, fwCfg.registers());
        ports.map("fw_cfg", FwCfg.DMA_PORT, FwCfg.DMA_PORTS, fwCfg.dma());
        ports.map("pci", PciBus.PORT, PciBus.PORTS, pci);
        ports.map("debugcon", DebugConsole.PORT, 1, new DebugConsole(serial));
        if (options.debugExit()) {
            DebugExit exit = new DebugExit(code -> end(new Outcome(Outcome.Kind.DEBUG_EXIT, code, "")));
            ports.map("debug-exit", DebugExit.TESTS_PORT, DebugExit.PORTS, exit);
            ports.map("debug-exit", DebugExit.DEFAULT_PORT, DebugExit.PORTS, exit);
        }
        if (testDevice != null) {
            ports.map("test-device", TestDevice.REGISTER_PORT, TestDevice.REGISTER_PORTS, testDevice.register());
            ports.map("test-device", TestDevice.FLUSH_PORT, TestDevice.FLUSH_PORTS, testDevice.flush());
            ports.map("test-device", TestDevice.LINES_PORT, IoApic.PINS, testDevice.lines());
        }
        for (Processor processor : machine.processors()) {
            processor.ioBus = charge.ports(ports);
        }
    }

    private void mapMemory() {
        PhysicalMap map = machine.processorSet().map();
        map.map("ioapic", BoardDescription.IO_APIC, IoApic.WINDOW_SIZE, charge.memory(ioApic));
        map.map("hpet", BoardDescription.HPET, Hpet.WINDOW_SIZE, charge.memory(hpet));
        if (display != null) {
            display.decode(ports, map, charge::memory);
        }
        if (testDevice != null) {
            map.map("test-device", TestDevice.WINDOW, TestDevice.WINDOW_SIZE, charge.memory(testDevice.window()));
        }
    }

    /** What firmware finds in fw_cfg and CMOS. */
    private void describe() {
        fwCfg.putLong(FwCfg.RAM_SIZE, options.memoryBytes());
        fwCfg.put(FwCfg.UUID, new byte[16]);
        fwCfg.putShort(FwCfg.NOGRAPHIC, 1);
        fwCfg.putShort(FwCfg.NB_CPUS, options.processors());
        fwCfg.putShort(FwCfg.MAX_CPUS, options.processors());
        fwCfg.putShort(FwCfg.BOOT_MENU, 0);
        fwCfg.putInt(FwCfg.IRQ0_OVERRIDE, 1);
        fwCfg.putFile("etc/e820", description.map().encode());
        TableLoader.offer(fwCfg, () -> description.withPmBase(powerManagement.base()));
        long low = description.pciHoleStart();
        long above16 = Math.max(low - (16 << 20), 0) >>> 16;
        long extended = Math.min((low - MIB) >>> 10, 0xffff);
        long high = options.memoryBytes() - low >>> 16;
        int[][] bytes = {{0x15, 640 & 0xff}, {0x16, 640 >>> 8}, {0x17, (int) extended}, {0x18, (int) extended >>> 8},
            {0x30, (int) extended}, {0x31, (int) extended >>> 8}, {0x34, (int) above16}, {0x35, (int) above16 >>> 8},
            {0x5b, (int) high}, {0x5c, (int) high >>> 8}, {0x5d, (int) high >>> 16}, {0x5f, options.processors() - 1},
            {CMOS_DISK_TRANSLATION, ALL_LBA}};
        for (int[] each : bytes) {
            rtc.setRam(each[0], each[1] & 0xff);
        }
        for (int[] each : BootDevice.cmos(options.peripherals().bootOrder())) {
            rtc.setRam(each[0], each[1]);
        }
    }

    // ---- life --------------------------------------------------------------------------------------------------------

    /** Loads a kernel, after doing what firmware would have done. Throws {@link BootException} with one line if that fails. */
    public void boot(BootRequest request) throws BootException {
        BootEntry entry = BootImage.load(request,
                new BootMemory(machine.memory(), description.map(), rsdp, display != null));
        enter(entry);
        FirmwareDuties.powerManagement(powerManagement.config());
        if (display != null) {
            FirmwareDuties.display(display.config());
        }
        if (entry.biosInterrupts()) {
            BiosInterrupts.install(machine.memory());
            FirmwareDuties.biosInterrupts(pic, pit);
        }
        FirmwareDuties.ioApic(ioApic, description.ioApicId());
        FirmwareDuties.ide(ide.config());
        FirmwareDuties.pciInterrupts(piix3.config(), pic.edgeLevelControl());
        machine.processors().forEach(p -> FirmwareDuties.processor(p, description.pciHoleStart()));
    }

    /** Starts the firmware that the board was built with. */
    public void bootFirmware() throws BootException {
        FirmwareImage firmware = options.firmware();
        if (firmware == null) {
            throw new BootException("there is nothing to boot: neither a kernel nor firmware");
        }
        enter(firmware.load(machine.memory()));
    }

    private void enter(BootEntry entry) {
        machine.processors().forEach(Processor::reset);
        ProcessorStart.enter(machine.processors().getFirst(), entry);
    }

    /** Starts the machine thread. */
    public void start() {
        BareSupervisor supervisor = new BareSupervisor(machine, charge, control, outcome, options.instructionLimit());
        supervisor.atInstruction(milestone, atMilestone);
        outcome.thenRun(machine::stop);
        machine.start(supervisor);
    }

    private void reset() {
        end(Outcome.of(Outcome.Kind.RESET));
    }

    private void end(Outcome how) {
        outcome.complete(how);
        machine.processors().forEach(Processor::request);
    }

    /**
     * How the machine ended; completes when its thread has ended and nothing moves any more, exceptionally if a bug of ours ended
     * it.
     */
    public CompletableFuture<Outcome> outcome() {
        return machine.ended().thenApply(ended -> outcome.getNow(Outcome.of(Outcome.Kind.STOPPED)));
    }

    /** Switches the machine off from outside. Any thread. */
    public void stop() {
        outcome.complete(Outcome.of(Outcome.Kind.STOPPED));
    }

    /** Presses the power button. Any thread. */
    public void pressPowerButton() {
        machine.post(powerManagement::pressPowerButton);
    }

    public Machine machine() {
        return machine;
    }

    /** The text on the screen, a line for each row; none without a display. On the machine thread, or when the machine has ended. */
    public List<String> screen() {
        return display == null ? List.of() : display.vga().text();
    }

    /** The display, null if there is none. On the machine thread, or when the machine has ended. */
    public @Nullable Display display() {
        return display == null ? null : display.vga();
    }

    /** What somebody types on. On the machine thread. */
    public Keyboard keyboard() {
        return keyboard;
    }

    /** What somebody points with. On the machine thread. */
    public Pointer pointer() {
        return mouse;
    }

    /** Name of the device at an I/O port, or {@code "none"}. */
    public String deviceAtPort(int port) {
        String name = ports.nameAt(port);
        return name == null ? NO_DEVICE : name;
    }

    /** Name of what {@code processor} finds at a physical address that is no memory, or {@code "none"}. */
    public String deviceAtAddress(Processor processor, long physical) {
        if ((physical & ~(LAPIC_SIZE - 1)) == processor.apic.mmioBase()) {
            return "lapic";
        }
        String name = machine.processorSet().map().nameAt(physical);
        return name == null ? NO_DEVICE : name;
    }

    /**
     * Does {@code action} on the machine thread when all processors together have retired {@code retired} instructions, before the next
     * one. For calls before {@link #start}.
     */
    public void atInstruction(long retired, Runnable action) {
        milestone = retired;
        atMilestone = action;
    }

    /** For a debugger: stops, steps and continues the processors. */
    public RunControl control() {
        return control;
    }

    /** Instructions retired by all processors; exact when the machine has ended. */
    public long retired() {
        return machine.retired();
    }

    @Override
    public void close() {
        machine.close();
        hostBridge.close();
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    private List<Saveable> devices() {
        // Controllers last: restoring a device may drive its wire.
        return Stream
                .of(testDevice, pit, systemControl, rtc, i8042, portA, com1, slots, pci, fwCfg, hpet, pic,
                        ioApic)
                .filter(Objects::nonNull).map(Saveable.class::cast).toList();
    }

    @Override
    public String stateName() {
        return "pc";
    }

    /** Writes the devices; processors, memory and clock are the machine's. */
    @Override
    public void save(StateWriter out) {
        out.put("wires", wires.stream().mapToLong(SharedLine::asserted).toArray());
        devices().forEach(out::put);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        long[] lines = new long[IoApic.PINS];
        in.get("wires", lines);
        for (int irq = 0; irq < IoApic.PINS; irq++) {
            wires.get(irq).restore(lines[irq]);
        }
        for (Saveable device : devices()) {
            in.get(device);
        }
    }
}

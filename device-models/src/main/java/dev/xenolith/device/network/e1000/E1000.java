package dev.xenolith.device.network.e1000;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.Clock;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.network.MacAddress;
import dev.xenolith.device.network.NetworkLink;
import dev.xenolith.device.pci.BusMaster;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciInterrupt;
import dev.xenolith.device.pci.PciSlot;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The 82540EM as a PCI function: its registers, which take accesses of 32 bits, in memory or through two I/O ports, and its interrupt.
 * Wake-up, management and flow control are absent: their registers keep what is written. The delays of single interrupts count as over
 * at once; the least interval between interrupts, ITR, is kept.
 */
public final class E1000 implements PciFunction {
    static final int VENDOR_ID = 0x8086;
    static final int DEVICE_ID = 0x100e;
    static final int SUBSYSTEM_ID = 0x001e;

    private static final int SIZE = 128 << 10;
    private static final int PORTS = 64;
    private static final int REVISION = 3;
    private static final int CLASS_ETHERNET = 0x02_0000;

    private static final int CTRL_RESET = 1 << 26;
    private static final int CTRL_VLAN = 1 << 30;
    private static final int CTRL_PHY_RESET = 1 << 31;
    /** Full duplex, at 1000 Mb/s. */
    private static final int CTRL_INITIAL = 0x0000_0201;
    private static final int STATUS_FIXED = 0x81;
    private static final int STATUS_LINK = 1 << 1;
    private static final int PBA_INITIAL = 0x0010_0030;
    private static final int VLAN_ETHER_TYPE = 0x8100;
    /** Nanoseconds of a unit of ITR. */
    private static final long INTERVAL_UNIT = 256;
    /** Registers that only keep what is written: flow control, interframe gap, LEDs, wake-up and the like. */
    private static final int KEPT_WORDS = 0x6000 >>> 2;

    private final ConfigSpace config;
    private final Clock clock;
    private final PciInterrupt interrupt;
    private final Clock.Timer moderation;
    private final Eeprom eeprom;
    private final Phy phy;
    private final DescriptorRing receiveRing;
    private final DescriptorRing transmitRing;
    private final Receiver receiver;
    private final Transmitter transmitter;
    private final int[] kept = new int[KEPT_WORDS];

    private int control = CTRL_INITIAL;
    private int causes;
    private int mask;
    private int interval;
    private long nextInterrupt;
    private int portAddress;

    /**
     * @param rom the image of its boot ROM, null for none
     */
    public E1000(PciSlot slot, MacAddress address, NetworkLink link, byte @Nullable [] rom) {
        clock = slot.clock();
        config = new ConfigSpace(VENDOR_ID, DEVICE_ID, REVISION, CLASS_ETHERNET)
                .set(ConfigSpace.SUBSYSTEM_VENDOR_ID, 2, VENDOR_ID).set(ConfigSpace.SUBSYSTEM_ID, 2, SUBSYSTEM_ID)
                .set(ConfigSpace.STATUS, 2, 0x0230 & ~ConfigSpace.STATUS_CAPABILITIES)
                .allow(ConfigSpace.COMMAND, 1, ConfigSpace.COMMAND_MASTER).memoryBar(0, SIZE, false).ioBar(1, PORTS);
        interrupt = new PciInterrupt(config, slot.pin(), null);
        moderation = clock.timer(this::drive);
        BusMaster memory = new BusMaster(config, slot.memory());
        eeprom = new Eeprom(address);
        phy = new Phy(clock, link.isUp(), () -> raise(Registers.LSC));
        receiveRing = new DescriptorRing("receiveRing", memory);
        transmitRing = new DescriptorRing("transmitRing", memory);
        Ends ends = new Ends();
        receiver = new Receiver(memory, receiveRing, address, ends);
        transmitter = new Transmitter(memory, clock, transmitRing, link, ends);
        slot.spaces().memory("e1000", config, 0, SIZE, new Memory());
        slot.spaces().ports("e1000", config, 1, PORTS, new Ports());
        if (rom != null) {
            slot.spaces().expansionRom("e1000", config, rom);
        }
        resetRegisters();
        link.connect((frame, offset, length) -> phy.hasLink() && receiver.deliver(frame, offset, length));
    }

    private void resetRegisters() {
        control = CTRL_INITIAL;
        Arrays.fill(kept, 0);
        keep(Registers.PBA, PBA_INITIAL);
        keep(Registers.VET, VLAN_ETHER_TYPE);
        causes = 0;
        mask = 0;
        interval = 0;
        receiveRing.reset();
        transmitRing.reset();
        receiver.reset();
        transmitter.reset();
        drive();
    }

    // ---- interrupts ----------------------------------------------------------------------------------------------------

    private void raise(int more) {
        causes |= more;
        drive();
    }

    /** Drives the interrupt, not sooner after it was driven last than ITR says. */
    private void drive() {
        boolean asks = (causes & mask) != 0;
        if (!asks) {
            interrupt.set(false);
        } else if (clock.now() < nextInterrupt) {
            moderation.set(nextInterrupt);
        } else {
            interrupt.set(true);
        }
    }

    private int takeCauses() {
        int taken = causes;
        causes = 0;
        if ((taken & mask) != 0) {
            nextInterrupt = clock.now() + interval * INTERVAL_UNIT;
        }
        drive();
        return taken;
    }

    // ---- registers -----------------------------------------------------------------------------------------------------

    private void keep(int register, int value) {
        kept[register >>> 2] = value;
    }

    private int kept(int register) {
        return register >>> 2 < KEPT_WORDS ? kept[register >>> 2] : 0;
    }

    private int read(int register) {
        return switch (register) {
            case Registers.CTRL -> control;
            case Registers.STATUS -> STATUS_FIXED | (phy.hasLink() ? STATUS_LINK : 0);
            case Registers.EECD -> eeprom.readControl();
            case Registers.EERD -> eeprom.readData();
            case Registers.MDIC -> phy.readCommand();
            case Registers.ICR -> takeCauses();
            case Registers.ITR -> interval;
            case Registers.IMS -> mask;
            case Registers.ICS, Registers.IMC -> 0;
            case Registers.RCTL -> receiver.control();
            case Registers.TCTL -> transmitter.control();
            case Registers.RDBAL, Registers.RDBAH, Registers.RDLEN, Registers.RDH, Registers.RDT ->
                receiveRing.read(register - Registers.RDBAL >>> 2);
            case Registers.TDBAL, Registers.TDBAH, Registers.TDLEN, Registers.TDH, Registers.TDT ->
                transmitRing.read(register - Registers.TDBAL >>> 2);
            case Registers.RXCSUM -> receiver.checksumControl();
            default -> readTables(register);
        };
    }

    private int readTables(int register) {
        if (register >= Registers.STATISTICS && register < Registers.STATISTICS_END) {
            int value = kept(register);
            keep(register, 0);
            return value;
        } else if (register >= Registers.MTA && register < Registers.MTA_END) {
            return receiver.multicast()[register - Registers.MTA >>> 2];
        } else if (register >= Registers.RA && register < Registers.RA_END) {
            return receiver.addresses()[register - Registers.RA >>> 2];
        } else if (register >= Registers.VFTA && register < Registers.VFTA_END) {
            return receiver.vlans()[register - Registers.VFTA >>> 2];
        }
        return kept(register);
    }

    private void write(int register, int value) {
        switch (register) {
            case Registers.CTRL -> writeControl(value);
            case Registers.STATUS -> {
                // Read-only.
            }
            case Registers.EECD -> eeprom.writeControl(value);
            case Registers.EERD -> eeprom.writeData(value);
            case Registers.MDIC -> {
                if (phy.writeCommand(value)) {
                    raise(Registers.MDAC);
                }
            }
            case Registers.ICR -> {
                causes &= ~value;
                drive();
            }
            case Registers.ITR -> interval = value & 0xffff;
            case Registers.ICS -> raise(value & 0x1_ffff);
            case Registers.IMS -> {
                mask |= value & 0x1_ffff;
                drive();
            }
            case Registers.IMC -> {
                mask &= ~value;
                drive();
            }
            case Registers.RCTL -> receiver.setControl(value);
            case Registers.TCTL -> transmitter.setControl(value);
            case Registers.RDBAL, Registers.RDBAH, Registers.RDLEN, Registers.RDH, Registers.RDT ->
                receiveRing.write(register - Registers.RDBAL >>> 2, value);
            case Registers.TDBAL, Registers.TDBAH, Registers.TDLEN, Registers.TDH, Registers.TDT -> {
                transmitRing.write(register - Registers.TDBAL >>> 2, value);
                transmitter.tailMoved();
            }
            case Registers.RXCSUM -> receiver.setChecksumControl(value);
            default -> writeTables(register, value);
        }
    }

    private void writeTables(int register, int value) {
        if (register >= Registers.STATISTICS && register < Registers.STATISTICS_END) {
            return;
        }
        if (register >= Registers.MTA && register < Registers.MTA_END) {
            receiver.multicast()[register - Registers.MTA >>> 2] = value;
        } else if (register >= Registers.RA && register < Registers.RA_END) {
            receiver.addresses()[register - Registers.RA >>> 2] = value;
        } else if (register >= Registers.VFTA && register < Registers.VFTA_END) {
            receiver.vlans()[register - Registers.VFTA >>> 2] = value;
        } else if (register >>> 2 < KEPT_WORDS) {
            keep(register, value);
        }
    }

    private void writeControl(int value) {
        if ((value & CTRL_RESET) != 0) {
            resetRegisters();
            return;
        }
        if ((value & CTRL_PHY_RESET) != 0) {
            phy.reset();
        }
        control = value & ~(CTRL_RESET | CTRL_PHY_RESET);
    }

    private final class Memory implements MmioDevice {
        @Override
        public long read(long offset, int size) {
            int register = (int) offset & ~3;
            long value = E1000.this.read(register) & 0xffff_ffffL;
            if (size == 8) {
                value |= (long) E1000.this.read(register + 4) << 32;
            }
            return value >>> ((int) offset & 3) * 8;
        }

        @Override
        public void write(long offset, int size, long value) {
            if (size >= 4 && (offset & 3) == 0) {
                E1000.this.write((int) offset, (int) value);
                if (size == 8) {
                    E1000.this.write((int) offset + 4, (int) (value >>> 32));
                }
            }
        }
    }

    /** IOADDR and IODATA (13.2.2). */
    private final class Ports implements MmioDevice {
        @Override
        public long read(long offset, int size) {
            if (size != 4) {
                return 0;
            }
            return offset == 0
                    ? portAddress
                    : offset == 4 && portAddress < SIZE ? E1000.this.read(portAddress & ~3) : 0;
        }

        @Override
        public void write(long offset, int size, long value) {
            if (size == 4 && offset == 0) {
                portAddress = (int) value & 0xf_ffff;
            } else if (size == 4 && offset == 4 && portAddress < SIZE) {
                E1000.this.write(portAddress & ~3, (int) value);
            }
        }
    }

    // ---- what both ends need -------------------------------------------------------------------------------------------

    private void add(int counter, long amount) {
        keep(counter, kept(counter) + (int) amount);
    }

    private void addLong(int counter, long amount) {
        long sum = (kept(counter) & 0xffff_ffffL | (long) kept(counter + 4) << 32) + amount;
        keep(counter, (int) sum);
        keep(counter + 4, (int) (sum >>> 32));
    }

    /** Counters of frames by their size: to 64, 127, 255, 511, 1023 and 1522 bytes. */
    private static int bySize(int length) {
        int step = 0;
        for (int limit = 64; length > limit && step < 5; limit = 2 * (limit + (limit & 1)) - 1) {
            step++;
        }
        return 4 * step;
    }

    private final class Ends implements Receiver.Card, Transmitter.Card {
        @Override
        public boolean vlanTags() {
            return (control & CTRL_VLAN) != 0;
        }

        @Override
        public int vlanEtherType() {
            return kept(Registers.VET) & 0xffff;
        }

        @Override
        public void raise(int more) {
            E1000.this.raise(more);
        }

        @Override
        public void count(byte[] frame, int offset, int length) {
            add(Registers.GPRC, 1);
            add(Registers.TPR, 1);
            add(Registers.PRC64 + bySize(length), 1);
            addLong(Registers.GORCL, length);
            addLong(Registers.TORL, length);
            countGroup(frame, offset, Registers.BPRC, Registers.MPRC);
        }

        @Override
        public void count(byte[] frame, int length) {
            int onWire = length + 4;
            add(Registers.GPTC, 1);
            add(Registers.TPT, 1);
            add(Registers.PTC64 + bySize(onWire), 1);
            addLong(Registers.GOTCL, onWire);
            addLong(Registers.TOTL, onWire);
            countGroup(frame, 0, Registers.BPTC, Registers.MPTC);
        }

        private void countGroup(byte[] frame, int offset, int broadcasts, int multicasts) {
            if ((frame[offset] & 1) != 0) {
                add(MacAddress.read(frame, offset) == 0xffff_ffff_ffffL ? broadcasts : multicasts, 1);
            }
        }

        @Override
        public void countMissed() {
            add(Registers.MPC, 1);
            add(Registers.RNBC, 1);
        }

        @Override
        public void countSegmented() {
            add(Registers.TSCTC, 1);
        }
    }

    // ---- state ---------------------------------------------------------------------------------------------------------

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public String stateName() {
        return "e1000";
    }

    @Override
    public void save(StateWriter out) {
        out.put(config).put(eeprom).put(phy).put(receiver).put(transmitter).put("kept", kept);
        out.put("control", control).put("causes", causes).put("mask", mask).put("interval", interval);
        out.put("nextInterrupt", nextInterrupt).put("moderation", moderation).put("portAddress", portAddress);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(config);
        in.get(eeprom);
        in.get(phy);
        in.get(receiver);
        in.get(transmitter);
        in.get("kept", kept);
        control = in.getInt("control");
        causes = in.getInt("causes");
        mask = in.getInt("mask");
        interval = in.getInt("interval", 0, 0xffff);
        nextInterrupt = in.getLong("nextInterrupt");
        in.get("moderation", moderation);
        portAddress = in.getInt("portAddress", 0, 0xf_ffff);
    }
}

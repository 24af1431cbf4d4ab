package dev.xenolith.device.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.MemoryDma;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.network.e1000.E1000;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.MessageSink;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.pci.PciSpaces;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class E1000Test {
    private static final long BAR = 0xfeb0_0000L;
    private static final int PORT = 0xc000;
    private static final int RX_RING = 0x1000;
    private static final int TX_RING = 0x2000;
    private static final int BUFFERS = 0x1_0000;
    private static final int RING_BYTES = 128;
    private static final int MEMORY = 1 << 20;
    private static final MacAddress ADDRESS = new MacAddress(0x5254_0012_3456L);
    private static final byte[] OWN = HexFormat.of().parseHex("525400123456");
    private static final int FUZZ = Integer.getInteger("device.fuzz", 300_000);

    private final TestTime time = new TestTime();
    private final TestLine line = new TestLine();
    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(MEMORY));
    private final PhysicalMap map = new PhysicalMap(memory);
    private final PortBus ports = new PortBus();
    private final List<byte[]> sent = new ArrayList<>();
    private NetworkLink.Receiver receiver = (frame, offset, length) -> false;
    private E1000 card = card(time, new PciSpaces(ports, map, UnaryOperator.identity()));

    private E1000 card(TestTime clock, PciSpaces spaces) {
        return new E1000(new PciSlot(clock, spaces, line, MessageSink.NONE, new MemoryDma(memory)), ADDRESS,
                new NetworkLink() {
                    @Override
                    public void connect(Receiver connected) {
                        receiver = connected;
                    }

                    @Override
                    public void send(byte[] frame, int offset, int length) {
                        byte[] copy = new byte[length];
                        System.arraycopy(frame, offset, copy, 0, length);
                        sent.add(copy);
                    }

                    @Override
                    public boolean isUp() { return true; }
                }, null);
    }

    @BeforeEach
    void start() {
        ConfigSpace config = card.config();
        config.write(ConfigSpace.BAR_0, 4, (int) BAR);
        config.write(ConfigSpace.BAR_0 + 4, 4, PORT);
        config.write(ConfigSpace.COMMAND, 2,
                ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY | ConfigSpace.COMMAND_MASTER);
        set(0x2800, RX_RING);
        set(0x2808, RING_BYTES);
        set(0x3800, TX_RING);
        set(0x3808, RING_BYTES);
        for (int i = 0; i < RING_BYTES / 16; i++) {
            memory.write64(RX_RING + 16L * i, BUFFERS + 2048L * i);
        }
        set(0x2818, 7);
        set(0x100, 1 << 1 | 1 << 15);
        set(0x400, 1 << 1);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void set(int register, int value) {
        map.write(BAR + register, 4, value);
    }

    private int get(int register) {
        return (int) map.read(BAR + register, 4);
    }

    /** A frame to this card whose bytes after the header count up. */
    private static byte[] frame(int length) {
        byte[] frame = new byte[length];
        System.arraycopy(OWN, 0, frame, 0, 6);
        frame[6] = 2;
        frame[12] = 8;
        for (int i = 14; i < length; i++) {
            frame[i] = (byte) i;
        }
        return frame;
    }

    private void describe(int index, long address, int command, int last) {
        memory.write64(TX_RING + 16L * index, address);
        memory.write32(TX_RING + 16L * index + 8, command);
        memory.write32(TX_RING + 16L * index + 12, last);
    }

    private void transmit(int tail) {
        set(0x3818, tail);
        time.advance(1_000_000);
    }

    @Test
    void addressesAreInTheEeprom() {
        set(0x14, 1 << 8 | 1);
        assertThat(get(0x14)).isEqualTo(0x1200 << 16 | 0x110);
        int sum = 0;
        for (int word = 0; word < 64; word++) {
            assertThat(readBitByBit(word)).isEqualTo(word(word));
            sum += word(word);
        }
        assertThat(sum & 0xffff).isEqualTo(0xbaba);
        assertThat(get(0x5400)).isEqualTo(0x1200_5452);
        assertThat(get(0x5404)).isEqualTo(0x8000_5634);
    }

    private int word(int index) {
        ports.out(PORT, 4, 0x14);
        ports.out(PORT + 4, 4, index << 8 | 1);
        return (int) (ports.in(PORT + 4, 4) >>> 16);
    }

    private int readBitByBit(int word) {
        set(0x10, 0x42);
        int command = 0b110 << 6 | word;
        for (int bit = 8; bit >= 0; bit--) {
            int data = (command >>> bit & 1) << 2;
            set(0x10, 0x42 | data);
            set(0x10, 0x43 | data);
        }
        int value = 0;
        for (int bit = 0; bit < 16; bit++) {
            set(0x10, 0x42);
            set(0x10, 0x43);
            value = value << 1 | get(0x10) >>> 3 & 1;
        }
        set(0x10, 0x40);
        return value;
    }

    @Test
    void thePhyNegotiates() {
        assertThat(get(8) & 2).isEqualTo(2);
        set(0x20, 1 << 21 | 2 << 16 | 2 << 26);
        assertThat(get(0x20)).isEqualTo(1 << 28 | 2 << 26 | 1 << 21 | 2 << 16 | 0x0141);
        set(0xd0, 1 << 2);
        set(0x20, 1 << 21 | 1 << 26 | 0x1340);
        assertThat(get(8) & 2).as("link").isZero();
        assertThat(get(0xc0) & 4).isEqualTo(4);
        time.advance(200_000_000);
        assertThat(get(8) & 2).isEqualTo(2);
        assertThat(line.level()).isTrue();
        assertThat(get(0xc0) & 4).isEqualTo(4);
        assertThat(line.level()).isFalse();
        set(0x20, 2 << 21 | 2 << 26);
        assertThat(get(0x20) & 1 << 30).as("no PHY there").isNotZero();
    }

    @Test
    void framesAreSentFromTheRing() {
        memory.copyIn(frame(100), 0, BUFFERS, 100);
        describe(0, BUFFERS, 40 | 8 << 24, 0);
        describe(1, BUFFERS + 40, 60 | 9 << 24, 0);
        describe(2, BUFFERS, 20 | 1 << 24, 0);
        set(0xd0, 1);
        transmit(3);
        assertThat(sent).hasSize(2);
        assertThat(sent.get(0)).isEqualTo(frame(100));
        assertThat(sent.get(1)).as("padded").hasSize(60);
        assertThat(memory.read8(TX_RING + 12)).isEqualTo(1);
        assertThat(memory.read8(TX_RING + 28)).isEqualTo(1);
        assertThat(memory.read8(TX_RING + 44)).as("no report was asked for").isZero();
        assertThat(get(0x3810)).isEqualTo(3);
        assertThat(line.level()).isTrue();
        assertThat(get(0xc0)).isEqualTo(3);
        assertThat(get(0x4080)).isEqualTo(2);
        assertThat(get(0x4080)).as("cleared by reading").isZero();
    }

    @Test
    void segmentsGetHeadersOfTheirOwn() {
        byte[] large = new byte[54 + 2500];
        System.arraycopy(frame(54), 0, large, 0, 14);
        byte[] ip = HexFormat.of().parseHex("4500000000070000400600000a00000f0a000002");
        System.arraycopy(ip, 0, large, 14, 20);
        byte[] tcp = HexFormat.of().parseHex("10000050000000ff000000005019200000000000");
        System.arraycopy(tcp, 0, large, 34, 20);
        long pseudo = InternetChecksum.add(6, ip, 12, 20);
        int begun = InternetChecksum.finish(pseudo) ^ 0xffff;
        large[50] = (byte) (begun >>> 8);
        large[51] = (byte) begun;
        for (int i = 54; i < large.length; i++) {
            large[i] = (byte) (i * 7);
        }
        memory.copyIn(large, 0, BUFFERS, large.length);
        memory.write32(TX_RING, 14 | 24 << 8 | 33 << 16);
        memory.write32(TX_RING + 4, 34 | 50 << 8);
        memory.write32(TX_RING + 8, 2500 | 0x27 << 24);
        memory.write32(TX_RING + 12, 54 << 8 | 1000 << 16);
        describe(1, BUFFERS, 54 | 1 << 20 | 0x24 << 24, 3 << 8);
        describe(2, BUFFERS + 54, 2500 | 1 << 20 | 0x2d << 24, 0);
        transmit(3);
        assertThat(sent).hasSize(3);
        int at = 54;
        for (int i = 0; i < 3; i++) {
            byte[] segment = sent.get(i);
            int payload = Math.min(1000, large.length - at);
            assertThat(segment).hasSize(54 + payload);
            assertThat(HexFormat.of().formatHex(segment, 16, 20)).isEqualTo(
                    String.format("%04x%04x", 40 + payload, 7 + i));
            assertThat(HexFormat.of().formatHex(segment, 38, 42)).isEqualTo(String.format("%08x", 0xff + at - 54));
            assertThat(segment[47]).as("FIN and PSH on the last").isEqualTo((byte) (i == 2 ? 0x19 : 0x10));
            assertThat(InternetChecksum.finish(InternetChecksum.add(0, segment, 14, 34))).isZero();
            long sum = InternetChecksum.add(6 + 20 + payload, segment, 26, 34);
            assertThat(InternetChecksum.finish(InternetChecksum.add(sum, segment, 34, segment.length))).isZero();
            for (int byteOf = 0; byteOf < payload; byteOf++) {
                assertThat(segment[54 + byteOf]).isEqualTo(large[at + byteOf]);
            }
            at += payload;
        }
    }

    @Test
    void framesAreReceivedIntoTheRing() {
        set(0xd0, 1 << 7);
        assertThat(receiver.deliver(frame(1000), 0, 1000)).isTrue();
        assertThat(memory.read16(RX_RING + 8)).as("with its check sequence").isEqualTo(1004);
        assertThat(memory.read8(RX_RING + 12) & 7).as("done, end, checksum not looked at").isEqualTo(7);
        byte[] stored = new byte[1000];
        memory.copyOut(BUFFERS, stored, 0, 1000);
        assertThat(stored).isEqualTo(frame(1000));
        CRC32 crc = new CRC32();
        crc.update(stored);
        assertThat(memory.read32(BUFFERS + 1000)).isEqualTo((int) crc.getValue());
        assertThat(line.level()).isTrue();
        set(0x100, 1 << 1 | 1 << 15 | 3 << 16 | 1 << 26);
        assertThat(receiver.deliver(frame(300), 0, 300)).as("in buffers of 256 bytes").isTrue();
        assertThat(memory.read16(RX_RING + 24)).isEqualTo(256);
        assertThat(memory.read8(RX_RING + 28)).isEqualTo(1);
        assertThat(memory.read16(RX_RING + 40)).isEqualTo(44);
        assertThat(get(0x2810)).isEqualTo(3);
        for (int i = 0; i < 4; i++) {
            assertThat(receiver.deliver(frame(60), 0, 60)).isTrue();
        }
        get(0xc0);
        assertThat(receiver.deliver(frame(60), 0, 60)).as("no buffer is left").isFalse();
        assertThat(get(0xc0) & 1 << 6).isNotZero();
        assertThat(get(0x4010)).isEqualTo(1);
    }

    @Test
    void onlyWhatIsForTheCardIsTaken() {
        byte[] other = frame(60);
        other[5] ^= 1;
        assertThat(receiver.deliver(other, 0, 60)).isTrue();
        assertThat(get(0x2810)).isZero();
        byte[] group = frame(60);
        System.arraycopy(HexFormat.of().parseHex("333300000001"), 0, group, 0, 6);
        receiver.deliver(group, 0, 60);
        assertThat(get(0x2810)).isZero();
        int hash = 0x0100 >>> 4;
        set(0x5200 + 4 * (hash >>> 5), 1 << (hash & 31));
        receiver.deliver(group, 0, 60);
        assertThat(get(0x2810)).isEqualTo(1);
        System.arraycopy(HexFormat.of().parseHex("ffffffffffff"), 0, group, 0, 6);
        receiver.deliver(group, 0, 60);
        assertThat(get(0x2810)).isEqualTo(2);
        set(0x100, 1 << 1 | 1 << 3);
        receiver.deliver(other, 0, 60);
        assertThat(get(0x2810)).isEqualTo(3);
        receiver.deliver(group, 0, 60);
        assertThat(get(0x2810)).isEqualTo(3);
    }

    @Test
    void vlanTagsAreStrippedAndInserted() {
        set(0, get(0) | 1 << 30);
        byte[] tagged = frame(100);
        System.arraycopy(HexFormat.of().parseHex("81000123"), 0, tagged, 12, 4);
        set(0x100, 1 << 1 | 1 << 26 | 1 << 18);
        receiver.deliver(tagged, 0, 100);
        assertThat(get(0x2810)).as("the filter does not know it").isZero();
        set(0x5600 + 4 * (0x123 >>> 5), 1 << (0x123 & 31));
        receiver.deliver(tagged, 0, 100);
        assertThat(memory.read16(RX_RING + 8)).isEqualTo(96);
        assertThat(memory.read8(RX_RING + 12) & 8).isEqualTo(8);
        assertThat(memory.read16(RX_RING + 14)).isEqualTo(0x123);
        assertThat(memory.read8(BUFFERS + 12)).isEqualTo(16);
        memory.copyIn(frame(100), 0, BUFFERS, 100);
        describe(0, BUFFERS, 100 | 0x41 << 24, 0x456 << 16);
        transmit(1);
        assertThat(HexFormat.of().formatHex(sent.get(0), 12, 18)).isEqualTo("810004560800");
        assertThat(sent.get(0)).hasSize(104);
    }

    @Test
    void checksumsAreLookedAt() {
        set(0x5000, 3 << 8);
        byte[] udp = new byte[60];
        System.arraycopy(frame(14), 0, udp, 0, 14);
        byte[] ip = HexFormat.of()
                .parseHex("4500002000070000401100000a00000f0a000002" + "0035003500 0c0000".replace(" ", "")
                        + "01020304");
        System.arraycopy(ip, 0, udp, 14, 32);
        put16(udp, 24, InternetChecksum.finish(InternetChecksum.add(0, udp, 14, 34)));
        put16(udp, 40, InternetChecksum.finish(
                InternetChecksum.add(InternetChecksum.add(17 + 12, udp, 26, 34), udp, 34, 46)));
        receiver.deliver(udp, 0, 60);
        assertThat(memory.read16(RX_RING + 12)).as("both sums are right").isEqualTo(0x63);
        udp[45] ^= 1;
        receiver.deliver(udp, 0, 60);
        assertThat(memory.read16(RX_RING + 28)).isEqualTo(0x2063);
        udp[24] ^= 1;
        receiver.deliver(udp, 0, 60);
        assertThat(memory.read16(RX_RING + 44)).isEqualTo(0x6063);
    }

    private static void put16(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
    }

    @Test
    void interruptsKeepTheirInterval() {
        set(0xc4, 1000);
        set(0xd0, 1 << 7);
        receiver.deliver(frame(60), 0, 60);
        assertThat(line.level()).isTrue();
        get(0xc0);
        receiver.deliver(frame(60), 0, 60);
        assertThat(line.level()).isFalse();
        time.advance(255_000);
        assertThat(line.level()).isFalse();
        time.advance(2_000);
        assertThat(line.level()).isTrue();
        set(0xd8, 1 << 7);
        assertThat(line.level()).isFalse();
    }

    @Test
    void aCardThatMayNotMasterTheBusReachesNoMemory() {
        memory.copyIn(frame(100), 0, BUFFERS, 100);
        describe(0, BUFFERS, 100 | 9 << 24, 0);
        card.config().write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_MEMORY);
        transmit(1);
        assertThat(memory.read8(TX_RING + 12)).isZero();
    }

    @Test
    void itsStateComesBackInTheMiddleOfAFrame() throws StateException {
        memory.copyIn(frame(100), 0, BUFFERS, 100);
        describe(0, BUFFERS, 40 | 8 << 24, 0);
        transmit(1);
        PhysicalMap otherMap = new PhysicalMap(memory);
        TestTime otherTime = time.copy();
        RoundTrip.check(card, card(otherTime, new PciSpaces(new PortBus(), otherMap, UnaryOperator.identity())));
        assertThat(otherMap.read(BAR + 0x3818, 4)).isEqualTo(1);
        describe(1, BUFFERS + 40, 60 | 9 << 24, 0);
        otherMap.write(BAR + 0x3818, 4, 2);
        otherTime.advance(1_000_000);
        assertThat(sent).containsExactly(frame(100));
    }

    @Test
    void anyAccessIsTaken() throws StateException {
        Random random = new Random(6);
        byte[] frame = new byte[2000];
        int[] interesting = {0, 0x10, 0x14, 0x20, 0xc0, 0xc8, 0xd0, 0x100, 0x400, 0x2800, 0x2808, 0x2810, 0x2818,
            0x3800,
            0x3804, 0x3808, 0x3810, 0x3818, 0x5000, 0x5400};
        for (int i = 0; i < FUZZ; i++) {
            int size = 1 << random.nextInt(4);
            long register = random.nextBoolean()
                    ? interesting[random.nextInt(interesting.length)]
                    : random.nextInt(0x2_0000);
            long value = random.nextBoolean() ? random.nextInt(MEMORY) : random.nextLong();
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> map.read(BAR + register, size);
                case 3, 4, 5, 6 -> map.write(BAR + register, size, value);
                case 7 -> memory.write(random.nextInt(MEMORY - 8), 8, random.nextLong());
                case 8 -> {
                    random.nextBytes(frame);
                    System.arraycopy(OWN, 0, frame, 0, random.nextInt(7));
                    receiver.deliver(frame, 0, random.nextInt(frame.length));
                }
                case 9 -> ports.out(PORT + random.nextInt(64), 4, value);
                case 10 -> ports.in(PORT + random.nextInt(64), 4);
                default -> time.advance(random.nextLong(20_000));
            }
            if (i % 50_000 == 49_999) {
                RoundTrip.check(card, card(time.copy(), new PciSpaces(new PortBus(), new PhysicalMap(memory),
                        UnaryOperator.identity())));
                card = card(time, new PciSpaces(ports, map, UnaryOperator.identity()));
                map.unmap(BAR);
                ports.unmap(PORT);
                start();
            }
            sent.clear();
        }
    }
}

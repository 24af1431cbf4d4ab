package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.device.board.Outcome;
import dev.xenolith.device.board.PcBoard;
import dev.xenolith.device.boot.BootException;
import dev.xenolith.device.boot.BootRequest;
import dev.xenolith.device.serial.StreamBackend;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A bare machine with a stub, frozen before the first instruction of 64-bit code at {@link #ENTRY}. */
final class TestMachine implements AutoCloseable {
    static final long ENTRY = 0x10_0200;

    final PcBoard board;
    final GdbServer server;

    TestMachine(int processors, Architecture architecture, String code) throws IOException, BootException {
        board = board(processors, code);
        server = new GdbServer(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), architecture, false);
        board.control().stop();
        server.target(new BoardTarget(board));
        board.start();
    }

    /** A machine about to execute {@code code}, in hexadecimal digits. */
    static PcBoard board(int processors, String code) throws BootException {
        PcBoard board = new PcBoard(new PcBoard.Options(16 << 20, processors, CpuModel.intel(),
                new Machine.Configuration(ClockMode.VIRTUAL, 1),
                machine -> new StreamBackend(new ByteArrayOutputStream(), machine, e -> {}), 0, null, true, false,
                Long.MAX_VALUE));
        board.boot(new BootRequest(new BootRequest.File("guest", kernel(code)), null, "", List.of()));
        return board;
    }

    /** A bzImage to be loaded at 1 MiB. */
    static byte[] kernel(String code) {
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        int setup = 2 * 512;
        ByteBuffer image = ByteBuffer.allocate(setup + 0x200 + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 1).putShort(0x1fe, (short) 0xaa55).put(0x201, (byte) 0x66).putInt(0x202, 0x5372_6448)
                .putShort(0x206, (short) 0x20f).put(0x211, (byte) 1).putInt(0x214, 0x10_0000).putInt(0x22c, 0x7fff_ffff)
                .put(0x234, (byte) 1).putShort(0x236, (short) 1).putInt(0x238, 2047).putLong(0x258, 0x10_0000)
                .putInt(0x260, 0x1_0000);
        image.put(setup + 0x200, bytes);
        return image.array();
    }

    TestClient connect() throws IOException {
        return new TestClient(server.address());
    }

    /** Waits for the machine's end. */
    Outcome outcome() throws InterruptedException, ExecutionException, TimeoutException {
        return board.outcome().get(30, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        board.close();
        server.close();
    }
}

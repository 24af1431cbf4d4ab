package dev.xenolith.device.firmware;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.serial.CharacterBackend;

/** Port 0xe9, where Bochs and its kin print what is written; it reads as its own number, by which software finds it. */
public record DebugConsole(CharacterBackend out) implements ByteRegisters {
    public static final int PORT = 0xe9;

    @Override
    public int readByte(int offset) {
        return PORT;
    }

    @Override
    public void writeByte(int offset, int value) {
        out.write((byte) value);
    }
}

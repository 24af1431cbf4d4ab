package dev.xenolith.device.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Appends structures to the place for boot information, and says where they are. */
final class InformationWriter {
    private final String kernel;
    private final BootMemory memory;
    private long next = BootMemory.INFORMATION;

    InformationWriter(String kernel, BootMemory memory) {
        this.kernel = kernel;
        this.memory = memory;
    }

    static ByteBuffer structure(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Writes {@code bytes} at the next multiple of 16; returns the address. */
    long add(byte[] bytes) throws BootException {
        long address = next + 15 & -16;
        next = address + bytes.length;
        if (next > BootMemory.INFORMATION + BootMemory.INFORMATION_SIZE) {
            throw new BootException(kernel + ": too many modules, or their command lines are too long");
        }
        memory.memory().copyIn(bytes, 0, address, bytes.length);
        return address;
    }

    long add(ByteBuffer structure) throws BootException {
        return add(structure.array());
    }

    long add(String text) throws BootException {
        return add((text + "\0").getBytes(StandardCharsets.UTF_8));
    }

    /** Loads a module's file at the first page from {@code address} on; returns that page. */
    long load(BootRequest.File file, long address) throws BootException {
        long page = BootMemory.pageUp(address);
        memory.put(file.name(), file.content(), 0, page, file.content().length);
        return page;
    }
}

package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import java.util.Arrays;

/** Decodes single instructions from what {@link dev.xenolith.cpu.processor.MemoryPort#fetch} returns: code that is in no block. */
final class InstructionFetcher {
    private final Decoder decoder;
    private final byte[] bytes = new byte[DecodedInstruction.MAX_LENGTH];

    InstructionFetcher(Decoder decoder) {
        this.decoder = decoder;
    }

    /** The instruction at RIP; throws the faults of fetching it. Touches the next page only if the instruction does. */
    DecodedInstruction fetch(Processor p) {
        long rip = p.rip;
        int have = 0;
        int most = p.codeBytes(rip, bytes.length);
        while (true) {
            if (have == most) {
                // The instruction crosses the limit of CS.
                p.codeBytes(rip + have, 1);
            }
            long address = p.wrap(rip + have);
            int size = Math.min(most - have, (int) (BlockBuilder.secondPage(address) - address));
            size = Integer.highestOneBit(Math.min(size, 8));
            long value = p.port.fetch(p, address, size);
            for (int i = 0; i < size; i++) {
                bytes[have++] = (byte) (value >>> 8 * i);
            }
            DecodedInstruction instruction = decoder.decode(bytes, 0, have, (int) rip & PhysicalMemory.FRAME_SIZE - 1,
                    p.codeContext);
            if (instruction != null) {
                return instruction;
            }
        }
    }

    /** A copy of the first {@code length} bytes of what was fetched last. */
    byte[] bytes(int length) {
        return Arrays.copyOf(bytes, length);
    }
}

package dev.xenolith.benchmark;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Straight pieces of 64-bit code, of the mix of instructions that kernels have, each of which ends with a jump to the next one. Loads
 * and stores go to 128 bytes from RSI and RDI on.
 */
final class GeneratedCode {
    /** Instructions of a piece with its jump. */
    static final int PIECE_INSTRUCTIONS = 8;
    /** Bytes from one piece to the next in memory; no two share a line. */
    static final int PIECE_SIZE = 64;

    /** Instructions; where a byte is {@link #OFFSET}, a multiple of 8 up to 78h stands. */
    private static final int OFFSET = -1;
    private static final int[][] INSTRUCTIONS = {
        {0x48, 0x01, 0xd8}, // add rax, rbx
        {0x48, 0x8b, 0x46, OFFSET}, // mov rax, [rsi+offset]
        {0x48, 0x89, 0x47, OFFSET}, // mov [rdi+offset], rax
        {0x48, 0x8d, 0x54, 0x83, OFFSET}, // lea rdx, [rbx+rax*4+offset]
        {0x83, 0xc1, OFFSET}, // add ecx, offset
        {0x48, 0x31, 0xc2}, // xor rdx, rax
        {0x48, 0xc1, 0xe3, 0x05}, // shl rbx, 5
        {0x0f, 0xb6, 0x46, OFFSET}, // movzx eax, byte ptr [rsi+offset]
        {0x48, 0x0f, 0xaf, 0xc2}, // imul rax, rdx
        {0x84, 0xc0}, // test al, al
        {0x0f, 0x95, 0xc1}, // setne cl
        {0x48, 0x3b, 0x5e, OFFSET}, // cmp rbx, [rsi+offset]
        {0xf7, 0xd8}, // neg eax
        {0x45, 0x89, 0xc1}, // mov r9d, r8d
    };

    private GeneratedCode() {}

    /**
     * {@code pieces} pieces one behind the other in memory, the first of which is executed first and after the last; with
     * {@code shuffled} all others follow in an order that jumps about. Equal for equal seeds.
     */
    static byte[] ring(int pieces, boolean shuffled, long seed) {
        Random random = new Random(seed);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < pieces; i++) {
            order.add(i);
        }
        if (shuffled) {
            Collections.shuffle(order.subList(1, pieces), random);
        }
        ByteBuffer code = ByteBuffer.allocate(pieces * PIECE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < pieces; i++) {
            code.position(order.get(i) * PIECE_SIZE);
            for (int j = 1; j < PIECE_INSTRUCTIONS; j++) {
                for (int value : INSTRUCTIONS[random.nextInt(INSTRUCTIONS.length)]) {
                    code.put((byte) (value == OFFSET ? 8 * random.nextInt(16) : value));
                }
            }
            int next = order.get((i + 1) % pieces) * PIECE_SIZE;
            code.put((byte) 0xe9).putInt(next - (code.position() + 4));
        }
        return code.array();
    }
}

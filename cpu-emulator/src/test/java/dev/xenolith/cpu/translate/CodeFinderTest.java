package dev.xenolith.cpu.translate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.interpret.UnitSource.Quality;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What becomes part of a region, and what follows what in it. */
class CodeFinderTest {
    private static final int MANY = 100;
    private static final byte FILLER = (byte) 0xf4;

    /** The region of the code at the beginning of a page, all of it executed, in which indirect branches have led to {@code targets}. */
    private static Region region(String code, int most, int... targets) {
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        byte[] page = new byte[PhysicalMemory.FRAME_SIZE];
        Arrays.fill(page, FILLER);
        System.arraycopy(bytes, 0, page, 0, bytes.length);
        BitSet executed = new BitSet();
        executed.set(0, bytes.length);
        BitSet reached = new BitSet();
        Arrays.stream(targets).forEach(reached::set);
        Hot hot = new Hot(0, page, 0, Mode.CODE_64 | Mode.FLAT, Quality.BEST, executed, reached, () -> 0);
        Decoder decoder = new Decoder(OpcodeTable.load(), ProgramMachine.MODEL::has);
        return Objects.requireNonNull(new RegionBuilder(decoder).build(hot, most));
    }

    private static List<BasicBlock> at(Region region, int offset) {
        return region.blocks.stream().filter(block -> block.start == offset).toList();
    }

    @Test
    void aLeafIsThereForEachCallAndReturnsToIt() {
        // 0: call 0d; 5: call 0d; a: jmp 0; d: inc eax; f: ret
        Region region = region("e8 08 00 00 00  e8 03 00 00 00  eb f4  90  ff c0  c3", MANY);
        List<BasicBlock> leaves = at(region, 0xd);
        assertThat(leaves).hasSize(2).allMatch(block -> block.leaf);
        assertThat(leaves).flatExtracting(block -> block.others).extracting(block -> block.start)
                .containsExactlyInAnyOrder(5, 0xa);
        assertThat(at(region, 0)).extracting(block -> block.target).isSubsetOf(leaves);
    }

    @Test
    void aFunctionThatCallsItselfIsThereOnce() {
        // 0: dec edi; jz 9; call 0; 9: inc eax; b: ret
        Region region = region("ff cf  74 05  e8 f7 ff ff ff  ff c0  c3", MANY);
        assertThat(at(region, 0)).hasSize(1);
        BasicBlock call = at(region, 4).getFirst();
        assertThat(call.target).isSameAs(at(region, 0).getFirst());
        BasicBlock after = at(region, 9).getFirst();
        assertThat(after.leaf).isFalse();
        assertThat(after.others).containsExactly(after);
    }

    @Test
    void anIndirectBranchLeadsWhereItHasLed() {
        // 0: jmp rax; 2: inc eax; jmp 0; 6: dec eax; jmp 0
        String code = "ff e0  ff c0 eb fa  ff c8 eb f6";
        assertThat(at(region(code, MANY), 0).getFirst().others).isEmpty();
        BasicBlock jump = at(region(code, MANY, 2, 6), 0).getFirst();
        assertThat(jump.others).extracting(block -> block.start).containsExactly(2, 6);
        assertThat(jump.others).allMatch(block -> block.target == jump);
    }

    @Test
    void thereAreNoMoreInstructionsThanAskedFor() {
        assertThat(region("ff c0".repeat(50), 7).instructions()).isEqualTo(7);
    }

    @Test
    void aBranchIntoALoopIsCut() {
        // 0: jz 4; 2: inc eax; 4: inc ecx; 6: jnz 2
        Region region = region("74 02  ff c0  ff c1  75 fa", MANY);
        assertThat(region.blocks).allSatisfy(block -> assertThat(block.successors())
                .allMatch(next -> next.number > block.number));
        assertThat(region.blocks).hasSize(3);
    }
}

package dev.xenolith.cpu.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DisassemblerTest {
    private final OpcodeTable table = OpcodeTable.load();
    private final Decoder decoder = new Decoder(table);

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "48 89 e5                      | mov rbp, rsp",
        "48 8b 45 f8                   | mov rax, qword ptr [rbp-0x8]",
        "88 e5                         | mov ch, ah",
        "40 88 e5                      | mov bpl, spl",
        "64 48 8b 04 25 28 00 00 00    | mov rax, qword ptr fs:[0x28]",
        "65 44 8b 3d 10 00 00 00       | mov r15d, dword ptr gs:[0x401018]",
        "4a 8d 44 e0 10                | lea rax, [rax+r12*8+0x10]",
        "67 8d 04 48                   | lea eax, [eax+ecx*2]",
        "a1 88 77 66 55 44 33 22 11    | mov eax, dword ptr [0x1122334455667788]",
        "48 b8 ff ff ff ff ff ff ff 7f | mov rax, 0x7fffffffffffffff",
        "48 83 ec 20                   | sub rsp, 0x20",
        "48 83 c4 80                   | add rsp, 0xffffffffffffff80",
        "66 83 c8 ff                   | or ax, 0xffff",
        "6a ff                         | push 0xffffffffffffffff",
        "41 54                         | push r12",
        "c1 e0 1f                      | shl eax, 0x1f",
        "d1 e8                         | shr eax, 1",
        "d3 fa                         | sar edx, cl",
        "75 fe                         | jne 0x401000",
        "e8 fb ff ff ff                | call 0x401000",
        "ff 15 00 00 00 00             | call qword ptr [0x401006]",
        "ff 2b                         | jmpf fword ptr [rbx]",
        "0f b6 c4                      | movzx eax, ah",
        "0f 94 c0                      | sete al",
        "4d 0f 4e c8                   | cmovle r9, r8",
        "f0 0f b1 0f                   | lock cmpxchg dword ptr [rdi], ecx",
        "f0 48 0f c7 0f                | lock cmpxchg16b [rdi]",
        "f3 a4                         | rep movs byte ptr es:[rdi], byte ptr ds:[rsi]",
        "f2 ae                         | repne scas al, byte ptr es:[rdi]",
        "f3 48 a7                      | repe cmps qword ptr ds:[rsi], qword ptr es:[rdi]",
        "48 99                         | cqo",
        "98                            | cwde",
        "f3 90                         | pause",
        "f3 0f 1e fa                   | endbr64",
        "0f 0b                         | ud2",
        "0f 05                         | syscall",
        "48 0f 07                      | sysretq",
        "48 cf                         | iretq",
        "0f 22 d8                      | mov cr3, rax",
        "44 0f 20 c0                   | mov rax, cr8",
        "0f 23 ff                      | mov dr7, rdi",
        "8e d8                         | mov ds, ax",
        "0f 01 d0                      | xgetbv",
        "0f 01 15 00 00 00 00          | lgdt [0x401007]",
        "c8 10 00 01                   | enter 0x10, 0x1",
        "cd 82                         | int 0x82",
        "ec                            | in al, dx",
        "e6 80                         | out 0x80, al",
        "c4 e2 70 f2 c2                | andn eax, ecx, edx",
        "c4 e3 fb f0 c1 05             | rorx rax, rcx, 0x5",
        "f3 48 0f b8 c1                | popcnt rax, rcx",
        "66 0f 3a 40 8a 20 9c 04 00 96 | dpps xmm1, xmmword ptr [rdx+0x49c20], 0x96",
        "66 0f 38 14 c1                | blendvps xmm0, xmm1, xmm0",
        "66 0f 3a 62 c1 5a             | pcmpistrm xmm0, xmm1, 0x5a",
        "c5 fd 6f 04 24                | vmovdqa ymm0, ymmword ptr [rsp]",
        "c5 e9 73 f1 05                | vpsllq xmm2, xmm1, 0x5",
        "c4 e3 6d 4b c1 30             | vblendvpd ymm0, ymm2, ymm1, ymm3",
        "c4 a2 7d 90 1c e5 10 00 00 00 | vpgatherdd ymm3, [ymm12*8+0x10], ymm0",
        "c4 e2 f1 93 04 61             | vgatherqpd xmm0, [rcx+xmm4*2], xmm1",
        "c4 e2 f1 b9 c2                | vfmadd231sd xmm0, xmm1, xmm2",
        "c4 e3 7d 1d 06 04             | vcvtps2ph xmmword ptr [rsi], ymm0, 0x4",
        "c5 fc 77                      | vzeroall",
        "66 41 0f 38 f6 c0             | adcx eax, r8d",
        "f2 48 0f 38 f1 c1             | crc32 rax, rcx",
        "8f 44 24 08                   | pop qword ptr [rsp+0x8]",
        "e3 00                         | jrcxz 0x401002",
        "67 e3 00                      | jecxz 0x401003",
        "0f ae f0                      | mfence",
        "0f 04                         | (bad)",
        "f0 01 c0                      | (bad)",
        "8e c8                         | (bad)",
        "66 c4 e2 70 f2 c2             | (bad)",
        "06                            | (bad)"})
    void formats(String hex, String text) {
        byte[] code = new byte[16];
        byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(hex);
        System.arraycopy(bytes, 0, code, 0, bytes.length);
        DecodedInstruction instruction = Objects.requireNonNull(decoder.decode(code, 0, 16, 0, Mode.CODE_64));
        assertThat(Disassembler.format(instruction, 0x40_1000)).isEqualTo(text);
        if (!text.equals("(bad)")) {
            assertThat(instruction.length).isEqualTo(bytes.length);
        }
    }

    @Test
    void moreThanFifteenBytesAreOverlong() {
        byte[] prefixes = new byte[32];
        Arrays.fill(prefixes, (byte) 0x66);
        prefixes[14] = (byte) 0x90;
        assertThat(decoder.decode(prefixes, 0, 32, 0, Mode.CODE_64)).isNotNull().extracting(i -> i.length)
                .isEqualTo(15);
        prefixes[14] = 0x66;
        prefixes[15] = (byte) 0x90;
        assertThat(decoder.decode(prefixes, 0, 32, 0, Mode.CODE_64)).isNotNull().extracting(i -> i.row)
                .isEqualTo(table.overlong());
        assertThat(decoder.decode(prefixes, 0, 15, 0, Mode.CODE_64)).isNotNull().extracting(i -> i.row)
                .isEqualTo(table.overlong());
        assertThat(decoder.decode(prefixes, 0, 14, 0, Mode.CODE_64)).isNull();
    }

    @Test
    void rowsOfMissingFeaturesDoNotExist() {
        Decoder old = new Decoder(table, feature -> !feature.equals("bmi1"));
        byte[] tzcnt = {(byte) 0xf3, 0x0f, (byte) 0xbc, (byte) 0xc1};
        assertThat(old.decode(tzcnt, 0, 4, 0, Mode.CODE_64)).isNotNull().extracting(i -> i.row.mnemonic())
                .isEqualTo("BSF");
        assertThat(decoder.decode(tzcnt, 0, 4, 0, Mode.CODE_64)).isNotNull().extracting(i -> i.row.mnemonic())
                .isEqualTo("TZCNT");
    }

    @Test
    void decodes16And32BitCode() {
        byte[] code = {(byte) 0x8b, 0x46, (byte) 0xfe, 0, 0, 0};
        DecodedInstruction wide = Objects
                .requireNonNull(decoder.decode(code, 0, 6, 0, Mode.CODE_32 | Mode.FLAT | Mode.STACK_32));
        assertThat(Disassembler.format(wide, 0)).isEqualTo("mov eax, dword ptr [esi-0x2]");
        DecodedInstruction narrow = Objects.requireNonNull(decoder.decode(code, 0, 6, 0, Mode.CODE_16 | Mode.REAL));
        assertThat(Disassembler.format(narrow, 0)).isEqualTo("mov ax, word ptr ss:[bp-0x2]");
    }
}

package dev.xenolith.cpu.emit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.OperandForm;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrequentSequencesTest {
    @Test
    void linesAreSequencesAndErrorsNameThem() {
        assertThat(FrequentSequences.parse(List.of("# why", "", "A B", " C  D E ")))
                .containsExactly(List.of("A", "B"), List.of("C", "D", "E"));
        assertThatThrownBy(() -> FrequentSequences.parse(List.of("A B", "A")))
                .hasMessage("sequences.txt, line 2: not 2 to 12 operations: A");
        assertThatThrownBy(() -> FrequentSequences.parse(List.of("A B", "C D", "A B")))
                .hasMessage("sequences.txt, line 3: there already: A B");
    }

    @Test
    void effectsAreThoseOfThePrograms() {
        assertThat(effects("add", OperandForm.REGISTER, OperandForm.REGISTER))
                .isEqualTo(new Effects(false, false, false));
        assertThat(effects("add", OperandForm.BASE, OperandForm.REGISTER)).isEqualTo(new Effects(true, true, false));
        assertThat(effects("add", OperandForm.REGISTER, OperandForm.BASE)).isEqualTo(new Effects(true, false, false));
        assertThat(effects("cmp", OperandForm.BASE, OperandForm.REGISTER)).isEqualTo(new Effects(true, false, false));
        assertThat(effects("lea", OperandForm.REGISTER, OperandForm.BASE)).isEqualTo(new Effects(false, false, false));
        assertThat(effects("push", OperandForm.REGISTER)).isEqualTo(new Effects(true, true, false));
        assertThat(effects("pop", OperandForm.REGISTER)).isEqualTo(new Effects(true, false, false));
        assertThat(effects("jcc", OperandForm.RELATIVE)).isEqualTo(new Effects(false, false, true));
        assertThat(effects("div", OperandForm.REGISTER).raises()).isTrue();
        assertThat(effects("cpuid").raises()).isTrue();
    }

    private static Effects effects(String semantic, OperandForm... forms) {
        return OpcodeTable.load().rows().stream()
                .filter(row -> row.semantic().name().equals(semantic) && row.operands().size() == forms.length)
                .findFirst().map(row -> Effects.of(row, List.of(forms), false)).orElseThrow();
    }
}

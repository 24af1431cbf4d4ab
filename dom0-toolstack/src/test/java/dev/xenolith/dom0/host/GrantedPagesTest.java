package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Granted pages as backends in domain 0 use them: ranges of them, and lists of parts. */
@Timeout(120)
class GrantedPagesTest {
    private static final int PAGES = 8;
    private static final int FIRST = 8;

    private final TestHost host = TestHost.virtual(31);
    private final Grants grants = host.host.dom0().grants();
    private final DomainControl control = host.host.dom0().control();
    private int domid;
    private int before;

    /** Runs on the machine's thread, which owns all this. */
    private interface Action {
        void run() throws Exception;
    }

    private void onMachine(Action action) {
        host.host.machine().call(() -> {
            action.run();
            return true;
        }).join();
    }

    @BeforeEach
    void create() {
        onMachine(() -> {
            before = grants.mapped();
            domid = control.create(new DomainControl.Creation(new UUID(3, 4), false, 1, 100, 1, 16, 2));
            assertThat(domid).isPositive();
            assertThat(control.setMaxMemory(domid, 256)).isZero();
            long[] frames = new long[PAGES];
            int populated = 0;
            while (populated < PAGES) {
                // Fewer at a time on a machine that is slow, never none.
                populated = control.populate(domid, frames, populated);
                assertThat(populated).isPositive();
            }
            for (int i = 0; i < PAGES; i++) {
                assertThat(control.seedGrant(domid, FIRST + i, 0, frames[i])).isZero();
            }
        });
    }

    @AfterEach
    void end() throws InterruptedException {
        onMachine(() -> {
            while (control.info(domid) != null && control.destroy(domid) == DomainControl.AGAIN) {
                // Once more.
            }
            assertThat(grants.mapped()).isEqualTo(before);
        });
        host.awaitGone(domid);
        assertThat(host.audit()).isEmpty();
        host.close();
    }

    @Test
    void rangeIsOneRow() {
        onMachine(() -> {
            SharedPage range = grants.map(domid, new int[]{FIRST + 2, FIRST, FIRST + 2}, false);
            assertThat(range.size()).isEqualTo(3 * 4096);
            assertThat(grants.mapped()).isEqualTo(before + 3);
            range.put64(4096 - 4, 0x1122_3344_5566_7788L);
            SharedPage second = grants.map(domid, FIRST, true);
            assertThat(second.get32(0)).isEqualTo(0x1122_3344);
            assertThat(range.get32(3 * 4096 - 4)).as("the same page twice").isEqualTo(0x5566_7788);
            assertThatThrownBy(() -> second.put8(0, 1)).isInstanceOf(IllegalStateException.class);
            range.unmap();
            range.unmap();
            assertThat(grants.mapped()).isEqualTo(before + 1);
            assertThatThrownBy(() -> range.get8(0)).isInstanceOf(IllegalStateException.class);
            second.unmap();
        });
    }

    @Test
    void allOrNone() {
        onMachine(() -> {
            assertThatThrownBy(() -> grants.map(domid, new int[]{FIRST, FIRST + 1, 500}, false))
                    .isInstanceOf(OperationException.class).hasMessageContaining("grant 500 of d" + domid);
            assertThatThrownBy(() -> grants.map(domid, new int[]{FIRST, -1}, true))
                    .isInstanceOf(OperationException.class).hasMessageContaining("grant 4294967295");
            assertThat(grants.mapped()).isEqualTo(before);
            assertThat(grants.map(domid, new int[0], true).size()).isZero();
        });
    }

    @Test
    void partsAreGatheredAndScattered() {
        onMachine(() -> {
            Grants.Parts parts = new Grants.Parts(3);
            assertThat(parts.add(FIRST, 4000, 96)).isTrue();
            assertThat(parts.add(FIRST + 1, 0, 4)).isTrue();
            assertThat(parts.add(FIRST + 1, 4090, 7)).as("beyond the page").isFalse();
            assertThat(parts.add(FIRST + 1, Integer.MAX_VALUE, 7)).isFalse();
            assertThat(parts.add(FIRST + 3, 512, 100)).isTrue();
            assertThat(parts.add(FIRST, 0, 1)).as("full").isFalse();
            byte[] sent = new byte[210];
            for (int i = 0; i < sent.length; i++) {
                sent[i] = (byte) (i * 7);
            }
            assertThat(parts.bytes()).isEqualTo(200);
            assertThat(grants.copyTo(domid, parts, sent, 10)).isZero();
            byte[] got = new byte[210];
            assertThat(grants.copyFrom(domid, parts, got, 10)).isZero();
            assertThat(got).startsWith(new byte[10]).endsWith(Arrays.copyOfRange(sent, 10, 210));
            assertThatThrownBy(() -> grants.copyFrom(domid, parts, got, 11))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(grants.copy(domid, FIRST + 3, 512, domid, FIRST + 4, 0, 100)).isZero();
            byte[] moved = new byte[100];
            assertThat(grants.copyFrom(domid, FIRST + 4, 0, moved, 0, 100)).isZero();
            assertThat(moved).isEqualTo(Arrays.copyOfRange(sent, 110, 210));
            parts.clear();
            parts.add(FIRST, 0, 4);
            parts.add(77, 0, 4);
            assertThat(grants.copyFrom(domid, parts, got, 0)).isEqualTo(Grant.GNTST_GENERAL_ERROR);
            assertThat(grants.copy(domid, FIRST, 4000, domid, FIRST, 0, 97)).isEqualTo(Grant.GNTST_BAD_COPY_ARG);
        });
    }

    /** The pages stay as long as they are mapped, and so does what is left of the domain. */
    @Test
    void rangeOutlivesItsDomain() {
        onMachine(() -> {
            SharedPage range = grants.map(domid, new int[]{FIRST, FIRST + 1}, false);
            while (control.destroy(domid) == DomainControl.AGAIN) {
                // Once more.
            }
            range.put32(5000, 4711);
            assertThat(range.get32(5000)).isEqualTo(4711);
            assertThatThrownBy(() -> grants.map(domid, new int[]{FIRST}, false)).isInstanceOf(OperationException.class);
            range.unmap();
        });
    }

    @Test
    void limitsAreTheDomains() {
        onMachine(() -> {
            assertThat(control.create(new DomainControl.Creation(new UUID(5, 6), false, 1, 100, 0, 16, 2)))
                    .isNegative();
            assertThat(control.create(new DomainControl.Creation(new UUID(5, 6), false, 1, 100, 1, 16, 3)))
                    .isNegative();
            assertThat(control.create(new DomainControl.Creation(new UUID(5, 6), false, 1, 100, 1, 16, 0)))
                    .isNegative();
        });
    }
}

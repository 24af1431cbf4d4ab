package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.paging.World.ro;
import static dev.xenolith.hypervisor.paging.World.rw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Checks.Check;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.paging.GrantEntries;
import dev.xenolith.hypervisor.paging.World;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each named check matters: without it, hostile guests are found out within a budget that they pass with it. */
class MutantsTest {
    private static final int SEEDS = 12;
    private static final int STEPS = 20_000;

    @ParameterizedTest
    @EnumSource(Check.class)
    void eachMissingCheckIsNoticed(Check check) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            HostileGuests hostile = new HostileGuests(seed, Checks.without(check));
            try {
                if (HostileGuestsTest.run(hostile, STEPS) != null) {
                    return;
                }
                hostile.end();
            } catch (AssertionError | RuntimeException noticed) {
                // An inconsistency that the code itself tripped over.
                return;
            } finally {
                hostile.close();
            }
        }
        fail("nobody noticed that " + check + " is missing");
    }

    /** Writes through a translation from before, on the other processor, at each change of what a frame is used for. */
    private enum Transition {
        PIN, GDT, BALLOON_OUT, EXCHANGE, GRANT_END
    }

    @ParameterizedTest
    @EnumSource(Transition.class)
    void staleTranslationsAreGone(Transition transition) {
        assertThat(staysWritable(transition, Checks.ALL)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Transition.class)
    void staleTranslationsWouldBeNoticed(Transition transition) {
        assertThat(staysWritable(transition, Checks.without(Check.TLB_FLUSH))).isTrue();
    }

    private static boolean staysWritable(Transition transition, Checks checks) {
        try (World world = new World(8, checks)) {
            World.Guest guest = world.guest(1, 32);
            World.Guest other = world.guest(2, 8);
            GrantOperations grants = new GrantOperations(world.types,
                    new GrantEntries(world.types, world.updates));
            GrantTable granter = Objects
                    .requireNonNull(GrantTable.create(world.memory, other.owner, new GrantTable.Limits(1, 1, 2)));
            GrantTable grantee = Objects
                    .requireNonNull(GrantTable.create(world.memory, guest.owner, new GrantTable.Limits(1, 1, 2)));
            grants.add(granter);
            grants.add(grantee);
            int[] tables = {guest.pages.get(0), guest.pages.get(1), guest.pages.get(2), guest.pages.get(3)};
            for (int i = 0; i < 3; i++) {
                guest.poke(tables[i], 0, rw(tables[i + 1]));
            }
            int page = transition == Transition.GRANT_END ? other.pages.get(0) : guest.pages.get(5);
            guest.poke(tables[3], 1, transition == Transition.GRANT_END ? ro(guest.pages.get(6)) : rw(page));
            assertThat(guest.vcpu.setKernelRoot(tables[0])).isZero();
            if (transition == Transition.GRANT_END) {
                granter.write(8, Grant.GTF_PERMIT_ACCESS, 1, page);
                assertThat(grants.map(grantee, guest.vcpu, 0x1000, Grant.GNTMAP_HOST_MAP
                        | Grant.GNTMAP_APPLICATION_MAP, 8, 2)).isZero();
            }
            Mmu warm = world.mmus[1];
            warm.tlb.switchTo(1);
            warm.root = (long) tables[0] << 12;
            assertThat(warm.translate(0x1000, Mmu.WRITE, Mmu.USER) >>> 12).isEqualTo(page);
            change(transition, world, guest, grants, grantee, page);
            return warm.translate(0x1000, Mmu.WRITE, Mmu.USER) >>> 12 == page;
        }
    }

    private static void change(Transition transition, World world, World.Guest guest, GrantOperations grants,
            GrantTable grantee, int page) {
        if (transition != Transition.GRANT_END) {
            // The guest takes its mapping away but does not flush.
            assertThat(guest.update(guest.pages.get(3), 1, 0)).isZero();
        }
        switch (transition) {
            case PIN -> assertThat(guest.pin(page, FrameTable.L1)).isZero();
            case GDT -> assertThat(guest.descriptors.setGdt(0, new long[]{page}, 512)).isZero();
            case BALLOON_OUT -> {
                assertThat(world.reservations.decrease(guest.owner, page)).isZero();
                assertThat(world.reservations.increase(guest.owner)).isEqualTo(page);
            }
            case EXCHANGE -> {
                long[] frames = {page};
                assertThat(world.reservations.exchange(guest.owner, frames, 1)).isZero();
                assertThat(world.reservations.increase(guest.owner)).isNegative();
                guest.owner.setMaxPages(100);
                assertThat(world.reservations.increase(guest.owner)).isEqualTo(page);
            }
            default -> {
                assertThat(grants.unmap(grantee, guest.vcpu, grants.mappedHandle(), 0x1000, 0, 0, -1)).isZero();
                grants.finishUnmaps();
            }
        }
    }

    @Test
    void allTenAndMore() {
        assertThat(Check.values()).hasSizeGreaterThanOrEqualTo(10);
    }
}

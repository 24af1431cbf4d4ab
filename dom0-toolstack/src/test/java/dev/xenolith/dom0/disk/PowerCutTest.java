package dev.xenolith.dom0.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import dev.xenolith.dom0.disk.PowerCutStore.PowerCut;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Power goes at any moment, and with it a random part of what was not forced: what was flushed is there, and metadata are without
 * errors. A disk that only pretends to force is found out, so these tests can fail.
 */
@Timeout(180)
class PowerCutTest {
    private static final int CUTS = 200;
    private static final int STEPS = 60;

    @ParameterizedTest
    @EnumSource
    void holdsWhatWasFlushed(Layout layout) throws IOException {
        assertThat(violations(layout, true)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void findsADiskThatDoesNotForce(Layout layout) throws IOException {
        assertThat(violations(layout, false)).isNotEmpty();
    }

    private static List<String> violations(Layout layout, boolean forces) throws IOException {
        List<String> violations = new ArrayList<>();
        Random random = new Random(layout.ordinal() + 100);
        MemoryStore disk = layout.create();
        DiskModel model = new DiskModel(layout, random);
        for (int cut = 0; cut < CUTS; cut++) {
            PowerCutStore store = new PowerCutStore(disk, forces);
            store.cutAfter(1 + random.nextInt(2 * STEPS));
            try (DiskImage image = layout.open(store, OpenMode.READ_WRITE)) {
                for (int step = 0; step < STEPS; step++) {
                    model.step(image);
                }
                model.flush(image);
            } catch (PowerCut e) {
                // As planned.
            }
            disk = store.afterwards(random);
            if (judge(layout, disk, model, "cut " + cut, violations)) {
                continue;
            }
            // With a disk as damaged as this one there is no going on.
            disk = layout.create();
            model = new DiskModel(layout, random);
        }
        return violations;
    }

    /** Looks at what is left, and mends what may be mended. Returns whether it can be used. */
    private static boolean judge(Layout layout, MemoryStore disk, DiskModel model, String cut,
            List<String> violations) throws IOException {
        int before = violations.size();
        try {
            CheckReport report = DiskImages.check(disk, layout.format, Repair.NONE);
            if (report.errorCount() > 0) {
                violations.add(cut + ": " + report.errors());
                return false;
            }
            try (DiskImage image = layout.open(disk, OpenMode.READ_ONLY)) {
                int wrong = model.adopt(image);
                if (wrong >= 0) {
                    violations.add(cut + ": sector " + wrong + " holds what it never was to hold");
                }
            }
            CheckReport mended = DiskImages.check(disk, layout.format, Repair.LEAKS);
            if (!mended.clean() || mended.repairedLeaks() != report.leaks()) {
                violations.add(cut + ": " + mended);
            }
        } catch (DiskException e) {
            violations.add(cut + ": " + e.getMessage());
        }
        return violations.size() == before;
    }
}

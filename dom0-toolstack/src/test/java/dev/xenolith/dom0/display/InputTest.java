package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What viewers type and point at, as the guest's devices get it. */
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class InputTest {
    private static final int SHIFT = 0xffe1;
    private static final int CAPS = 0xffe5;

    private TestMachine machine;
    private TestViewer viewer;

    @BeforeEach
    void connect() throws IOException {
        machine = TestMachine.open();
        viewer = TestViewer.connect(machine);
    }

    @AfterEach
    void close() throws IOException {
        viewer.close();
        machine.close();
    }

    private void expect(String... events) throws InterruptedException {
        for (String each : events) {
            assertThat(machine.event()).isEqualTo(each);
        }
    }

    private void tap(int keysym) throws IOException {
        viewer.key(keysym, true);
        viewer.key(keysym, false);
    }

    @Test
    void shiftIsPressedWhereASymbolNeedsIt() throws Exception {
        tap('a');
        expect("+4", "-4");
        tap('A');
        expect("+e1", "+4", "-4", "-e1");
        tap('@');
        expect("+e1", "+1f", "-1f", "-e1");
        viewer.key(SHIFT, true);
        expect("+e1");
        tap('A');
        expect("+4", "-4");
        // Shift-7 of a German keyboard.
        tap('/');
        expect("-e1", "+38", "-38", "+e1");
        viewer.key(SHIFT, false);
        expect("-e1");
    }

    @Test
    void capsLockIsMinded() throws Exception {
        tap(CAPS);
        expect("+39", "-39");
        tap('A');
        expect("+4", "-4");
        tap('a');
        expect("+e1", "+4", "-4", "-e1");
        tap('1');
        expect("+1e", "-1e");
    }

    @Test
    void repeatsAreTheGuestsBusiness() throws Exception {
        viewer.key('x', true);
        viewer.key('x', true);
        viewer.key('x', false);
        viewer.key(0xff0d, true);
        expect("+1b", "-1b", "+28");
    }

    @Test
    void scanCodesArePlaces() throws Exception {
        viewer.scanCode('q', 0x1e, true);
        viewer.scanCode('q', 0x1e, false);
        viewer.scanCode(0xff53, 0xcd, true);
        viewer.scanCode(0xff53, 0xe04d, false);
        viewer.scanCode(0xff13, 0xc6, true);
        viewer.scanCode('b', 0, true);
        expect("+4", "-4", "+4f", "-4f", "+48", "+5");
    }

    @Test
    void twoViewersHoldOneKey() throws Exception {
        try (TestViewer other = TestViewer.connect(machine)) {
            viewer.key('a', true);
            expect("+4");
            other.key('a', true);
            other.key('b', true);
            expect("+5");
            viewer.key('a', false);
            viewer.key('c', true);
            expect("+6");
        }
        // The other has gone: what it held alone is released, and the last hand is off the first key.
        expect("-4", "-5");
    }

    @Test
    void aTabletIsToldPlaces() throws Exception {
        viewer.encodings(-223);
        viewer.see(machine);
        viewer.pointer(0, 0, 0);
        viewer.pointer(199, 99, 1);
        viewer.pointer(65535, 50, 6);
        viewer.pointer(100, 0, 8);
        viewer.pointer(100, 0, 0);
        viewer.pointer(100, 0, 16);
        expect("at 0 0 0 0", "at 32767 32767 0 1", "at 32767 16548 0 6", "at 16465 0 1 0", "at 16465 0 0 0",
                "at 16465 0 -1 0");
    }

    @Test
    void aMouseIsToldMovements() throws Exception {
        machine.absolute = false;
        viewer.encodings(-223, -257);
        viewer.see(machine);
        while (viewer.told.stream().noneMatch(told -> told.encoding() == -257 && told.x() == 0)) {
            machine.shade++;
            viewer.see(machine);
        }
        viewer.pointer(0x7fff + 5, 0x7fff - 3, 4);
        expect("by 5 -3 0 2");
        viewer.close();
        expect("by 0 0 0 0");
    }

    @Test
    void aMouseIsToldDifferencesByViewersThatKnowPlacesOnly() throws Exception {
        machine.absolute = false;
        viewer.encodings(-223);
        viewer.see(machine);
        machine.shade = 99;
        viewer.see(machine);
        viewer.pointer(10, 10, 0);
        viewer.pointer(15, 7, 0);
        expect("by 0 0 0 0", "by 5 -3 0 0");
    }

    @Test
    void aFloodOfKeysLosesNone() throws Exception {
        for (int i = 0; i < 5000; i++) {
            tap('a');
        }
        viewer.key('b', true);
        for (int i = 0; i < 5000; i++) {
            expect("+4", "-4");
        }
        expect("+5");
    }

    @Test
    void otherDevicesAfterAReset() throws Exception {
        viewer.key('a', true);
        expect("+4");
        machine.server.disconnect();
        viewer.key('b', true);
        viewer.key('b', false);
        viewer.encodings(-312);
        // The answer comes after the keys have been lost.
        viewer.in.readFully(new byte[9]);
        machine.server.connect(machine.thread, machine, machine, machine);
        viewer.key('a', false);
        viewer.key('c', true);
        expect("+6");
    }
}

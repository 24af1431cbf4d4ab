package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.display.rfb.SharePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class VncServerTest {
    @TempDir
    private Path directory = Path.of("");

    private Path password(String text) throws IOException {
        return Files.writeString(directory.resolve("password"), text + "\n");
    }

    /** RFC 6143, section 7.2.2, with a table of reversed bits in place of arithmetic. */
    private static byte[] response(byte[] challenge, String password) throws GeneralSecurityException {
        byte[] key = new byte[8];
        for (int i = 0; i < Math.min(8, password.length()); i++) {
            for (int bit = 0; bit < 8; bit++) {
                if ((password.charAt(i) >> bit & 1) != 0) {
                    key[i] |= (byte) (0x80 >> bit);
                }
            }
        }
        Cipher des = Cipher.getInstance("DES/ECB/NoPadding");
        des.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "DES"));
        return des.doFinal(challenge);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RFB 003.003\n", "RFB 003.005\n", "RFB 003.007\n", "RFB 003.008\n", "RFB 003.889\n",
        "RFB 004.001\n"})
    void everyVersionOfViewerGetsIn(String version) throws IOException {
        try (TestMachine machine = TestMachine.open();
                TestViewer viewer = new TestViewer(machine.server.address())) {
            viewer.version(version);
            boolean old = version.equals("RFB 003.003\n") || version.equals("RFB 003.005\n");
            if (old) {
                assertThat(viewer.in.readInt()).isEqualTo(1);
            } else {
                assertThat(viewer.in.readShort()).isEqualTo((short) 0x0101);
                viewer.out.writeByte(1);
                if (!version.equals("RFB 003.007\n")) {
                    assertThat(viewer.in.readInt()).isZero();
                }
            }
            viewer.initialise(true);
            viewer.encodings(-223);
            viewer.see(machine);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"RFB 003.003\n", "RFB 003.007\n", "RFB 003.008\n"})
    void onlyWhoKnowsThePasswordGetsIn(String version) throws Exception {
        for (String given : List.of("secret", "Secret")) {
            try (TestMachine machine = new TestMachine(password("secret"), false, SharePolicy.IGNORE);
                    TestViewer viewer = new TestViewer(machine.server.address())) {
                viewer.version(version);
                if (version.equals("RFB 003.003\n")) {
                    assertThat(viewer.in.readInt()).isEqualTo(2);
                } else {
                    assertThat(viewer.in.readShort()).isEqualTo((short) 0x0102);
                    viewer.out.writeByte(2);
                }
                byte[] challenge = new byte[16];
                viewer.in.readFully(challenge);
                viewer.out.write(response(challenge, given));
                if (given.equals("secret")) {
                    assertThat(viewer.in.readInt()).isZero();
                    viewer.initialise(true);
                } else {
                    assertThat(viewer.in.readInt()).isEqualTo(1);
                    if (version.equals("RFB 003.008\n")) {
                        assertThat(new String(viewer.in.readNBytes(viewer.in.readInt()))).isEqualTo("wrong password");
                    }
                    assertThat(viewer.isClosed()).isTrue();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void veNCryptEncrypts(boolean withPassword) throws Exception {
        try (TestMachine machine = new TestMachine(withPassword ? password("secret") : null, true, SharePolicy.IGNORE);
                TestViewer viewer = new TestViewer(machine.server.address())) {
            viewer.version("RFB 003.008\n");
            assertThat(viewer.in.readShort()).isEqualTo((short) 0x0113);
            viewer.out.writeByte(19);
            assertThat(viewer.in.readShort()).isEqualTo((short) 2);
            viewer.out.writeShort(2);
            assertThat(viewer.in.readShort()).isEqualTo((short) 1);
            int type = viewer.in.readInt();
            assertThat(type).isEqualTo(withPassword ? 261 : 260);
            viewer.out.writeInt(type);
            assertThat(viewer.in.readUnsignedByte()).isEqualTo(1);
            try (TestViewer secure = new TestViewer(tls(viewer, machine))) {
                if (withPassword) {
                    byte[] challenge = new byte[16];
                    secure.in.readFully(challenge);
                    secure.out.write(response(challenge, "secret"));
                }
                assertThat(secure.in.readInt()).isZero();
                secure.initialise(true);
                secure.encodings(ViewerDecoder.TIGHT, -308);
                secure.see(machine);
            }
        }
    }

    /** Takes the certificate if it signs itself and has the fingerprint that has been announced. */
    private static SSLSocket tls(TestViewer viewer, TestMachine machine) throws Exception {
        X509TrustManager trust = new X509TrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {
                throw new AssertionError();
            }

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {
                try {
                    chain[0].verify(chain[0].getPublicKey());
                    chain[0].checkValidity();
                    String print = HexFormat.ofDelimiter(":").withUpperCase().formatHex(
                            MessageDigest.getInstance("SHA-256").digest(chain[0].getEncoded()));
                    assertThat(machine.server.announcements()).anyMatch(line -> line.endsWith(print));
                } catch (GeneralSecurityException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[]{trust}, null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(viewer.socket, "localhost",
                viewer.socket.getPort(), true);
        socket.startHandshake();
        return socket;
    }

    @Test
    void whoHasNoTlsStaysOutsideWhereItIsNeeded() throws IOException {
        try (TestMachine machine = new TestMachine(null, true, SharePolicy.IGNORE)) {
            try (TestViewer viewer = new TestViewer(machine.server.address())) {
                viewer.version("RFB 003.003\n");
                assertThat(viewer.in.readInt()).isZero();
                assertThat(new String(viewer.in.readNBytes(viewer.in.readInt()))).contains("TLS");
                assertThat(viewer.isClosed()).isTrue();
            }
            try (TestViewer viewer = new TestViewer(machine.server.address())) {
                viewer.version("RFB 003.008\n");
                viewer.in.readShort();
                viewer.out.writeByte(1);
                assertThat(viewer.isClosed()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {ViewerDecoder.RAW, ViewerDecoder.HEXTILE, ViewerDecoder.ZLIB, ViewerDecoder.TIGHT,
        ViewerDecoder.ZRLE})
    void changesAreSeenInAllFormatsAndSizes(int encoding) throws IOException {
        try (TestMachine machine = TestMachine.open(); TestViewer viewer = TestViewer.connect(machine)) {
            viewer.encodings(encoding, -308, -256);
            for (ViewerFormat format : EncodingTest.FORMATS) {
                viewer.format(format);
                machine.shade = machine.shade + 0x123456 & 0xff_ffff;
                viewer.see(machine);
            }
            machine.width = 2500;
            machine.height = 300;
            viewer.see(machine);
            machine.width = 17;
            machine.height = 1;
            viewer.see(machine);
            assertThat(viewer.told).contains(new TestViewer.Told(-308, 0, 0, 2500, 300),
                    new TestViewer.Told(-308, 0, 0, 17, 1));
        }
    }

    @Test
    void aViewerThatCannotResizeSeesThePartThatFits() throws IOException {
        try (TestMachine machine = TestMachine.open(); TestViewer viewer = TestViewer.connect(machine)) {
            assertThat(viewer.width).isEqualTo(720);
            machine.shade = 0xff;
            do {
                viewer.request(false);
                viewer.update();
            } while (viewer.screen[0] != 0xff);
            assertThat(viewer.screen[150]).isEqualTo(machine.colour(150, 0));
            assertThat(viewer.screen[500]).isZero();
        }
    }

    @Test
    void aColourMapIsServed() throws IOException {
        try (TestMachine machine = TestMachine.open(); TestViewer viewer = TestViewer.connect(machine)) {
            byte[] format = new ViewerFormat(8, 8, false, new int[]{7, 7, 3}, new int[]{5, 2, 0}).bytes();
            format[3] = 0;
            viewer.out.writeInt(0);
            viewer.out.write(format);
            assertThat(viewer.in.readInt()).as("first colour 0").isEqualTo(0x01000000);
            assertThat(viewer.in.readUnsignedShort()).isEqualTo(256);
            byte[] map = viewer.in.readNBytes(256 * 6);
            assertThat(map).startsWith(0, 0, 0, 0, 0, 0).endsWith(255, 255, 255, 255, 255, 255);
            viewer.format = new ViewerFormat(8, 8, false, new int[]{7, 7, 3}, new int[]{5, 2, 0});
            viewer.encodings(ViewerDecoder.HEXTILE, -223);
            viewer.see(machine);
        }
    }

    @Test
    void pseudoEncodingsAreAnswered() throws IOException {
        try (TestMachine machine = TestMachine.open(); TestViewer viewer = TestViewer.connect(machine)) {
            viewer.encodings(ViewerDecoder.ZRLE, -223, -224, -239, -257, -258, -307, -308, -312, -313);
            assertThat(viewer.in.readInt()).as("a fence").isEqualTo(0xf8000000);
            assertThat(viewer.in.readInt()).isEqualTo(0x80000007);
            assertThat(viewer.in.readUnsignedByte()).isZero();
            assertThat(viewer.in.readUnsignedByte()).as("end of continuous updates").isEqualTo(150);
            viewer.see(machine);
            assertThat(viewer.told).extracting(TestViewer.Told::encoding).contains(-239, -257, -258, -308);
            viewer.told.clear();
            machine.server.rename("other");
            machine.shade = 77;
            viewer.see(machine);
            assertThat(viewer.told).extracting(TestViewer.Told::encoding).contains(-307);
            viewer.out.writeInt(0xf8000000);
            viewer.out.writeInt(0x80000001);
            viewer.out.write(new byte[]{2, 5, 6});
            assertThat(viewer.in.readInt()).isEqualTo(0xf8000000);
            assertThat(viewer.in.readInt()).isEqualTo(1);
            assertThat(viewer.in.readNBytes(3)).containsExactly(2, 5, 6);
            viewer.told.clear();
            viewer.out.write(new byte[]{(byte) 251, 0, 3, 32, 2, 88, 0, 0});
            viewer.update();
            assertThat(viewer.told).containsExactly(new TestViewer.Told(-308, 1, 1, 200, 100));
            // Without another request.
            viewer.out.write(new byte[]{(byte) 150, 1, 0, 0, 0, 0, 0, (byte) 200, 0, 100});
            for (int i = 0; i < 3; i++) {
                machine.shade = i * 1000;
                do {
                    viewer.update();
                } while (!viewer.shows(machine));
            }
        }
    }

    @Test
    void sharing() throws IOException {
        try (TestMachine machine = TestMachine.open();
                TestViewer first = TestViewer.connect(machine);
                TestViewer second = TestViewer.connect(machine);
                TestViewer alone = new TestViewer(machine.server.address())) {
            second.encodings(-223);
            second.see(machine);
            alone.version("RFB 003.003\n");
            alone.in.readInt();
            alone.initialise(false);
            assertThat(first.isClosed()).isTrue();
            assertThat(second.isClosed()).isTrue();
            alone.encodings(-223);
            alone.see(machine);
        }
        try (TestMachine machine = new TestMachine(null, false, SharePolicy.FORCE_SHARED);
                TestViewer first = TestViewer.connect(machine);
                TestViewer alone = new TestViewer(machine.server.address())) {
            alone.version("RFB 003.003\n");
            alone.in.readInt();
            alone.out.writeByte(0);
            assertThat(alone.isClosed()).isTrue();
            first.encodings(-223);
            first.see(machine);
        }
    }

    @Test
    void whoDoesNotReadHoldsUpNobody() throws IOException {
        try (TestMachine machine = TestMachine.open()) {
            machine.width = 2000;
            machine.height = 1000;
            try (TestViewer slow = TestViewer.connect(machine); TestViewer quick = TestViewer.connect(machine)) {
                slow.encodings(-313, -223);
                slow.out.write(new byte[]{(byte) 150, 1, 0, 0, 0, 0, 7, (byte) 208, 3, (byte) 232});
                slow.request(false);
                quick.encodings(ViewerDecoder.TIGHT, -223);
                for (int i = 0; i < 5; i++) {
                    machine.shade = i * 77;
                    slow.request(false);
                    quick.see(machine);
                }
            }
        }
    }

    @Test
    void drawsOnlyWhileSomebodyWatches() throws Exception {
        try (TestMachine machine = TestMachine.open()) {
            try (TestViewer viewer = TestViewer.connect(machine)) {
                viewer.encodings(-223);
                viewer.see(machine);
                viewer.key('a', true);
                assertThat(machine.event()).isEqualTo("+4");
            }
            // It has gone when it lets its keys go.
            assertThat(machine.event()).isEqualTo("-4");
            machine.thread.submit(() -> {}).get();
            int before = machine.draws;
            Thread.sleep(200);
            assertThat(machine.draws).isLessThanOrEqualTo(before + 1);
        }
    }
}

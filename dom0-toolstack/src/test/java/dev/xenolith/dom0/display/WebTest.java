package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.display.rfb.SharePolicy;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The web page and its WebSockets, as a browser and as others see them. */
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class WebTest {
    private final HttpClient client = HttpClient.newHttpClient();
    private TestMachine machine;
    private InetSocketAddress address;
    private String token;

    @BeforeEach
    void start() throws IOException {
        machine = new TestMachine(null, false, SharePolicy.ALLOW_EXCLUSIVE);
        address = Objects.requireNonNull(machine.server.webAddress());
        token = Objects.requireNonNull(machine.server.token());
    }

    @AfterEach
    void stop() {
        machine.close();
        client.close();
    }

    private URI uri(String scheme, String path) {
        return URI.create(scheme + "://127.0.0.1:" + address.getPort() + path);
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri("http", path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Says exactly that, and returns the answer's first line. */
    private String raw(String request) throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            byte[] answer = socket.getInputStream().readNBytes(12);
            return new String(answer, StandardCharsets.ISO_8859_1);
        }
    }

    /** What has come through a WebSocket. */
    private static final class Received implements WebSocket.Listener {
        final BlockingQueue<Byte> bytes = new LinkedBlockingQueue<>();

        @Override
        public @Nullable CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            while (data.hasRemaining()) {
                bytes.add(data.get());
            }
            socket.request(1);
            return null;
        }

        byte[] next(int count) throws InterruptedException {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (int i = 0; i < count; i++) {
                out.write(Objects.requireNonNull(bytes.poll(20, TimeUnit.SECONDS), "nothing more comes"));
            }
            return out.toByteArray();
        }
    }

    private WebSocket open(String path, Received received) {
        return client.newWebSocketBuilder().buildAsync(uri("ws", path), received).join();
    }

    @Test
    void thePageIsServedWithItsHeaders() throws Exception {
        HttpResponse<String> page = get("/" + token + "/");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.body()).contains("viewer.js").contains("data-console");
        assertThat(page.headers().firstValue("content-security-policy").orElse("")).contains("default-src 'none'")
                .contains("frame-ancestors 'none'");
        assertThat(page.headers().firstValue("cache-control")).hasValue("no-store");
        assertThat(page.headers().firstValue("x-content-type-options")).hasValue("nosniff");
        assertThat(page.headers().firstValue("referrer-policy")).hasValue("no-referrer");
        HttpResponse<String> script = get("/" + token + "/viewer.js?x=y");
        assertThat(script.headers().firstValue("content-type").orElse("")).startsWith("text/javascript");
        assertThat(page.body().contains("class=\"missing\""))
                .isEqualTo(get("/" + token + "/novnc/core/rfb.js").statusCode() != 200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/index.html", "/TOKEN", "/XTOKEN/", "/TOKENX/", "/TOKEN/nothing.html",
        "/TOKEN/../index.html", "/TOKEN/..%2f..%2fWebService.class", "/TOKEN/%2e%2e/WebService.class",
        "/TOKEN/../WebService.class", "/TOKEN//etc/passwd", "/TOKEN/novnc/../../WebAssets.class", "/TOKEN/.html",
        "/TOKEN/websockify/", "//TOKEN/", "/TOKEN/viewer.js/", "/TOKEN/viewer.js%00.html", "/websockify", "*",
        "/TOKEN/\\..\\x.html"})
    void nothingElseIs(String path) throws IOException {
        String request = "GET " + path.replace("TOKEN", token) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        assertThat(raw(request)).isEqualTo("HTTP/1.1 404");
    }

    @Test
    void otherRequestsAreRefused() throws IOException {
        assertThat(raw("POST /" + token + "/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
                .isEqualTo("HTTP/1.1 405");
        assertThat(raw("HEAD /" + token + "/ HTTP/1.1\r\nHost: x\r\n\r\n")).isEqualTo("HTTP/1.1 200");
        assertThat(raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")).isEqualTo("HTTP/1.1 413");
        assertThat(raw("GET /" + "x".repeat(5000) + " HTTP/1.1\r\n\r\n")).isEqualTo("HTTP/1.1 400");
        assertThat(raw("GET /" + token + "/websockify HTTP/1.1\r\nHost: x\r\n\r\n")).isEqualTo("HTTP/1.1 426");
    }

    @Test
    void strangersOpenNoWebSocket() throws IOException {
        assertThatThrownBy(() -> open("/wrong/websockify", new Received())).isInstanceOf(CompletionException.class);
        String upgrade = "GET /" + token + "/websockify HTTP/1.1\r\nHost: here:1\r\nUpgrade: websocket\r\n"
                + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
        assertThat(raw(upgrade + "Origin: http://elsewhere\r\n\r\n")).isEqualTo("HTTP/1.1 403");
        assertThat(raw(upgrade + "Origin: null\r\n\r\n")).isEqualTo("HTTP/1.1 403");
        assertThat(raw(upgrade + "Origin: http://here:1\r\nOrigin: http://x\r\n\r\n")).isEqualTo("HTTP/1.1 403");
        assertThat(raw(upgrade + "Origin: http://here:1\r\n\r\n")).isEqualTo("HTTP/1.1 101");
        assertThat(raw(upgrade.replace("Version: 13", "Version: 7") + "\r\n")).isEqualTo("HTTP/1.1 426");
    }

    @Test
    void rfbGoesThroughAWebSocket() throws Exception {
        Received received = new Received();
        WebSocket socket = client.newWebSocketBuilder().subprotocols("binary")
                .buildAsync(uri("ws", "/" + token + "/websockify"), received).join();
        assertThat(socket.getSubprotocol()).isEqualTo("binary");
        assertThat(received.next(12)).isEqualTo("RFB 003.008\n".getBytes(StandardCharsets.US_ASCII));
        // In pieces of a message, and more of them at once.
        socket.sendBinary(ByteBuffer.wrap("RFB 003".getBytes(StandardCharsets.US_ASCII)), false).join();
        socket.sendBinary(ByteBuffer.wrap(".008\n".getBytes(StandardCharsets.US_ASCII)), true).join();
        assertThat(received.next(2)).containsExactly(1, 1);
        socket.sendBinary(ByteBuffer.wrap(new byte[]{1, 1}), true).join();
        socket.sendPing(ByteBuffer.wrap(new byte[3])).join();
        assertThat(received.next(4)).containsExactly(0, 0, 0, 0);
        byte[] hello = received.next(24 + 4);
        assertThat(new String(hello, 24, 4, StandardCharsets.US_ASCII)).isEqualTo("test");
        socket.sendBinary(ByteBuffer.wrap(new byte[]{4, 1, 0, 0, 0, 0, 0, 'a'}), true).join();
        assertThat(machine.event()).isEqualTo("+4");
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        assertThat(machine.event()).isEqualTo("-4");
    }

    @Test
    void theConsoleGoesThroughAnother() throws Exception {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (var out = machine.console.copying(file)) {
            out.write("before".getBytes(StandardCharsets.US_ASCII));
            Received received = new Received();
            WebSocket socket = open("/" + token + "/console", received);
            assertThat(received.next(6)).asString().isEqualTo("before");
            out.write(" after".getBytes(StandardCharsets.US_ASCII));
            assertThat(received.next(6)).asString().isEqualTo(" after");
            assertThat(file.toString(StandardCharsets.US_ASCII)).isEqualTo("before after");
            socket.sendBinary(ByteBuffer.wrap(new byte[]{'o', 'k'}), true).join();
            assertThat(machine.typed.poll(20, TimeUnit.SECONDS)).isEqualTo((byte) 'o');
            assertThat(machine.typed.poll(20, TimeUnit.SECONDS)).isEqualTo((byte) 'k');
            // More than is kept, at once: the newest of it comes.
            byte[] much = new byte[300_000];
            much[much.length - 1] = '!';
            new ByteArrayInputStream(much).transferTo(out);
            byte last = 0;
            while (last != '!') {
                last = received.next(1)[0];
            }
            socket.abort();
        }
    }
}

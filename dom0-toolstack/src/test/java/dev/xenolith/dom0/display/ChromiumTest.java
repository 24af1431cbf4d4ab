package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.dom0.display.rfb.SharePolicy;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page in a browser without a window, driven by the DevTools protocol: noVNC shows the screen and types, xterm.js shows the console.
 * Skipped unless -Ddisplay.chromium=true is given and Chromium and noVNC are there.
 */
@Timeout(120)
class ChromiumTest {
    private static final int WIDTH = 900;
    private static final int HEIGHT = 700;

    @TempDir
    private Path directory = Path.of("");

    /** A tab: commands and their answers. */
    private static final class Tab implements WebSocket.Listener {
        private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        private final StringBuilder partial = new StringBuilder();
        private final WebSocket socket;
        private int number;

        Tab(HttpClient client, String url) {
            socket = client.newWebSocketBuilder().buildAsync(URI.create(url), this).join();
        }

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
            partial.append(text);
            if (last) {
                messages.add(partial.toString());
                partial.setLength(0);
            }
            from.request(1);
            return null;
        }

        String call(String method, String parameters) throws InterruptedException {
            String id = "\"id\":" + ++number + ",";
            socket.sendText("{" + id + "\"method\":\"" + method + "\",\"params\":{" + parameters + "}}", true).join();
            String answer;
            do {
                answer = Objects.requireNonNull(messages.poll(60, TimeUnit.SECONDS), method + " is not answered");
            } while (!answer.contains(id));
            return answer;
        }

        void await(String expression, String value) throws InterruptedException {
            String answer = "";
            for (int i = 0; i < 300; i++) {
                answer = call("Runtime.evaluate", "\"expression\":\"" + expression + "\"");
                if (answer.contains(value)) {
                    return;
                }
                Thread.sleep(100);
            }
            throw new AssertionError("no " + value + " but " + answer);
        }
    }

    private static @Nullable Path chromium() {
        return Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome").map(Path::of)
                .filter(Files::isExecutable).findFirst().orElse(null);
    }

    private Process start(Path browser) throws IOException {
        return new ProcessBuilder(List.of(browser.toString(), "--headless", "--no-sandbox", "--disable-gpu",
                "--remote-debugging-port=0", "--user-data-dir=" + directory.resolve("profile"),
                "--window-size=" + WIDTH + "," + HEIGHT, "about:blank")).redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile()).start();
    }

    /** Where the first tab listens. */
    private String tab(HttpClient client, Process browser) throws Exception {
        Path ports = directory.resolve("profile").resolve("DevToolsActivePort");
        while (!Files.exists(ports) || Files.readAllLines(ports).isEmpty()) {
            assertThat(browser.isAlive()).as(() -> "the browser has ended").isTrue();
            Thread.sleep(50);
        }
        URI list = URI.create("http://127.0.0.1:" + Files.readAllLines(ports).getFirst() + "/json/list");
        Pattern address = Pattern.compile("\"webSocketDebuggerUrl\": *\"(ws:[^\"]*/page/[^\"]*)\"");
        while (true) {
            Matcher found = address.matcher(client.send(HttpRequest.newBuilder(list).build(),
                    HttpResponse.BodyHandlers.ofString()).body());
            if (found.find()) {
                return found.group(1);
            }
            Thread.sleep(50);
        }
    }

    @Test
    void theScreenIsSeenAndTypedAt() throws Exception {
        assumeTrue(Boolean.getBoolean("display.chromium"), "only with -Ddisplay.chromium=true");
        Path path = chromium();
        assumeTrue(path != null, "there is no Chromium");
        assumeTrue(ChromiumTest.class.getResource("web/assets/novnc/core/rfb.js") != null, "there is no noVNC");
        Process browser = start(Objects.requireNonNull(path));
        try (TestMachine machine = new TestMachine(null, false, SharePolicy.IGNORE);
                HttpClient client = HttpClient.newHttpClient()) {
            machine.shade = 0x00ff00;
            machine.width = 320;
            machine.height = 200;
            machine.console.copying(OutputStream.nullOutputStream())
                    .write("\033[31mlogin:\033[0m".getBytes(StandardCharsets.US_ASCII));
            Tab tab = new Tab(client, tab(client, browser));
            String page = "http://127.0.0.1:" + Objects.requireNonNull(machine.server.webAddress()).getPort() + "/"
                    + machine.server.token() + "/";
            tab.call("Page.navigate", "\"url\":\"" + page + "\"");
            tab.await("document.getElementById('state').textContent", "connected");
            tab.await("document.querySelector('#screen canvas').width", "320");
            BufferedImage shown = screenshot(tab, machine);
            assertThat(green(shown)).isGreaterThan(10_000);
            tab.call("Input.dispatchKeyEvent",
                    "\"type\":\"rawKeyDown\",\"code\":\"KeyQ\",\"key\":\"a\",\"windowsVirtualKeyCode\":65");
            assertThat(machine.event()).as("the key's place, not its symbol").isEqualTo("+14");
            tab.call("Input.dispatchKeyEvent",
                    "\"type\":\"keyUp\",\"code\":\"KeyQ\",\"key\":\"a\",\"windowsVirtualKeyCode\":65");
            assertThat(machine.event()).isEqualTo("-14");
            tab.call("Runtime.evaluate", "\"expression\":\"document.getElementById('toggle').click()\"");
            tab.await("document.querySelector('.xterm-rows')?.textContent", "login:");
            tab.call("Input.insertText", "\"text\":\"k\"");
            assertThat(machine.typed.poll(20, TimeUnit.SECONDS)).isEqualTo((byte) 'k');
            screenshot(tab, machine);
        } finally {
            browser.descendants().forEach(ProcessHandle::destroyForcibly);
            browser.destroyForcibly();
            browser.waitFor();
        }
    }

    /** Waits until something green is there. With -Ddisplay.screenshot=FILE the picture is kept. */
    private static BufferedImage screenshot(Tab tab, TestMachine machine) throws Exception {
        BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 100 && green(image) == 0; i++) {
            String answer = tab.call("Page.captureScreenshot", "\"format\":\"png\"");
            Matcher data = Pattern.compile("\"data\": *\"([^\"]*)\"").matcher(answer);
            assertThat(data.find()).as(answer).isTrue();
            byte[] png = Base64.getDecoder().decode(data.group(1));
            image = ImageIO.read(new ByteArrayInputStream(png));
            String keep = System.getProperty("display.screenshot");
            if (keep != null) {
                Files.write(Path.of(keep), png);
            }
        }
        assertThat(machine.draws).isPositive();
        return image;
    }

    private static int green(BufferedImage image) {
        int count = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                count += (image.getRGB(x, y) & 0xffffff) == 0x00ff00 ? 1 : 0;
            }
        }
        return count;
    }
}

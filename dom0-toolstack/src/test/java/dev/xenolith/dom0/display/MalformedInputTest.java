package dev.xenolith.dom0.display;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.read.ListAppender;
import dev.xenolith.dom0.display.rfb.RfbService;
import dev.xenolith.dom0.display.rfb.Security;
import dev.xenolith.dom0.display.rfb.SharePolicy;
import dev.xenolith.dom0.display.screen.InputDevices;
import dev.xenolith.dom0.display.screen.ScreenSource;
import dev.xenolith.dom0.display.web.SerialConsole;
import dev.xenolith.dom0.display.web.WebService;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.ResourceLeakDetector;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/**
 * Connections that say something wrong: they are closed with a line in the log, and that is all. -Ddisplay.fuzz=N tries N connections of
 * each kind.
 */
@Timeout(600)
@SuppressWarnings("NullAway.Init")
class MalformedInputTest {
    private static final int CONNECTIONS = Integer.getInteger("display.fuzz", 2000);
    private static final byte[] HANDSHAKE = "RFB 003.008\n\1\1".getBytes(StandardCharsets.ISO_8859_1);

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private ResourceLeakDetector.Level before;
    private ScheduledExecutorService timer;
    private ScreenSource source;
    private RfbService rfb;

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    @BeforeEach
    void start() {
        before = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        log.start();
        root().addAppender(log);
        Logger ours = (Logger) LoggerFactory.getLogger("dev.xenolith.dom0.display");
        ours.setAdditive(false);
        ours.addAppender(log);
        timer = Executors.newSingleThreadScheduledExecutor();
        InputDevices inputs = new InputDevices();
        inputs.connect(Runnable::run, (usage, down) -> {}, null);
        source = new ScreenSource(timer, inputs);
        rfb = new RfbService(source, inputs, Security.NONE, SharePolicy.ALLOW_EXCLUSIVE, "fuzz");
    }

    @AfterEach
    void stop() {
        source.close();
        timer.shutdownNow();
        ResourceLeakDetector.setLevel(before);
        root().detachAppender(log);
        Logger ours = (Logger) LoggerFactory.getLogger("dev.xenolith.dom0.display");
        ours.setAdditive(true);
        ours.detachAppender(log);
    }

    private EmbeddedChannel channel() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setOption(ChannelOption.ALLOCATOR, allocator);
        return channel;
    }

    private static void say(EmbeddedChannel channel, byte[] bytes, RandomGenerator random) {
        int at = 0;
        while (at < bytes.length && channel.isActive()) {
            int count = Math.min(bytes.length - at, 1 + random.nextInt(40));
            ByteBuf piece = channel.alloc().buffer().writeBytes(bytes, at, count);
            channel.writeInbound(piece);
            channel.runPendingTasks();
            drop(channel);
            at += count;
        }
    }

    private static void drop(EmbeddedChannel channel) {
        Object out;
        while ((out = channel.readOutbound()) != null) {
            ReferenceCountUtil.release(out);
        }
    }

    private static void end(EmbeddedChannel channel) {
        channel.checkException();
        channel.finishAndReleaseAll();
    }

    private static String text(ILoggingEvent event) {
        IThrowableProxy cause = event.getThrowableProxy();
        return event.getFormattedMessage() + (cause == null
                ? ""
                : ": " + cause.getClassName() + " " + cause.getMessage() + " "
                        + Arrays.toString(cause.getStackTraceElementProxyArray()));
    }

    private void nothingWorse() {
        assertThat(log.list).filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.ERROR))
                .extracting(MalformedInputTest::text).isEmpty();
        // The image writers of the JDK aside, all that was allocated has been given back.
        System.gc();
        channel().alloc().buffer(1).release();
        assertThat(allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory()).isZero();
        assertThat(source.isWatched()).isFalse();
    }

    /** A message that may be right, with something wrong in one of three. */
    private static byte[] message(RandomGenerator random) {
        byte[] types = {0, 2, 3, 3, 4, 5, 6, (byte) 150, (byte) 248, (byte) 251, (byte) 255};
        int[] lengths = {20, 12, 10, 10, 8, 6, 8, 10, 9, 8, 12};
        int which = random.nextInt(types.length);
        byte[] message = new byte[lengths[which]];
        if (random.nextInt(3) > 0) {
            random.nextBytes(message);
        }
        message[0] = types[which];
        switch (message[0]) {
            case 0 -> System.arraycopy(EncodingTest.FORMATS.get(random.nextInt(EncodingTest.FORMATS.size())).bytes(),
                    0, message, 4, 16);
            case 2 -> {
                message[2] = 0;
                message[3] = 2;
                int[] known = {0, 5, 6, 7, 16, -223, -239, -257, -258, -307, -308, -312, -313, -32, -250};
                for (int i = 4; i < 12; i += 4) {
                    int encoding = known[random.nextInt(known.length)];
                    message[i] = (byte) (encoding >> 24);
                    message[i + 1] = (byte) (encoding >> 16);
                    message[i + 2] = (byte) (encoding >> 8);
                    message[i + 3] = (byte) encoding;
                }
            }
            case 6 -> message[4] = message[5] = message[6] = 0;
            case (byte) 255 -> message[1] = 0;
            default -> {}
        }
        if (random.nextInt(30) == 0) {
            message[random.nextInt(message.length)] = (byte) random.nextInt();
        }
        return message;
    }

    @Test
    void rfb() {
        for (int seed = 0; seed < CONNECTIONS; seed++) {
            RandomGenerator random = RandomGeneratorFactory.of("SplittableRandom").create(seed);
            EmbeddedChannel channel = channel();
            rfb.accept(channel, true);
            byte[] start = HANDSHAKE.clone();
            if (random.nextInt(4) == 0) {
                start[random.nextInt(start.length)] = (byte) random.nextInt();
            }
            say(channel, start, random);
            int messages = random.nextInt(30);
            for (int i = 0; i < messages && channel.isActive(); i++) {
                say(channel, message(random), random);
            }
            end(channel);
        }
        assertThat(log.list).anyMatch(event -> event.getFormattedMessage().contains("sent away"));
        nothingWorse();
    }

    @Test
    void noise() {
        for (int seed = 0; seed < CONNECTIONS; seed++) {
            RandomGenerator random = RandomGeneratorFactory.of("SplittableRandom").create(seed);
            byte[] bytes = new byte[1 + random.nextInt(400)];
            random.nextBytes(bytes);
            EmbeddedChannel channel = channel();
            rfb.accept(channel, true);
            if (random.nextBoolean()) {
                say(channel, HANDSHAKE, random);
            }
            say(channel, bytes, random);
            end(channel);
        }
        nothingWorse();
    }

    @Test
    void http() {
        WebService web = new WebService(rfb, new SerialConsole(_ -> true), null);
        List<String> requests = List.of("GET /%s/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%s/viewer.css HTTP/1.0\r\n\r\n",
                "POST /%s/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
                "GET /%s/websockify HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
                "GET /%s/console HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
        for (int seed = 0; seed < CONNECTIONS; seed++) {
            RandomGenerator random = RandomGeneratorFactory.of("SplittableRandom").create(seed);
            EmbeddedChannel channel = channel();
            web.accept(channel);
            byte[] request = String.format(requests.get(random.nextInt(requests.size())), web.token())
                    .getBytes(StandardCharsets.ISO_8859_1);
            for (int i = random.nextInt(6) - 3; i > 0; i--) {
                request[random.nextInt(request.length)] = (byte) random.nextInt();
            }
            say(channel, request, random);
            for (int i = random.nextInt(12); i > 0 && channel.isActive(); i--) {
                say(channel, webSocketFrame(random), random);
            }
            end(channel);
        }
        nothingWorse();
    }

    /** Masked with zeros, mostly right. */
    private static byte[] webSocketFrame(RandomGenerator random) {
        byte[] payload = random.nextBoolean() ? HANDSHAKE.clone() : message(random);
        byte[] frame = new byte[6 + payload.length];
        int[] kinds = {0x82, 0x82, 0x82, 0x02, 0x80, 0x81, 0x88, 0x89, 0x8a, 0x83, 0xf2};
        frame[0] = (byte) kinds[random.nextInt(kinds.length)];
        frame[1] = (byte) (0x80 | payload.length);
        System.arraycopy(payload, 0, frame, 6, payload.length);
        if (random.nextInt(8) == 0) {
            frame[random.nextInt(6)] = (byte) random.nextInt();
        }
        return frame;
    }
}

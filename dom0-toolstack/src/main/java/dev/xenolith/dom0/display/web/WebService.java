package dev.xenolith.dom0.display.web;

import dev.xenolith.dom0.display.rfb.ConnectionFailures;
import dev.xenolith.dom0.display.rfb.RfbService;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.security.MessageDigest;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A screen, and perhaps a console, for browsers. Everything is below a path whose first part is a random token: who does not have it is
 * told of nothing, and learns nothing of it by the time that the answer takes.
 */
public final class WebService {
    /** Connections at a time; more are closed at once. */
    public static final int MAX_CONNECTIONS = 64;

    private static final Logger LOG = LoggerFactory.getLogger(WebService.class);

    private static final int TOKEN_BYTES = 24;
    private static final int MAX_LINE = 2048;
    private static final int MAX_HEADERS = 16 << 10;
    private static final int MAX_CHUNK = 4096;
    /** How long a connection without WebSocket may say nothing. */
    private static final int TIMEOUT_SECONDS = 30;

    private final RfbService rfb;
    private final @Nullable WebConsole console;
    private final @Nullable SslContext tls;
    private final String token;
    private final Set<Channel> connections = ConcurrentHashMap.newKeySet();

    /**
     * @param console null if there is none
     * @param tls null for HTTP in place of HTTPS
     */
    public WebService(RfbService rfb, @Nullable WebConsole console, @Nullable SslContext tls) {
        this.rfb = rfb;
        this.console = console;
        this.tls = tls;
        byte[] random = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(random);
        token = HexFormat.of().formatHex(random);
    }

    /** What has to be known, as the first part of the path. */
    public String token() {
        return token;
    }

    /** What the page cannot do, for this build has not got it; by name. */
    public List<String> missing() {
        return WebAssets.missing();
    }

    /** Takes over a new connection. */
    public void accept(Channel channel) {
        connections.add(channel);
        channel.closeFuture().addListener(_ -> connections.remove(channel));
        if (connections.size() > MAX_CONNECTIONS) {
            LOG.warn("browser {} is sent away: {} connections are there already", channel.remoteAddress(),
                    MAX_CONNECTIONS);
            channel.close();
            return;
        }
        if (tls != null) {
            channel.pipeline().addLast("tls", tls.newHandler(channel.alloc()));
        }
        channel.pipeline().addLast("timeout", new ReadTimeoutHandler(TIMEOUT_SECONDS));
        channel.pipeline().addLast(new HttpServerCodec(MAX_LINE, MAX_HEADERS, MAX_CHUNK));
        // Nobody has anything to bring.
        channel.pipeline().addLast("whole", new HttpObjectAggregator(MAX_CHUNK, true));
        channel.pipeline().addLast("requests", new WebRequests(this));
        channel.pipeline().addLast("failures", new ConnectionFailures());
    }

    boolean isProtected() { return tls != null; }

    boolean isToken(String given) {
        return MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), token.getBytes(StandardCharsets.UTF_8));
    }

    RfbService rfb() {
        return rfb;
    }

    @Nullable
    WebConsole console() {
        return console;
    }
}

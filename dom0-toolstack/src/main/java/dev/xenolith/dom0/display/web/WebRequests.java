package dev.xenolith.dom0.display.web;

import dev.xenolith.dom0.display.rfb.ConnectionFailures;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.WebSocketHandshakeException;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker13;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Answers a browser's requests, until one of them makes a WebSocket of the connection. */
final class WebRequests extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final String SCREEN_SOCKET = "websockify";
    private static final String CONSOLE_SOCKET = "console";
    private static final String SUBPROTOCOL = "binary";
    /** Of the WebSocket protocol: RFC 6455's. */
    private static final String VERSION = "13";
    private static final int MAX_FRAME = 1 << 20;
    /** Scripts are ours only; pictures may be data, as noVNC makes them; xterm.js writes style sheets. */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
            + "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    /** In {@link WebAssets#PAGE}: where it says what this build lacks, and whether there is a console. */
    private static final String MISSING_MARK = "<!-- missing -->";
    private static final String NO_CONSOLE_MARK = "data-console=\"yes\"";

    private final WebService service;

    WebRequests(WebService service) {
        this.service = service;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) throws IOException {
        if (request.decoderResult().isFailure()) {
            answer(context, request, HttpResponseStatus.BAD_REQUEST, null, "text/plain", false);
            return;
        }
        String path = path(request.uri());
        if (path == null) {
            answer(context, request, HttpResponseStatus.NOT_FOUND, null, "text/plain", false);
        } else if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
            answer(context, request, HttpResponseStatus.METHOD_NOT_ALLOWED, null, "text/plain", false);
        } else if (path.equals(SCREEN_SOCKET) || path.equals(CONSOLE_SOCKET) && service.console() != null) {
            upgrade(context, request, path);
        } else {
            file(context, request, path.isEmpty() ? WebAssets.PAGE : path);
        }
    }

    /** What comes after the token and its slash, without the query; null if the token is not there. */
    private @Nullable String path(String uri) {
        int query = uri.indexOf('?');
        String whole = query < 0 ? uri : uri.substring(0, query);
        int slash = whole.indexOf('/', 1);
        boolean isToken = service.isToken(slash < 1 ? "" : whole.substring(1, slash));
        return isToken && whole.startsWith("/") ? whole.substring(slash + 1) : null;
    }

    // ---- files -------------------------------------------------------------------------------------------------------

    private void file(ChannelHandlerContext context, FullHttpRequest request, String name) throws IOException {
        byte[] file = WebAssets.find(name);
        if (file == null) {
            answer(context, request, HttpResponseStatus.NOT_FOUND, null, "text/plain", true);
        } else {
            answer(context, request, HttpResponseStatus.OK, name.equals(WebAssets.PAGE) ? page(file) : file,
                    WebAssets.type(name), true);
        }
    }

    private byte[] page(byte[] file) {
        String page = new String(file, StandardCharsets.UTF_8);
        List<String> missing = WebAssets.missing();
        if (!missing.isEmpty()) {
            page = page.replace(MISSING_MARK,
                    "<p class=\"missing\">This build has no " + String.join(" and no ", missing)
                            + ": it was made without Node.js. VNC viewers work all the same.</p>");
        }
        if (service.console() == null) {
            page = page.replace(NO_CONSOLE_MARK, "");
        }
        return page.getBytes(StandardCharsets.UTF_8);
    }

    /** @param mayStay whether the connection may be used again */
    private static void answer(ChannelHandlerContext context, HttpRequest request, HttpResponseStatus status,
            byte @Nullable [] body, String type, boolean mayStay) {
        byte[] bytes = body == null ? (status + "\n").getBytes(StandardCharsets.US_ASCII) : body;
        boolean headOnly = request.method().equals(HttpMethod.HEAD);
        ByteBuf content = headOnly ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(bytes);
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, content);
        HttpHeaders headers = response.headers();
        headers.set(HttpHeaderNames.CONTENT_TYPE, type);
        headers.set(HttpHeaderNames.CONTENT_LENGTH, bytes.length);
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-store");
        headers.set(HttpHeaderNames.CONTENT_SECURITY_POLICY, POLICY);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set(HttpHeaderNames.X_FRAME_OPTIONS, "DENY");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        boolean stays = mayStay && HttpUtil.isKeepAlive(request);
        HttpUtil.setKeepAlive(response, stays);
        ChannelFuture sent = context.writeAndFlush(response);
        if (!stays) {
            sent.addListener(ChannelFutureListener.CLOSE);
        }
    }

    // ---- WebSockets --------------------------------------------------------------------------------------------------

    private void upgrade(ChannelHandlerContext context, FullHttpRequest request, String path) {
        if (!isOwnOrigin(request.headers())) {
            answer(context, request, HttpResponseStatus.FORBIDDEN, null, "text/plain", false);
            return;
        }
        if (!request.headers().contains(HttpHeaderNames.SEC_WEBSOCKET_KEY)
                || !request.headers().containsValue(HttpHeaderNames.UPGRADE, "websocket", true)) {
            answer(context, request, HttpResponseStatus.UPGRADE_REQUIRED, null, "text/plain", false);
            return;
        }
        if (!request.headers().containsValue(HttpHeaderNames.SEC_WEBSOCKET_VERSION, VERSION, false)) {
            WebSocketServerHandshakerFactory.sendUnsupportedVersionResponse(context.channel())
                    .addListener(ChannelFutureListener.CLOSE);
            return;
        }
        String scheme = service.isProtected() ? "wss://" : "ws://";
        WebSocketServerHandshaker handshaker = new WebSocketServerHandshaker13(
                scheme + request.headers().get(HttpHeaderNames.HOST), SUBPROTOCOL, false, MAX_FRAME, false);
        Channel channel = context.channel();
        // What comes at once waits until there is somebody to read it.
        channel.config().setAutoRead(false);
        ChannelFuture shaken;
        try {
            shaken = handshaker.handshake(channel, request);
        } catch (WebSocketHandshakeException e) {
            answer(context, request, HttpResponseStatus.BAD_REQUEST, null, "text/plain", false);
            return;
        }
        shaken.addListener(done -> {
            if (done.isSuccess()) {
                upgraded(channel, path);
            } else {
                channel.close();
            }
        });
    }

    private void upgraded(Channel channel, String path) {
        ChannelPipeline pipeline = channel.pipeline();
        if (!channel.isActive()) {
            return;
        }
        pipeline.remove("timeout");
        pipeline.remove("failures");
        pipeline.remove(this);
        pipeline.addLast("bytes", new WebSocketBytes());
        WebConsole console = service.console();
        if (path.equals(CONSOLE_SOCKET) && console != null) {
            pipeline.addLast("console", new ConsoleSocket(console));
            pipeline.addLast("failures", new ConnectionFailures());
        } else {
            // The token has been shown; who is not on this computer has TLS, or was told to do without.
            service.rfb().accept(channel, true);
        }
        channel.config().setAutoRead(true);
    }

    /** Browsers say which page opens a WebSocket: it has to be one of this server's. Who is no browser says nothing. */
    private boolean isOwnOrigin(HttpHeaders headers) {
        List<String> origins = headers.getAll(HttpHeaderNames.ORIGIN);
        List<String> hosts = headers.getAll(HttpHeaderNames.HOST);
        if (hosts.size() != 1 || origins.size() > 1) {
            return false;
        }
        String own = (service.isProtected() ? "https://" : "http://") + hosts.getFirst();
        return origins.isEmpty() || origins.getFirst().equalsIgnoreCase(own);
    }
}

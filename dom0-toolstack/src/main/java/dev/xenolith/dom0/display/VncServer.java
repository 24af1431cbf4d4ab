package dev.xenolith.dom0.display;

import dev.xenolith.device.display.Display;
import dev.xenolith.device.input.Keyboard;
import dev.xenolith.device.input.Pointer;
import dev.xenolith.dom0.display.rfb.Certificate;
import dev.xenolith.dom0.display.rfb.RfbService;
import dev.xenolith.dom0.display.rfb.Security;
import dev.xenolith.dom0.display.screen.InputDevices;
import dev.xenolith.dom0.display.screen.ScreenSource;
import dev.xenolith.dom0.display.web.WebConsole;
import dev.xenolith.dom0.display.web.WebService;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Inet6Address;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A VNC server, with a web page if that is wanted. It outlives the resets of the machine, which is {@link #connect connected} anew each
 * time.
 */
public final class VncServer implements AutoCloseable {
    /** Encoding is done by these too: one viewer's full screen does not hold up the others. */
    private static final int THREADS = 2;
    private static final int LOW_WATER = 64 << 10;
    private static final int HIGH_WATER = 256 << 10;
    private static final int MAX_PASSWORD_LINE = 1024;
    private static final int PASSWORD_SIZE = 8;
    private static final String CERTIFICATE_NAME = "Xenolith";

    private final EventLoopGroup events = new MultiThreadIoEventLoopGroup(THREADS,
            new DefaultThreadFactory("vnc", true),
            NioIoHandler.newFactory());
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private final List<Channel> listeners = new ArrayList<>();
    private final InputDevices inputs = new InputDevices();
    private final ScreenSource screen = new ScreenSource(events, inputs);
    private final List<String> announcements = new ArrayList<>();
    private final RfbService rfb;
    private final @Nullable WebService web;

    /**
     * Listens.
     *
     * @param name of the desktop
     * @param console for the web page, null if there is none
     * @throws IOException if an address cannot be listened at, or the password not be read; its message says which
     */
    public VncServer(VncSettings settings, String name, @Nullable WebConsole console) throws IOException {
        try {
            byte[] password = password(settings.passwordFile());
            SslContext tls = settings.tls() ? tls() : null;
            rfb = new RfbService(screen, inputs, new Security(password, tls), settings.sharing(), name);
            Channel viewers = listen(settings.rfb(), channel -> rfb.accept(channel, false));
            announcements.addFirst("VNC at " + text((InetSocketAddress) viewers.localAddress()));
            if (settings.web() != null) {
                WebService service = new WebService(rfb, console, tls);
                Channel browsers = listen(settings.web(), service::accept);
                announcements.add(1, "web page at " + (tls == null ? "http" : "https") + "://"
                        + text((InetSocketAddress) browsers.localAddress()) + "/" + service.token() + "/");
                if (!service.missing().isEmpty()) {
                    announcements.add("the web page is without " + String.join(" and without ", service.missing())
                            + ": this build was made without Node.js");
                }
                web = service;
            } else {
                web = null;
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    private static byte @Nullable [] password(@Nullable Path file) throws IOException {
        if (file == null) {
            return null;
        }
        byte[] start;
        try (InputStream in = Files.newInputStream(file)) {
            start = in.readNBytes(MAX_PASSWORD_LINE);
        } catch (IOException e) {
            throw new IOException("password: " + file + ": cannot be read: " + e.getMessage(), e);
        }
        String line = new String(start, StandardCharsets.ISO_8859_1).lines().findFirst().orElse("");
        if (line.isEmpty()) {
            throw new IOException("password: " + file + ": there is none in its first line");
        }
        if (line.length() > PASSWORD_SIZE) {
            throw new IOException("password: " + file + ": VNC has passwords of at most " + PASSWORD_SIZE
                    + " characters, this one has " + line.length());
        }
        return line.getBytes(StandardCharsets.ISO_8859_1);
    }

    private SslContext tls() throws SSLException {
        Certificate certificate = Certificate.create(CERTIFICATE_NAME);
        announcements.add("the certificate's SHA-256 is " + certificate.fingerprint());
        return SslContextBuilder.forServer(certificate.key(), certificate.x509()).sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2").build();
    }

    private Channel listen(InetSocketAddress address, Consumer<Channel> accept) throws IOException {
        ChannelFuture bound = new ServerBootstrap().group(events).channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true).childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(LOW_WATER, HIGH_WATER))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        connections.add(channel);
                        accept.accept(channel);
                    }
                }).bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("cannot listen at " + text(address) + ": " + bound.cause().getMessage(),
                    bound.cause());
        }
        listeners.add(bound.channel());
        return bound.channel();
    }

    private static String text(InetSocketAddress address) {
        InetAddress host = address.getAddress();
        String shown = host instanceof Inet6Address ? "[" + host.getHostAddress() + "]" : host.getHostAddress();
        return String.format(Locale.ROOT, "%s:%d", shown, address.getPort());
    }

    /** What its user has to know, a line each: addresses, the web page's with its token, the certificate. */
    public List<String> announcements() {
        return List.copyOf(announcements);
    }

    /** Where VNC viewers connect. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listeners.getFirst().localAddress();
    }

    /** Where browsers connect, null if they do not. */
    public @Nullable InetSocketAddress webAddress() {
        return web == null ? null : (InetSocketAddress) listeners.get(1).localAddress();
    }

    /** The first part of the web page's path, null if there is none. */
    public @Nullable String token() {
        return web == null ? null : web.token();
    }

    /** Calls the desktop otherwise. */
    public void rename(String name) {
        rfb.rename(name);
    }

    /**
     * There is a machine, or another one.
     *
     * @param machine runs things on the machine thread; what it has been given when the machine ends may be lost
     * @param display null if the machine has none, like keyboard and pointer
     */
    public void connect(Executor machine, @Nullable Display display, @Nullable Keyboard keyboard,
            @Nullable Pointer pointer) {
        inputs.connect(machine, keyboard, pointer);
        screen.display(machine, display);
    }

    /** The machine has ended. Viewers go on seeing what it has shown last. */
    public void disconnect() {
        screen.pause();
        inputs.disconnect();
    }

    @Override
    public void close() {
        screen.close();
        listeners.forEach(listener -> listener.close().awaitUninterruptibly());
        connections.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        events.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}

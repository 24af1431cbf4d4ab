package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.encoding.PixelFormat;
import dev.xenolith.dom0.display.screen.Frame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of a connection (RFC 6143, sections 7.1 to 7.3): version, security, and what the two tell each other of themselves. Then a
 * {@link MessageDecoder} and a {@link Viewer} take over.
 */
final class Handshake extends ByteToMessageDecoder {
    /** All of it has to be done in this time. */
    static final long TIMEOUT_MILLIS = 30_000;
    /** How long a wrong password is thought about. */
    private static final long FAILURE_DELAY_MILLIS = 1000;

    private static final int VERSION_SIZE = 12;
    private static final String OUR_VERSION = "RFB 003.008\n";
    private static final String VERSION_PREFIX = "RFB ";
    private static final int NONE = 1;
    private static final int VNC = 2;
    private static final int VENCRYPT = 19;
    private static final int X509_NONE = 260;
    private static final int X509_VNC = 261;
    private static final int FAILED = 1;

    private enum Step { VERSION, TYPE, VENCRYPT_VERSION, VENCRYPT_TYPE, RESPONSE, INITIALISATION, OVER }

    private final RfbService service;
    private final Security security;
    private final SecureRandom random = new SecureRandom();
    private Step step = Step.VERSION;
    /** 3, 7 or 8. */
    private int minorVersion;
    private byte[] challenge = {};
    private @Nullable Future<?> timeout;

    Handshake(RfbService service, Security security) {
        this.service = service;
        this.security = security;
    }

    /** Begins, if the connection is there; else with it. */
    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        if (context.channel().isActive()) {
            begin(context);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) throws Exception {
        begin(context);
        super.channelActive(context);
    }

    private void begin(ChannelHandlerContext context) {
        if (timeout == null) {
            timeout = context.executor().schedule(
                    () -> context.pipeline()
                            .fireExceptionCaught(new ProtocolException("it has not said what it wants in "
                                    + TIMEOUT_MILLIS / 1000 + " seconds")),
                    TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
            send(context, ascii(context, OUR_VERSION));
        }
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext context) {
        if (timeout != null) {
            timeout.cancel(false);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        step = Step.OVER;
        if (timeout != null) {
            timeout.cancel(false);
        }
        super.channelInactive(context);
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        try {
            switch (step) {
                case VERSION -> version(context, in);
                case TYPE -> type(context, in);
                case VENCRYPT_VERSION -> venCryptVersion(context, in);
                case VENCRYPT_TYPE -> venCryptType(context, in);
                case RESPONSE -> response(context, in);
                case INITIALISATION -> initialisation(context, in);
                case OVER -> in.skipBytes(in.readableBytes());
            }
        } catch (ProtocolException e) {
            step = Step.OVER;
            in.skipBytes(in.readableBytes());
            throw e;
        }
    }

    // ---- version -----------------------------------------------------------------------------------------------------

    private void version(ChannelHandlerContext context, ByteBuf in) {
        int known = Math.min(in.readableBytes(), VERSION_PREFIX.length());
        if (!in.toString(in.readerIndex(), known, StandardCharsets.ISO_8859_1)
                .equals(VERSION_PREFIX.substring(0, known))) {
            throw new ProtocolException("it does not speak RFB");
        }
        if (in.readableBytes() < VERSION_SIZE) {
            return;
        }
        String version = in.readCharSequence(VERSION_SIZE, StandardCharsets.ISO_8859_1).toString();
        if (!version.matches("RFB [0-9]{3}\\.[0-9]{3}\n") || version.startsWith("RFB 00") && version.charAt(6) < '3') {
            throw new ProtocolException("a version that is none: " + ByteBufUtil.hexDump(version.getBytes(
                    StandardCharsets.ISO_8859_1)));
        }
        int minor = Integer.parseInt(version.substring(8, 11));
        boolean newer = !version.startsWith("RFB 003");
        // RFC 6143, section 7.1.1: what is neither 3.3 nor 3.7 nor 3.8 but less is taken for 3.3.
        minorVersion = newer || minor >= 8 ? 8 : minor == 7 ? 7 : 3;
        if (minorVersion == 3) {
            if (security.tls() != null) {
                send(context, reason(context.alloc().buffer().writeInt(0),
                        "TLS is needed here, which RFB 3.3 cannot ask for"));
                throw new ProtocolException("it speaks RFB 3.3, which has no TLS");
            }
            send(context, context.alloc().buffer().writeInt(security.password() == null ? NONE : VNC));
            secure(context);
        } else {
            int type = security.tls() != null ? VENCRYPT : security.password() == null ? NONE : VNC;
            send(context, context.alloc().buffer().writeByte(1).writeByte(type));
            step = Step.TYPE;
        }
    }

    // ---- security ----------------------------------------------------------------------------------------------------

    private void type(ChannelHandlerContext context, ByteBuf in) {
        int type = in.readUnsignedByte();
        boolean wantsTls = security.tls() != null;
        if (type == VENCRYPT && wantsTls) {
            send(context, context.alloc().buffer().writeByte(0).writeByte(2));
            step = Step.VENCRYPT_VERSION;
        } else if (type == (security.password() == null ? NONE : VNC) && !wantsTls) {
            secure(context);
        } else {
            throw new ProtocolException("security type " + type + ", which it was not offered");
        }
    }

    private void venCryptVersion(ChannelHandlerContext context, ByteBuf in) {
        if (in.readableBytes() < 2) {
            return;
        }
        int version = in.readUnsignedShort();
        if (version != 2) {
            send(context, context.alloc().buffer().writeByte(1));
            throw new ProtocolException("version " + (version >> 8) + "." + (version & 0xff)
                    + " of VeNCrypt; only 0.2 is supported");
        }
        send(context, context.alloc().buffer().writeByte(0).writeByte(1).writeInt(venCryptType()));
        step = Step.VENCRYPT_TYPE;
    }

    private int venCryptType() {
        return security.password() == null ? X509_NONE : X509_VNC;
    }

    private void venCryptType(ChannelHandlerContext context, ByteBuf in) {
        if (in.readableBytes() < Integer.BYTES) {
            return;
        }
        int type = in.readInt();
        if (type != venCryptType()) {
            send(context, context.alloc().buffer().writeByte(0));
            throw new ProtocolException("VeNCrypt's type " + type + ", which it was not offered");
        }
        if (in.isReadable()) {
            throw new ProtocolException("it talks before TLS is agreed on");
        }
        send(context, context.alloc().buffer().writeByte(1));
        SslContext tls = Objects.requireNonNull(security.tls());
        context.pipeline().addFirst("tls", tls.newHandler(context.alloc()));
        secure(context);
    }

    /** Asks for the password, if there is one. */
    private void secure(ChannelHandlerContext context) {
        if (security.password() != null) {
            challenge = new byte[VncAuthentication.SIZE];
            random.nextBytes(challenge);
            send(context, context.alloc().buffer().writeBytes(challenge));
            step = Step.RESPONSE;
        } else {
            // Before 3.8 there is no result of having nothing to prove.
            if (minorVersion >= 8) {
                send(context, context.alloc().buffer().writeInt(0));
            }
            step = Step.INITIALISATION;
        }
    }

    private void response(ChannelHandlerContext context, ByteBuf in) {
        if (in.readableBytes() < VncAuthentication.SIZE) {
            return;
        }
        byte[] response = new byte[VncAuthentication.SIZE];
        in.readBytes(response);
        if (VncAuthentication.isRight(response, challenge, Objects.requireNonNull(security.password()))) {
            send(context, context.alloc().buffer().writeInt(0));
            step = Step.INITIALISATION;
            return;
        }
        step = Step.OVER;
        in.skipBytes(in.readableBytes());
        context.executor().schedule(() -> {
            if (context.channel().isActive()) {
                ByteBuf result = context.alloc().buffer().writeInt(FAILED);
                send(context, minorVersion >= 8 ? reason(result, "wrong password") : result);
                context.pipeline().fireExceptionCaught(new ProtocolException("it does not know the password"));
            }
        }, FAILURE_DELAY_MILLIS, TimeUnit.MILLISECONDS);
    }

    // ---- initialisation ----------------------------------------------------------------------------------------------

    private void initialisation(ChannelHandlerContext context, ByteBuf in) {
        boolean shared = in.readBoolean();
        service.share(context.channel(), shared);
        step = Step.OVER;
        Frame frame = service.screen().latest();
        byte[] name = service.name().getBytes(StandardCharsets.UTF_8);
        ByteBuf hello = context.alloc().buffer().writeShort(frame.width()).writeShort(frame.height());
        PixelFormat.OFFERED.write(hello);
        send(context, hello.writeInt(name.length).writeBytes(name));
        // What has come meanwhile is handed on when this handler goes.
        context.pipeline().addAfter(context.name(), "messages", new MessageDecoder());
        context.pipeline().addAfter("messages", "viewer", new Viewer(service, frame.width(), frame.height()));
        context.pipeline().remove(this);
    }

    private static ByteBuf ascii(ChannelHandlerContext context, String text) {
        return ByteBufUtil.writeAscii(context.alloc(), text);
    }

    private static ByteBuf reason(ByteBuf out, String text) {
        return out.writeInt(text.length()).writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void send(ChannelHandlerContext context, ByteBuf bytes) {
        context.writeAndFlush(bytes);
    }
}

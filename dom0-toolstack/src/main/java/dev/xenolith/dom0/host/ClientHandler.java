package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Frames;
import dev.xenolith.dom0.protocol.Hello;
import dev.xenolith.dom0.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection on the event loop: reads frames, starts the command at the first and cancels it when the client goes,
 * sends a signal, or breaks the protocol.
 */
final class ClientHandler extends SimpleChannelInboundHandler<ByteBuf> {
    private static final Logger LOG = LoggerFactory.getLogger(ClientHandler.class);
    private static final long HELLO_SECONDS = 10;

    /** Runs commands; called on the event loop. */
    interface Commands {
        /**
         * Starts a command on a thread of its own, which ends with {@link RemoteClient#exit}.
         *
         * @return the thread, to be interrupted; null if the request was refused or needs none
         */
        @Nullable
        Thread start(RemoteClient client);
    }

    private final Commands commands;
    private @Nullable RemoteClient client;
    private @Nullable Thread command;
    private @Nullable ScheduledFuture<?> deadline;

    ClientHandler(Commands commands) {
        this.commands = commands;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        deadline = context.executor().schedule(() -> {
            if (client == null) {
                LOG.info("a connection said nothing for {} s", HELLO_SECONDS);
                context.close();
            }
        }, HELLO_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf frame) throws ProtocolException {
        byte type = frame.readByte();
        byte[] payload = new byte[frame.readInt()];
        frame.readBytes(payload);
        RemoteClient known = client;
        if (known == null) {
            if (type != Frames.HELLO) {
                throw new ProtocolException("frame " + type + " before the greeting");
            }
            known = new RemoteClient(context.channel(), Hello.decode(payload));
            client = known;
            command = commands.start(known);
            return;
        }
        switch (type) {
            case Frames.STDIN -> {
                if (!known.received(payload)) {
                    throw new ProtocolException("more input than was asked for");
                }
            }
            case Frames.STDIN_END -> known.inputEnded();
            case Frames.SIGNAL -> cancel();
            case Frames.WINDOW -> {
                if (payload.length != 4) {
                    throw new ProtocolException("a window size of " + payload.length + " bytes");
                }
                known.resized((payload[0] & 0xff) << 8 | payload[1] & 0xff);
            }
            default -> throw new ProtocolException("frame of unknown type " + type);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (client != null) {
            client.writabilityChanged();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (deadline != null) {
            deadline.cancel(false);
        }
        if (client != null) {
            client.inputEnded();
            client.writabilityChanged();
        }
        cancel();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.info("a client is disconnected: {}", cause.toString());
        if (client == null && cause instanceof ProtocolException) {
            // It may be a client of another version, which understands at least this.
            byte[] line = ("xenolith: " + cause.getMessage() + "\n").getBytes(StandardCharsets.UTF_8);
            context.write(context.alloc().buffer().writeByte(Frames.STDERR).writeInt(line.length).writeBytes(line));
            context.writeAndFlush(context.alloc().buffer().writeByte(Frames.EXIT).writeInt(1).writeByte(1))
                    .addListener(_ -> context.close());
        } else {
            context.close();
        }
    }

    private void cancel() {
        if (command != null) {
            command.interrupt();
        }
    }
}

package dev.xenolith.dom0.display.rfb;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.timeout.TimeoutException;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last handler of every connection: whatever is wrong with one closes it, is logged in a line, and concerns nobody else. */
@ChannelHandler.Sharable
public final class ConnectionFailures extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionFailures.class);

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Throwable reason = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (!context.channel().isActive()) {
            LOG.debug("{}: {}", context.channel().remoteAddress(), reason.toString());
        } else if (reason instanceof ProtocolException) {
            LOG.warn("viewer {} is sent away: {}", context.channel().remoteAddress(), reason.getMessage());
        } else if (reason instanceof SSLException || reason instanceof DecoderException) {
            LOG.warn("viewer {} is sent away: {}", context.channel().remoteAddress(), reason.toString());
        } else if (reason instanceof IOException || reason instanceof TimeoutException) {
            LOG.debug("viewer {} has gone: {}", context.channel().remoteAddress(), reason.toString());
        } else {
            LOG.error("BUG: viewer {} is sent away", context.channel().remoteAddress(), reason);
        }
        context.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        // What comes while the connection is being closed.
        ReferenceCountUtil.release(message);
    }
}

package dev.xenolith.dom0.display.web;

import dev.xenolith.dom0.display.rfb.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.ReferenceCountUtil;

/** Makes bytes of a WebSocket's binary frames (RFC 6455) and binary frames of bytes; the handlers behind it see a connection like any other. */
final class WebSocketBytes extends ChannelDuplexHandler {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof WebSocketFrame frame)) {
            context.fireChannelRead(message);
            return;
        }
        switch (frame) {
            // Of a text there is no continuation: its first frame has been the last.
            case BinaryWebSocketFrame _,ContinuationWebSocketFrame _ -> context.fireChannelRead(frame.content());
            case PingWebSocketFrame _ -> context.writeAndFlush(new PongWebSocketFrame(frame.content()));
            case CloseWebSocketFrame _ -> context.writeAndFlush(frame).addListener(ChannelFutureListener.CLOSE);
            case PongWebSocketFrame _ -> frame.release();
            case TextWebSocketFrame _ -> {
                frame.release();
                throw new ProtocolException("text on a WebSocket that carries bytes");
            }
            default -> {
                frame.release();
                throw new ProtocolException("a frame of a kind that is not known");
            }
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof ByteBuf bytes) {
            context.write(new BinaryWebSocketFrame(bytes), promise);
        } else if (message instanceof WebSocketFrame) {
            context.write(message, promise);
        } else {
            ReferenceCountUtil.release(message);
            promise.setFailure(new IllegalArgumentException("a " + message.getClass()));
        }
    }
}

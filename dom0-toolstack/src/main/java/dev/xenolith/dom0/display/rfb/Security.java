package dev.xenolith.dom0.display.rfb;

import io.netty.handler.ssl.SslContext;
import org.jspecify.annotations.Nullable;

/**
 * What a viewer has to do before it sees anything.
 *
 * @param password of which eight bytes count; null if none is asked for
 * @param tls if given, everything goes through TLS (VeNCrypt's X509None and X509Vnc). TLSNone and TLSVnc, which have no certificate but
 *        anonymous Diffie-Hellman, are not supported: JDKs have that switched off.
 */
public record Security(byte @Nullable [] password, @Nullable SslContext tls) {
    /** Who can connect, sees. */
    public static final Security NONE = new Security(null, null);

    /** The same for connections that are protected already. */
    Security withoutTls() {
        return new Security(password, null);
    }
}

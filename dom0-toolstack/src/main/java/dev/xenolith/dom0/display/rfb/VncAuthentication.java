package dev.xenolith.dom0.display.rfb;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/** VNC authentication (RFC 6143, section 7.2.2): a challenge that DES encrypts with the password, each of whose bytes has its bits reversed. */
final class VncAuthentication {
    /** Bytes of challenge and response. */
    static final int SIZE = 16;
    /** Bytes of the password that count. */
    static final int PASSWORD_SIZE = 8;

    private VncAuthentication() {}

    /** What a viewer that knows the password answers. */
    static byte[] response(byte[] challenge, byte[] password) {
        byte[] key = Arrays.copyOf(password, PASSWORD_SIZE);
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (Integer.reverse(key[i]) >>> 24);
        }
        try {
            Cipher des = Cipher.getInstance("DES/ECB/NoPadding");
            des.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "DES"));
            return des.doFinal(challenge);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has DES", e);
        }
    }

    static boolean isRight(byte[] response, byte[] challenge, byte[] password) {
        return MessageDigest.isEqual(response, response(challenge, password));
    }
}

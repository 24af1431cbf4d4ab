package dev.xenolith.dom0.display.rfb;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.Locale;

/**
 * A certificate that nobody but itself vouches for, made when the server starts, and its key, which is nowhere else: X.509 version 3
 * (RFC 5280) with a key on the curve P-256. Who wants to be sure compares the {@link #fingerprint}.
 */
public record Certificate(PrivateKey key, X509Certificate x509) {
    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int OBJECT = 0x06;
    private static final int UTF8_STRING = 0x0c;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int GENERALIZED_TIME = 0x18;
    private static final int VERSION = 0xa0;
    /** 1.2.840.10045.4.3.2, ecdsa-with-SHA256, and 2.5.4.3, commonName. */
    private static final byte[] ECDSA_WITH_SHA256 = {0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 4, 3, 2};
    private static final byte[] COMMON_NAME = {0x55, 4, 3};
    private static final int SERIAL_BITS = 120;
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuuMMddHHmmss'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    /** Makes one that is valid for a year from yesterday on. */
    public static Certificate create(String commonName) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            Instant now = Instant.now();
            byte[] algorithm = der(SEQUENCE, der(OBJECT, ECDSA_WITH_SHA256));
            byte[] name = der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT, COMMON_NAME),
                    der(UTF8_STRING, commonName.getBytes(StandardCharsets.UTF_8)))));
            byte[] toSign = der(SEQUENCE, der(VERSION, der(INTEGER, new byte[]{2})),
                    der(INTEGER, new BigInteger(SERIAL_BITS, new SecureRandom()).add(BigInteger.ONE).toByteArray()),
                    algorithm, name,
                    der(SEQUENCE, time(now.minus(1, ChronoUnit.DAYS)), time(now.plus(365, ChronoUnit.DAYS))),
                    // What the key writes of itself is the SubjectPublicKeyInfo.
                    name, pair.getPublic().getEncoded());
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(pair.getPrivate());
            signature.update(toSign);
            byte[] whole = der(SEQUENCE, toSign, algorithm, der(BIT_STRING, new byte[1], signature.sign()));
            return new Certificate(pair.getPrivate(), (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(whole)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has elliptic curves", e);
        }
    }

    /** SHA-256 of the certificate, as viewers show it. */
    public String fingerprint() {
        try {
            return HexFormat.ofDelimiter(":").withUpperCase()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(x509.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static byte[] time(Instant instant) {
        return der(GENERALIZED_TIME, TIME.format(instant).getBytes(StandardCharsets.US_ASCII));
    }

    /** An element in ITU-T X.690's distinguished encoding. */
    private static byte[] der(int tag, byte[]... contents) {
        int length = 0;
        for (byte[] each : contents) {
            length += each.length;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else if (length <= 0xff) {
            out.write(0x81);
            out.write(length);
        } else {
            out.write(0x82);
            out.write(length >> 8);
            out.write(length);
        }
        for (byte[] each : contents) {
            out.writeBytes(each);
        }
        return out.toByteArray();
    }
}

package dev.xenolith.device.time;

import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/** Converts between seconds since 1970 and the time registers of an MC146818, in the formats that its register B chooses. */
final class RtcTime {
    static final int SECONDS = 0;
    static final int MINUTES = 2;
    static final int HOURS = 4;
    static final int DAY_OF_WEEK = 6;
    static final int DAY_OF_MONTH = 7;
    static final int MONTH = 8;
    static final int YEAR = 9;
    static final int CENTURY = 0x32;

    private static final int PM = 0x80;

    private RtcTime() {}

    static boolean isTime(int register) {
        return switch (register) {
            case SECONDS, MINUTES, HOURS, DAY_OF_WEEK, DAY_OF_MONTH, MONTH, YEAR, CENTURY -> true;
            default -> false;
        };
    }

    /** Writes {@code seconds} since 1970 into the time registers of {@code ram}. */
    static void store(long seconds, byte[] ram, boolean binary, boolean hours24) {
        LocalDateTime time = LocalDateTime.ofEpochSecond(seconds, 0, ZoneOffset.UTC);
        ram[SECONDS] = encode(time.getSecond(), binary);
        ram[MINUTES] = encode(time.getMinute(), binary);
        ram[HOURS] = encodeHour(time.getHour(), binary, hours24);
        ram[DAY_OF_WEEK] = encode(time.getDayOfWeek().getValue() % 7 + 1, binary);
        ram[DAY_OF_MONTH] = encode(time.getDayOfMonth(), binary);
        ram[MONTH] = encode(time.getMonthValue(), binary);
        ram[YEAR] = encode(time.getYear() % 100, binary);
        ram[CENTURY] = encode(time.getYear() / 100, binary);
    }

    /** What the time registers of {@code ram} say, in seconds since 1970; {@code otherwise} if they are no date. */
    static long load(byte[] ram, boolean binary, boolean hours24, long otherwise) {
        int year = decode(ram[CENTURY], binary) * 100 + decode(ram[YEAR], binary);
        try {
            return LocalDateTime.of(year, decode(ram[MONTH], binary), decode(ram[DAY_OF_MONTH], binary),
                    decodeHour(ram[HOURS], binary, hours24), decode(ram[MINUTES], binary),
                    decode(ram[SECONDS], binary)).toEpochSecond(ZoneOffset.UTC);
        } catch (DateTimeException e) {
            return otherwise;
        }
    }

    private static byte encode(int value, boolean binary) {
        return (byte) (binary ? value : value / 10 << 4 | value % 10);
    }

    static int decode(byte register, boolean binary) {
        int value = register & 0xff;
        return binary ? value : (value >>> 4) * 10 + (value & 15);
    }

    private static byte encodeHour(int hour, boolean binary, boolean hours24) {
        if (hours24) {
            return encode(hour, binary);
        }
        int twelve = (hour + 11) % 12 + 1;
        return (byte) (encode(twelve, binary) | (hour >= 12 ? PM : 0));
    }

    static int decodeHour(byte register, boolean binary, boolean hours24) {
        if (hours24) {
            return decode(register, binary);
        }
        return decode((byte) (register & ~PM), binary) % 12 + ((register & PM) != 0 ? 12 : 0);
    }
}

package dev.xenolith.device.input;

/**
 * The codes of keys in the scan code sets of the IBM enhanced keyboard (PS/2 Hardware Interface Technical Reference, "Keyboards (101-
 * and 102-key)"; the later keys as in Microsoft's "Keyboard Scan Code Specification"). Set 1 is what the keyboard controller's
 * translation makes of set 2.
 */
final class ScanCodes {
    /** Keys are known by their usage, 0 to 255. */
    static final int USAGES = 256;
    /** Prefix of keys that the first PC keyboards did not have. */
    static final int EXTENDED = 0xe0;
    /** In set 2 and 3, prefix of a key that goes up; in set 1 such a code has {@link #UP_1}. */
    static final int UP = 0xf0;
    static final int UP_1 = 0x80;

    /** Usage, code in set 2 (three digits up for those with the prefix), code in set 3 or --. */
    private static final String TABLE = """
            04 1c 1c|05 32 32|06 21 21|07 23 23|08 24 24|09 2b 2b|0a 34 34|0b 33 33|0c 43 43|0d 3b 3b|0e 42 42|0f 4b 4b
            10 3a 3a|11 31 31|12 44 44|13 4d 4d|14 15 15|15 2d 2d|16 1b 1b|17 2c 2c|18 3c 3c|19 2a 2a|1a 1d 1d|1b 22 22
            1c 35 35|1d 1a 1a|1e 16 16|1f 1e 1e|20 26 26|21 25 25|22 2e 2e|23 36 36|24 3d 3d|25 3e 3e|26 46 46|27 45 45
            28 5a 5a|29 76 08|2a 66 66|2b 0d 0d|2c 29 29|2d 4e 4e|2e 55 55|2f 54 54|30 5b 5b|31 5d 5c|32 5d 53|33 4c 4c
            34 52 52|35 0e 0e|36 41 41|37 49 49|38 4a 4a|39 58 14|3a 05 07|3b 06 0f|3c 04 17|3d 0c 1f|3e 03 27|3f 0b 2f
            40 83 37|41 0a 3f|42 01 47|43 09 4f|44 78 56|45 07 5e|47 7e 5f|49 e070 67|4a e06c 6e|4b e07d 6f|4c e071 64
            4d e069 65|4e e07a 6d|4f e074 6a|50 e06b 61|51 e072 60|52 e075 63|53 77 76|54 e04a 77|55 7c 7e|56 7b 84
            57 79 7c|58 e05a 79|59 69 69|5a 72 72|5b 7a 7a|5c 6b 6b|5d 73 73|5e 74 74|5f 6c 6c|60 75 75|61 7d 7d
            62 70 70|63 71 71|64 61 13|65 e02f 8d|66 e037 --|68 08 --|69 10 --|6a 18 --|6b 20 --|6c 28 --|6d 30 --
            6e 38 --|6f 40 --|70 48 --|71 50 --|72 57 --|73 5f --|85 6d 7b|87 51 51|88 13 87|89 6a 5d|8a 64 86|8b 67 85
            46 e07c 57|48 -- 62|e0 14 11|e1 12 12|e2 11 19|e3 e01f 8b|e4 e014 58|e5 59 59|e6 e011 39|e7 e027 8c
            """;

    /** What the controller makes of codes 0 to 0x7f of set 2. */
    private static final String TO_SET_1 = """
            ff 43 41 3f 3d 3b 3c 58 64 44 42 40 3e 0f 29 59 65 38 2a 70 1d 10 02 5a 66 71 2c 1f 1e 11 03 5b
            67 2e 2d 20 12 05 04 5c 68 39 2f 21 14 13 06 5d 69 31 30 23 22 15 07 5e 6a 72 32 24 16 08 09 5f
            6b 33 25 17 18 0b 0a 60 6c 34 35 26 27 19 0c 61 6d 73 28 74 1a 0d 62 6e 3a 36 1c 1b 75 2b 63 76
            55 56 77 78 79 7a 0e 7b 7c 4f 7d 4b 47 7e 7f 6f 52 53 50 4c 4d 48 01 45 57 4e 51 4a 37 49 46 54
            """;

    private static final int[] SET_2 = new int[USAGES];
    private static final int[] SET_3 = new int[USAGES];
    private static final int[] SET_1_OF_2 = new int[USAGES];

    static {
        for (String key : TABLE.strip().split("[|\n]")) {
            String[] columns = key.strip().split(" ");
            int usage = Integer.parseInt(columns[0], 16);
            SET_2[usage] = code(columns[1]);
            SET_3[usage] = code(columns[2]);
        }
        String[] translated = TO_SET_1.strip().split("\\s+");
        for (int code = 0; code < USAGES; code++) {
            SET_1_OF_2[code] = code < translated.length ? Integer.parseInt(translated[code], 16) : code;
        }
        // F7 and the system request key stand beyond the table.
        SET_1_OF_2[0x83] = 0x41;
        SET_1_OF_2[0x84] = 0x54;
    }

    private ScanCodes() {}

    private static int code(String column) {
        return column.equals("--") ? 0 : Integer.parseInt(column, 16);
    }

    /** The code of a key in set 2, with {@link #EXTENDED} in its upper byte if it has the prefix; 0 if there is no such key. */
    static int set2(int usage) {
        return SET_2[usage];
    }

    /** The code of a key in set 3; 0 if there is no such key. */
    static int set3(int usage) {
        return SET_3[usage];
    }

    /** The usage of the key that has a code in set 3, or -1. */
    static int usageOfSet3(int code) {
        for (int usage = 0; usage < USAGES; usage++) {
            if (code != 0 && SET_3[usage] == code) {
                return usage;
            }
        }
        return -1;
    }

    /** A byte of set 2 (other than {@link #UP}) in set 1; bytes that are no codes stay as they are. */
    static int set1(int set2) {
        return SET_1_OF_2[set2];
    }
}

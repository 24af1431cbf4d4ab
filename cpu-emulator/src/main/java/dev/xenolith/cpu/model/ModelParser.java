package dev.xenolith.cpu.model;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the data files of a model. A mistake in them is an error of the build: {@link IllegalStateException} with its place. */
final class ModelParser {
    /** Where a feature's bit is; register 0 to 3 is EAX to EDX. */
    private record FeatureBit(int leaf, int subleaf, int register, int bit) {}

    private final String name;
    private final Map<String, FeatureBit> bits = new HashMap<>();
    private final Map<String, String> values = new HashMap<>();
    private final Set<String> features = new HashSet<>();
    private final Map<Long, int[]> leaves = new HashMap<>();
    private final Map<Integer, CpuModel.ModelMsr> msrs = new HashMap<>();

    private ModelParser(String name) {
        this.name = name;
    }

    static CpuModel load(String name) {
        ModelParser parser = new ModelParser(name);
        parser.read("features.txt", parser::featureBit);
        parser.read(name + ".txt", parser::line);
        return parser.build();
    }

    static Set<String> featureNames() {
        ModelParser parser = new ModelParser("features");
        parser.read("features.txt", parser::featureBit);
        return parser.bits.keySet();
    }

    private interface LineParser {
        void parse(String[] words, String line);
    }

    private void read(String file, LineParser parser) {
        try (InputStream stream = ModelParser.class.getResourceAsStream(file)) {
            if (stream == null) {
                throw new IllegalStateException("resource " + file + " is missing");
            }
            List<String> lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII)).lines()
                    .toList();
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i).strip();
                if (!line.isEmpty() && !line.startsWith("#")) {
                    try {
                        parser.parse(line.split("\\s+"), line);
                    } catch (RuntimeException e) {
                        throw new IllegalStateException(file + ":" + (i + 1) + ": " + e.getMessage(), e);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(file, e);
        }
    }

    private void featureBit(String[] words, String line) {
        bits.put(words[0],
                new FeatureBit(number(words[1]), number(words[2]),
                        List.of("eax", "ebx", "ecx", "edx").indexOf(words[3]),
                        number(words[4])));
    }

    private void line(String[] words, String line) {
        switch (words[0]) {
            case "features" -> {
                for (int i = 1; i < words.length; i++) {
                    FeatureBit bit = bits.get(words[i]);
                    if (bit == null) {
                        throw new IllegalArgumentException("no feature '" + words[i] + "' in features.txt");
                    }
                    features.add(words[i]);
                    registers(bit.leaf, bit.subleaf)[bit.register] |= 1 << bit.bit;
                }
            }
            case "leaf" -> {
                int[] registers = registers(number(words[1]), number(words[2]));
                for (int i = 0; i < 4; i++) {
                    registers[i] |= number(words[3 + i]);
                }
            }
            case "msr" -> msrs.put(number(words[1]), modelMsr(words));
            case "vendor", "signature", "physical_bits", "linear_bits", "tsc_khz", "brand" ->
                values.put(words[0], line.substring(words[0].length()).strip());
            default -> throw new IllegalArgumentException("unknown key '" + words[0] + "'");
        }
    }

    /** {@code msr address reset-value ro|wo|iw|rw [bits that can be written]}. */
    private static CpuModel.ModelMsr modelMsr(String[] words) {
        CpuModel.Access access = switch (words[3]) {
            case "ro" -> CpuModel.Access.READ_ONLY;
            case "wo" -> CpuModel.Access.WRITE_ONLY;
            case "iw" -> CpuModel.Access.WRITES_IGNORED;
            case "rw" -> CpuModel.Access.READ_WRITE;
            default -> throw new IllegalArgumentException("unknown access '" + words[3] + "'");
        };
        return new CpuModel.ModelMsr(hexadecimal(words[2]), words.length > 4 ? hexadecimal(words[4]) : 0, access);
    }

    private int[] registers(int leaf, int subleaf) {
        return leaves.computeIfAbsent(CpuModel.key(leaf, subleaf), key -> new int[4]);
    }

    private static int number(String word) {
        return (int) (long) Long.decode(word);
    }

    /** 64 bits, in hexadecimal with 0x or in decimal. */
    private static long hexadecimal(String word) {
        return word.startsWith("0x") ? Long.parseUnsignedLong(word.substring(2), 16) : Long.parseLong(word);
    }

    private String value(String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalStateException(name + ".txt: no " + key);
        }
        return value;
    }

    private CpuModel build() {
        String vendor = value("vendor");
        String brand = value("brand");
        int physicalBits = number(value("physical_bits"));
        int linearBits = number(value("linear_bits"));
        boolean intel = vendor.equals("GenuineIntel");
        vendorLeaf(0, vendor);
        registers(1, 0)[0] = number(value("signature"));
        // CLFLUSH line: 8 quadwords.
        registers(1, 0)[1] = 8 << 8;
        if (intel) {
            registers(0x8000_0000, 0);
        } else {
            vendorLeaf(0x8000_0000, vendor);
            registers(0x8000_0001, 0)[0] = number(value("signature"));
            // AMD repeats in 0x80000001 EDX the bits of leaf 1 EDX that it had before (APM 3 E.4.2).
            registers(0x8000_0001, 0)[3] |= registers(1, 0)[3] & 0x0183_f3ff;
        }
        brandLeaves(brand);
        registers(0x8000_0007, 0);
        registers(0x8000_0008, 0)[0] = physicalBits | linearBits << 8;
        int basic = 0;
        int extended = 0x8000_0000;
        for (long key : leaves.keySet()) {
            int leaf = (int) (key >>> 32);
            if (leaf >= 0) {
                basic = Math.max(basic, leaf);
            } else {
                extended = Math.max(extended, leaf);
            }
        }
        // The processor answers leaf 0xb (topology) itself.
        registers(0xb, 0);
        registers(0xb, 1);
        registers(0, 0)[0] = Math.max(basic, 0xb);
        registers(0x8000_0000, 0)[0] = extended;
        return new CpuModel(name, intel ? CpuModel.Vendor.INTEL : CpuModel.Vendor.AMD, brand, physicalBits, linearBits,
                Long.parseLong(value("tsc_khz")), features, leaves, msrs);
    }

    private void vendorLeaf(int leaf, String vendor) {
        int[] registers = registers(leaf, 0);
        registers[1] = fourCharacters(vendor, 0);
        registers[3] = fourCharacters(vendor, 4);
        registers[2] = fourCharacters(vendor, 8);
    }

    private void brandLeaves(String brand) {
        for (int i = 0; i < 12; i++) {
            registers(0x8000_0002 + i / 4, 0)[i % 4] = fourCharacters(brand, i * 4);
        }
    }

    private static int fourCharacters(String text, int at) {
        int value = 0;
        for (int i = 3; i >= 0; i--) {
            value = value << 8 | (at + i < text.length() ? text.charAt(at + i) : 0);
        }
        return value;
    }
}

package dev.xenolith.dom0.gdb;

import java.util.List;

/** Writes target.xml: what registers there are (Debugging with GDB, appendix G). */
final class TargetDescription {
    /** A type of bits: its name, and {@code name:bit} or {@code name:first-last} of each field. */
    private record Flags(String id, String fields) {
    }

    private static final Flags EFLAGS = new Flags("i386_eflags",
            "CF:0 PF:2 AF:4 ZF:6 SF:7 TF:8 IF:9 DF:10 OF:11 IOPL:12-13 NT:14 RF:16 VM:17 AC:18 VIF:19 VIP:20 ID:21");
    private static final Flags MXCSR = new Flags("i386_mxcsr",
            "IE:0 DE:1 ZE:2 OE:3 UE:4 PE:5 DAZ:6 IM:7 DM:8 ZM:9 OM:10 UM:11 PM:12 RC:13-14 FZ:15");
    private static final Flags CR0 = new Flags("i386_cr0",
            "PE:0 MP:1 EM:2 TS:3 ET:4 NE:5 WP:16 AM:18 NW:29 CD:30 PG:31");
    private static final Flags CR4 = new Flags("i386_cr4",
            "VME:0 PVI:1 TSD:2 DE:3 PSE:4 PAE:5 MCE:6 PGE:7 PCE:8 OSFXSR:9 OSXMMEXCPT:10 UMIP:11 LA57:12 VMXE:13"
                    + " SMXE:14 FSGSBASE:16 PCIDE:17 OSXSAVE:18 SMEP:20 SMAP:21 PKE:22");
    private static final Flags EFER = new Flags("i386_efer",
            "SCE:0 LME:8 LMA:10 NXE:11 SVME:12 LMSLE:13 FFXSR:14 TCE:15");
    private static final String[][] LANES = {{"v4_float", "ieee_single", "4"}, {"v2_double", "ieee_double", "2"},
        {"v16_int8", "int8", "16"}, {"v8_int16", "int16", "8"}, {"v4_int32", "int32", "4"}, {"v2_int64", "int64", "2"}};

    private TargetDescription() {}

    static String of(Architecture architecture, List<Architecture.Feature> features) {
        StringBuilder xml = new StringBuilder("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n");
        xml.append("<target>\n<architecture>").append(architecture.description()).append("</architecture>\n");
        for (Architecture.Feature feature : features) {
            xml.append("<feature name=\"").append(feature.name()).append("\">\n");
            types(xml, architecture, feature.name());
            for (Architecture.Register register : feature.registers()) {
                xml.append("<reg name=\"").append(register.name()).append("\" bitsize=\"").append(register.bits())
                        .append("\" type=\"").append(register.type());
                if (!register.group().isEmpty()) {
                    xml.append("\" group=\"").append(register.group());
                }
                xml.append("\"/>\n");
            }
            xml.append("</feature>\n");
        }
        return xml.append("</target>\n").toString();
    }

    private static void types(StringBuilder xml, Architecture architecture, String feature) {
        int word = architecture == Architecture.X86_64 ? 8 : 4;
        switch (feature) {
            case "org.gnu.gdb.i386.core" -> flags(xml, EFLAGS, 4);
            case "org.gnu.gdb.i386.sse" -> {
                for (String[] lane : LANES) {
                    xml.append("<vector id=\"").append(lane[0]).append("_t\" type=\"").append(lane[1])
                            .append("\" count=\"").append(lane[2]).append("\"/>\n");
                }
                xml.append("<union id=\"vec128\">\n");
                for (String[] lane : LANES) {
                    xml.append("<field name=\"").append(lane[0]).append("\" type=\"").append(lane[0])
                            .append("_t\"/>\n");
                }
                xml.append("<field name=\"uint128\" type=\"uint128\"/>\n</union>\n");
                flags(xml, MXCSR, 4);
            }
            case "dev.xenolith.i386.system" -> {
                flags(xml, CR0, word);
                flags(xml, CR4, word);
                flags(xml, EFER, word);
            }
            default -> {
                // Only types that gdb knows.
            }
        }
    }

    private static void flags(StringBuilder xml, Flags flags, int bytes) {
        xml.append("<flags id=\"").append(flags.id()).append("\" size=\"").append(bytes).append("\">\n");
        for (String field : flags.fields().split(" ", -1)) {
            int colon = field.indexOf(':');
            int dash = field.indexOf('-');
            xml.append("<field name=\"").append(field, 0, colon).append("\" start=\"")
                    .append(field, colon + 1, dash < 0 ? field.length() : dash).append("\" end=\"")
                    .append(field, (dash < 0 ? colon : dash) + 1, field.length()).append("\"/>\n");
        }
        xml.append("</flags>\n");
    }
}

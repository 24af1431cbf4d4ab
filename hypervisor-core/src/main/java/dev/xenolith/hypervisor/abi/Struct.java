package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.CompatTranslation.Scalars;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Layout of one public C structure, from its fields in declaration order: sizes and offsets as the x86-64 ABI has them, and as
 * the i386 ABI has them for 32-bit guests (where {@code unsigned long} has 4 bytes and 64-bit members align to 4).
 *
 * <p>A nested member is named {@code outer.inner}, a member of the first of several nested structures {@code outer[0].inner}.
 */
public final class Struct {
    /** The C scalar types of the public headers. */
    public enum Type {
        U8(1, 1, 1), U16(2, 2, 2), U32(4, 4, 4), U64(8, 8, 4),
        /** {@code unsigned long}, {@code xen_ulong_t}, {@code xen_pfn_t}, pointers and guest handles. */
        ULONG(8, 4, 4),
        /** {@code uint64_aligned_t}, {@code XEN_GUEST_HANDLE_64}: the same for all callers. */
        U64_ALIGNED(8, 8, 8);

        final int bytes;
        final int compatBytes;
        final int compatAlignment;

        Type(int bytes, int compatBytes, int compatAlignment) {
            this.bytes = bytes;
            this.compatBytes = compatBytes;
            this.compatAlignment = compatAlignment;
        }
    }

    /** Offset of a member that one of the layouts does not have. */
    public static final int ABSENT = -1;

    /** Byte offsets of one member (or of the first of an array) in the 64-bit and the 32-bit layout. */
    public record Field(int offset, int compatOffset) {
    }

    private final String name;
    private final String keyword;
    private final Map<String, Field> fields;
    private final boolean hasNative;
    private final boolean hasCompat;
    private final int size;
    private final int alignment;
    private final int compatSize;
    private final int compatAlignment;
    private final List<Scalars> scalars;
    private final CompatTranslation translation;

    private Struct(Builder builder) {
        name = builder.name;
        keyword = builder.keyword;
        fields = Map.copyOf(builder.fields);
        hasNative = builder.hasNative;
        hasCompat = builder.hasCompat;
        alignment = builder.alignment;
        compatAlignment = builder.compatAlignment;
        size = align(builder.end, alignment);
        compatSize = align(builder.compatEnd, compatAlignment);
        scalars = List.copyOf(builder.scalars);
        translation = new CompatTranslation(scalars, size, compatSize);
    }

    /** Starts the declaration of {@code struct name}. */
    public static Builder of(String name) {
        return new Builder(name, true, true);
    }

    /** Starts the declaration of {@code struct name} of 64-bit guests; that of 32-bit guests has other members. */
    public static Builder of64(String name) {
        return new Builder(name, true, false);
    }

    /** Starts the declaration of {@code struct name} of 32-bit guests; that of 64-bit guests has other members. */
    public static Builder of32(String name) {
        return new Builder(name, false, true);
    }

    /** Declares {@code union name}: its alternatives all begin at its start. */
    public static Struct unionOf(String name, Struct... alternatives) {
        Builder builder = new Builder(name, true, true);
        builder.keyword = "union";
        return builder.union("", alternatives).build();
    }

    /** {@code struct} or {@code union}. */
    public String keyword() {
        return keyword;
    }

    /** The C tag, without {@code struct} or {@code union}. */
    public String name() {
        return name;
    }

    /** Whether 64-bit guests have these members. */
    public boolean hasNative() {
        return hasNative;
    }

    /** Whether 32-bit guests have these members. */
    public boolean hasCompat() {
        return hasCompat;
    }

    /** {@code sizeof} for 64-bit callers. */
    public int size() {
        requireNative();
        return size;
    }

    /** {@code sizeof} for 32-bit callers. */
    public int compatSize() {
        requireCompat();
        return compatSize;
    }

    /** {@code offsetof} for 64-bit callers. */
    public int offset(String field) {
        requireNative();
        return field(field).offset;
    }

    /** {@code offsetof} for 32-bit callers. */
    public int compatOffset(String field) {
        requireCompat();
        return field(field).compatOffset;
    }

    /** Between the 64-bit and the 32-bit layout; without members that one of them does not have. */
    public CompatTranslation translation() {
        requireNative();
        requireCompat();
        return translation;
    }

    /** All members by name. */
    public Map<String, Field> fields() {
        return fields;
    }

    private Field field(String field) {
        Field found = fields.get(field);
        if (found == null) {
            throw new IllegalArgumentException("struct " + name + " has no member " + field);
        }
        return found;
    }

    private void requireNative() {
        if (!hasNative) {
            throw new UnsupportedOperationException("struct " + name + " of 64-bit guests is another structure");
        }
    }

    private void requireCompat() {
        if (!hasCompat) {
            throw new UnsupportedOperationException("struct " + name + " of 32-bit guests is another structure");
        }
    }

    private static int align(int offset, int alignment) {
        return (offset + alignment - 1) & -alignment;
    }

    /** Collects members in the header's order. */
    public static final class Builder {
        private final String name;
        private String keyword = "struct";
        private final boolean hasNative;
        private final boolean hasCompat;
        private final Map<String, Field> fields = new LinkedHashMap<>();
        private final List<Scalars> scalars = new ArrayList<>();
        private int end;
        private int alignment = 1;
        private int compatEnd;
        private int compatAlignment = 1;

        private Builder(String name, boolean hasNative, boolean hasCompat) {
            this.name = name;
            this.hasNative = hasNative;
            this.hasCompat = hasCompat;
        }

        public Builder u8(String field) {
            return array(Type.U8, field, 1);
        }

        public Builder u16(String field) {
            return array(Type.U16, field, 1);
        }

        public Builder u32(String field) {
            return array(Type.U32, field, 1);
        }

        public Builder u64(String field) {
            return array(Type.U64, field, 1);
        }

        /** A 64-bit member that is aligned to its size for all callers: structures of toolstacks have these, also as handles. */
        public Builder u64Aligned(String field) {
            return array(Type.U64_ALIGNED, field, 1);
        }

        /** A member as wide as the caller's {@code unsigned long}: also pointers, guest handles and frame numbers. */
        public Builder ulong(String field) {
            return array(Type.ULONG, field, 1);
        }

        /** {@code count} scalars. */
        public Builder array(Type type, String field, int count) {
            int offset = place(type.bytes, type.bytes * count);
            int compatOffset = placeCompat(type.compatAlignment, type.compatBytes * count);
            fields.put(field, new Field(offset, compatOffset));
            scalars.add(new Scalars(offset, type.bytes, compatOffset, type.compatBytes, count));
            return this;
        }

        /** As many {@code unsigned long}s as one has bits: the upper of two levels is one word. */
        public Builder bitmap(String field) {
            fields.put(field, new Field(place(8, 64 * 8), placeCompat(4, 32 * 4)));
            return this;
        }

        /** A 32-bit member that only the 64-bit layout has. */
        public Builder u32Only64(String field) {
            fields.put(field, new Field(place(4, 4), ABSENT));
            return this;
        }

        /** A 32-bit member that only the 32-bit layout has. */
        public Builder u32OnlyCompat(String field) {
            fields.put(field, new Field(ABSENT, placeCompat(4, 4)));
            return this;
        }

        /** A 64-bit member that only the 32-bit layout has. */
        public Builder u64OnlyCompat(String field) {
            fields.put(field, new Field(ABSENT, placeCompat(4, 8)));
            return this;
        }

        /** {@code count} nested structures. */
        public Builder nested(Struct struct, String field, int count) {
            int offset = place(struct.alignment, struct.size * count);
            int compatOffset = placeCompat(struct.compatAlignment, struct.compatSize * count);
            fields.put(field, new Field(offset, compatOffset));
            for (int i = 0; i < count; i++) {
                for (Scalars s : struct.scalars) {
                    scalars.add(s.shifted(offset + i * struct.size, compatOffset + i * struct.compatSize));
                }
            }
            String prefix = count == 1 ? field + '.' : field + "[0].";
            struct.fields.forEach((inner, f) -> fields.put(prefix + inner,
                    new Field(f.offset == ABSENT ? ABSENT : offset + f.offset,
                            f.compatOffset == ABSENT ? ABSENT : compatOffset + f.compatOffset)));
            return this;
        }

        /** A union: its alternatives, named {@code field.alternative}, all begin at the same place. */
        public Builder union(String field, Struct... alternatives) {
            int unionAlignment = 1;
            int unionSize = 0;
            int unionCompatAlignment = 1;
            int unionCompatSize = 0;
            for (Struct s : alternatives) {
                unionAlignment = Math.max(unionAlignment, s.alignment);
                unionSize = Math.max(unionSize, s.size);
                unionCompatAlignment = Math.max(unionCompatAlignment, s.compatAlignment);
                unionCompatSize = Math.max(unionCompatSize, s.compatSize);
            }
            int offset = place(unionAlignment, align(unionSize, unionAlignment));
            int compatOffset = placeCompat(unionCompatAlignment, align(unionCompatSize, unionCompatAlignment));
            for (Struct s : alternatives) {
                String outer = field.isEmpty() ? "" : field + '.';
                String prefix = s.name.isEmpty() ? outer : outer + s.name + '.';
                s.fields.forEach((inner, f) -> fields.put(prefix + inner,
                        new Field(offset + f.offset, compatOffset + f.compatOffset)));
                s.scalars.forEach(scalar -> scalars.add(scalar.shifted(offset, compatOffset)));
            }
            return this;
        }

        public Struct build() {
            return new Struct(this);
        }

        private int place(int memberAlignment, int bytes) {
            int offset = align(end, memberAlignment);
            end = offset + bytes;
            alignment = Math.max(alignment, memberAlignment);
            return offset;
        }

        private int placeCompat(int memberAlignment, int bytes) {
            int offset = align(compatEnd, memberAlignment);
            compatEnd = offset + bytes;
            compatAlignment = Math.max(compatAlignment, memberAlignment);
            return offset;
        }
    }
}

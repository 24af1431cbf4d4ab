package dev.xenolith.dom0.backend.block;

import dev.xenolith.hypervisor.abi.Blkif;
import dev.xenolith.hypervisor.abi.Struct;
import org.jspecify.annotations.Nullable;

/** Where the fields of requests and responses are, for frontends of 64 and of 32 bits (xen/include/public/io/protocols.h). */
enum BlockProtocol {
    X86_64("x86_64-abi") {
        @Override
        int offset(Struct struct, String field) {
            return struct.offset(field);
        }

        @Override
        int size(Struct struct) {
            return struct.size();
        }
    },
    X86_32("x86_32-abi") {
        @Override
        int offset(Struct struct, String field) {
            return struct.compatOffset(field);
        }

        @Override
        int size(Struct struct) {
            return struct.compatSize();
        }
    };

    final String key;
    final int entryBytes = size(Blkif.REQUEST);
    final int id = offset(Blkif.REQUEST, "id");
    final int sector = offset(Blkif.REQUEST, "sector_number");
    final int segments = offset(Blkif.REQUEST, "seg");
    final int discardSectors = offset(Blkif.REQUEST_DISCARD, "nr_sectors");
    final int indirectSegments = offset(Blkif.REQUEST_INDIRECT, "nr_segments");
    final int indirectGrefs = offset(Blkif.REQUEST_INDIRECT, "indirect_grefs");
    final int responseOperation = offset(Blkif.RESPONSE, "operation");
    final int responseStatus = offset(Blkif.RESPONSE, "status");

    BlockProtocol(String key) {
        this.key = key;
    }

    abstract int offset(Struct struct, String field);

    abstract int size(Struct struct);

    /** The protocol that a frontend names; that of 64 bits if it names none; null if it is none of these. */
    static @Nullable BlockProtocol named(@Nullable String key) {
        if (key == null || key.isEmpty()) {
            return X86_64;
        }
        for (BlockProtocol each : values()) {
            if (each.key.equals(key)) {
                return each;
            }
        }
        return null;
    }
}

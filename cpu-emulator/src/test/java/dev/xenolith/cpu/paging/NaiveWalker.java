package dev.xenolith.cpu.paging;

import dev.xenolith.cpu.memory.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;

/** Page translation as the tables of SDM 3A chapter 4 say it, one step after the other, to compare the real walker with. */
final class NaiveWalker {
    /** What control registers say. */
    record Controls(boolean writeProtect, boolean smep, boolean noExecute, boolean gigabytePages, int physicalBits,
            int levels) {}

    /** The outcome; {@code updates} are the entries as they must look afterwards. */
    record Result(boolean canonical, boolean fault, int errorCode, long physical, List<long[]> updates) {}

    private final PhysicalMemory memory;
    private final Controls controls;

    NaiveWalker(PhysicalMemory memory, Controls controls) {
        this.memory = memory;
        this.controls = controls;
    }

    Result walk(long root, long linear, boolean write, boolean fetch, boolean user, boolean smap) {
        int bits = controls.levels == 5 ? 57 : 48;
        long top = linear >> bits - 1;
        if (top != 0 && top != -1) {
            return new Result(false, false, 0, 0, List.of());
        }
        int code = (write ? 2 : 0) | (user ? 4 : 0) | (fetch && (controls.noExecute || controls.smep) ? 16 : 0);
        boolean writable = true;
        boolean userPage = true;
        boolean executable = true;
        List<long[]> updates = new ArrayList<>();
        long base = bits(root, controls.physicalBits - 1, 12) << 12;
        int level = controls.levels;
        long page;
        while (true) {
            int low = 3 + 9 * level;
            long at = base + 8 * bits(linear, low + 8, low);
            long entry = memory.read64(at);
            if (bits(entry, 0, 0) == 0) {
                return fault(code);
            }
            boolean large = level >= 2 && bits(entry, 7, 7) == 1;
            boolean reserved = controls.physicalBits < 52 && bits(entry, 51, controls.physicalBits) != 0;
            reserved |= !controls.noExecute && bits(entry, 63, 63) == 1;
            reserved |= large && level >= 4;
            reserved |= large && level == 3 && (!controls.gigabytePages || bits(entry, 29, 13) != 0);
            reserved |= large && level == 2 && bits(entry, 20, 13) != 0;
            if (reserved) {
                return fault(code | 1 | 8);
            }
            writable &= bits(entry, 1, 1) == 1;
            userPage &= bits(entry, 2, 2) == 1;
            executable &= bits(entry, 63, 63) == 0;
            boolean last = level == 1 || large;
            updates.add(new long[]{at, entry | 0x20 | (last && write ? 0x40 : 0)});
            if (last) {
                page = bits(entry, controls.physicalBits - 1, low) << low | bits(linear, low - 1, 0);
                break;
            }
            base = bits(entry, controls.physicalBits - 1, 12) << 12;
            level--;
        }
        boolean allowed;
        if (user) {
            allowed = userPage && (!write || writable) && (!fetch || executable);
        } else if (fetch) {
            allowed = executable && !(controls.smep && userPage);
        } else {
            allowed = !(smap && userPage) && (!write || writable || !controls.writeProtect);
        }
        return allowed ? new Result(true, false, 0, page, updates) : fault(code | 1);
    }

    private static Result fault(int code) {
        return new Result(true, true, code, 0, List.of());
    }

    private static long bits(long value, int high, int low) {
        return value >>> low & (high - low == 63 ? -1 : (1L << high - low + 1) - 1);
    }
}

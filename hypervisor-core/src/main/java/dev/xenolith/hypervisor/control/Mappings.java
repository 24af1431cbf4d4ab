package dev.xenolith.hypervisor.control;

import static dev.xenolith.hypervisor.abi.Errno.EBUSY;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;

import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import dev.xenolith.hypervisor.paging.PageTypes;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.ObjIntConsumer;

/** The mappings of guest memory that one Java domain holds: each frame has a reference and a writable type while it is mapped. */
final class Mappings {
    private final Memory memory;
    private final PageTypes types;
    private final Set<MappedFrames> held = new LinkedHashSet<>();
    private final Set<long[]> frames = new LinkedHashSet<>();

    Mappings(PageTypes types) {
        this.types = types;
        this.memory = types.memory();
    }

    /** Maps frames of {@code owner}, any values, for reading and writing. All or none. */
    SharedPage map(MemoryOwner owner, long... mfns) throws OperationException {
        long[] wanted = mfns.clone();
        for (int i = 0; i < wanted.length; i++) {
            int error = get(owner, wanted[i]);
            if (error != 0) {
                put(wanted, i);
                throw new OperationException(error, "frame 0x" + Long.toHexString(wanted[i]) + " of " + owner
                        + (error == -EBUSY ? " is in use as a page table or descriptor table" : " does not exist"));
            }
        }
        MappedFrames[] mapped = new MappedFrames[1];
        mapped[0] = new MappedFrames(memory.ram(), wanted, false, () -> {
            held.remove(mapped[0]);
            frames.remove(wanted);
            put(wanted, wanted.length);
        });
        held.add(mapped[0]);
        frames.add(wanted);
        return mapped[0];
    }

    private int get(MemoryOwner owner, long mfn) {
        if (!memory.get(mfn, owner)) {
            return -EINVAL;
        }
        if (!types.get((int) mfn, FrameTable.WRITABLE)) {
            memory.put((int) mfn);
            return -EBUSY;
        }
        return 0;
    }

    private void put(long[] mfns, int count) {
        for (int i = 0; i < count; i++) {
            types.put((int) mfns[i]);
            memory.put((int) mfns[i]);
        }
    }

    /** Gives back what is still mapped: the domain has ended. */
    void release() {
        new ArrayList<>(held).forEach(SharedPage::unmap);
    }

    /** Calls {@code visitor} with each mapped frame, for the audit. */
    void forEachFrame(ObjIntConsumer<String> visitor) {
        for (long[] mapping : frames) {
            for (long mfn : mapping) {
                visitor.accept("foreign mapping", (int) mfn);
            }
        }
    }
}

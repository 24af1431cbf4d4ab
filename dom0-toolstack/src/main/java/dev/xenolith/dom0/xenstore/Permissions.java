package dev.xenolith.dom0.xenstore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Who may read and write a node. The first entry names the owner, who may do everything, and says what domains that are not
 * named may do; each further entry names one domain. Immutable.
 */
public final class Permissions {
    public static final int NONE = 0;
    public static final int READ = 1;
    public static final int WRITE = 2;

    /** Held by the owner and by privileged connections only: may change the permissions. */
    static final int OWNER = 4;
    static final int ALL = READ | WRITE | OWNER;

    /** Set in an entry whose domain is gone: a later domain with the same domid shall not inherit it. */
    private static final int STALE = 8;

    private static final String LETTERS = "nrwb";

    private final int[] domids;
    private final byte[] access;

    private Permissions(int[] domids, byte[] access) {
        this.domids = domids;
        this.access = access;
    }

    /** Permissions with an owner, the {@link #READ} and {@link #WRITE} access of everyone else, and no further entries. */
    public static Permissions owned(int owner, int others) {
        return new Permissions(new int[]{owner}, new byte[]{(byte) (others & (READ | WRITE))});
    }

    /** These permissions and an entry that gives {@code domid} the access {@link #READ} and {@link #WRITE} say. */
    public Permissions and(int domid, int allowed) {
        int size = size();
        int[] ids = Arrays.copyOf(domids, size + 1);
        byte[] bits = Arrays.copyOf(access, size + 1);
        ids[size] = domid;
        bits[size] = (byte) (allowed & (READ | WRITE));
        return new Permissions(ids, bits);
    }

    /**
     * Reads the wire form: a letter (n, r, w or b) and a domid as strtol(3) with base 0 takes it.
     *
     * @param entries at least one
     */
    public static Permissions parse(List<String> entries) throws XenstoreException {
        int[] ids = new int[entries.size()];
        byte[] bits = new byte[entries.size()];
        for (int i = 0; i < ids.length; i++) {
            String entry = entries.get(i);
            int letter = entry.isEmpty() ? -1 : LETTERS.indexOf(entry.charAt(0));
            if (letter < 0) {
                throw new XenstoreException(XenstoreError.EINVAL, "permission " + entry);
            }
            bits[i] = (byte) letter;
            ids[i] = CNumbers.strictInteger(entry.substring(1));
        }
        return new Permissions(ids, bits);
    }

    public int size() {
        return domids.length;
    }

    public int owner() {
        return domids[0];
    }

    Permissions withOwner(int owner) {
        if (owner == domids[0]) {
            return this;
        }
        int[] ids = domids.clone();
        ids[0] = owner;
        return new Permissions(ids, access);
    }

    int domid(int index) {
        return domids[index];
    }

    /** The wire form, one string an entry: {@code n0}, {@code r5}. */
    public List<String> entries() {
        List<String> entries = new ArrayList<>(domids.length);
        for (int i = 0; i < domids.length; i++) {
            entries.add(LETTERS.charAt(access[i] & (READ | WRITE)) + Integer.toString(domids[i]));
        }
        return entries;
    }

    /** What a connection may do: {@link #READ}, {@link #WRITE} and {@link #OWNER} bits. */
    int allowed(StoreConnection connection) {
        if (!connection.isUnprivileged() || connection.actsFor(domids[0])) {
            return ALL;
        }
        for (int i = 1; i < domids.length; i++) {
            if ((access[i] & STALE) == 0 && connection.actsFor(domids[i])) {
                return access[i] & (READ | WRITE);
            }
        }
        return access[0] & (READ | WRITE);
    }

    /** The same permissions with each entry after the owner's marked stale unless {@code valid} holds for its domid. */
    Permissions staleUnless(IntPredicate valid) {
        byte[] bits = access;
        for (int i = 1; i < domids.length; i++) {
            if ((access[i] & STALE) == 0 && !valid.test(domids[i])) {
                if (bits == access) {
                    bits = access.clone();
                }
                bits[i] |= STALE;
            }
        }
        return bits == access ? this : new Permissions(domids, bits);
    }

    @Override
    public String toString() {
        return String.join(",", entries());
    }
}

package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** The transfer modes that a device offers, and the DMA mode that SET FEATURES has chosen (ATA/ATAPI-6, 8.46.11). */
public final class TransferModes implements Saveable {
    private static final int PIO_DEFAULT_MOST = 0x01;
    private static final int PIO = 0x08;
    private static final int PIO_MOST = 4;
    private static final int MULTIWORD = 0x20;
    private static final int MULTIWORD_MOST = 2;
    private static final int ULTRA = 0x40;
    private static final int ULTRA_MOST = 5;
    private static final int VALUE = 7;

    private int chosen;

    /** Goes back to no choice. */
    public void reset() {
        chosen = 0;
    }

    /** Takes the mode of a SET FEATURES, subcommand 03h. Returns whether there is such a mode. */
    public boolean choose(int mode) {
        int value = mode & VALUE;
        switch (mode & ~VALUE) {
            case 0 -> {
                return value <= PIO_DEFAULT_MOST;
            }
            case PIO -> {
                return value <= PIO_MOST;
            }
            case MULTIWORD, ULTRA -> {
                boolean known = value <= ((mode & ULTRA) != 0 ? ULTRA_MOST : MULTIWORD_MOST);
                if (known) {
                    chosen = mode;
                }
                return known;
            }
            default -> {
                return false;
            }
        }
    }

    /** Says so in words 53, 63 to 68 and 88. */
    public void describe(DiskIdentity identity) {
        identity.words(53, 7).words(63, (1 << MULTIWORD_MOST + 1) - 1 | selected(MULTIWORD)).words(64, 3);
        // 120 ns a cycle, the fastest of multiword DMA and of PIO.
        identity.words(65, 120, 120, 120, 120).words(88, (1 << ULTRA_MOST + 1) - 1 | selected(ULTRA));
    }

    private int selected(int kind) {
        return (chosen & ~VALUE) == kind ? 1 << (chosen & VALUE) + 8 : 0;
    }

    @Override
    public String stateName() {
        return "transferModes";
    }

    @Override
    public void save(StateWriter out) {
        out.put("chosen", chosen);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        chosen = 0;
        choose(in.getByte("chosen"));
    }
}

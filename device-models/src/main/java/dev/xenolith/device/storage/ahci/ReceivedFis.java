package dev.xenolith.device.storage.ahci;

import dev.xenolith.device.Dma;
import dev.xenolith.device.storage.ata.Ata;
import dev.xenolith.device.storage.ata.AtaDevice;

/** What a drive sends its host, and where the adapter puts it in the memory of a port (4.2.1; Serial ATA 2.6, 10.3). */
final class ReceivedFis {
    private static final int DMA_SETUP_PLACE = 0x00;
    private static final int PIO_SETUP_PLACE = 0x20;
    private static final int REGISTER_PLACE = 0x40;
    private static final int SET_DEVICE_BITS_PLACE = 0x58;
    private static final int REGISTER_TYPE = 0x34;
    private static final int DMA_SETUP_TYPE = 0x41;
    private static final int PIO_SETUP_TYPE = 0x5f;
    private static final int SET_DEVICE_BITS_TYPE = 0xa1;
    private static final int TO_HOST = 0x20;
    private static final int INTERRUPT = 0x40;
    private static final int REGISTER_BYTES = 20;
    private static final int SET_DEVICE_BITS_BYTES = 8;
    private static final int DMA_SETUP_BYTES = 28;
    /** Of status, the bits that Set Device Bits carries. */
    static final int STATUS_BITS = 0x77;

    private ReceivedFis() {
    }

    private static byte[] registers(int type, int flags, AtaDevice drive) {
        byte[] fis = new byte[REGISTER_BYTES];
        fis[0] = (byte) type;
        fis[1] = (byte) flags;
        fis[2] = (byte) drive.status();
        fis[3] = (byte) drive.error();
        for (int i = 0; i < 3; i++) {
            fis[4 + i] = (byte) drive.register(Ata.LBA_LOW + i, false);
            fis[8 + i] = (byte) drive.register(Ata.LBA_LOW + i, true);
        }
        fis[7] = (byte) drive.register(Ata.DEVICE, false);
        fis[12] = (byte) drive.register(Ata.COUNT, false);
        fis[13] = (byte) drive.register(Ata.COUNT, true);
        return fis;
    }

    private static void post(Dma memory, long place, byte[] fis) {
        memory.write(place, fis, 0, fis.length);
    }

    static void register(Dma memory, long area, AtaDevice drive, boolean interrupts) {
        post(memory, area + REGISTER_PLACE, registers(REGISTER_TYPE, interrupts ? INTERRUPT : 0, drive));
    }

    /** @param ending status after the data */
    static void pioSetup(Dma memory, long area, AtaDevice drive, boolean interrupts, int ending) {
        int bytes = drive.block().left();
        byte[] fis = registers(PIO_SETUP_TYPE,
                (interrupts ? INTERRUPT : 0) | (drive.block().isToHost() ? TO_HOST : 0), drive);
        fis[15] = (byte) ending;
        fis[16] = (byte) bytes;
        fis[17] = (byte) (bytes >>> 8);
        post(memory, area + PIO_SETUP_PLACE, fis);
    }

    static void dmaSetup(Dma memory, long area, int tag, boolean toHost, int bytes) {
        byte[] fis = new byte[DMA_SETUP_BYTES];
        fis[0] = DMA_SETUP_TYPE;
        fis[1] = (byte) (toHost ? TO_HOST : 0);
        fis[4] = (byte) tag;
        for (int i = 0; i < 4; i++) {
            fis[20 + i] = (byte) (bytes >>> i * 8);
        }
        post(memory, area + DMA_SETUP_PLACE, fis);
    }

    static void setDeviceBits(Dma memory, long area, AtaDevice drive, int tags) {
        byte[] fis = new byte[SET_DEVICE_BITS_BYTES];
        fis[0] = (byte) SET_DEVICE_BITS_TYPE;
        fis[1] = INTERRUPT;
        fis[2] = (byte) (drive.status() & STATUS_BITS);
        fis[3] = (byte) drive.error();
        for (int i = 0; i < 4; i++) {
            fis[4 + i] = (byte) (tags >>> i * 8);
        }
        post(memory, area + SET_DEVICE_BITS_PLACE, fis);
    }
}

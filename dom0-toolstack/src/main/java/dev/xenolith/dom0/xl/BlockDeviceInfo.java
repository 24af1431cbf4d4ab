package dev.xenolith.dom0.xl;

/**
 * A disk of a domain as xenstore describes it (libxl_diskinfo).
 *
 * @param number virtual device number
 * @param backendDomid who serves it
 * @param frontendDomid whose it is
 * @param state of the frontend, XenbusState of xen/include/public/io/xenbus.h
 * @param eventChannel the frontend's port, -1 if it has not said
 * @param ringReference grant reference of the ring, -1 if the frontend has not said
 * @param backend path of the backend's directory
 */
public record BlockDeviceInfo(int number, int backendDomid, int frontendDomid, int state, int eventChannel,
        int ringReference, String backend) {
}

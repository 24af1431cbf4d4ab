package dev.xenolith.dom0.xl;

/**
 * A vif of a domain as xenstore describes it (libxl_nicinfo).
 *
 * @param number its handle
 * @param backendDomid who serves it
 * @param mac its address, as it is written
 * @param state of the frontend, XenbusState of xen/include/public/io/xenbus.h
 * @param eventChannel the frontend's port, with two that for sending; -1 if it has not said, or has several queues
 * @param transmitReference grant reference of the ring for sending, -1 likewise
 * @param receiveReference grant reference of the ring for receiving, -1 likewise
 * @param backend path of the backend's directory
 */
public record VifInfo(int number, int backendDomid, String mac, int state, int eventChannel, int transmitReference,
        int receiveReference, String backend) {
}

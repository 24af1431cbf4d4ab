package dev.xenolith.dom0.xl;

import org.jspecify.annotations.Nullable;

/**
 * A channel of a domain as xenstore describes it (libxl_channelinfo).
 *
 * @param number of the console, from 1 on
 * @param backendDomid who serves it
 * @param state of the frontend, XenbusState of xen/include/public/io/xenbus.h
 * @param eventChannel the frontend's port, -1 if it has not said
 * @param ringReference grant reference of the ring, -1 if the frontend has not said
 * @param connection pty or socket
 * @param path of the socket; null if it is none
 */
public record ChannelInfo(int number, int backendDomid, int state, int eventChannel, int ringReference,
        String connection, @Nullable String path) {
}

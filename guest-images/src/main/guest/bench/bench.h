/*
 * bench: does small things many times when told to on the console, and says when it is done. The host holds the watch.
 *
 * A command is a word and up to three numbers; most take how often to do something as the first. It is answered with "done" and 0,
 * or the error that stopped it: a thing that fails is not measured.
 */
#ifndef BENCH_H
#define BENCH_H

#include "runtime.h"

#define MAX_NUMBERS 3

struct command {
    const char *name;
    unsigned numbers;                          /* that it needs */
    int64_t (*run)(const uint64_t *numbers);
};

/* Commands of each file, in arrays that end with a name of null. */
extern const struct command call_commands[], table_commands[], event_commands[], grant_commands[], disk_commands[], vif_commands[];

/* What the other guest is to this one, after "serve" or "bind". */
#define OFFERED_PAGES 32u

struct peer {
    domid_t domain;
    evtchn_port_t port;
    uint32_t grants;                           /* first of OFFERED_PAGES references, of the guest that serves */
    volatile uint32_t *received;               /* frames, counted by the guest that serves; in the first page that it offers */
};
extern struct peer peer;

/* A device as its frontend sees it in xenstore (io/blkif.h, io/netif.h, io/xenbus.h). */
enum { XENBUS_INITWAIT = 2, XENBUS_INITIALISED = 3, XENBUS_CONNECTED = 4 };

struct frontend {
    char front[64], back[128];
};

int64_t frontend_find(struct frontend *device, const char *kind);   /* waits until the backend is ready */
int64_t frontend_write(const struct frontend *device, const char *name, uint64_t value);
int64_t frontend_connect(const struct frontend *device, uint64_t state);   /* and waits until the backend is, too */

/* A page that the backend may write to; its reference, or an error. */
int64_t grant_page(const void *page);

#endif

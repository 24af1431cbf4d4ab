/*
 * Shared pages of the console and of xenstore. Source: xen/include/public/io/console.h, io/xs_wire.h (4.17).
 */
#ifndef ABI_IO_H
#define ABI_IO_H

#include "abi/core.h"

struct xencons_interface {
    char in[1024], out[2048];
    uint32_t in_cons, in_prod, out_cons, out_prod;
};
_Static_assert(sizeof(struct xencons_interface) == 3088, "xencons_interface");

#define XENSTORE_RING_SIZE   1024
#define XENSTORE_PAYLOAD_MAX 4096

struct xenstore_domain_interface {
    char req[XENSTORE_RING_SIZE], rsp[XENSTORE_RING_SIZE];
    uint32_t req_cons, req_prod, rsp_cons, rsp_prod;
    uint32_t server_features, connection, error;
};
_Static_assert(sizeof(struct xenstore_domain_interface) == 2076, "xenstore_domain_interface");

struct xsd_sockmsg {
    uint32_t type, req_id, tx_id, len;
};

enum xsd_type { XS_CONTROL = 0, XS_DIRECTORY = 1, XS_READ = 2, XS_GET_PERMS = 3, XS_WATCH = 4, XS_UNWATCH = 5,
                XS_TRANSACTION_START = 6, XS_TRANSACTION_END = 7, XS_INTRODUCE = 8, XS_RELEASE = 9,
                XS_GET_DOMAIN_PATH = 10, XS_WRITE = 11, XS_MKDIR = 12, XS_RM = 13, XS_SET_PERMS = 14,
                XS_WATCH_EVENT = 15, XS_ERROR = 16, XS_IS_DOMAIN_INTRODUCED = 17, XS_RESUME = 18,
                XS_SET_TARGET = 19, XS_RESET_WATCHES = 21, XS_DIRECTORY_PART = 22 };

#endif

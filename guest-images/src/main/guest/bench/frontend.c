/* What frontends have in common: finding the backend, and telling it. */
#include "bench.h"

static uint64_t backend_state(const struct frontend *device)
{
    char path[160], text[16];
    uint64_t state = 0;

    format_string(path, sizeof(path), "%s/state", device->back);
    if (xenstore_read(0, path, text, sizeof(text)) <= 0 || !parse_number(text, &state))
        return 0;
    return state;
}

static int64_t await_backend(const struct frontend *device, uint64_t state)
{
    for (unsigned i = 0; i < 10000; i++) {
        if (backend_state(device) == state)
            return 0;
        sleep_until(system_time() + NS_PER_MS);
    }
    return -XEN_ETIMEDOUT;
}

int64_t frontend_find(struct frontend *device, const char *kind)
{
    char names[64], path[96];

    format_string(path, sizeof(path), "device/%s", kind);
    if (xenstore_list(0, path, names, sizeof(names)) <= 0)
        return -XEN_ENODEV;
    format_string(device->front, sizeof(device->front), "device/%s/%s", kind, names);
    format_string(path, sizeof(path), "%s/backend", device->front);
    if (xenstore_read(0, path, device->back, sizeof(device->back)) <= 0)
        return -XEN_ENODEV;
    return await_backend(device, XENBUS_INITWAIT);
}

int64_t frontend_write(const struct frontend *device, const char *name, uint64_t value)
{
    char path[96], text[24];
    int error;

    format_string(path, sizeof(path), "%s/%s", device->front, name);
    format_string(text, sizeof(text), "%lu", value);
    error = xenstore_write(0, path, text);
    return error < 0 ? error : 0;
}

int64_t frontend_connect(const struct frontend *device, uint64_t state)
{
    int64_t error = frontend_write(device, "state", state);

    if (error == 0)
        error = await_backend(device, XENBUS_CONNECTED);
    if (error == 0 && state != XENBUS_CONNECTED)
        error = frontend_write(device, "state", XENBUS_CONNECTED);
    return error;
}

int64_t grant_page(const void *page) { return grant_access(0, virt_to_mfn(page), false); }

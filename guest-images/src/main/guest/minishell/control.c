/*
 * control/shutdown: what the toolstack asks of the guest. As Linux does: the request is read and acknowledged by
 * writing "" in one transaction, then obeyed.
 */
#include "shell.h"

#define PATH "control/shutdown"

static const struct {
    const char *feature, *request;
    enum shutdown_reason reason;
} requests[] = {
    {"control/feature-poweroff", "poweroff", SHUTDOWN_poweroff},
    {"control/feature-poweroff", "halt", SHUTDOWN_poweroff},
    {"control/feature-reboot", "reboot", SHUTDOWN_reboot},
    {"control/feature-suspend", "suspend", SHUTDOWN_suspend},
};

static void watch_control(void)
{
    xenstore_watch(PATH, "shutdown");
    for (unsigned i = 0; i < ARRAY_LENGTH(requests); i++)
        xenstore_write(0, requests[i].feature, "1");
}

void control_init(void) { watch_control(); }

bool control_pending(void) { return xenstore_has_event(); }

/* The request, acknowledged; "" if there is none. */
static void take_request(char *request, size_t size)
{
    for (;;) {
        uint32_t tx;
        int length;

        request[0] = '\0';
        if (xenstore_transaction_start(&tx) < 0)
            return;
        length = xenstore_read(tx, PATH, request, size);
        if (length <= 0) {
            request[0] = '\0';
            xenstore_transaction_end(tx, false);
            return;
        }
        xenstore_write(tx, PATH, "");
        if (xenstore_transaction_end(tx, true) != -XEN_EAGAIN)
            return;
    }
}

void control_serve(void)
{
    char path[128], token[64], request[32];

    while (xenstore_next_event(path, sizeof(path), token, sizeof(token))) {
        unsigned i;

        if (strcmp(token, "shutdown") != 0)
            continue;
        take_request(request, sizeof(request));
        if (request[0] == '\0')
            continue;
        for (i = 0; i < ARRAY_LENGTH(requests) && strcmp(requests[i].request, request) != 0; i++)
            ;
        if (i == ARRAY_LENGTH(requests)) {
            print("\ncontrol/shutdown: unknown request \"%s\"\n", request);
            continue;
        }
        print("\nminishell: %s requested\n", request);
        if (requests[i].reason != SHUTDOWN_suspend)
            domain_shutdown(requests[i].reason);
        console_flush();
        if (domain_suspend() == 0)
            watch_control();
        print("minishell: running again\n> ");
    }
}

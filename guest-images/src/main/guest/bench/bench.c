/*
 * bench: does small things many times when told to on the console, and says when it is done. The host holds the watch.
 *
 *   hypercall N      N calls of xen_version
 *   serve DOMAIN     opens a port for DOMAIN, publishes it as data/port, and answers each event on it with one
 *   bind DOMAIN PORT binds to the port of a server
 *   ping N           N events to the server, each sent when the answer to the one before has come
 *   count N          N turns of an empty loop
 */
#include "runtime.h"

static evtchn_port_t peer;
static volatile uint64_t answers;

static void answer(evtchn_port_t port, void *arg)
{
    (void)arg;
    event_send(port);
}

static void note_answer(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
    answers++;
}

static bool has_input(void *arg)
{
    (void)arg;
    return console_has_input();
}

static bool has_answers(void *arg) { return answers >= *(uint64_t *)arg; }

static int64_t serve(uint64_t domain)
{
    char port[16];

    peer = event_alloc_unbound(domain, answer, NULL);
    format_string(port, sizeof(port), "%u", peer);
    return xenstore_write(0, "data/port", port) < 0 ? -5 : 0;
}

static int64_t bind(uint64_t domain, uint64_t port)
{
    int64_t local = event_bind_interdomain(domain, port, note_answer, NULL);

    if (local < 0)
        return local;
    peer = local;
    return 0;
}

static int64_t ping(uint64_t count)
{
    /* Binding makes the port pending once. */
    uint64_t first = answers;

    for (uint64_t i = 1; i <= count; i++) {
        uint64_t wanted = first + i;

        event_send(peer);
        wait_until(has_answers, &wanted, 0);
    }
    return 0;
}

static int64_t run(int words, char **word)
{
    uint64_t first = 0, second = 0;

    if (words < 2 || !parse_number(word[1], &first) || (words > 2 && !parse_number(word[2], &second)))
        return -22;
    if (strcmp(word[0], "hypercall") == 0) {
        while (first-- > 0)
            hypercall_xen_version(0, NULL);
        return 0;
    }
    if (strcmp(word[0], "count") == 0) {
        while (first-- > 0)
            compiler_barrier();
        return 0;
    }
    if (strcmp(word[0], "serve") == 0)
        return serve(first);
    if (strcmp(word[0], "bind") == 0 && words > 2)
        return bind(first, second);
    if (strcmp(word[0], "ping") == 0)
        return ping(first);
    return -38;
}

static int split(char *line, char **word, int limit)
{
    int words = 0;

    while (words < limit) {
        while (*line == ' ')
            line++;
        if (*line == '\0')
            break;
        word[words++] = line;
        line = strchr(line, ' ');
        if (line == NULL)
            break;
        *line++ = '\0';
    }
    return words;
}

void guest_main(void)
{
    static char line[80];
    char *word[3];
    size_t length = 0;

    print("bench: ready\n");
    for (;;) {
        int key;

        wait_until(has_input, NULL, 0);
        key = console_read();
        if (key == '\r' || key == '\n') {
            line[length] = '\0';
            length = 0;
            print("done %ld\n", run(split(line, word, 3), word));
        } else if (length < sizeof(line) - 1) {
            line[length++] = key;
        }
    }
}

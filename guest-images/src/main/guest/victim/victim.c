/*
 * victim: keeps pages with known content and verifies them for as long as it lives, while others try to reach them. Some
 * of them are granted to be read.
 * Options: pages=N (default 1024), seconds=N (default: until xl shutdown).
 */
#include "verdict.h"

#define MAX_PAGES 4096

static uint64_t *kept[MAX_PAGES];
static uint64_t salt;

/* Different for each word, round and domain. */
static uint64_t pattern(uint64_t page, uint64_t word, uint64_t round)
{
    uint64_t value = salt + (page << 32 | round << 12 | word) * 0x9e3779b97f4a7c15;

    return value ^ value >> 29;
}

/*
 * Lures: some pages may be read by each of the first domains, and written by one that does not exist. Whoever writes
 * to any of them has got past Xen.
 */
#define LURES 8

static void grant_lures(unsigned count)
{
    check_result("grant_init", grant_init(), 0);
    for (unsigned i = 0; i < LURES && i < count; i++) {
        check(grant_access(i, virt_to_mfn(kept[i]), true) > 0, "no grant for domain %u", i);
        check(grant_access(DOMID_SELF - 1 - i, virt_to_mfn(kept[i]), false) > 0, "no grant for nobody");
    }
}

static bool stopped;

static void watch_shutdown(void)
{
    char path[64], token[16], request[16];

    while (xenstore_next_event(path, sizeof(path), token, sizeof(token))) {
        if (xenstore_read(0, "control/shutdown", request, sizeof(request)) > 0) {
            xenstore_write(0, "control/shutdown", "");
            stopped = true;
        }
    }
}

static bool has_event(void *arg)
{
    (void)arg;
    return xenstore_has_event();
}

void guest_main(void)
{
    uint64_t wanted = cmdline_number("pages", 1024), seconds = cmdline_number("seconds", 0), round = 0;
    uint64_t deadline = seconds == 0 ? ~0ul : system_time() + seconds * NS_PER_S;
    unsigned count = 0;

    salt = start_info->shared_info ^ wall_clock();
    while (count < MAX_PAGES && count < wanted && (kept[count] = page_try_alloc()) != NULL)
        count++;
    xenstore_watch("control/shutdown", "shutdown");
    section("pages");
    print("victim: %u pages\n", count);

    for (uint64_t page = 0; page < count; page++) {
        for (uint64_t word = 0; word < PAGE_SIZE / 8; word++)
            kept[page][word] = pattern(page, word, 0);
    }
    grant_lures(count);
    do {
        for (uint64_t page = 0; page < count; page++) {
            for (uint64_t word = 0; word < PAGE_SIZE / 8; word++) {
                volatile uint64_t *at = &kept[page][word];

                if (*at != pattern(page, word, round)) {
                    check(false, "page %lu (MFN 0x%lx) word %lu is 0x%lx", page, virt_to_mfn(kept[page]), word, *at);
                    verdict("victim");
                }
                *at = pattern(page, word, round + 1);
            }
        }
        check(true, " ");
        round++;
        wait_until(has_event, NULL, system_time() + 100 * NS_PER_MS);
        watch_shutdown();
    } while (!stopped && system_time() < deadline);
    print("victim: %lu rounds\n", round);
    verdict("victim");
}

/* The commands of minishell. */
#include "shell.h"

static void print_seconds(uint64_t ns) { print("%lu.%03u", (unsigned long)(ns / NS_PER_S), (unsigned)(ns % NS_PER_S / NS_PER_MS)); }

/* A number of seconds, with up to three decimals. */
static bool parse_seconds(const char *text, uint64_t *ns)
{
    char whole[20];
    uint64_t seconds, fraction = 0, unit = NS_PER_S;
    const char *point = strchr(text, '.');
    size_t length = point == NULL ? strlen(text) : (size_t)(point - text);

    if (length >= sizeof(whole))
        return false;
    memcpy(whole, text, length);
    whole[length] = '\0';
    if (!parse_number(whole, &seconds) || seconds > 1000000000)
        return false;
    for (const char *at = point; at != NULL && *++at != '\0';) {
        unit /= 10;
        if (*at < '0' || *at > '9' || unit < NS_PER_MS)
            return false;
        fraction += (*at - '0') * unit;
    }
    *ns = seconds * NS_PER_S + fraction;
    return true;
}

static uint64_t started;

static void command_uptime(int words, char **word)
{
    uint64_t now = system_time();

    (void)words;
    (void)word;
    print("up ");
    print_seconds(now - started);
    print(" s, host up ");
    print_seconds(now);
    print(" s, %u upcalls on vCPU 0\n", cpu_of(0)->upcalls);
}

static void command_mem(int words, char **word)
{
    domid_t self = DOMID_SELF;
    long current = hypercall_memory_op(XENMEM_current_reservation, &self);
    long maximum = hypercall_memory_op(XENMEM_maximum_reservation, &self);

    (void)words;
    (void)word;
    print("pages: %lu at start, %lu mapped, %lu free, %lu in page tables of the builder\n", start_info->nr_pages,
          pages_mapped(), pages_free(), start_info->nr_pt_frames);
    if (current >= 0)
        print("reservation: %ld pages now", current);
    else
        print("reservation: %s", xen_error_name(current));
    if (maximum >= 0)
        print(", %ld at most\n", maximum);
    else
        print(", maximum %s\n", xen_error_name(maximum));
}

static void command_read(int words, char **word)
{
    static char value[2048];
    int length;

    (void)words;
    length = xenstore_read(0, word[1], value, sizeof(value));
    if (length < 0)
        print("%s: %s\n", word[1], xen_error_name(length));
    else
        print("%s\n", value);
}

static void command_write(int words, char **word)
{
    int result = xenstore_write(0, word[1], words > 2 ? word[2] : "");

    if (result < 0)
        print("%s: %s\n", word[1], xen_error_name(result));
}

static void command_rm(int words, char **word)
{
    int result = xenstore_remove(0, word[1]);

    (void)words;
    if (result < 0)
        print("%s: %s\n", word[1], xen_error_name(result));
}

static void command_echo(int words, char **word)
{
    for (int i = 1; i < words; i++)
        print("%s%s", i > 1 ? " " : "", word[i]);
    print("\n");
}

static void command_spin(int words, char **word)
{
    uint64_t duration = 5 * NS_PER_S, start = system_time();
    unsigned long rounds = 0;

    if (words > 1 && !parse_seconds(word[1], &duration)) {
        print("spin: \"%s\" is not a number of seconds\n", word[1]);
        return;
    }
    while (system_time() - start < duration && !interrupted())
        rounds++;
    print("%lu rounds\n", rounds);
}

static void command_sleep(int words, char **word)
{
    uint64_t duration, deadline;

    (void)words;
    if (!parse_seconds(word[1], &duration)) {
        print("sleep: \"%s\" is not a number of seconds\n", word[1]);
        return;
    }
    deadline = system_time() + duration;
    while (wait_for_work(deadline)) {
        if (interrupted())
            return;
    }
}

static void command_vcpus(int words, char **word)
{
    static const char *const states[] = {"running", "runnable", "blocked", "offline"};

    (void)words;
    (void)word;
    for (uint32_t vcpu = 0; vcpu < vcpu_count(); vcpu++) {
        struct vcpu_runstate_info runstate;

        print("vCPU %u: %s", vcpu, vcpu_is_up(vcpu) ? "up" : "down");
        if (hypercall_vcpu_op(VCPUOP_get_runstate_info, vcpu, &runstate) == 0) {
            for (unsigned state = 0; state < ARRAY_LENGTH(states); state++) {
                print(", ");
                print_seconds(runstate.time[state]);
                print(" s %s", states[state]);
            }
        }
        print("\n");
    }
}

static void command_date(int words, char **word)
{
    unsigned long seconds = wall_clock() / NS_PER_S, days = seconds / 86400, of_day = seconds % 86400;
    /* Days since 0000-03-01, in eras of 400 years: then leap days are the last days of years. */
    unsigned long shifted = days + 719468, of_era = shifted % 146097;
    unsigned long year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned long of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned long month_from_march = (5 * of_year + 2) / 153;
    unsigned long day = of_year - (153 * month_from_march + 2) / 5 + 1;
    unsigned long month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    unsigned long year = year_of_era + shifted / 146097 * 400 + (month <= 2);

    (void)words;
    (void)word;
    print("%04lu-%02lu-%02lu %02lu:%02lu:%02lu UTC\n", year, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60);
}

static void command_version(int words, char **word)
{
    static xen_capabilities_info_t capabilities;
    xen_extraversion_t extra = "";
    long version = hypercall_xen_version(XENVER_version, NULL);

    (void)words;
    (void)word;
    hypercall_xen_version(XENVER_extraversion, extra);
    hypercall_xen_version(XENVER_capabilities, capabilities);
    print("Xen %ld.%ld%s, %s\n", version >> 16, version & 0xffff, extra, capabilities);
}

static void command_reboot(int words, char **word)
{
    (void)words;
    (void)word;
    print("minishell: rebooting\n");
    domain_shutdown(SHUTDOWN_reboot);
}

static void command_halt(int words, char **word)
{
    (void)words;
    (void)word;
    print("minishell: powering off\n");
    domain_shutdown(SHUTDOWN_poweroff);
}

static void command_help(int words, char **word);

static const struct {
    const char *name;
    int least_words;
    const char *arguments, *purpose;
    void (*run)(int words, char **word);
} commands[] = {
    {"help", 1, "", "this list", command_help},
    {"uptime", 1, "", "time since this guest and since the host started", command_uptime},
    {"date", 1, "", "wall clock", command_date},
    {"mem", 1, "", "pages, and the reservation that Xen keeps", command_mem},
    {"vcpus", 1, "", "state of the vCPUs and the time they spent in it", command_vcpus},
    {"version", 1, "", "version and capabilities of Xen", command_version},
    {"store", 1, "[PATH]", "xenstore subtree, by default that of this domain", command_store},
    {"read", 2, "PATH", "value of a xenstore node", command_read},
    {"write", 2, "PATH [VALUE]", "write a xenstore node", command_write},
    {"rm", 2, "PATH", "remove a xenstore node", command_rm},
    {"echo", 1, "[WORD...]", "print the words", command_echo},
    {"spin", 1, "[SECONDS]", "keep the processor busy (5 s; Ctrl-C ends it)", command_spin},
    {"sleep", 2, "SECONDS", "sleep (Ctrl-C ends it)", command_sleep},
    {"crash", 2, "null|ud|stack|hypercall|hang", "crash in the way named", command_crash},
    {"reboot", 1, "", "restart the domain", command_reboot},
    {"halt", 1, "", "power off", command_halt},
};

static void command_help(int words, char **word)
{
    (void)words;
    (void)word;
    for (unsigned i = 0; i < ARRAY_LENGTH(commands); i++) {
        char usage[40];

        format_string(usage, sizeof(usage), "%s %s", commands[i].name, commands[i].arguments);
        print("  %-30s %s\n", usage, commands[i].purpose);
    }
}

void run_command(int words, char **word)
{
    for (unsigned i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(commands[i].name, word[0]) != 0)
            continue;
        if (words < commands[i].least_words)
            print("usage: %s %s\n", commands[i].name, commands[i].arguments);
        else
            commands[i].run(words, word);
        return;
    }
    print("%s: no such command (help lists them)\n", word[0]);
}

void commands_init(void) { started = system_time(); }

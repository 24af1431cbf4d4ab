/* Commands from the console, one a line. */
#include "bench.h"

static const struct command *const all[] = {call_commands, table_commands, event_commands, grant_commands, disk_commands, vif_commands};

static bool has_input(void *arg)
{
    (void)arg;
    return console_has_input();
}

static int64_t run(int words, char **word)
{
    uint64_t numbers[MAX_NUMBERS] = {0};

    if (words == 0)
        return -XEN_EINVAL;
    for (int i = 1; i < words; i++)
        if (!parse_number(word[i], &numbers[i - 1]))
            return -XEN_EINVAL;
    for (unsigned i = 0; i < ARRAY_LENGTH(all); i++)
        for (const struct command *command = all[i]; command->name != NULL; command++)
            if (strcmp(command->name, word[0]) == 0)
                return words - 1 == (int)command->numbers ? command->run(numbers) : -XEN_EINVAL;
    return -XEN_ENOSYS;
}

/* Returns how many words there are, or limit + 1 if they are more than that. */
static int split(char *line, char **word, int limit)
{
    int words = 0;

    for (;;) {
        while (*line == ' ')
            line++;
        if (*line == '\0')
            return words;
        if (words == limit)
            return limit + 1;
        word[words++] = line;
        line = strchr(line, ' ');
        if (line == NULL)
            return words;
        *line++ = '\0';
    }
}

void guest_main(void)
{
    static char line[80];
    char *word[1 + MAX_NUMBERS];
    size_t length = 0;

    print("bench: ready\n");
    for (;;) {
        int key;

        wait_until(has_input, NULL, 0);
        key = console_read();
        if (key == '\r' || key == '\n') {
            int words;

            line[length] = '\0';
            length = 0;
            words = split(line, word, ARRAY_LENGTH(word));
            print("done %ld\n", words > (int)ARRAY_LENGTH(word) ? -XEN_E2BIG : run(words, word));
        } else if (length < sizeof(line) - 1) {
            line[length++] = key;
        }
    }
}

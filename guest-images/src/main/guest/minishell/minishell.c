/* minishell: an interactive guest. Line editor and main loop; it blocks whenever there is nothing to do. */
#include "shell.h"

#define CTRL(letter) ((letter) & 0x1f)

/* Keys that were typed while a command ran. */
static char typed_ahead[64];
static unsigned typed, taken;

static bool has_work(void *arg)
{
    (void)arg;
    return (console_has_input() && typed - taken < sizeof(typed_ahead)) || control_pending();
}

bool wait_for_work(uint64_t deadline) { return wait_until(has_work, NULL, deadline); }

/* The next key, serving shutdown requests while there is none. */
static char next_key(void)
{
    if (typed != taken)
        return typed_ahead[taken++ % sizeof(typed_ahead)];
    while (!console_has_input()) {
        wait_for_work(0);
        if (control_pending())
            control_serve();
    }
    return console_read();
}

bool interrupted(void)
{
    while (typed - taken < sizeof(typed_ahead) && console_has_input()) {
        char key = console_read();

        if (key == CTRL('C')) {
            print("^C\n");
            typed = taken;
            return true;
        }
        typed_ahead[typed++ % sizeof(typed_ahead)] = key;
    }
    if (control_pending())
        control_serve();
    return false;
}

static void erase(size_t count)
{
    while (count-- > 0)
        print("\b \b");
}

/* Reads a line into the buffer; false: given up by Ctrl-C. */
static bool read_line(char *line)
{
    static bool after_cr;
    size_t length = 0;

    for (;;) {
        char key = next_key();
        bool second_of_crlf = after_cr && key == '\n';

        after_cr = key == '\r';
        if (second_of_crlf)
            continue;
        switch (key) {
        case '\r':
        case '\n':
            print("\n");
            line[length] = '\0';
            return true;
        case CTRL('C'):
            print("^C\n");
            return false;
        case CTRL('U'):
            erase(length);
            length = 0;
            break;
        case CTRL('W'):
            while (length > 0 && line[length - 1] == ' ') {
                erase(1);
                length--;
            }
            while (length > 0 && line[length - 1] != ' ') {
                erase(1);
                length--;
            }
            break;
        case '\b':
        case 0x7f:
            if (length > 0) {
                erase(1);
                length--;
            }
            break;
        default:
            if (key >= ' ' && key < 0x7f && length < LINE_SIZE - 1) {
                line[length++] = key;
                print("%c", key);
            }
        }
    }
}

static int split(char *line, char **word)
{
    int words = 0;

    for (char *at = line; words < MAX_WORDS;) {
        while (*at == ' ')
            at++;
        if (*at == '\0')
            break;
        word[words++] = at;
        at = strchr(at, ' ');
        if (at == NULL)
            break;
        *at++ = '\0';
    }
    return words;
}

void guest_main(void)
{
    static char line[LINE_SIZE];
    char *word[MAX_WORDS];

    commands_init();
    control_init();
    print("minishell: %lu KiB, %u vCPU%s. Type help.\n", start_info->nr_pages * 4, vcpu_count(),
          vcpu_count() == 1 ? "" : "s");
    for (;;) {
        int words;

        print("> ");
        if (!read_line(line))
            continue;
        words = split(line, word);
        if (words > 0)
            run_command(words, word);
    }
}

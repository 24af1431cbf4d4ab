/* store: prints a xenstore subtree in the form of xenstore-ls. */
#include "shell.h"

#define MAX_DEPTH 8
#define PATH_SIZE 512

static char names[MAX_DEPTH][XENSTORE_PAYLOAD_MAX + 1];

/* Printable form of a value; xenstore values are bytes. */
static void print_value(const char *value, int length)
{
    char text[128];
    size_t used = 0;

    print(" = \"");
    for (int i = 0; i < length; i++) {
        unsigned char c = value[i];

        if (c == '"' || c == '\\')
            used += format_string(text + used, sizeof(text) - used, "\\%c", c);
        else if (c >= ' ' && c < 0x7f)
            text[used++] = c;
        else
            used += format_string(text + used, sizeof(text) - used, "\\x%02x", c);
        if (used > sizeof(text) - 8 || i == length - 1) {
            print("%.*s", (int)used, text);
            used = 0;
        }
    }
    print("\"\n");
}

static void print_children(char *path, unsigned depth)
{
    int length = xenstore_list(0, path, names[depth], sizeof(names[depth]));
    size_t end = strlen(path);

    if (length < 0) {
        print("%*s(%s)\n", (int)depth, "", xen_error_name(length));
        return;
    }
    for (const char *name = names[depth]; name < names[depth] + length; name += strlen(name) + 1) {
        static char value[XENSTORE_PAYLOAD_MAX + 1];
        int value_length;

        if (interrupted())
            return;
        if (format_string(path + end, PATH_SIZE - end, "%s%s", path[end - 1] == '/' ? "" : "/", name) >=
            (int)(PATH_SIZE - end)) {
            print("%*s%s (path too long)\n", (int)depth, "", name);
        } else {
            print("%*s%s", (int)depth, "", name);
            value_length = xenstore_read(0, path, value, sizeof(value));
            if (value_length < 0)
                print(" (%s)\n", xen_error_name(value_length));
            else
                print_value(value, value_length);
            if (depth + 1 < MAX_DEPTH)
                print_children(path, depth + 1);
            else
                print("%*s...\n", (int)depth + 1, "");
        }
        path[end] = '\0';
    }
}

void command_store(int words, char **word)
{
    static char path[PATH_SIZE];

    if (words > 1) {
        copy_string(path, word[1], sizeof(path));
    } else {
        char id[16];
        int length = xenstore_read(0, "domid", id, sizeof(id));

        if (length < 0) {
            print("store: domid: %s\n", xen_error_name(length));
            return;
        }
        format_string(path, sizeof(path), "/local/domain/%s", id);
    }
    print("%s\n", path);
    print_children(path, 1);
}

/* printf to a buffer or to the console: %d %u %x %p %c %s %%, with l, ll, z, a width, 0 and - flags, and a precision for %s. */
#include "runtime.h"

struct sink {
    char *buffer;
    size_t size, length;                       /* length counts also what did not fit */
};

static void put(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size)
        sink->buffer[sink->length] = c;
    sink->length++;
}

static void put_padded(struct sink *sink, const char *text, size_t length, size_t width, bool left, char pad)
{
    size_t fill = width > length ? width - length : 0;

    if (!left && pad == '0' && length > 0 && *text == '-') {
        put(sink, *text++);
        length--;
    }
    while (!left && fill > 0) {
        put(sink, pad);
        fill--;
    }
    while (length-- > 0)
        put(sink, *text++);
    if (left) {
        while (fill-- > 0)
            put(sink, ' ');
    }
}

static void put_number(struct sink *sink, uint64_t value, bool negative, unsigned base, size_t width, bool left,
                       char pad)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative)
        digits[--at] = '-';
    put_padded(sink, digits + at, sizeof(digits) - at, width, left, pad);
}

int vformat_string(char *buffer, size_t size, const char *format, va_list args)
{
    struct sink sink = {buffer, size, 0};

    for (; *format != '\0'; format++) {
        bool left = false;
        unsigned longs = 0;
        size_t width = 0, precision = SIZE_MAX;
        char pad = ' ';

        if (*format != '%') {
            put(&sink, *format);
            continue;
        }
        format++;
        for (;; format++) {
            if (*format == '-')
                left = true;
            else if (*format == '0')
                pad = '0';
            else
                break;
        }
        if (*format == '*') {
            width = va_arg(args, int);
            format++;
        }
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + (*format - '0');
        if (*format == '.') {
            format++;
            if (*format == '*') {
                precision = va_arg(args, int);
                format++;
            } else {
                for (precision = 0; *format >= '0' && *format <= '9'; format++)
                    precision = precision * 10 + (*format - '0');
            }
        }
        for (; *format == 'l' || *format == 'z'; format++)
            longs++;
        switch (*format) {
        case 'd': {
            int64_t value = longs == 0 ? va_arg(args, int) : longs == 1 ? va_arg(args, long) : va_arg(args, long long);

            put_number(&sink, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, 10, width, left, pad);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t value = longs == 0 ? va_arg(args, unsigned)
                           : longs == 1 ? va_arg(args, unsigned long)
                                        : va_arg(args, unsigned long long);

            put_number(&sink, value, false, *format == 'u' ? 10 : 16, width, left, pad);
            break;
        }
        case 'p':
            put_number(&sink, (unsigned long)va_arg(args, void *), false, 16, WORD_BITS / 4, false, '0');
            break;
        case 'c':
            put(&sink, va_arg(args, int));
            break;
        case 's': {
            const char *text = va_arg(args, const char *);
            size_t length = 0;

            while (length < precision && text[length] != '\0')
                length++;
            put_padded(&sink, text, length, width, left, ' ');
            break;
        }
        case '\0':
            format--;
            break;
        default:
            put(&sink, *format);
        }
    }
    if (size > 0)
        buffer[sink.length < size ? sink.length : size - 1] = '\0';
    return sink.length;
}

int format_string(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vformat_string(buffer, size, format, args);
    va_end(args);
    return length;
}

void vprint(const char *format, va_list args)
{
    char buffer[512];
    size_t length = vformat_string(buffer, sizeof(buffer), format, args), start = 0;

    if (length > sizeof(buffer) - 1)
        length = sizeof(buffer) - 1;
    /* The console is a raw terminal. */
    for (size_t at = 0; at < length; at++) {
        if (buffer[at] == '\n') {
            console_write(buffer + start, at - start);
            console_write("\r\n", 2);
            start = at + 1;
        }
    }
    console_write(buffer + start, length - start);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprint(format, args);
    va_end(args);
}

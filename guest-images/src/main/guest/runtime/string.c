/* The string functions that gcc expects to exist, and a few more. */
#include "runtime.h"

void *memcpy(void *to, const void *from, size_t n)
{
    void *start = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return start;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *target = to;
    const uint8_t *source = from;

    if (target <= source || target >= source + n)
        return memcpy(to, from, n);
    target += n - 1;
    source += n - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(target), "+S"(source), "+c"(n) : : "memory");
    return to;
}

void *memset(void *to, int value, size_t n)
{
    void *start = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *left = a, *right = b;

    for (; n != 0; n--, left++, right++) {
        if (*left != *right)
            return *left - *right;
    }
    return 0;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end != '\0')
        end++;
    return end - s;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n != 0; n--, a++, b++) {
        if (*a != *b || *a == '\0')
            return (uint8_t)*a - (uint8_t)*b;
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (*s == '\0')
            return NULL;
    }
}

size_t copy_string(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);

    if (size == 0)
        return 0;
    if (length > size - 1)
        length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
    return length;
}

bool parse_number(const char *s, uint64_t *value)
{
    unsigned base = 10;
    uint64_t result = 0;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        unsigned digit;

        if (*s >= '0' && *s <= '9')
            digit = *s - '0';
        else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f')
            digit = (*s | 0x20) - 'a' + 10;
        else
            return false;
        if (digit >= base || __builtin_mul_overflow(result, base, &result) ||
            __builtin_add_overflow(result, digit, &result))
            return false;
    }
    *value = result;
    return true;
}

const char *cmdline_option(const char *name)
{
    const char *at = start_info->cmd_line;
    size_t length = strlen(name);

    while (*at != '\0') {
        while (*at == ' ')
            at++;
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return at + length + 1;
        while (*at != '\0' && *at != ' ')
            at++;
    }
    return NULL;
}

uint64_t cmdline_number(const char *name, uint64_t otherwise)
{
    const char *at = cmdline_option(name);
    char word[24];
    size_t length = 0;
    uint64_t value;

    if (at == NULL)
        return otherwise;
    while (at[length] != '\0' && at[length] != ' ' && length < sizeof(word) - 1) {
        word[length] = at[length];
        length++;
    }
    word[length] = '\0';
    return parse_number(word, &value) ? value : otherwise;
}

const char *xen_error_name(int64_t error)
{
    static const char *const names[] = {
        [0] = "OK", [XEN_EPERM] = "EPERM", [XEN_ENOENT] = "ENOENT", [XEN_ESRCH] = "ESRCH", [XEN_EINTR] = "EINTR",
        [XEN_EIO] = "EIO", [XEN_ENXIO] = "ENXIO", [XEN_E2BIG] = "E2BIG", [XEN_ENOEXEC] = "ENOEXEC",
        [XEN_EBADF] = "EBADF", [XEN_ECHILD] = "ECHILD", [XEN_EAGAIN] = "EAGAIN", [XEN_ENOMEM] = "ENOMEM",
        [XEN_EACCES] = "EACCES", [XEN_EFAULT] = "EFAULT", [XEN_EBUSY] = "EBUSY", [XEN_EEXIST] = "EEXIST",
        [XEN_EXDEV] = "EXDEV", [XEN_ENODEV] = "ENODEV", [XEN_ENOTDIR] = "ENOTDIR", [XEN_EISDIR] = "EISDIR",
        [XEN_EINVAL] = "EINVAL", [XEN_ENFILE] = "ENFILE", [XEN_EMFILE] = "EMFILE", [XEN_ENOSPC] = "ENOSPC",
        [XEN_EROFS] = "EROFS", [XEN_EMLINK] = "EMLINK", [XEN_EDOM] = "EDOM", [XEN_ERANGE] = "ERANGE",
        [XEN_EDEADLK] = "EDEADLK", [XEN_ENAMETOOLONG] = "ENAMETOOLONG", [XEN_ENOLCK] = "ENOLCK",
        [XEN_ENOSYS] = "ENOSYS", [XEN_ENOTEMPTY] = "ENOTEMPTY", [XEN_ENODATA] = "ENODATA", [XEN_ETIME] = "ETIME",
        [XEN_EBADMSG] = "EBADMSG", [XEN_EOVERFLOW] = "EOVERFLOW", [XEN_EILSEQ] = "EILSEQ",
        [XEN_ERESTART] = "ERESTART", [XEN_EMSGSIZE] = "EMSGSIZE", [XEN_EOPNOTSUPP] = "EOPNOTSUPP",
        [XEN_ENOBUFS] = "ENOBUFS", [XEN_EISCONN] = "EISCONN", [XEN_ENOTCONN] = "ENOTCONN",
        [XEN_ETIMEDOUT] = "ETIMEDOUT",
    };
    uint64_t number = error < 0 ? -error : error;

    return number < ARRAY_LENGTH(names) && names[number] != NULL ? names[number] : "?";
}

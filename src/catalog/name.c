/* name.c - see name.h. */
#include "catalog/name.h"

#include <stdio.h>
#include <string.h>

static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/* Bytes of the UTF-8 sequence at `at`; 0: none. */
static size_t sequence(const unsigned char *at)
{
    size_t n = at[0] < 0x80   ? 1
               : at[0] < 0xc2 ? 0
               : at[0] < 0xe0 ? 2
               : at[0] < 0xf0 ? 3
               : at[0] < 0xf5 ? 4
                              : 0;

    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

int database_check_name(const char *name, struct err *err)
{
    const unsigned char *at = (const unsigned char *)name;
    size_t n = strlen(name), step;

    if (n == 0 || n > DATABASE_NAME_MAX) {
        err_set(err, ERR_INVALID, "the name of a database has 1 to %d bytes, not %zu",
                DATABASE_NAME_MAX, n);
        return err_hint(err, "such as \"bookshelf\"");
    }
    for (; *at; at += step) {
        step = sequence(at);
        if (step == 0)
            return err_set(err, ERR_INVALID, "the name of a database must be UTF-8");
        if (*at < 0x20 || *at == 0x7f)
            return err_set(err, ERR_INVALID, "the name of a database has no control characters");
    }
    return 0;
}

void name_encode(const char *name, char out[NAME_CODED_MAX + 1])
{
    for (; *name; name++) {
        if (strchr(PLAIN, *name))
            *out++ = *name;
        else
            out += sprintf(out, "%%%02X", (unsigned char)*name);
    }
    *out = '\0';
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool name_decode(const char *coded, char out[DATABASE_NAME_MAX + 1])
{
    char again[NAME_CODED_MAX + 1];
    struct err ignored;
    size_t n = 0;

    for (const char *at = coded; *at; at++) {
        if (n == DATABASE_NAME_MAX)
            return false;
        if (*at == '%' && (hex(at[1]) < 0 || hex(at[2]) < 0))
            return false;
        out[n++] = *at == '%' ? (char)(hex(at[1]) << 4 | hex(at[2])) : *at;
        at += *at == '%' ? 2 : 0;
    }
    out[n] = '\0';
    if (strlen(out) != n || database_check_name(out, &ignored) < 0)
        return false;
    name_encode(out, again); /* one name, one folder */
    return strcmp(again, coded) == 0;
}

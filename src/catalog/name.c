/* name.c - see name.h. */
#include "catalog/name.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"
#include "text/width.h"

static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

int name_check(const char *what, const char *name, size_t max, struct err *err)
{
    struct span rest = span_of(name);
    uint32_t c;
    size_t len;

    if (rest.len == 0 || rest.len > max)
        return err_set(err, ERR_INVALID, "%s has 1 to %zu bytes, not %zu", what, max, rest.len);
    for (; rest.len > 0; rest.data += len, rest.len -= len) {
        c = width_next(rest, &len);
        if (c == 0xfffd && len == 1)
            return err_set(err, ERR_INVALID, "%s must be UTF-8", what);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            return err_set(err, ERR_INVALID, "%s has no control characters", what);
    }
    return 0;
}

int database_check_name(const char *name, struct err *err)
{
    int r = name_check("the name of a database", name, DATABASE_NAME_MAX, err);

    return r < 0 && (!name[0] || strlen(name) > DATABASE_NAME_MAX)
               ? err_hint(err, "such as \"bookshelf\"")
               : r;
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

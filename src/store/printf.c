/* printf.c - SQL's printf() and format(), with a bound on width and precision.
 *
 * SQLite pads character by character as far as it is told, up to two thousand
 * million, all in one step of the virtual machine.  Cloudflare's is built with a
 * limit of 100,000; Debian's is not, so here every conversion is taken apart,
 * bounded, and given to SQLite's own printf alone. */
#include <stdio.h>
#include <string.h>

#include "store/inside.h"

enum { PRINTF_MAX = 100 * 1000 };

struct conversion {
    char flags[8];
    int width, precision; /* -1: none */
    char letter;
};

struct values {
    sqlite3_value **at;
    int left;
};

static sqlite3_value *values_next(struct values *v)
{
    if (v->left == 0)
        return NULL;
    v->left--;
    return *v->at++;
}

static sqlite3_int64 next_int(struct values *v)
{
    sqlite3_value *value = values_next(v);

    return value ? sqlite3_value_int64(value) : 0;
}

static int bounded(sqlite3_int64 n)
{
    return n > PRINTF_MAX ? PRINTF_MAX : (int)n;
}

/* Digits, or a value for '*'; negative as it is. */
static const char *read_number(const char *p, struct values *values, sqlite3_int64 *ret)
{
    if (*p == '*') {
        *ret = (int)next_int(values);
        return p + 1;
    }
    for (*ret = 0; *p >= '0' && *p <= '9'; p++)
        *ret = *ret > PRINTF_MAX ? *ret : *ret * 10 + (*p - '0');
    return p;
}

static void add_flag(struct conversion *c, char flag)
{
    size_t n = strlen(c->flags);

    if (!strchr(c->flags, flag) && n < sizeof c->flags - 1) {
        c->flags[n] = flag;
        c->flags[n + 1] = '\0';
    }
}

/* Behind the '%'; what follows it. */
static const char *read_conversion(const char *p, struct values *values, struct conversion *ret)
{
    sqlite3_int64 n = 0;

    *ret = (struct conversion){.width = 0, .precision = -1};
    for (; *p && strchr("-+ #!0,", *p); p++)
        add_flag(ret, *p);
    p = read_number(p, values, &n);
    if (n < 0) {
        add_flag(ret, '-');
        n = -n;
    }
    ret->width = bounded(n);
    if (*p == '.') {
        p = read_number(p + 1, values, &n);
        ret->precision = bounded(n < 0 ? -n : n);
    }
    while (*p == 'l')
        p++;
    ret->letter = *p;
    return *p ? p + 1 : p;
}

static const char *spec_of(const struct conversion *c, const char *length, char out[static 48])
{
    int n = snprintf(out, 48, "%%%s", c->flags);

    if (c->width > 0)
        n += snprintf(out + n, 48 - (size_t)n, "%d", c->width);
    if (c->precision >= 0)
        n += snprintf(out + n, 48 - (size_t)n, ".%d", c->precision);
    snprintf(out + n, 48 - (size_t)n, "%s%c", length, c->letter);
    return out;
}

/* The first character, `precision` times. */
static void put_char(sqlite3_str *out, const struct conversion *c, sqlite3_value *value)
{
    const unsigned char *text = value ? sqlite3_value_text(value) : NULL;
    int len = 1, times = c->precision > 1 ? c->precision : 1, pad = c->width - times;
    bool is_left = strchr(c->flags, '-');

    if (text && *text >= 0xc0)
        while (len < 4 && (text[len] & 0xc0) == 0x80)
            len++;
    if (pad > 0 && !is_left)
        sqlite3_str_appendchar(out, pad, ' ');
    while (times-- > 0)
        sqlite3_str_append(out, text ? (const char *)text : "", len);
    if (pad > 0 && is_left)
        sqlite3_str_appendchar(out, pad, ' ');
}

static void put_text(sqlite3_str *out, const struct conversion *c, sqlite3_value *value)
{
    char spec[48];

    sqlite3_str_appendf(out, spec_of(c, "", spec), value ? sqlite3_value_text(value) : NULL);
}

/* false: no such conversion, which ends it. */
static bool put_conversion(sqlite3_str *out, struct conversion *c, struct values *values)
{
    sqlite3_value *value;
    char spec[48];

    if (c->letter == 'z')
        c->letter = 's'; /* %z would free what it prints */
    switch (c->letter) {
    case '%':
        sqlite3_str_appendf(out, spec_of(c, "", spec));
        return true;
    case 'n':
        return true;
    case 'p':
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
    case 'r':
        sqlite3_str_appendf(out, spec_of(c, "ll", spec), next_int(values));
        return true;
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
        value = values_next(values);
        sqlite3_str_appendf(out, spec_of(c, "", spec), value ? sqlite3_value_double(value) : 0.0);
        return true;
    case 'c':
        put_char(out, c, values_next(values));
        return true;
    case 's':
    case 'q':
    case 'Q':
    case 'w':
        put_text(out, c, values_next(values));
        return true;
    }
    return false;
}

void sql_printf(sqlite3_context *x, int count, sqlite3_value **values)
{
    struct values rest = {values + 1, count - 1};
    struct conversion c;
    sqlite3_str *out;
    const char *p;
    int error, len;
    char *text;

    p = count > 0 ? (const char *)sqlite3_value_text(values[0]) : NULL;
    if (!p)
        return;
    out = sqlite3_str_new(sqlite3_context_db_handle(x));
    while (*p && sqlite3_str_errcode(out) == SQLITE_OK) {
        size_t plain = strcspn(p, "%");

        if (plain > 0)
            sqlite3_str_append(out, p, (int)plain);
        p += plain;
        if (*p == '\0')
            break;
        if (p[1] == '\0') {
            sqlite3_str_append(out, "%", 1);
            break;
        }
        p = read_conversion(p + 1, &rest, &c);
        if (!put_conversion(out, &c, &rest))
            break;
    }
    error = sqlite3_str_errcode(out);
    len = sqlite3_str_length(out);
    text = sqlite3_str_finish(out);
    if (error == SQLITE_TOOBIG)
        sqlite3_result_error_toobig(x);
    else if (error != SQLITE_OK)
        sqlite3_result_error_nomem(x);
    else
        sqlite3_result_text(x, text ? text : "", text ? len : 0, SQLITE_TRANSIENT);
    sqlite3_free(text);
}

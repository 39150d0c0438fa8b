/* err.c - fill and wrap error texts in place.
 *
 * Every call truncates rather than fails: a cut message beats a lost one. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    err->code = code;
    err->hint[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return code;
}

int err_errno(struct err *err, int errno_value, const char *fmt, ...)
{
    size_t n;
    va_list ap;

    err->code = ERR_SYSTEM;
    err->hint[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, ": %s", strerror(errno_value));
    return err->code;
}

int err_hint(struct err *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
    return err->code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    char whole[2 * sizeof err->text + 2];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(whole, sizeof err->text, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    if ((size_t)n >= sizeof err->text)
        n = sizeof err->text - 1;
    snprintf(whole + n, sizeof whole - (size_t)n, ": %s", err->text);
    memcpy(err->text, whole, sizeof err->text - 1);
    err->text[sizeof err->text - 1] = '\0';
    return err->code;
}

int err_nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

bool err_is_disk_full(const struct err *err)
{
    static const char *const WORDS[] = {"No space left on device", "no space left on device",
                                        "Disk quota exceeded", "SQLITE_FULL", "disk is full"};

    if (err->code != ERR_SYSTEM)
        return false;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strstr(err->text, WORDS[i]) || strstr(err->hint, WORDS[i]))
            return true;
    return false;
}

/* log.c - format a line once, write it at once, hardly wait.
 *
 * A line is cut at LOG_LINE_MAX bytes with a visible mark.  What the other
 * side does not take (full pipe, closed terminal) is dropped: a log must never
 * stop the node. */
#include "base/log.h"

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    LOG_LINE_MAX = 64 * 1024,
    LOG_WAIT_MS = 50, /* for a reader whose pipe is full, in LOG_WINDOW_MS all in all: who
                         makes many lines must not make everybody wait for their reader */
    LOG_WINDOW_MS = 5000,
};

static enum log_level least = LOG_INFO;
static int out_fd = 2;
static bool is_coloured = false;
static bool is_asked = false;

static const char *const NAMES[] = {"dbg", "inf", "wrn", "err", ""};
static const char *const COLOURS[] = {"\x1b[2m", "\x1b[36m", "\x1b[33m", "\x1b[31m", ""};

void log_set_level(enum log_level level)
{
    least = level;
}
enum log_level log_level(void)
{
    return least;
}

void log_set_fd(int fd)
{
    out_fd = fd;
    is_asked = false;
}

int log_level_parse(const char *name)
{
    static const struct {
        const char *name;
        int level;
    } LEVELS[] = {{"debug", LOG_DEBUG}, {"info", LOG_INFO},   {"log", LOG_INFO},
                  {"warn", LOG_WARN},   {"error", LOG_ERROR}, {"none", LOG_NONE}};

    for (size_t i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++)
        if (strcmp(name, LEVELS[i].name) == 0)
            return LEVELS[i].level;
    return -1;
}

/* Copy text with control bytes made visible; returns the new fill of out. */
static size_t put_clean(char *out, size_t fill, size_t cap, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (fill + 16 > cap)
            return fill + (size_t)snprintf(out + fill, cap - fill, " [cut]");
        if (c == '\n')
            fill += (size_t)snprintf(out + fill, cap - fill, "\n    ");
        else if ((c < 0x20 && c != '\t') || c == 0x7f)
            fill += (size_t)snprintf(out + fill, cap - fill, "\\x%02x", c);
        else
            out[fill++] = (char)c;
    }
    return fill;
}

/* Is there room for a piece?  Waits for it as long as waiting is allowed. */
static bool has_room(bool may_wait)
{
    static int64_t window_ms = INT64_MIN / 2;
    static int waited_ms;
    struct pollfd room = {.fd = out_fd, .events = POLLOUT};
    int64_t start_ms;
    int n = poll(&room, 1, 0);

    if (n == 0 && may_wait) {
        start_ms = clock_now_ms();
        if (start_ms - window_ms >= LOG_WINDOW_MS) {
            window_ms = start_ms;
            waited_ms = 0;
        }
        n = waited_ms < LOG_WAIT_MS ? poll(&room, 1, LOG_WAIT_MS - waited_ms) : 0;
        waited_ms += (int)(clock_now_ms() - start_ms);
    }
    return n == 1 && (room.revents & POLLOUT);
}

/* In pieces that a pipe takes whole or not at all (PIPE_BUF).  A reader that is
 * slow gets a moment; one that did not use it loses lines, without another
 * moment, until it reads again. */
static void write_or_drop(const char *line, size_t len)
{
    static bool is_stuck = false;

    while (len > 0) {
        size_t piece = len < PIPE_BUF ? len : PIPE_BUF;
        ssize_t n;
        is_stuck = !has_room(!is_stuck);
        if (is_stuck)
            return;
        n = write(out_fd, line, piece);
        if (n <= 0)
            return;
        line += n;
        len -= (size_t)n;
    }
}

static bool is_set(const char *value)
{
    return value && value[0];
}

bool log_wants_colour(int fd)
{
    const char *force = getenv("FORCE_COLOR"), *terminal = getenv("TERM");

    if (force)
        return strcmp(force, "0") != 0 && strcmp(force, "false") != 0;
    if (is_set(getenv("NO_COLOR")) || (terminal && strcmp(terminal, "dumb") == 0))
        return false;
    return isatty(fd);
}

static void put_line(enum log_level level, const char *who, const char *text, size_t len)
{
    static char line[LOG_LINE_MAX + 64];
    size_t n;

    if (!is_asked) {
        is_asked = true;
        is_coloured = log_wants_colour(out_fd);
    }
    while (len > 0 && text[len - 1] == '\n')
        len--;
    n = (size_t)snprintf(line, sizeof line, "%s[%.64s:%s]%s ", is_coloured ? COLOURS[level] : "",
                         who, NAMES[level], is_coloured ? "\x1b[0m" : "");
    n = put_clean(line, n, LOG_LINE_MAX, text, len);
    line[n++] = '\n';
    write_or_drop(line, n);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    static char text[LOG_LINE_MAX];
    va_list ap;
    int n;

    if (level < least)
        return;
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    put_line(level, "corral", text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void log_rationed(struct log_ration *ration, enum log_level level, const char *fmt, ...)
{
    int64_t now_ms = clock_now_ms();
    char text[2048];
    va_list ap;

    if (ration->lines > 0 && now_ms - ration->start_ms >= LOG_RATION_MS) {
        if (ration->dropped > 0)
            log_write(LOG_WARN, "%u more lines like the following were left out", ration->dropped);
        *ration = (struct log_ration){0};
    }
    if (ration->lines == 0)
        ration->start_ms = now_ms;
    if (ration->lines == LOG_RATION_LINES) {
        ration->dropped++;
        return;
    }
    ration->lines++;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_write(level, "%s", text);
}

void log_plain(struct span bytes)
{
    write_or_drop(bytes.data, bytes.len);
}

void log_tenant(enum log_level level, const char *name, const char *text, size_t len)
{
    if (level >= least)
        put_line(level, name, text, len);
}

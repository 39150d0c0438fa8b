/* exposition.c - names, labels, numbers. */
#include "live/exposition.h"

#include <math.h>
#include <stdio.h>

const double EXPOSITION_BOUNDS[EXPOSITION_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                      0.1,   0.25,   0.5,   1,    5,     30};

void exposition_init(struct exposition *e, struct buf *out)
{
    *e = (struct exposition){.out = out, .name = ""};
}

static void check(struct exposition *e, int r)
{
    e->has_failed = e->has_failed || r < 0;
}

/* Backslash and newline; in labels the quote as well. */
static void put_escaped(struct exposition *e, struct buf *out, const char *text, bool is_label)
{
    for (; *text && !e->has_failed; text++) {
        if (*text == '\\' || (is_label && *text == '"'))
            check(e, buf_print(out, "\\%c", *text));
        else if (*text == '\n')
            check(e, buf_append(out, "\\n", 2));
        else
            check(e, buf_append(out, text, 1));
    }
}

void exposition_begin(struct exposition *e, const char *name, const char *type, const char *help)
{
    e->name = name;
    check(e, buf_print(e->out, "# HELP %s ", name));
    put_escaped(e, e->out, help, false);
    check(e, buf_print(e->out, "\n# TYPE %s %s\n", name, type));
}

void exposition_label(struct exposition *e, const char *name, const char *value)
{
    check(e, buf_print(&e->labels, "%s%s=\"", buf_len(&e->labels) > 0 ? "," : "", name));
    put_escaped(e, &e->labels, value, true);
    check(e, buf_append(&e->labels, "\"", 1));
}

static void put_number(struct exposition *e, double value)
{
    if (value == floor(value) && fabs(value) < 9e15)
        check(e, buf_print(e->out, " %lld\n", (long long)value));
    else
        check(e, buf_print(e->out, " %.9g\n", value));
}

/* One line; the labels stay.  le NULL: none. */
static void put_line(struct exposition *e, const char *suffix, const char *le, double value)
{
    bool has_labels = buf_len(&e->labels) > 0;

    if (e->has_failed)
        return;
    check(e, buf_print(e->out, "%s%s", e->name, suffix));
    if (has_labels || le)
        check(e, buf_print(e->out, "{%.*s", SPAN_ARG(buf_span(&e->labels))));
    if (le)
        check(e, buf_print(e->out, "%sle=\"%s\"", has_labels ? "," : "", le));
    if (has_labels || le)
        check(e, buf_append(e->out, "}", 1));
    put_number(e, value);
}

static void forget_labels(struct exposition *e)
{
    buf_eat(&e->labels, buf_len(&e->labels));
}

void exposition_value(struct exposition *e, const char *suffix, double value)
{
    put_line(e, suffix, NULL, value);
    forget_labels(e);
}

void exposition_histogram(struct exposition *e, const struct exposition_histogram *h)
{
    uint64_t below = 0;
    char le[32];

    for (int i = 0; i < EXPOSITION_BUCKETS; i++) {
        below += h->buckets[i];
        snprintf(le, sizeof le, "%g", EXPOSITION_BOUNDS[i]);
        put_line(e, "_bucket", le, (double)below);
    }
    put_line(e, "_bucket", "+Inf", (double)h->count);
    put_line(e, "_sum", NULL, (double)h->sum_us / 1e6);
    put_line(e, "_count", NULL, (double)h->count);
    forget_labels(e);
}

void histogram_add(struct exposition_histogram *h, int64_t us)
{
    if (us < 0)
        us = 0;
    h->count++;
    h->sum_us += (uint64_t)us;
    for (int i = 0; i < EXPOSITION_BUCKETS; i++)
        if ((double)us <= EXPOSITION_BOUNDS[i] * 1e6) {
            h->buckets[i]++;
            return;
        }
}

int exposition_end(struct exposition *e)
{
    buf_done(&e->labels);
    return e->has_failed ? ERR_NOMEM : 0;
}

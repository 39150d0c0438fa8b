/* d1_ask.c - how many tables a database has, and how large it is, in its store's words.
 *
 * One that was never used has no file yet, and gets none for a question. */
#include <stdlib.h>
#include <string.h>

#include "cli/d1.h"
#include "cli/d1_caller.h"
#include "row/row.h"

struct ask {
    struct d1_facts facts;
    bool is_told;
    struct buf body; /* an error's record */
};

static int64_t number_of(struct span text)
{
    char digits[24] = "";

    if (text.len < sizeof digits)
        memcpy(digits, text.data, text.len);
    return strtoll(digits, NULL, 10);
}

static int take_head(void *self, const struct reply *reply, struct err *err)
{
    struct ask *a = self;
    struct span name, value;
    size_t at = 0;

    (void)err;
    while (pairs_next(&reply->results, &at, &name, &value)) {
        if (span_is(name, "size"))
            a->facts.size_bytes = number_of(value);
        if (span_is(name, "tables"))
            a->facts.tables = number_of(value);
        a->is_told = true;
    }
    return 0;
}

static int take_body(void *self, struct span bytes, struct err *err)
{
    struct ask *a = self;

    if (buf_len(&a->body) + bytes.len > ROW_RECORD_MAX)
        return err_set(err, ERR_LIMIT, "the database's process says too much");
    return buf_append(&a->body, bytes.data, bytes.len) < 0 ? err_nomem(err) : 0;
}

static int why_not(const struct ask *a, struct err *err)
{
    struct row_error error = {.text = SPAN("no answer")};
    enum row_record type;
    struct span inside;
    size_t used;

    if (row_next(buf_span(&a->body), &type, &inside, &used) == 1 && type == ROW_RECORD_ERROR &&
        row_get_error(inside, &error) < 0)
        error.text = SPAN("no answer");
    return err_set(err, ERR_SYSTEM, "%.*s", SPAN_ARG(error.text));
}

int d1_ask(const struct database *d, struct d1_facts *ret, struct err *err)
{
    struct ask a = {.is_told = false};
    const struct d1_errand errand = {.folder = d->folder,
                                     .method = "info",
                                     .file = -1,
                                     .text = {"", 0},
                                     .head = take_head,
                                     .take = take_body,
                                     .self = &a};
    struct d1_caller *caller;
    int r;

    *ret = (struct d1_facts){0};
    if (d->size_bytes == 0)
        return 0;
    r = d1_caller_open(&caller, err);
    if (r < 0)
        return r;
    r = d1_caller_run(caller, &errand, err);
    d1_caller_close(caller);
    if (r == 0 && !a.is_told)
        r = why_not(&a, err);
    if (r < 0)
        err_wrap(err, "look into the database '%s'", d->name);
    if (r == 0)
        *ret = a.facts;
    buf_done(&a.body);
    return r;
}

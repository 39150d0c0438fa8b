/* facts.c - three results of a reply, or the record that says why there are none. */
#include "keeper/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "row/row.h"

void facts_done(struct facts *facts)
{
    buf_done(&facts->body);
    *facts = (struct facts){0};
}

static int64_t number_of(struct span text)
{
    char digits[24] = "";

    if (text.len < sizeof digits)
        memcpy(digits, text.data, text.len);
    return strtoll(digits, NULL, 10);
}

int facts_take_head(struct facts *facts, const struct reply *reply, struct err *err)
{
    struct span name, value;
    size_t at = 0;

    (void)err;
    while (pairs_next(&reply->results, &at, &name, &value)) {
        if (span_is(name, "size"))
            facts->size_bytes = number_of(value);
        if (span_is(name, "tables"))
            facts->tables = number_of(value);
        if (span_is(name, "bookmark") && value.len < FACTS_BOOKMARK)
            snprintf(facts->bookmark, sizeof facts->bookmark, "%.*s", SPAN_ARG(value));
        facts->is_told = true;
    }
    return 0;
}

int facts_take_body(struct facts *facts, struct span bytes, struct err *err)
{
    if (buf_len(&facts->body) + bytes.len > ROW_RECORD_MAX)
        return err_set(err, ERR_LIMIT, "the database's process says too much");
    return buf_append(&facts->body, bytes.data, bytes.len) < 0 ? err_nomem(err) : 0;
}

int facts_check(const struct facts *facts, struct err *err)
{
    struct row_error error = {.text = SPAN("no answer")};
    enum row_record type;
    struct span inside;
    size_t used;

    if (facts->is_told)
        return 0;
    if (row_next(buf_span(&facts->body), &type, &inside, &used) == 1 && type == ROW_RECORD_ERROR &&
        row_get_error(inside, &error) < 0)
        error.text = SPAN("no answer");
    return err_set(err, ERR_SYSTEM, "%.*s", SPAN_ARG(error.text));
}

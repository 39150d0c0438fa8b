/* d1_ask.c - how many tables a database has, and how large it is, in its store's words.
 *
 * One that was never used has no file yet, and gets none for a question. */
#include "cli/d1.h"
#include "cli/d1_caller.h"
#include "keeper/facts.h"

static int take_head(void *self, const struct reply *reply, struct err *err)
{
    return facts_take_head(self, reply, err);
}

static int take_body(void *self, struct span bytes, struct err *err)
{
    return facts_take_body(self, bytes, err);
}

int d1_ask(const struct database *d, struct d1_facts *ret, struct err *err)
{
    struct facts facts = {0};
    const struct d1_errand errand = {.folder = d->folder,
                                     .method = "info",
                                     .file = -1,
                                     .text = {"", 0},
                                     .head = take_head,
                                     .take = take_body,
                                     .self = &facts};
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
    if (r == 0)
        r = facts_check(&facts, err);
    if (r < 0)
        err_wrap(err, "look into the database '%s'", d->name);
    else
        *ret = (struct d1_facts){facts.size_bytes, facts.tables};
    facts_done(&facts);
    return r;
}

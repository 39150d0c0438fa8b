/* strand.h - stacks that wait: threads of which exactly one runs at a time.
 *
 * A Python frame that calls run_sync must keep its stack while other requests
 * go on, and the engine's collector wants real stacks of real threads.  So the
 * frame keeps its thread, and the loop goes to another one.
 *
 * The threads that take turns are strands.  One of them has the baton: it runs,
 * the others wait for it in a switch of this file.  Whoever resumes a strand
 * waits until that one waits itself or has unwound, so each step of a strand
 * stands on top of the loop's turn that caused it, and strands that wait may go
 * on in any order.
 *
 *   loop on A: a frame waits -> B takes the loop over -> B resumes A -> A's
 *   frame returns, A unwinds out of the loop, which is not A's any more -> B
 *   goes on; when the first thread is free again, it gets the loop back
 *
 * Thread: as said.  Everything but strand_here and strand_self wants the baton. */
#ifndef CORRAL_REALM_STRAND_H
#define CORRAL_REALM_STRAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "realm/realm.h"

enum {
    STRAND_WAITING_MAX = REALM_WAITING_MAX,
    STRAND_FREE_MAX = 4, /* threads that are kept for the next ones */
    STRAND_STACK_BYTES = REALM_THREAD_STACK,
};

struct strand;

/* What must surround its work when it gets the loop, and before others have it: on that thread, with
 * the baton.  The first strand begins without. */
struct strand_hooks {
    void (*begin)(void);
    void (*end)(void);
};

/* The calling thread is the first strand, and runs. */
void strand_open(const struct strand_hooks *hooks);

/* This thread is a strand; so, when it runs code of either language, it has the baton. */
extern _Thread_local struct strand *strand_self;
static inline bool strand_here(void)
{
    return strand_self != NULL;
}

/* Run the loop for ever, on the first strand and, while that one waits, on others.  loop returns
 * when strand_has_loop() says no, which it asks whenever something may have waited. */
void strand_serve(void (*loop)(void *argument), void *argument) __attribute__((noreturn));
bool strand_is_serving(void);
bool strand_has_loop(void);
bool strand_has_waiting(void); /* some strand waits */

/* Give the baton away until strand_resume.  ERR_LIMIT: STRAND_WAITING_MAX wait already;
 * ERR_NOMEM: there is no thread to go on with.  Not before strand_serve. */
int strand_wait(struct err *err) MUST_CHECK;
/* Let a strand that waits go on; returns when it waits again or has unwound. */
void strand_resume(struct strand *strand);

#endif

/* obituary.h - say how a process ended, once both halves of the news are there.
 *
 * That a process is gone is known at once (its pidfd); why is told by its
 * parent (EXITED), a moment before or behind.  The numbers in EXITED are the
 * word of a process that may lie: they choose the words of a log line, nothing
 * else.  Plain data, embedded; loop thread only. */
#ifndef CORRAL_HERD_OBITUARY_H
#define CORRAL_HERD_OBITUARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "wire/message.h"

enum { OBITUARIES_MAX = 8, OBITUARY_WAIT_MS = 500 };

struct obituary {
    const char *what;           /* static: "an instance"; NULL: free */
    pid_t pid;
    uint32_t pid_hint;          /* as its parent calls it; 0: never told */
    int64_t since_ms;
};

struct obituaries {
    const char *name;           /* of the worker; the owner's */
    struct obituary open[OBITUARIES_MAX];
    struct exited early[OBITUARIES_MAX];    /* news of processes that we think alive */
    unsigned early_next;
    struct log_ration said;
};

void obituary_add(struct obituaries *o, const char *what, pid_t pid, uint32_t pid_hint,
                  int64_t now_ms);
void obituary_exited(struct obituaries *o, const struct exited *exited);
/* Log what has waited long enough; returns when to come again, INT64_MAX: never. */
int64_t obituary_tick(struct obituaries *o, int64_t now_ms);

/* "was ended by SIGSEGV" or "ended with status 1". */
void obituary_words(uint32_t status, char *room, size_t size);

#endif

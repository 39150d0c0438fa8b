/* weight.h - what a process holds of the machine's memory, as the kernel tells it.
 *
 * RLIMIT_AS bounds addresses, not memory: the engines reserve gigabytes, which
 * code that means harm can put to its own use.  So the memory itself is looked
 * at, in two steps.  The quick one (statm, some 2 us) sees private pages.  The
 * whole one sees what hides from that: files without a name that are open or
 * only mapped (pages of those may be mapped nowhere), page tables, what was
 * swapped out.  It costs some 30 us, and ten times as much when it has to go through the map of
 * addresses; so its next turn comes when the process has computed two hundred times as long: nobody fills memory
 * without, and what all looks cost together is half a percent of what is looked at.  Who hides memory already is looked
 * at sooner, the less is left; who has computed less than that, but at all, four times a second: threads and descriptors
 * cost nearly nothing.
 *
 * How soon to look again is a question of what is left: a process that may
 * take 400 MiB more needs some time for that, however it goes about it.
 *
 * Embedded: zeroes, weight_done.  Times are clock_now_ms. */
#ifndef CORRAL_LOOP_WEIGHT_H
#define CORRAL_LOOP_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    WEIGHT_FIRST_MS = 5,   /* between two looks at least, ... */
    WEIGHT_LAST_MS = 100,  /* ... and at most, while it works */
    WEIGHT_WHOLE_US = 10000,    /* of its processor time between two whole looks at least, ... */
    WEIGHT_NEAR_US = 2000,      /* ... and when little is left of what it may hide */
    WEIGHT_SELDOM_MS = 250,     /* between two whole looks at who computes less ... */
    WEIGHT_SELDOM_US = 500,     /* ... but more than this: a PONG and the like fill nothing */
    WEIGHT_RATE = 8 << 20, /* bytes per millisecond: nobody fills memory faster */
};

struct weight {
    int statm_fd; /* 0: not open */
    pid_t pid;
    int64_t base_bytes;       /* what it had when it began */
    int64_t private_bytes;    /* at the last quick look */
    int64_t hidden_bytes;     /* at the last whole one */
    int64_t peak_bytes;       /* the most that weight_bytes ever was */
    unsigned threads;         /* likewise; 0: not known */
    unsigned files;           /* descriptors, likewise */
    int64_t due_ms;             /* the next look, ... */
    int64_t mapped_bytes, maps_us;  /* shared memory that is only mapped; when to look for it again */
    int64_t whole_us;           /* ... and the clock of the process at the next whole one, ... */
    int64_t seldom_us, seldom_ms;   /* ... and at the last; when to look if it has moved at all */
    bool maps;                /* it has shared memory: somebody must read the map */
};

/* From now on: what it has now is its base. */
void weight_begin(struct weight *w, pid_t pid, int64_t now_ms);
void weight_done(struct weight *w);
/* Look, and say when to look again (due_ms): limit_bytes, 0 for none, is what it may hold above its base;
 * clock_us the processor time that it has used. */
void weight_look(struct weight *w, int64_t now_ms, int64_t clock_us, int64_t limit_bytes);
/* What it holds above its base. */
int64_t weight_bytes(const struct weight *w);

#endif

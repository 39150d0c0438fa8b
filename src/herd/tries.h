/* tries.h - whose doing is it that a version does not load: its code's, or this node's?
 *
 * A template that ends while it loads may have crashed over what it loads; or it went with its
 * zygote, or by a SIGKILL, which nothing in it can send: then the code has done nothing, and
 * whoever uploaded it need not look for the reason there.  Both are tried again, and both have an
 * end.
 *
 * What has come to it is known a moment later than that it has ended (the zygote's own end,
 * EXITED), so it is judged when the next template may start.  The word of the zygote alone counts:
 * what a template says of itself chooses nothing here.
 *
 * Embedded, plain data; loop thread only. */
#ifndef CORRAL_HERD_TRIES_H
#define CORRAL_HERD_TRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRIES_CODE = 3, /* templates in a row that end while they load */
    TRIES_NODE = 5, /* ... that end by what is none of the code's doing */
};

struct tries {
    unsigned by_code, by_node; /* since the last load */
    unsigned round;            /* zygote.round, when the last template was ordered */
    uint32_t pid_hint;         /* as the zygote calls it; 0: it has not said */
    uint32_t status;           /* of wait(2), of that one */
    bool has_status;
    enum tries_end {
        TRIES_JUDGED, /* or it lives */
        TRIES_IDLE,   /* it ended before it had any code, or never began */
        TRIES_DIED,   /* it ended by itself while it loaded */
        TRIES_LIED,   /* it broke the protocol while it loaded, and was ended for that */
    } end;
};

enum tries_verdict { TRIES_GO_ON, TRIES_CODE_FAILS, TRIES_NODE_FAILS };

/* A template is ordered. */
void tries_begin(struct tries *tries, unsigned round);
/* What its zygote calls it, and how that one has ended. */
void tries_spawned(struct tries *tries, uint32_t pid);
void tries_exited(struct tries *tries, uint32_t pid, uint32_t status);
void tries_ended(struct tries *tries, enum tries_end how);
/* Now that its zygote is up, in this round: may there be another one? */
enum tries_verdict tries_judge(struct tries *tries, unsigned round);
/* In words, behind a verdict that says no. */
void tries_words(const struct tries *tries, const char *name, char *room, size_t size);
void tries_reset(struct tries *tries);

#endif

/* strays.h - processes below another one that nobody knows: what top-level code has forked.
 *
 * A template may fork, since that is how instances are made, so its tenant's
 * code may, too.  Nobody calls those processes, and they end with the template at
 * the latest; but each one has memory and descriptors of its own, and a thousand
 * of them have a machine's.  So they are counted, and weighed as weight.h does:
 * above what the template itself has, which they share with it.
 *
 * By /proc: a kernel without CONFIG_PROC_CHILDREN shows none.  What a child of theirs leaves
 * behind becomes a child of the template where that is the first process of a pid namespace, else of the
 * zygote, which is a subreaper: there it is known by its process group, the template's. */
#ifndef CORRAL_LOOP_STRAYS_H
#define CORRAL_LOOP_STRAYS_H

#include <stdbool.h>

#include "loop/weight.h"

enum {
    STRAYS_MAX = 16
}; /* that are looked at.  Programs that libraries try to start live shorter */

struct strays {
    unsigned count; /* more than STRAYS_MAX: nobody looked further */
    int64_t bytes;
};

/* Below the one that `top` has looked at, and those of its group that `keeper` has; 0: nobody.  is_known:
 * those that are somebody, whom others look after. */
void strays_look(const struct weight *top, pid_t keeper,
                 bool (*is_known)(const void *self, pid_t pid), const void *self,
                 struct strays *ret);

#endif

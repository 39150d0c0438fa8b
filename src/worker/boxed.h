/* boxed.h - how a template gets into its box: two forks, then the layers in their order.
 *
 *   zygote    boxed_fork: makes A, waits until A is gone and B is its child
 *   A         makes the namespaces, forks B into them, ends
 *   B         boxed_enter: tree, rights, tie to the zygote, Landlock; then it is the template
 *
 * Without a pid namespace A is the template.  Plain C, engines asleep, one thread. */
#ifndef CORRAL_WORKER_BOXED_H
#define CORRAL_WORKER_BOXED_H

#include "worker/worker.h"

/* Zygote, before its engines go to sleep: what every template may read of the system. */
int boxed_prepare(struct worker_box *box, struct err *err) MUST_CHECK;
/* As fork(); errno says what failed.  Returns only in the zygote and in the template, which says
 * what went wrong on its way by boxed_enter. */
pid_t boxed_fork(struct heritage *heritage);
/* Template, before it reads a tenant's byte: all but the filter.  paths: of the order.  Also after
 * an error the process is tied to its zygote, and may say so. */
int boxed_enter(struct heritage *heritage, struct span paths, struct err *err) MUST_CHECK;

#endif

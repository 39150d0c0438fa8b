/* helper.h - run a program of ours that gets a text, answers on its standard output, and ends.
 *
 * The text goes in as an unnamed file (memfd), so nothing has to be written while the answer is
 * read; the answer comes through a pipe, watched with poll, a deadline and a flag.  The program
 * leads a process group of its own: the whole group is killed when it is late, says what
 * `output` refuses, or is cancelled, and what a program that has ended left in it is killed too.
 * It is reaped in any case.  Its standard error is ours, unless takes_words says otherwise.
 *
 * Errors: ERR_SYSTEM: it cannot be started, or a signal ended it; ERR_LIMIT: no end within
 * timeout_ms; ERR_CANCELLED; what `output` returned.  Synchronous.  Thread: any. */
#ifndef CORRAL_BASE_HELPER_H
#define CORRAL_BASE_HELPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct helper {
    const char *what;        /* "the TOML helper", for errors */
    const char *const *argv; /* ends with NULL; argv[0] is the path of the program */
    const char *const *envp; /* likewise; all that it sees */
    const char *folder;      /* where it runs; NULL: where we do */
    struct span input;
    int64_t timeout_ms;
    const atomic_bool *is_cancelled; /* NULL: never */
    /* Bytes of the answer, as they come.  Negative, with err filled, ends it. */
    int (*output)(void *self, struct span bytes, struct err *err);
    void *self;
    bool takes_words; /* what it says on its standard error is answer, too */
    int *ret_exit;    /* its exit status; NULL: nobody asks */
    int *ret_signal;  /* what it died of, which is no error then; 0: nothing.  NULL: nobody asks */
};

int helper_run(const struct helper *helper, struct err *err) MUST_CHECK;

/* Before _exit, when another thread may be in helper_run: kills every helper with its group, and from
 * then on helper_run starts none (ERR_CANCELLED).  Any thread, and handlers of signals. */
void helper_end_all(void);
/* Once, at the start: a signal that ends the program (SIGINT, SIGTERM, SIGHUP, SIGQUIT) does so behind
 * helper_end_all, unless somebody ignores or catches it. */
void helper_end_with_us(void);

/* The box that our programs have to enter, for their command lines: "--box=LAYERS", as box/tier.h
 * names them.  helper_use_box is told once, at the start of a command, before there are threads;
 * until then it is "--box=seccomp", which every machine has. */
void helper_use_box(const char *layers);
const char *helper_box(void);
bool helper_has_box(void);

#endif

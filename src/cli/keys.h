/* keys.h - single keys of the terminal that we were started from.
 *
 * While they are open, the terminal gives each key at once and shows none; its
 * signals (Ctrl-C, Ctrl-Z) stay as they are.  The terminal has its old mode again
 * whenever the program is not there to use it: after keys_close, after exit, after
 * a signal that kills, and while it is stopped or in the background.
 *
 * One of them per process.  Loop thread only, but for keys_restore. */
#ifndef CORRAL_CLI_KEYS_H
#define CORRAL_CLI_KEYS_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

/* Is somebody there: are both stdin and stderr a terminal? */
bool keys_are_there(void);
/* pressed(self, key) for every byte that is typed.  ERR_SYSTEM. */
int keys_open(uv_loop_t *loop, void (*pressed)(void *self, char key), void *self,
              struct err *err) MUST_CHECK;
/* Does nothing when they are not open. */
void keys_close(void);
/* Before _exit: as keys_close, but only for the terminal.  Safe in signal handlers. */
void keys_restore(void);

#endif

/* process.h - the process of a store: for store.c.
 *
 * process_start takes it from RESTING to STARTING; from there on the process
 * moves its store by itself: UP with HELLO, ENDING when it ends, RESTING when
 * all of it is gone.  Loop thread only. */
#ifndef CORRAL_KEEPER_PROCESS_H
#define CORRAL_KEEPER_PROCESS_H

#include "keeper/store.h"

/* With a place of the keeper.  What goes wrong is told to the calls. */
void process_start(struct store *store, int64_t now_ms);
/* What calls hear that it had when it ended so. */
const char *process_obituary(enum kin_end how, bool is_stuck);

#endif

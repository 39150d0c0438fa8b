/* store.h - corral-store: the process that has one database open.
 *
 * Started by the node (keeper/), which is the only one that speaks to it: over
 * descriptor 3, in the wire's frames as keeper/keeper.h describes them.  It
 * opens the database's files, makes its threads, enters its box and only then
 * reads what the node sends; from there on no way leads to another file. */
#ifndef CORRAL_STORE_STORE_H
#define CORRAL_STORE_STORE_H

#include <stdint.h>

#include "base/err.h"
#include "store/engine.h"

struct store_options {
    const char *folder;
    enum engine_sync sync;
    uint64_t size_max_bytes;    /* 0: the engine's own */
    int64_t query_ms;           /* longest that one call may run */
    unsigned box_layers;        /* what it must enter: box/tier.h */
    unsigned uid;               /* BOX_UID: who it becomes; 0: it stays who it is, without his rights */
};

/* FOLDER --sync=normal|full --size-max=BYTES --query-ms=MS --box=LAYERS --uid=N, in any order.  ERR_INVALID says what
 * is wrong. */
int store_options_parse(int argc, char **argv, struct store_options *ret,
                        struct err *err) MUST_CHECK;

/* Serves until the node closes the socket.  What goes wrong at the start is sent as FAILED. */
_Noreturn void store_main(const struct store_options *options, int control_fd);

#endif

/* bridge.h - the life of the bridge between Python and JavaScript; value.h is its use.
 *
 * Thread: the main one. */
#ifndef CORRAL_REALM_BRIDGE_BRIDGE_H
#define CORRAL_REALM_BRIDGE_BRIDGE_H

#include "base/err.h"

void bridge_define(void);                       /* natives, before engine_boot */
int bridge_open(struct err *err) MUST_CHECK;    /* types and `js`, after both engines run */
void bridge_turn(void);                         /* give back what collectors let go */

#endif

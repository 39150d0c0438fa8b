/* launch.h - run a program that is not ours in a box of its own:
 *
 *     corral-worker confine --box=LAYERS [--uid=N] [--read=PATH ...] [--write=FOLDER ...]
 *                           [--memory=BYTES] [--file=BYTES] -- PROGRAM ARGUMENTS
 *
 * For bundlers, which read what strangers have uploaded: BOX_TOOL of confine.h.  The program, the
 * libraries of the system and what --read names can be read and run, what --write names be changed;
 * there is no network and no process beside it; with --uid it is this user's (box_walls.uid).  It is bounded in memory, processor time and the
 * size of files, which --memory and --file make smaller, and gives way to others; how long it may take is for whoever starts it, and so are its environment and its
 * descriptors. */
#ifndef CORRAL_BOX_LAUNCH_H
#define CORRAL_BOX_LAUNCH_H

#include "base/err.h"

/* `arguments`: those behind "confine".  Returns when it cannot: ERR_INVALID, an argument;
 * ERR_SYSTEM, a layer that cannot be entered, or a program that cannot be run. */
int box_launch(char **arguments, struct err *err) MUST_CHECK;

#endif

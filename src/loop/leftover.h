/* leftover.h - processes of workers whose zygote is no more: end them.
 *
 * Where there is no pid namespace, what top-level code has forked outlives template and zygote.  All
 * of it is of the zygote's session, which is led by the zygote and which no worker can leave; and all that
 * should be there dies with the zygote by itself.  So whoever runs corral-worker in a session whose leader is
 * gone is left over, of this node or of one that was killed before it.  The whole process group is told at
 * once, so nobody gets away by forking on and on.
 *
 * Reads /proc eight times and more, some 4 us for each process of the machine: for the moment in which a zygote has ended, and
 * for the start of a node.  Only what this process may look at and signal. */
#ifndef CORRAL_LOOP_LEFTOVER_H
#define CORRAL_LOOP_LEFTOVER_H

/* program: corral-worker's absolute path.  Returns how many processes were told to end. */
unsigned leftover_end(const char *program);

#endif

/* stacks.h - addresses set aside for the stacks of threads.
 *
 * RLIMIT_AS counts addresses, and the stacks of all threads that there may be
 * are many of them, though hardly any memory.  They are set aside before the limit is
 * taken, and given back one by one when a thread is about to begin: so what
 * the limit leaves is for the worker's data alone, and ends in a MemoryError.
 *
 * Thread: whoever has the GIL. */
#ifndef CORRAL_REALM_STACKS_H
#define CORRAL_REALM_STACKS_H

/* In the zygote. */
void stacks_reserve(void);
/* A thread is about to be made. */
void stacks_make_room(void);

#endif

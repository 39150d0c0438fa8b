/* box.h - what a process that runs tenant code may still ask of the kernel.
 *
 * Workers have two stages.  A template enters the first before it reads a tenant byte: it
 * may fork, ask whether it is single-threaded, and receive descriptors.  An
 * instance stacks the second on top: threads only, no new sockets, no exec, no
 * writing to files, memory bounded.  There is no way back from either.
 * Both filters are made once, in the zygote, because making one costs
 * milliseconds and installing one costs microseconds.
 *
 * A store has one stage, the strictest: it reads and writes the descriptors
 * that it has, and can get no other; no thread is made any more.
 *
 * The layers around these filters are in layers.h, what a machine gives of them in
 * tier.h.  Thread: main thread, single-threaded process. */
#ifndef CORRAL_BOX_BOX_H
#define CORRAL_BOX_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct sock_filter;

/* BOX_TEMPLATE_ALONE: where nothing else keeps signals in (box_keeps_signals), of those that can
 * be sent to others SIGUSR1 alone is left. */
enum box_stage { BOX_TEMPLATE, BOX_TEMPLATE_ALONE, BOX_INSTANCE, BOX_STORE, BOX_READER, BOX_TOOL, BOX_PACKAGER };

struct box_filter {
    struct sock_filter *code;   /* NULL: none */
    unsigned short len;         /* instructions */
};

/* Compile the filter of a stage.  ERR_SYSTEM when libseccomp refuses. */
int box_filter_init(struct box_filter *f, enum box_stage stage, struct err *err) MUST_CHECK;
void box_filter_done(struct box_filter *f);
/* Sets no_new_privs and installs the filter for every thread of this process,
 * for ever.  A tenant's forbidden call then fails with EPERM, EROFS or ENOSYS. */
int box_filter_enter(const struct box_filter *f, struct err *err) MUST_CHECK;

/* Die with the parent: SIGKILL when `parent` ends, at once if it has already. */
int box_tie_to_parent(pid_t parent, struct err *err) MUST_CHECK;

/* Close every descriptor from `first` on. */
void box_close_from(int first);

/* So many threads and processes at most: of all that have this user id, or share this user namespace.
 * 0: as it is. */
int box_limit_threads(unsigned max, struct err *err) MUST_CHECK;
struct box_limits {
    uint64_t vm_bytes;          /* of address space; 0: as it is */
    uint64_t file_bytes;        /* of one file that it writes, which are memfds: at most BOX_FILE_BYTES; 0: those */
    unsigned descriptors;       /* at most BOX_NOFILE; 0: those */
};
/* These, no core files, no locked memory and the like. */
int box_limit(const struct box_limits *limits, struct err *err) MUST_CHECK;

/* True when this process has exactly one thread.  Asks unshare(CLONE_THREAD),
 * which needs no /proc (unshare(2): EINVAL when multithreaded).  Containers refuse
 * unshare: there it reads /proc/self/stat, which the first call of a process
 * opens, so that has to come while /proc can be read. */
bool box_is_single_threaded(void);
/* A child that will not ask closes what its parent had open for that. */
void box_forget_threads(void);

#endif

/* worker.h - the three generations of corral-worker.
 *
 *   zygote_main     started by exec; forks templates
 *   template_main   forked for one version of one worker; forks instances
 *   instance_main   forked for serving; never forks
 *
 * None of them returns: each ends its process.  The protocol is in
 * wire/frame.h; what the processes may do is in box/box.h. */
#ifndef CORRAL_WORKER_WORKER_H
#define CORRAL_WORKER_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "box/box.h"
#include "realm/realm.h"

/* What a generation hands to the next across the fork. */
struct heritage {
    struct realm *realm;
    struct host host;           /* the realm's way out: each generation fills it anew */
    struct box_filter template_filter;
    struct box_filter instance_filter;
    pid_t parent;               /* the process that forked */
};

/* control_fd: stream socket to the node. */
_Noreturn void zygote_main(int control_fd);
/* Takes both descriptors: stream socket to the node, write end of the output pipe. */
_Noreturn void template_main(struct heritage *heritage, int take_control_fd, int take_output_fd);
/* vm_bytes: limit of the address space, 0: none.  socket_fd: stream socket to the node. */
_Noreturn void instance_main(struct heritage *heritage, int take_socket_fd, uint64_t vm_bytes);

/* The host table of the zygote: logs to descriptor 2, serves nothing. */
extern const struct host WORKER_SILENT_HOST;

#endif

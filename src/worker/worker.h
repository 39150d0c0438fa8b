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
#include "box/tier.h"
#include "realm/realm.h"

/* The arguments behind `corral-worker zygote`: --box=LAYERS, what the processes of workers must enter,
 * and --uid=N, whose they are with BOX_UID.  ERR_INVALID. */
struct worker_box {
    unsigned layers;
    unsigned uid;
    bool is_watched;            /* the node can look into processes that are not dumpable */
    char **paths;               /* what they may read: boxed.h */
    size_t path_count;
};
int worker_box_parse(char **arguments, struct worker_box *ret, struct err *err) MUST_CHECK;

/* What a generation hands to the next across the fork. */
struct heritage {
    struct realm *realm;
    struct host host;           /* the realm's way out: each generation fills it anew */
    struct box_filter template_filter;
    struct box_filter instance_filter;
    pid_t parent;               /* the process that forked */
    struct worker_box box;
    int tie_fd, proc_fd;        /* of a template on its way into its box: boxed.c */
    bool is_user_made;          /* in a user namespace already */
    struct err box_err;         /* what failed before it could be said */
};

/* control_fd: stream socket to the node. */
_Noreturn void zygote_main(int control_fd, const struct worker_box *box);
/* Takes both descriptors: stream socket to the node, write end of the output pipe.  paths: of the
 * order that it was made for. */
_Noreturn void template_main(struct heritage *heritage, int take_control_fd, int take_output_fd,
                             struct span paths);
/* socket_fd: stream socket to the node.  word_fd: memory that it shares with the node (witness.h
 * there), when its requests have a limit of processor time, else -1. */
_Noreturn void instance_main(struct heritage *heritage, int take_socket_fd,
                             const struct box_limits *limits, int take_word_fd);

/* The host table of the zygote: logs to descriptor 2, serves nothing. */
extern const struct host WORKER_SILENT_HOST;

#endif

/* layers.h - the layers of the box behind tier.h, each entered by one call.
 *
 * In this order, in a process with one thread (the order is forced: each step
 * takes away what the one before it needed):
 *
 *   box_namespaces_enter   then fork: only children are in the new pid namespace
 *   box_tree_enter         the file system
 *   box_rights_give_up     user id, user namespace, capabilities
 *   box_landlock_enter     files by list once more, no TCP, no signals out
 *   box_filter_enter       (box.h) system calls
 *
 * What a set of layers names is done or fails; there is no weaker way.  Who may
 * make namespaces as he is does so and gives up his rights afterwards; anybody
 * else makes a user namespace first, which is the one that holds him.
 *
 * Errors: ERR_SYSTEM; the text names the layer. */
#ifndef CORRAL_BOX_LAYERS_H
#define CORRAL_BOX_LAYERS_H

#include "box/tier.h"

enum {
    BOX_PATHS_MAX = 512,   /* files and folders that a tree may have */
    BOX_PLAIN = '=',       /* before a path: no symbolic link may be on its way, now or later */
    BOX_OWNERS_MAX = 4,    /* whose those are that a program is to see as its own */
    BOX_INSIDE_UID = 1000, /* who one is inside a user namespace, and in the tree's /etc/passwd */
};

/* What a process of the box may read: absolute paths of files and folders.  Those that do
 * not exist are left out. */
struct box_paths {
    const char *const *list;
    size_t count;
    /* What a program beside the workers may do more: confine.h.  Workers none of it. */
    const char *const *writes; /* folders in which it may change everything, and run nothing */
    size_t write_count;
    const char *const *owns; /* read as `list` is; with `owners` its own, whosesoever they are */
    size_t own_count;
    const struct box_owners *owners; /* NULL: files are whose they are.  Needs a tree */
    bool can_run;     /* what stands in `list`; and /dev/null takes what is written to it */
    bool can_connect; /* Landlock does not stand before TCP */
};

/* User namespaces of which each says that one user's files are `uid`'s. */
struct stat;
struct box_owners {
    struct {
        unsigned uid, gid;
        int fd;
    } of[BOX_OWNERS_MAX];
    size_t count;
};

/* For `owns` and `writes`, whose file systems must be able to (Linux 5.12; not all are).  As root,
 * before box_namespaces_enter, with /proc.  ERR_SYSTEM: one cannot, or no such namespace can be
 * made; ERR_LIMIT. */
int box_owners_take(struct box_owners *ret, const struct box_paths *paths, unsigned uid,
                    struct err *err) MUST_CHECK;
void box_owners_done(struct box_owners *owners);
/* Its descriptor, borrowed, for a file; -1: none. */
int box_owners_of(const struct box_owners *owners, const struct stat *st);

/* The path behind BOX_PLAIN, or as it is. */
const char *box_path_of(const char *path, bool *ret_is_plain);
/* A descriptor (O_PATH) of an absolute path without links.  ERR_SYSTEM: there is one, or it is not there. */
int box_plain_open(const char *path, struct err *err) MUST_CHECK;

/* Of these layers those that a process can have which stays who it is: no user id of its own, and, as
 * root that may not map itself (CAP_SETFCAP, from Linux 5.12 on), no user namespace; nor, without a tree of
 * its own, in a chroot.  Forks: for processes with one thread. */
unsigned box_layers_unchanged(unsigned layers);
/* /proc, for the steps behind box_tree_enter; close it behind box_rights_give_up.  -1: there is
 * none. */
int box_proc_open(void);
/* Those of `layers` that are namespaces.  *ret_is_user: the user namespace is among them, since
 * without its rights there are no others; else it is the last one, made by box_rights_give_up. */
int box_namespaces_enter(unsigned layers, int proc_fd, bool *ret_is_user,
                         struct err *err) MUST_CHECK;
/* A root of our own: the paths, read-only at the same places, five devices, an empty /tmp. */
int box_tree_enter(const struct box_paths *paths, struct err *err) MUST_CHECK;
/* BOX_UID: what lies in a folder that is only our own may be read by others, who see it as a mount.
 * Nothing to do when the folder itself may be.  As root, before box_tree_enter. */
int box_make_readable(const char *path, struct err *err) MUST_CHECK;
/* BOX_UID: become `uid` (and the group with that number); BOX_USER (leave it out when it is
 * entered); then no capability is left, and none can be had.  no_new_privs. */
int box_rights_give_up(unsigned layers, unsigned uid, int proc_fd, struct err *err) MUST_CHECK;
/* paths: what may be read; with a tree "/" is enough. */
int box_landlock_enter(const struct box_paths *paths, struct err *err) MUST_CHECK;
/* The kernel's version of it; 0: none. */
int box_landlock_abi(void);
/* May this process look into others that are not dumpable (CAP_SYS_PTRACE)? */
bool box_may_look(void);
/* May this process make namespaces without a user namespace (CAP_SYS_ADMIN)? */
bool box_is_admin(void);

#endif

/* wheels.h - wheels that instances download, kept on the node's disk for the next one.
 *
 * Outcall to the platform, method "wheel", as "fetch" with arguments url (GET, no body), sha256 (64
 * hexadecimal digits) and origin: the address that redirects began with, else left out.  What an
 * answer 200 brings is checked: bytes of another hash make the outcall fail, at its end.  They are
 * kept in FOLDER/KEY, KEY a hash of origin and sha256, and are checked again whenever they are
 * used.
 *
 * Requests with Authorization or Cookie, or the argument private, are checked and not kept: what
 * one may see the next may not. A disk that is full or slow, or a folder that cannot be made, costs
 * the keeping alone.
 *
 * Ownership: wheels_open, wheels_close(cb) behind the last outcall.  Loop thread only; files are
 * read, written and hashed by libuv's threads. */
#ifndef CORRAL_SERVICE_WHEELS_H
#define CORRAL_SERVICE_WHEELS_H

#include "service/egress.h"

enum {
    WHEELS_ONE_MAX = 512 << 20,     /* bytes of one: longer ones fail */
    WHEELS_UNWRITTEN_MAX = 8 << 20, /* bytes that may wait for the disk; more: not kept */
};
#define WHEELS_ALL_MAX ((int64_t)2 << 30) /* bytes of all; the least recently used go */

struct wheels;

/* folder: copied, made when the first wheel comes; NULL: nothing is kept.  all_max: 0:
 * WHEELS_ALL_MAX. */
int wheels_open(uv_loop_t *loop, const char *folder, int64_t all_max, struct wheels **ret_wheels,
                struct err *err) MUST_CHECK;
void wheels_close(struct wheels *wheels, void (*closed)(void *self), void *self);
/* outlets: whose call it is. */
void wheels_call(struct wheels *wheels, struct egress *egress, const struct outlets *outlets,
                 struct outcall *outcall, const struct outcall_head *head, bool is_end);

#endif

/* lane.h - what one account has of the way out: a libcurl multi handle of its own, and its share.
 *
 * Connections that are kept for the next request, looked-up names and sessions of TLS belong to one
 * account alone: nobody's request goes over another's connection, or can tell that there is one.
 *
 * A lane is there from the first fetch of its account until it has been idle for a while.  Inside
 * of egress.c; loop thread only. */
#ifndef CORRAL_SERVICE_LANE_H
#define CORRAL_SERVICE_LANE_H

#include "service/egress.h"

enum {
    LANE_IDLE_MS = 60 * 1000,
    LANE_CONNECTIONS_MAX = 128, /* kept for the next request, of a lane that is alone */
    LANE_CONNECTIONS_MIN = 8,   /* of one among many */
    LANE_LOST_MS =
        30 * 1000, /* a name that nobody waits for any more may be looked up for so long */
};

struct lane {
    struct ring ring; /* egress->lanes */
    struct egress *egress;
    char *account; /* "": there is but one */
    CURLM *multi;
    uv_timer_t timer; /* libcurl's */
    unsigned handles; /* of libuv, not closed yet */
    bool is_closing;
    bool has_hung_up;   /* some transfer has */
    struct ring askers; /* struct berth_asker */
    unsigned open;      /* transfers that libcurl has */
    unsigned waiting;   /* those that wait for berth_turn */
    unsigned lost;      /* names that are looked up for nobody, at most */
    int64_t lost_ms;    /* when the last one became so */
    int64_t used_ms;
    unsigned barred;   /* connections that it was not allowed */
    int64_t barred_ms; /* when that was said last */
};

/* account: NULL is "".  ERR_NOMEM, ERR_SYSTEM. */
int lane_need(struct egress *egress, const char *account, struct lane **ret,
              struct err *err) MUST_CHECK;
/* Without transfers. */
void lane_close(struct lane *lane);
/* Close those that are idle, forget what is lost. */
void lane_look(struct egress *egress, int64_t now_ms);

#endif

/* transfer.h - one fetch: an outcall on one side, a libcurl easy handle on the other.
 *
 * One that asks for a WebSocket (head.is_upgrade) sends nothing before its 101.  Behind it what
 * comes is the reply's body up to the end of the connection; libcurl, which waits for more to send,
 * does not say when that has come, but stops to watch the socket: transfer_unwatched,
 * transfer_hang_up.
 *
 * Inside of egress.c.  A transfer ends by transfer_ended (libcurl is through),
 * by the outcall's `gone`, by transfer_look (silence), or by transfer_free. */
#ifndef CORRAL_SERVICE_TRANSFER_H
#define CORRAL_SERVICE_TRANSFER_H

#include "service/egress.h"
#include "service/replyhead.h"

enum {
    TRANSFER_CHUNK = FRAME_BODY_MAX, /* bytes that libcurl gives at once, at most */
    TRANSFER_NARROW = 16 * 1024,     /* the same of one beside many: EGRESS_WIDE_MAX */
    TRANSFER_KEEP = 64 * 1024,       /* bytes of a request's body kept for the case that a
                                        connection from the pool turns out to be dead */
    TRANSFER_REPEATS_MAX = 5, /* such connections that one request may meet, as libcurl's own */
};

/* Who looks at the bytes on their way to the instance.  All but `gone`, the last, may refuse: the
 * transfer fails then, in those words. */
struct transfer_tap {
    int (*head)(void *self, uint32_t status, int64_t length, struct err *err); /* length: or -1 */
    int (*data)(void *self, struct span bytes, struct err *err);
    int (*end)(void *self, struct err *err); /* it is whole */
    void (*gone)(void *self);
};

struct transfer {
    const struct transfer_tap *tap; /* or NULL */
    void *tap_self;
    bool is_refused;  /* by it: `why` is all that is said */
    struct ring ring; /* egress->transfers */
    struct egress *egress;
    struct lane *lane;
    struct berth_asker *asker; /* berth.c's, and the next four */
    struct ring berth;
    bool is_waiting;         /* libcurl gets it later */
    bool is_open;            /* libcurl has it */
    bool has_slot;           /* its request has one connection less to wait for heads with */
    bool has_name;           /* one that is looked up */
    struct outcall *outcall; /* NULL: it is over; libcurl may still tidy up */
    CURL *easy;
    struct curl_slist *fields, *proxy_fields, *names;
    struct replyhead head;
    struct buf up;      /* the request's body: what libcurl has not taken yet, and
                           what is kept */
    size_t up_at;       /* how much of `up` libcurl has taken */
    size_t up_credited; /* how much of `up` was given back as credit */
    bool has_eaten;     /* the beginning of the body is no more */
    bool has_up_end;
    unsigned repeats;    /* see TRANSFER_REPEATS_MAX */
    bool has_hung_up;    /* an upgraded connection, by the server */
    bool is_up_paused;   /* waits for: the worker's bytes */
    bool is_down_paused; /* waits for: the worker to read */
    bool is_head;        /* HEAD: no body comes */
    bool is_reply_due;   /* waits for: the instance to take the server's head */
    bool is_through;     /* libcurl has ended well, while the reply was due */
    bool is_h2, is_wide;
    bool is_exact; /* "exchange": struct ask */
    int connect_ms, silence_ms;
    bool has_proxy;
    int64_t progress_ms;           /* when a byte moved last */
    char place[300];               /* "host:port", for messages */
    char host[REACH_NAME_MAX + 2]; /* whom libcurl connects to, guard.c's; "": no name */
    enum reach_verdict barred;     /* not REACH_OK: it may not, and why */
    struct ip barred_ip;
    char who[64]; /* the worker, for the log */
    char detail[CURL_ERROR_SIZE];
    struct err why; /* why a callback refused to go on */
};

/* tap: NULL or one that outlives it; told `gone` also when this fails. */
int transfer_start(struct egress *egress, const struct outlets *outlets, struct outcall *outcall,
                   const struct outcall_head *head, bool is_end, const struct transfer_tap *tap,
                   void *tap_self, struct err *err) MUST_CHECK;
/* libcurl is through with it: the last word to the outcall, and the end. */
void transfer_ended(struct transfer *t, CURLcode result);
/* libcurl watches its socket no more; true: and it has ended, which transfer_hang_up says, outside
 * of libcurl's callbacks. */
bool transfer_unwatched(struct transfer *t);
void transfer_hang_up(struct transfer *t);
/* It could not begin; the last word to the outcall, and the end. */
void transfer_fail(struct transfer *t, const struct err *err);
/* Has the server been silent for too long? */
void transfer_look(struct transfer *t, int64_t now_ms);
/* Without a word to the outcall. */
void transfer_free(struct transfer *t);

#endif

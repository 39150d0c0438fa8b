/* call.h - the inside of a call: what the framework's own files share.
 *
 *   call.c     its life, from head to end
 *   gather.c   the body that comes: in memory while it is small, then in a file without a name
 *   answer.c   setting the answer, in either thread
 *   send.c     the answer on its way to the front: bytes, files, sockets
 *
 * Endpoints know inside.h only.  `in_desk` says who has the call: while it is set the desk's thread
 * may touch what stands in struct api_call, the answer and the gathered body, and the loop the rest. */
#ifndef CORRAL_API_CALL_H
#define CORRAL_API_CALL_H

#include <uv.h>

#include "api/inside.h"
#include "api/limits.h"
#include "loop/ring.h"
#include "loop/turn.h"

enum {
    API_CALLS_MAX = 1024,             /* at once; more get 503 */
    API_SPILLS_MAX = 256,             /* of them with a body in a file */
    API_ACCOUNT_CALLS_MAX = 256,      /* of one account with a body, so that the others have room */
    API_ACCOUNT_SPILLS_MAX = 32,      /* of them in a file */
    API_SMALL_MAX = 64 * 1024,        /* bytes of a body kept in memory */
    API_SOCKET_BYTES_MAX = 256 * 1024,/* put into a socket and not taken yet */
};

struct api {
    uv_loop_t *loop;
    struct desk *desk;
    struct live *live;
    struct keeper *keeper;
    struct access *access;                   /* or NULL */
    char *data_folder, *domain, *public_url; /* public_url may be NULL */
    unsigned box_layers;
    struct turn turn;
    uv_timer_t timer;                        /* of calls that wait because of wrong tokens */
    struct limits *limits;
    struct d1_files *files;                  /* imports and exports; NULL: none yet */
    struct ring calls;
    unsigned call_count, spill_count, handles;
    bool is_draining, is_closing;
    void (*closed)(void *self);
    void *closed_self;
};

enum api_call_state {
    API_CALL_NEW,       /* its first turn has not come */
    API_CALL_DELAYED,   /* wrong tokens came from there: it waits for its time */
    API_CALL_CHECKED,   /* in the desk: its token; without a body its work, too */
    API_CALL_GATHERING, /* the body comes */
    API_CALL_WORKING,   /* in the desk */
    API_CALL_HELD,      /* the endpoint waits for something */
    API_CALL_ANSWERING, /* the answer leaves */
    API_CALL_SWITCHED,  /* a socket */
    API_CALL_OVER,
};

struct api_answer { /* what leaves */
    unsigned status; /* 0: not set */
    struct buf headers; /* pairs */
    unsigned header_count;
    char type[128];
    struct buf body;
    int fd;          /* or -1 */
    uint64_t file_left;
    char log[800];   /* what the node's log should know, or "" */
};

struct gathered {
    struct buf memory; /* not in the file yet */
    uint64_t bytes, max;
    int fd;            /* or -1 */
    uint64_t written;
    struct buf writing;
    uv_fs_t fs;
    bool is_writing, is_ended, has_failed, is_counted;
    void *map;
    size_t map_len;
};

struct api_call_inside {
    struct api_call call; /* first: they are cast into each other */
    struct ring ring;     /* in api->calls */
    const struct call_events *events; /* NULL: the front does not listen any more */
    void *events_self;
    enum api_call_state state;
    struct turn_item tick;
    struct desk_job job;
    bool in_desk, is_aborted, is_head_sent, is_upgrade;
    bool is_of_worker;    /* it comes from a worker, of this node or another one */
    bool is_waiting;      /* api_wait was said, api_reply not yet */
    bool is_job_due;      /* api_again was said, and the job not given to the desk yet */
    void (*next_work)(struct api_call *call, struct catalog *catalog); /* of the next job */
    void (*next_after)(struct api_call *call);                         /* behind it */
    char *websocket_key;  /* or "" */
    char *agent;          /* what changes come from: "wrangler", "corral" or "api" */
    char *token_text;     /* or NULL; wiped when it was looked at */
    const char *token_problem; /* a sentence, when there is no token to look at */
    int64_t content_length;
    int64_t until_ms;     /* DELAYED: it goes on then */
    struct limits_keys keys;
    char payer[ID_SIZE];  /* whose share of calls it takes: the loop's to read; "": nobody's yet */
    bool is_token_bad;    /* what the desk found */
    bool is_refused;      /* the endpoint's work has not run: no `after` */
    bool is_worked;       /* the desk is done, and the loop has not looked yet */
    struct gathered in;
    struct err body_err;  /* code 0: none */
    bool is_changed;              /* api_changed was called */
    char changed_worker[ID_SIZE]; /* its worker; "": the account alone */
    struct api_answer out;
    /* send.c */
    size_t in_flight;
    uv_fs_t read_fs;
    bool is_reading, has_read_failed;
    const struct api_socket_events *socket;
    struct buf socket_out;
    bool socket_ends, socket_room_due;
};

static inline struct api_call_inside *call_inside(const struct api_call *call)
{
    return (struct api_call_inside *)(void *)(uintptr_t)call;
}

/* call.c */
void api_wake(struct api_call_inside *c);
/* All that wait: the node stops. */
void api_call_drain(struct api_call_inside *c);
/* DELAYED calls whose time has come go on; the timer is set for the next one. */
void api_look_at_delayed(struct api *api);

/* How many calls the payer of this one has, itself among them; `spills`: of those in files. */
unsigned api_calls_of(const struct api_call_inside *c, bool spills);

/* api.c.  A call was freed. */
void api_call_ended(struct api *api);

/* head.c.  Read the request's head into the call: ERR_NOMEM, or 0, perhaps with an answer set. */
int api_head_read(struct api_call_inside *c, const struct request *request, struct err *err) MUST_CHECK;
/* In the desk's thread. */
void api_check_token(struct api_call_inside *c, struct catalog *catalog);

/* gather.c.  Bytes that may come now. */
size_t gather_room(const struct api_call_inside *c);
/* ERR_LIMIT: it is too large; ERR_SYSTEM. */
int gather_take(struct api_call_inside *c, struct span bytes, bool is_end, struct err *err) MUST_CHECK;
/* Is all of it here, and nothing under way? */
bool gather_is_done(const struct api_call_inside *c);
/* In the desk's thread: call->bytes, call->file, call->json.  An answer is set when it cannot be. */
void gather_finish(struct api_call_inside *c);
void gather_done(struct api_call_inside *c);

/* answer.c */
void api_answer_done(struct api_answer *answer);
/* 404: codes 7003 and 7000, as Cloudflare. */
void api_no_route(struct api_call *call, struct span path);
/* Who changes something, as "author_email": the token's name, else the account: "SUBDOMAIN@DOMAIN".  In `room`. */
enum { API_AUTHOR_MAX = 400 };
char *api_author(const struct api_call *call, char room[API_AUTHOR_MAX]);

/* send.c.  One step: as much as the front may have now; API_CALL_OVER when that was all. */
void api_send_tick(struct api_call_inside *c);

/* table.c */
extern const struct api_endpoint *const API_TABLES[];

/* A file that is gone with its last descriptor, also when we are killed. */
int api_unnamed(const struct api *api, int *ret_fd, struct err *err) MUST_CHECK;

#endif

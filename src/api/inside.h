/* inside.h - how endpoints of the API are written.
 *
 *     static void get_subdomain(struct api_call *call, struct catalog *catalog)     in the desk's thread
 *     {
 *         ... api_result(call, json_pack("{s:s}", "subdomain", account.subdomain)); or api_error(...)
 *     }
 *     const struct api_endpoint ACCOUNT_ENDPOINTS[] = {
 *         {"GET", "/accounts/:account/workers/subdomain", SCOPE_READ, API_NO_BODY, .work = get_subdomain}, ...
 *         {0}};
 *
 * The framework (call.c) matches method and path, reads the token, checks that :account is the token's and that the
 * scope suffices, gathers the body, runs `work` in the desk's thread, then `after` on the loop, and sends the envelope.
 * An endpoint has one of the two, or both; the call is answered once somebody has set a result: `after` may
 * wait for other things (live_check, a store) and call api_reply later.
 *
 * Only src/api includes this. */
#ifndef CORRAL_API_INSIDE_H
#define CORRAL_API_INSIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"
#include "base/buf.h"
#include "catalog/account.h"
#include "catalog/token.h"

enum api_body {
    API_NO_BODY,    /* what comes is thrown away */
    API_JSON,       /* parsed, whatever its Content-Type; at most API_JSON_MAX bytes */
    API_BYTES,      /* as it is, in memory; at most API_BYTES_MAX */
    API_FORM,       /* multipart/form-data, spilled to a file without a name and mapped: api_part */
    API_FILE,       /* any size up to API_FILE_MAX: an unnamed file, call->file */
};
enum {
    API_PARAMS_MAX = 6,
    API_JSON_MAX = 10 << 20,
    API_JSON_DEPTH_MAX = 64,   /* arrays and objects within each other */
    API_BYTES_MAX = 26 << 20,
};
#define API_FORM_MAX (300ull << 20)
#define API_FILE_MAX (5ull << 30)

struct api_call;

struct api_endpoint {
    const char *method;     /* NULL ends a table */
    const char *path;       /* below /client/v4; ":name" takes one part, "*name" the rest */
    enum scope scope;
    enum api_body body;
    void (*work)(struct api_call *call, struct catalog *catalog); /* desk thread */
    void (*after)(struct api_call *call);                         /* loop, behind work */
    bool (*admit)(struct api_call *call); /* loop, before the body is read: false: it is answered */
    bool is_open;           /* no token: its own address is the secret, or it says nothing.  Without `work`
                               and body it does not wait for the desk */
    bool is_optional;       /* is_open, but a token that is given is looked at */
    bool is_raw;            /* path is below "/", not /client/v4 */
};

/* Who asks, and what: for endpoints to read. */
struct api_call {
    struct api *api;
    const struct api_endpoint *endpoint;
    struct token token;             /* checked; zeroes when is_open */
    struct account account;         /* the token's */
    struct { const char *name; char *value; } params[API_PARAMS_MAX]; /* percent-decoded */
    char *query;                    /* raw, behind '?', or "" */
    char *origin;                   /* "http://127.0.0.1:8788", what addresses for this client begin with */
    char *client;                   /* its address */
    char *content_type;             /* or "" */
    json_t *json;                   /* API_JSON; NULL: there was no body */
    struct span bytes;              /* API_BYTES, API_FORM: the whole body */
    int file;                       /* API_FILE: at its beginning; else -1 */
    void *state;                    /* the endpoint's, freed by free_state when the call ends */
    void (*free_state)(void *state);
    bool is_gone;                   /* the client has left: `after` may give up what was not begun */
    /* more, private to call.c, stands behind this in struct api_call_inside */
};

const char *api_param(const struct api_call *call, const char *name); /* "" when not there */
/* The n-th value of a query parameter, percent-decoded, to be freed; NULL: not there. */
char *api_query(const struct api_call *call, const char *name, unsigned n);
/* Parameters page and per_page with their bounds. */
void api_page(const struct api_call *call, unsigned per_page_default, unsigned per_page_max,
              unsigned *ret_page, unsigned *ret_per_page);

/* ---- the answer: one of these, once, in `work` or on the loop ---- */

/* {"success": true, "result": ..., "errors": [], "messages": []}; takes the reference.  NULL: null. */
void api_result(struct api_call *call, json_t *take_result);
/* with "result_info" beside it. */
void api_result_list(struct api_call *call, json_t *take_result, json_t *take_info);
/* The part of an array that a page asks for, with its result_info: page, per_page, count, total_count,
 * total_pages.  Behind the last page: an empty array. */
void api_result_page(struct api_call *call, json_t *take_array, unsigned page, unsigned per_page);
/* {"success": false, "errors": [{"code", "message"}], "result": null} */
void api_error(struct api_call *call, unsigned status, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* An err of a lower room: ERR_NOT_FOUND 404, ERR_INVALID 400, ERR_LIMIT 409, else 500 (logged, and not told in full);
 * the code is the one of Cloudflare that the endpoint means by it. */
void api_fail(struct api_call *call, int code, const struct err *err);
/* Anything else: bytes with a type. */
void api_raw(struct api_call *call, unsigned status, const char *type, struct span bytes);
/* JSON out of some bytes of a request, at most API_JSON_MAX of them and API_JSON_DEPTH_MAX deep.  ERR_INVALID. */
int api_json(struct span text, json_t **ret, struct err *err) MUST_CHECK;
/* A header of the answer, before it is given. */
void api_header(struct api_call *call, const char *name, const char *value);
bool api_is_answered(const struct api_call *call);
enum { API_TIME_SIZE = 28 };
/* "2026-11-21T19:00:00.000000Z" */
void api_time(int64_t wall_ms, char out[API_TIME_SIZE]);
/* On the loop, later than `after`: send what was set. */
void api_reply(struct api_call *call);
/* In `after`: do not look yet whether there is an answer; api_reply will come. */
void api_wait(struct api_call *call);
/* One more job in the desk's thread for this call; `after` NULL: reply behind it.  When the desk does not take it,
 * the call is answered with 503 and neither runs: free_state cleans up. */
void api_again(struct api_call *call, void (*work)(struct api_call *call, struct catalog *catalog),
               void (*after)(struct api_call *call));

/* Parts of an API_FORM, in their order. */
struct api_part {
    char *name, *filename, *type; /* "" where not given */
    struct span bytes;            /* lives as long as the call */
};
int api_parts(struct api_call *call, struct api_part **ret_parts, size_t *ret_count,
              struct err *err) MUST_CHECK;
void api_parts_done(struct api_part *parts, size_t count);

/* ---- answers that go on: downloads and tails ---- */

/* Stream an open file as the answer; takes it. */
void api_file(struct api_call *call, const char *type, const char *download_name, int take_fd,
              uint64_t bytes);
/* Answer an upgrade with 101 and the sub-protocol; from then on bytes both ways: what comes goes to `bytes`, what is
 * put into api_socket_out leaves.  api_socket_room: bytes that may be put now. */
struct api_socket_events {
    void (*bytes)(struct api_call *call, struct span bytes);
    void (*room)(struct api_call *call);
    void (*drain)(struct api_call *call); /* the node stops: say goodbye, api_socket_end; NULL: it is ended */
    void (*gone)(struct api_call *call); /* the last one */
};
/* false: the client asked for no WebSocket, and is told so; no event comes then. */
bool api_switch(struct api_call *call, const char *protocol, const struct api_socket_events *events);
size_t api_socket_room(const struct api_call *call);
void api_socket_put(struct api_call *call, struct span bytes);
void api_socket_end(struct api_call *call);

/* Tables of endpoints: one file each, in the list of table.c. */
extern const struct api_endpoint ACCOUNT_ENDPOINTS[], TOKEN_ENDPOINTS[], SCRIPT_ENDPOINTS[],
    VERSION_ENDPOINTS[], SETTING_ENDPOINTS[], DOMAIN_ENDPOINTS[], QUOTA_ENDPOINTS[], SECRET_ENDPOINTS[], TRIGGER_ENDPOINTS[], WORKER_ENDPOINTS[], TAIL_ENDPOINTS[],
    D1_ENDPOINTS[], D1_QUERY_ENDPOINTS[], D1_IMPORT_ENDPOINTS[], D1_EXPORT_ENDPOINTS[], KV_ENDPOINTS[],
    KV_VALUE_ENDPOINTS[], KV_BULK_ENDPOINTS[], OTHER_ENDPOINTS[], HEALTH_ENDPOINTS[];

#endif

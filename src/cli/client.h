/* client.h - the command line's side of the control API: one request at a time, over libcurl.
 *
 *     struct client *client;
 *     r = client_open(account_id_of_the_configuration, &client, err);
 *     r = client_path(client, &path, err, "/workers/scripts/%s/secrets", name);
 *     r = client_ask(client, &(struct client_request){.method = "GET", .path = path}, &answer,
 * err);
 *     ... answer.result ...
 *     client_answer_done(&answer);
 *     client_close(client);
 *
 * The token goes to the API's own address only, and nowhere else: no redirect is followed, and
 * requests to other addresses (`url`) carry none.  It is never printed.
 *
 * What the API refuses has its whole message kept in the client: client_fail prints that one as
 * wrangler does, and everything else as cli_fail.
 *
 * Errors: ERR_NOT_FOUND (404 of the API), ERR_INVALID (any other refusal), ERR_GONE (nobody
 * answers, or what answers is no node), ERR_LIMIT (too slow, too long), ERR_SYSTEM, ERR_NOMEM; what
 * credentials_find says.  Thread: the main one. */
#ifndef CORRAL_CLI_CLIENT_H
#define CORRAL_CLI_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "cli/credentials.h"

enum {
    CLIENT_CONNECT_MS = 10 * 1000,
    CLIENT_TIMEOUT_MS = 60 * 1000,   /* of a request, unless it says otherwise */
    CLIENT_LONG_MS = 15 * 60 * 1000, /* a deploy may install packages, an import may be big */
    CLIENT_ANSWER_MAX = 128 << 20,   /* bytes kept in memory */
};

struct client;

struct client_part {                    /* of a multipart/form-data body */
    const char *name, *filename, *type; /* filename, type: NULL when not said */
    const char *file;                   /* its bytes are this file's; NULL: `bytes` */
    struct span bytes;
};

struct client_request {
    const char *method;
    const char *path; /* below /client/v4: "/user"; client_path makes those of an account */
    const char *url;  /* in place of path: anywhere, without the token */
    /* The body, one of them: */
    json_t *json;                    /* borrowed */
    const struct client_part *parts; /* part_count of them */
    size_t part_count;
    const char *file;  /* streamed from this file */
    struct span bytes; /* data NULL: none */
    const char *type;  /* Content-Type of json (application/json unless said), file, bytes */
    /* For answers that are no envelope: bytes of a 2xx as they come. */
    int (*sink)(void *self, struct span bytes, struct err *err);
    void *self;
    long timeout_ms; /* 0: CLIENT_TIMEOUT_MS */
};

struct client_answer {
    long status;
    json_t *root;    /* the envelope; NULL: the body is no JSON */
    json_t *result;  /* borrowed from root; NULL or any value */
    int code;        /* of the first error; 0: none */
    struct buf body; /* as it came, unless it went to the sink */
    char etag[128];  /* without its quotes; "" */
};

/* Find credentials, and get ready; asks nobody yet.  account_id: of the configuration, or NULL. */
int client_open(const char *account_id, struct client **ret, struct err *err) MUST_CHECK;
/* With these; takes their inside. */
int client_new(struct credentials *take, struct client **ret, struct err *err) MUST_CHECK;
void client_close(struct client *client);

/* 0: the API says success (of a `url` or a sink: 2xx).  The answer is filled and to be freed also
 * when the API refuses, so that its code can be looked at. */
int client_ask(struct client *client, const struct client_request *request,
               struct client_answer *ret, struct err *err) MUST_CHECK;
void client_answer_done(struct client_answer *answer);

/* The account all is done in: as credentials say, else the only one of the token. */
int client_account(struct client *client, const char **ret, struct err *err) MUST_CHECK;
/* "/accounts/ID" and the formatted rest, to be freed.  What is put into it is escaped already. */
int client_path(struct client *client, char **ret, struct err *err, const char *fmt, ...) MUST_CHECK
    __attribute__((format(printf, 4, 5)));
/* What a user typed as one part of a path; to be freed.  NULL: no memory. */
char *client_escape(const char *text);

const struct credentials *client_credentials(const struct client *client);
/* The whole of what the API has refused last: "MESSAGE [code: N]", lines; "" when it was not the
 * API. */
const char *client_refusal(const struct client *client);
/* Say what went wrong, on stderr; returns 1, the exit code.  client may be NULL. */
int client_fail(const struct client *client, const struct err *err);

#endif

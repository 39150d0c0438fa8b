/* server.h - corral.toml: what `corral serve` may be told in a file.
 *
 * Every key is also an option of the command; what the command line says wins.  Names of files and
 * folders are seen from where corral.toml is.  An unknown key, a wrong type and a number out of its
 * range are errors with file, line and key.
 *
 * Embedded: server_init, server_done.  Text is owned.  Not on the loop's thread while it serves. */
#ifndef CORRAL_PROJECT_SERVER_H
#define CORRAL_PROJECT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limit.h"
#include "project/diagnostic.h"
#include "text/reach.h"

enum { SERVER_LISTEN_MAX = 8, SERVER_CERTIFICATES_MAX = 256, SERVER_INDEXES_MAX = 64 };

struct server_certificate {
    char *host; /* NULL: the names that the certificate has */
    char *cert, *key;
};

struct server {             /* NULL and -1: not said */
    char *data;             /* the data folder */
    char *listen[SERVER_LISTEN_MAX];
    size_t listen_count;
    char *api;
    char *domain;
    char *api_url;          /* how clients reach the API, when it is behind something */
    char *secrets_key_file;
    char *request_cf;       /* a file with an object */
    struct server_certificate certificates[SERVER_CERTIFICATES_MAX];
    size_t certificate_count;
    char *access_log;       /* a file, "-" or "off" */
    char *log_level;
    char *box_uids;         /* "FIRST-LAST": user ids for accounts */
    char *accept_box;       /* a grade of the box: accounts may share the node from there on */
    int64_t drain_seconds;
    int64_t allow_plain_http_api; /* 0, 1 */
    int64_t requests_per_day;
    struct limit_set limits; /* of each worker; 0: none */
    char *indexes[SERVER_INDEXES_MAX]; /* that uploads may name: [packages] */
    size_t index_count;
    int64_t takes_any_index; /* 0, 1 */
    struct reach reach;      /* [fetch] allow and deny */
    int64_t fetch_private, fetch_public; /* 0, 1 */
    int64_t node_memory_mb, instances, account_instances, node_instances, pools, idle_seconds;
    int64_t clients, clients_per_address; /* of clients, to all workers */
};

/* Is it the address of a package index? */
bool server_is_index(const char *text);

void server_init(struct server *server);
void server_done(struct server *server);

/* Read the file into what is not said yet.  worker_program: reads TOML.  ERR_INVALID: diagnostics say
 * what; ERR_NOT_FOUND, ERR_LIMIT, ERR_SYSTEM: the file; ERR_NOMEM. */
int server_read(struct server *server, const char *path, const char *worker_program,
                struct diagnostics *d, struct err *err) MUST_CHECK;

#endif

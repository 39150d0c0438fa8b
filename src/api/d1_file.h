/* d1_file.h - files on their way into databases and out of them: imports and exports.
 *
 *   import   init -> WAITING -> (upload) HELD -> ingest -> RUNNING -> COMPLETE | FAILED
 *   export                                  first call -> RUNNING -> COMPLETE | FAILED -> (download)
 *
 * A job belongs to one account and one database.  Polls name it by `id`, with a token; uploads and
 * downloads by `key` alone, which nobody can guess and which is good for a while.  Its file has no
 * name: a node that ends takes all of them along, and an import that has not ended has done
 * nothing.
 *
 * Loop thread only, but for what is said. */
#ifndef CORRAL_API_D1_FILE_H
#define CORRAL_API_D1_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "api/d1.h"
#include "keeper/records.h"
#include "loop/ring.h"
#include "service/md5.h"

enum {
    JOBS_MAX = 256,               /* of a node */
    JOBS_ACCOUNT_MAX = 16,        /* of an account: the oldest that only waits gives way */
    JOB_HELD_MS = 3600 * 1000,    /* that an address is good for, and a file is kept */
    JOB_TOLD_MS = 600 * 1000,     /* that an end can be asked for */
    JOB_UNPOLLED_MS = 120 * 1000, /* an export that nobody asks for is given up */
    JOB_WAIT_MS = 1000,           /* longest that a poll waits for news */
    JOB_KEY_SIZE = 65,
};
#define JOBS_BYTES_MAX (10ull << 30) /* in files of an account */

enum job_kind { JOB_IMPORT, JOB_EXPORT };
enum job_state { JOB_WAITING, JOB_HELD, JOB_RUNNING, JOB_COMPLETE, JOB_FAILED };

struct d1_files;

struct job {
    struct ring ring;
    struct d1_files *files;
    uv_loop_t *loop;
    enum job_kind kind;
    enum job_state state;
    char account[ID_SIZE];
    char uuid[UUID_SIZE];
    char *folder;
    char id[ID_SIZE];
    char key[JOB_KEY_SIZE];
    char etag[MD5_SIZE]; /* of an import: announced */
    char filename[160];
    int fd;           /* or -1 */
    uint64_t bytes;   /* of the file */
    int64_t until_ms; /* then it goes; RUNNING imports stay */
    unsigned busy;    /* uploads that are being looked at: it stays */
    struct errand *errand;
    struct records records; /* of an import */
    uint64_t told;          /* statements, when a poll was last answered */
    /* Of an export: */
    uv_fs_t write;
    struct buf flying;  /* a thread writes it */
    struct buf pending; /* and then this */
    bool is_writing;
    bool has_ended;        /* the store has sent all */
    bool is_freed;         /* waits for: the thread */
    struct api_call *poll; /* waits for news until poll_ms */
    int64_t poll_ms;
    char why[768]; /* it FAILED */
};

/* The table of the node, made at its first use.  NULL: no memory. */
struct d1_files *d1_files_of(struct api *api);
/* Whoever waits gets what there is. */
void d1_files_drain(struct d1_files *files);
/* Everything that runs is given up; NULL is fine. */
void d1_files_close(struct d1_files *files);

/* ERR_LIMIT: too many, or too large. */
int job_new(struct d1_files *files, const struct api_call *call, enum job_kind kind,
            const struct database *database, struct job **ret, struct err *err) MUST_CHECK;
struct job *job_by_id(struct d1_files *files, const struct api_call *call, enum job_kind kind,
                      const char *uuid, const char *id);
struct job *job_by_key(struct d1_files *files, enum job_kind kind, const char *key);
/* Bytes in the files of an account. */
uint64_t jobs_bytes(struct d1_files *files, const char *account);
void job_free(struct job *job);
/* Its memory, when no thread needs it any more. */
void job_destroy(struct job *job);

/* Answer now if there is news, else when there is, or when JOB_WAIT_MS are over. */
void job_poll(struct job *job, struct api_call *call);
/* It is over, or failed: whoever waits is told. */
void job_settle(struct job *job, enum job_state state, const char *why);
/* What polls are told, from d1_import.c and d1_export.c. */
json_t *import_report(struct job *job);
json_t *export_report(struct job *job, const struct api_call *call);
/* An errand of its own; done() of the spec comes with the job. */
int job_start(struct job *job, const struct errand_spec *spec, struct err *err) MUST_CHECK;

/* The database that a call is about, in call->state, found in the desk. */
void d1_keep_database(struct api_call *call, struct catalog *catalog);

#endif

/* parcel.h - one upload of a worker: its metadata, its files, what they come to.
 *
 *     parcel_make -> parcel_fill (asks the node about databases) -> parcel_send -> parcel_done
 *
 * Both `corral deploy` and `corral versions upload` send one.  The variables are those of the
 * configuration and the command line; secrets go along only when a file with them was named. */
#ifndef CORRAL_CLI_PARCEL_H
#define CORRAL_CLI_PARCEL_H

#include <jansson.h>
#include <stdint.h>

#include "cli/remote.h"
#include "project/upload.h"

enum { PARCEL_ANNOTATION_MAX = 1000 }; /* bytes of --message and --tag */

struct parcel_wish {
    const char *message, *tag; /* or NULL */
    const char *secrets_file;  /* --secrets-file, or NULL */
    const char *outdir;        /* --outdir: a copy of the files, or NULL */
    bool keeps_vars;
};

struct parcel {
    json_t *metadata;
    struct upload files;
    uint64_t bytes, gzip_bytes;
};

/* From zeroes; the project is loaded.  parcel_done is due also after a failure. */
int parcel_make(struct remote *r, const struct parcel_wish *wish, struct parcel *ret,
                struct err *err) MUST_CHECK;
void parcel_done(struct parcel *p);

/* "Total Upload: ..." and the table of bindings. */
void parcel_print_size(const struct parcel *p);
int parcel_print_bindings(const struct parcel *p, const struct remote *r,
                          struct err *err) MUST_CHECK;

/* Give each database its uuid, by its name where the configuration has none; make those that are
 * not there, and say so.  And are the secrets there that must be? */
int parcel_fill(struct parcel *p, struct remote *r, struct err *err) MUST_CHECK;

/* PUT or POST it to a path below /accounts/ID/workers.  The answer is filled as client_ask fills
 * it. */
int parcel_send(const struct parcel *p, struct remote *r, const char *method, const char *path,
                struct client_answer *ret, struct err *err) MUST_CHECK;

#endif

/* d1_script.h - a database that a command has in hand, and SQL that runs on it.
 *
 * d1_use finds it, or makes the one that is configured and not there yet.  A
 * script is one transaction; what each statement gives is kept in records. */
#ifndef CORRAL_CLI_D1_SCRIPT_H
#define CORRAL_CLI_D1_SCRIPT_H

#include "base/err.h"
#include "cli/d1.h"
#include "cli/d1_caller.h"
#include "keeper/records.h"

/* As d1_target; one that is not there is reported in wrangler's words. */
int d1_find_target(const struct d1 *d1, const char *word, struct d1_target *ret,
                   struct err *err) MUST_CHECK;
/* word: see d1_target. */
int d1_use(const struct d1 *d1, const char *word, struct database *ret, struct err *err) MUST_CHECK;
/* "./.corral/state/d1": where databases are, for people. */
void d1_place(const struct d1 *d1, char *ret, size_t size);

/* "🌀 Executing on ...", and "🚣 3 commands executed successfully." */
void d1_announce(const struct d1 *d1, const struct database *database);
void d1_tell_count(const struct records *records);

struct d1_script {
    const char *folder;  /* of the database */
    const char *name;    /* of the file, for messages; NULL: what was typed */
    int file;            /* -1: none */
    int64_t file_bytes;  /* -1: not known */
    struct span text;    /* behind the file's */
    bool shows_progress; /* on stderr, once it takes long */
};

/* Fill in name, file and file_bytes; a byte order mark is skipped.  The file is the caller's to
 * close, also after an error. */
int d1_script_open(const char *path, struct d1_script *script, struct err *err) MUST_CHECK;

/* ERR_INVALID: a statement is wrong, err says which and where; ret->state is RECORDS_FAILED then,
 * and ret->error has D1's own words.  Also the errors of d1_caller_run.  ret: to be ended with
 * records_done in any case. */
int d1_script_run(struct d1_caller *caller, const struct d1_script *script, struct records *ret,
                  struct err *err) MUST_CHECK;

/* Say what went wrong, and end as it should end: returns the exit code, or dies of the signal that
 * has interrupted a call. */
int d1_fail(const struct err *err);

#endif

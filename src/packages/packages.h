/* packages.h - the Python packages that a worker may import: sets, environments, the packager.
 *
 * A *package set* is a folder HOME/NAME of installed packages, made once and never changed:
 *
 *     pylock.toml        what is in it: name, version, hash, source (PEP 751)
 *     packages.json      the same for programs, see below
 *     fastapi-0.92.0/    one folder for each distribution, with what would be in site-packages,
 *                        compiled: fastapi/, fastapi-0.92.0.dist-info/
 *
 *     packages.json: {"name": "debian-12", "since": "", "until": "", "packages": {
 *         "fastapi": {"version": "0.92.0", "folder": "fastapi-0.92.0", "imports": ["fastapi"],
 *                     "dependencies": ["pydantic", "starlette"],
 *                     "extras": {"all": ["httpx"]}, "source": "debian:python3-fastapi=0.92.0-1"}}}
 *
 * Keys are names normalized as PEP 503 says; dependencies are those inside the set, whose versions
 * fit together by the word of whoever made it.  since and until: the first and the last compatibility
 * date that the set is for; "" both: the default set, for all other dates.
 *
 * An *environment* is what one worker may import: some folders of the set's distributions, and, for
 * what the set does not have, one folder ENVIRONMENTS/HASH made by uv or pip, named by the hash of what
 * was asked for, never changed.  Requirements come from requirements.txt and from pyproject.toml
 * ([project] dependencies) in the project's folder; what lies ready in python_modules/ counts as installed.
 *
 * The work is done by the *packager*: `corral-worker packages`, sdk/python/packager/, a short-lived
 * process that reads one job, a JSON object, on stdin and writes lines of JSON on stdout:
 *
 *     {"progress": "Installing 12 packages ..."}         any number, for people
 *     {"warning": {...}}                                 any number, as an error
 *     {"done": {...}}  or  {"error": {"text", "hint", "file", "line", "detail"}}    one, the last
 *
 * Errors: ERR_INVALID: the packager's error, which is the user's: *ret_answer holds it;
 * ERR_SYSTEM: it did not run or died; ERR_LIMIT: no end within PACKAGES_TIMEOUT_MS; ERR_CANCELLED;
 * ERR_NOMEM.  Synchronous, seconds to minutes: for a thread that is not the loop's. */
#ifndef CORRAL_PACKAGES_PACKAGES_H
#define CORRAL_PACKAGES_PACKAGES_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

enum {
    PACKAGES_TIMEOUT_MS = 15 * 60 * 1000,
    PACKAGES_LINE_MAX = 8 << 20,        /* bytes of one line of an answer */
};

/* HOME: $CORRAL_PACKAGES, else $XDG_DATA_HOME/corral/packages, else ~/.local/share/corral/packages.
 * Owned by the caller.  ERR_NOT_FOUND: none of these is set; ERR_NOMEM. */
int packages_home(char **ret_home, struct err *err) MUST_CHECK;

struct packages_run {
    const char *worker_program;         /* corral-worker */
    json_t *job;                        /* borrowed: {"job": "environment", ...} */
    void (*progress)(void *self, const char *line);     /* NULL: not told.  From the same thread */
    void (*warning)(void *self, json_t *warning);       /* likewise; the object is borrowed */
    void *self;
    const atomic_bool *is_cancelled;    /* NULL: never */
    unsigned box_uid;                   /* with is_stranger and BOX_UID: whose it is; 0: the node's own user's */
    bool is_stranger;                   /* what it reads is none of the user's: of his environment it gets what
                                           installers need, and no key */
};

/* Of "NAME=VALUE": does a packager with is_stranger get it? */
bool packages_passes_on(const char *variable);

/* *ret_answer: what "done" or "error" said, the caller's to json_decref; NULL after other errors. */
int packages_run(const struct packages_run *run, json_t **ret_answer, struct err *err) MUST_CHECK;

/* Jobs, each with "home":
 *
 *   environment  for one worker.  "project": its folder; "date": its compatibility date; "state": folder
 *                for environments, made when missing; "limit_bytes"; "whole_set": true: everything that the set has, whatever
 *                the project says; "upload": true: a stranger's: it may name neither files outside of itself nor variables
 *                of the node, and what lies in python_modules/ for another machine is asked for,
 *                unless the project has a file that says what is.  "network", with it: {"reach": as reach_json
 *                writes it, "indexes": [addresses that it may name, beside the default one], "any_index": true: all}
 *                done: {"folders": [...], "set": folder or "", "hash": 32 hexadecimal digits that change when
 *                any of it does, "bytes": of what is not in the set, "packages": [{"name", "version",
 *                "source"}], "inputs": [files that were read, or would be, absolute],
 *                "environment": the folder STATE/HASH to hold while it is in use, or "", "left_out": [paths in
 *                the project that the worker is not to have: wheels for WebAssembly in python_modules/]}.
 *                Its errors have "inputs", too.  environment.h runs it when it has to
 *   list, info, sync, lock       of `corral packages`, see sdk/python/packager/
 */

#endif

/* prepare.h - what a version needs before its template can start, made in a thread of its own.
 *
 * Its packages (minutes, the first time) or the script that JavaScript's modules are linked into, its databases, its env.  Threads of our own and not those of
 * libuv, of which there are four for everybody: one slow index must not stop the node's files and names.
 * At most PREPARING_MAX at once and PREPARING_ACCOUNT_MAX of one account; others wait for their turn, in
 * their order.
 *
 * Inside live/ only.  Loop thread only. */
#ifndef CORRAL_LIVE_PREPARE_H
#define CORRAL_LIVE_PREPARE_H

#include "link/link.h"
#include "live/inside.h"
#include "packages/environment.h"
#include "service/outlets.h"

enum { PREPARING_MAX = 8, PREPARING_ACCOUNT_MAX = 2 };

/* A version as its room runs it: all owned. */
struct recipe {
    char account_id[ID_SIZE];
    char version_id[UUID_SIZE];
    char *name;           /* of the worker */
    char *folder, *main;
    char *tag;            /* or "" */
    int64_t created_ms;
    json_t *metadata, *bindings;
    json_t *secrets;      /* {NAME: text} */
};
void recipe_done(struct recipe *recipe);

/* All owned. */
struct prepared {
    char *date, *flags;   /* compatibility */
    char *env_json;       /* with secrets: wiped in prepared_done */
    char *bindings_json;
    struct outlets outlets;
    struct environment environment;
    struct linked linked; /* of JavaScript, which has no packages */
};
void prepared_done(struct prepared *prepared);

struct prepare;

struct prepare_result {
    int r;                /* 0, or an error */
    int code;             /* of ERR_INVALID, as Cloudflare's API */
    struct err err;
    char *detail;         /* more lines, or NULL */
    struct prepared prepared; /* taken by whoever wants it */
};

int preparing_open(struct live *live, struct err *err) MUST_CHECK;
/* When no prepare is left. */
void preparing_close(struct live *live, void (*closed)(struct live *live));

/* done() comes once, also after prepare_cancel; *ret_prepare is gone then.  Takes the recipe's inside. */
int prepare_start(struct live *live, struct recipe *take_recipe,
                  void (*done)(void *self, struct prepare_result *result), void *self,
                  struct prepare **ret_prepare, struct err *err) MUST_CHECK;
void prepare_cancel(struct prepare *prepare);

/* Only the env and the databases of a version, in this thread: the part without packages. */
int prepare_bindings(const struct recipe *recipe, const char *data_folder, struct prepared *ret,
                     int *ret_code, struct err *err) MUST_CHECK;

#endif

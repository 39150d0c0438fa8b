/* outlets.h - where the bindings of one worker lead: the names in its env, and what stands behind.
 *
 * Made with a version of the worker, from its configuration alone.  What a
 * worker calls a binding is looked up here and nowhere else: it reaches what
 * is in its own list, whatever it says.
 *
 * Embedded: zeroes and outlets_done. */
#ifndef CORRAL_SERVICE_OUTLETS_H
#define CORRAL_SERVICE_OUTLETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum outlet_kind { OUTLET_D1 };

struct outlet {    /* all text owned */
    char *binding; /* its name in env */
    enum outlet_kind kind;
    char *data_folder;
    char *database; /* its local name */
    char *uuid;     /* that it gets when it is made; "": a random one */
    char *folder;   /* absolute */
    int64_t *
        seen_ms; /* of one that is bound: when it was last there; NULL: it is made when it is not */
};

struct outlets {
    struct outlet *items;
    size_t count;
    /* Whose they are, as long as the outlets: the account that shares what a node has with others, and
     * the worker, for the log.  NULL: there is but one. */
    const char *account, *worker;
    /* A call on a database has ended; NULL: nobody counts. */
    void (*counted)(void *self, const struct outlet *outlet, int64_t us, bool is_good);
    void *self;
};

void outlets_done(struct outlets *o);
/* uuid: anything that is none counts as none.  ERR_INVALID: the database's name; ERR_NOMEM. */
int outlets_add_d1(struct outlets *o, const char *binding, const char *data_folder,
                   const char *database, const char *uuid, struct err *err) MUST_CHECK;
/* One that is there, by its uuid: when it is deleted, calls fail, also when another one gets its
 * name. */
int outlets_bind_d1(struct outlets *o, const char *binding, const char *data_folder,
                    const char *database, const char *uuid, struct err *err) MUST_CHECK;
/* NULL: there is no such binding. */
const struct outlet *outlets_find(const struct outlets *o, struct span binding);
/* What the worker is told of them, as in struct load; to be freed with mem_free.  NULL: ERR_NOMEM.
 */
char *outlets_json(const struct outlets *o);
bool outlets_is_same(const struct outlets *a, const struct outlets *b);

#endif

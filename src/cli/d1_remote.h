/* d1_remote.h - databases of a node that serves, for `corral d1 ... --remote`: the control API.
 *
 * What the commands of this machine do with a store, these do by requests; what comes back is
 * turned into the same records, so that it is shown in the same way. */
#ifndef CORRAL_CLI_D1_REMOTE_H
#define CORRAL_CLI_D1_REMOTE_H

#include "cli/client.h"
#include "cli/d1.h"
#include "keeper/records.h"

/* Say that something is done elsewhere: "Resource location: remote". */
void d1_remote_place(void);
int d1_remote_open(const struct d1 *d1, struct client **ret, struct err *err) MUST_CHECK;
/* What --remote means by `word`: a name, binding or id of the configuration, or a name or uuid
 * there. `ret` has no folder.  is_preview: its preview_database_id. */
int d1_remote_find(const struct d1 *d1, struct client *client, const char *word, bool is_preview,
                   struct database *ret, struct err *err) MUST_CHECK;
/* A request about it: "query", with a JSON body; `ret` is to be freed also after an error. */
int d1_remote_ask(struct client *client, const struct database *d, const char *what, json_t *body,
                  struct client_answer *ret, struct err *err) MUST_CHECK;
/* Run a text of any number of statements: one transaction.  ret: to be ended with records_done. */
int d1_remote_run(struct client *client, const struct database *d, struct span sql,
                  struct records *ret, struct err *err) MUST_CHECK;

/* The commands, once their line has been read. */
int d1_remote_create(const struct d1 *d1, struct database *ret, struct err *err) MUST_CHECK;
int d1_remote_list(const struct d1 *d1, struct err *err) MUST_CHECK;
int d1_remote_info(const struct d1 *d1, struct err *err) MUST_CHECK;
/* Import a file; prints what it came to. */
int d1_remote_import(const struct d1 *d1, struct client *client, const struct database *d,
                     const char *file, struct err *err) MUST_CHECK;
struct d1_remote_dump {
    const char *const *tables;
    size_t table_count;
    bool has_no_schema, has_no_data;
    int (*write)(void *self, struct span bytes, struct err *err);
    void *self;
};
int d1_remote_export(struct client *client, const struct database *d,
                     const struct d1_remote_dump *dump, struct err *err) MUST_CHECK;

#endif

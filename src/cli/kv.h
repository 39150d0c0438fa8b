/* kv.h - what the commands of `corral kv` share: a namespace of a node, and how it is asked.
 *
 * Nothing here is on this machine: `corral dev` has no KV yet, so --local is refused. */
#ifndef CORRAL_CLI_KV_H
#define CORRAL_CLI_KV_H

#include "cli/remote.h"

struct kv_options {
    const char *namespace_id, *binding, *title; /* --title: --new-name */
    const char *prefix, *path, *ttl, *expiration, *metadata;
    bool is_local, is_preview, is_sure;
};

/* Each command's options: those that all have, and `KV_*` where it has them. */
#define KV_SHARED                                                                                  \
    {"--namespace-id", NULL, "ID", "the namespace: `corral kv namespace list` shows their ids"},   \
        {"--binding", NULL, "NAME", NULL}, {"--remote", NULL, NULL, NULL},                         \
        {"--local", NULL, NULL, NULL}, {"--preview", NULL, NULL, NULL},                            \
    {                                                                                              \
        "--persist-to", NULL, "FOLDER", NULL                                                       \
    }
int kv_take(void *options, const struct option *option, const char *value, struct err *err);
/* What cannot be had. */
int kv_check(const struct kv_options *options, bool needs_namespace, struct err *err) MUST_CHECK;

/* A request below the namespace's address ("": itself); `ret` is to be freed in any case. */
int kv_ask(struct remote *r, const struct kv_options *options, const struct client_request *request,
           struct client_answer *ret, struct err *err, const char *rest) MUST_CHECK;
/* "/values/KEY?ttl": a key as it stands in an address; to be freed.  NULL: no memory. */
char *kv_value_path(const char *what, const char *key, const char *query);

int kv_key_command(char **args);
int kv_bulk_command(char **args);

#endif

/* history.h - versions and deployments of a worker: asked for, and shown as wrangler shows them. */
#ifndef CORRAL_CLI_HISTORY_H
#define CORRAL_CLI_HISTORY_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/remote.h"

enum { HISTORY_SHOWN = 10 }; /* the newest ones, of lists */

/* The newest ones, oldest first, at most HISTORY_SHOWN; the caller's to json_decref. */
int history_versions(struct remote *r, json_t **ret, struct err *err) MUST_CHECK;
int history_deployments(struct remote *r, json_t **ret, struct err *err) MUST_CHECK;
/* All that the node keeps, likewise. */
int history_all_versions(struct remote *r, json_t **ret, struct err *err) MUST_CHECK;
int history_all_deployments(struct remote *r, json_t **ret, struct err *err) MUST_CHECK;
/* One, with what it consists of. */
int history_version(struct remote *r, const char *id, json_t **ret, struct err *err) MUST_CHECK;

/* Labelled lines.  ERR_NOMEM. */
int history_put_version(json_t *version, struct buf *out) MUST_CHECK;
/* "(50%) ID" and three lines, of each version of a deployment. */
int history_put_split(struct remote *r, json_t *deployment, struct buf *out,
                      struct err *err) MUST_CHECK;
int history_put_deployment(struct remote *r, json_t *deployment, struct buf *out,
                           struct err *err) MUST_CHECK;
/* What answers now; "" when nothing does. */
int history_print_current(struct remote *r, struct err *err) MUST_CHECK;

struct history_share {
    const char *version_id;
    double percentage;
};
/* Let these answer.  take_annotations may be NULL. */
int history_deploy(struct remote *r, const struct history_share *shares, size_t count,
                   json_t *take_annotations, struct err *err) MUST_CHECK;

/* A text inside objects: history_text(v, "metadata", "created_on"); "" when not there. */
const char *history_text(json_t *object, const char *key, const char *inside);

#endif

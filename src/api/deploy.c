/* deploy.c - from an upload, or a change of bindings, to a version that answers.  See deploy.h. */
#include "api/deploy.h"

#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/describe.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

void deploy_wipe(json_t *value)
{
    json_t *one;
    const char *key;
    size_t i;

    json_array_foreach(value, i, one)
    {
        deploy_wipe(one);
    }
    json_object_foreach(value, key, one)
    {
        deploy_wipe(one);
    }
    if (json_is_string(value))
        explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
}

static void deploy_free(void *state)
{
    struct deploy *d = state;

    if (d->check)
        live_dismiss(d->check);
    deploy_wipe(d->secrets);
    deploy_wipe(d->bindings);
    deploy_wipe(d->asked);
    deploy_wipe(d->changes);
    mem_free(d->main);
    mem_free(d->base_main);
    mem_free(d->folder);
    json_decref(d->metadata);
    json_decref(d->asked);
    json_decref(d->keep);
    json_decref(d->annotations);
    json_decref(d->changes);
    json_decref(d->settings);
    json_decref(d->base_metadata);
    json_decref(d->base_facts);
    json_decref(d->bindings);
    json_decref(d->secrets);
    json_decref(d->facts);
    mem_free(d);
}

struct deploy *deploy_new(struct api_call *call)
{
    const char *name = api_param(call, "script");
    struct deploy *d;

    if (strlen(name) > WORKER_NAME_MAX) {
        api_error(call, 400, 10016, "The name of a worker has at most %d characters",
                  WORKER_NAME_MAX);
        return NULL;
    }
    d = mem_alloc(sizeof *d);
    if (!d) {
        api_error(call, 503, 10013, "This node is out of memory");
        return NULL;
    }
    call->state = d;
    call->free_state = deploy_free;
    strcpy(d->worker_name, name);
    d->triggered_by = "upload";
    return d;
}

/* ---- in the desk's thread ---- */

/* The code that a change keeps. */
static int take_code(struct deploy *d, const struct version *base, struct err *err)
{
    char *main = mem_strdup(base->main);

    if (!main)
        return err_nomem(err);
    mem_free(d->base_main);
    d->base_main = main;
    strcpy(d->base_bundle, base->bundle);
    json_decref(d->base_metadata);
    json_decref(d->base_facts);
    d->base_metadata = json_incref(base->metadata);
    d->base_facts = json_incref(base->facts);
    d->is_draft = version_is_draft(base);
    return 0;
}

static bool is_change(const struct deploy *d)
{
    return !d->bundle[0];
}

/* By the version that counts now: bindings, and the code of a change.  base: NULL: there is none.
 */
static int work_out(struct deploy *d, const struct version *base, struct err *err)
{
    const json_t *before = base ? base->bindings : NULL;
    json_t *bindings = NULL;
    int r = 0;

    if (is_change(d))
        r = take_code(d, base, err);
    if (r == 0 && d->changes)
        r = bindings_patch(d->changes, before, &bindings, err);
    else if (r == 0)
        r = bindings_resolve(d->asked, d->keep, before, d->missing, &bindings, err);
    if (r < 0)
        return r;
    json_decref(d->bindings);
    d->bindings = bindings;
    strcpy(d->base_id, base ? base->id : "");
    return 0;
}

/* {NAME: text} of what it would run with. */
static int work_out_secrets(struct catalog *catalog, struct deploy *d, struct err *err)
{
    json_t *kept = NULL, *out = json_object(), *binding;
    size_t i;
    int r = out ? 0 : err_nomem(err);

    if (r == 0 && d->base_id[0])
        r = version_secrets(catalog, d->base_id, &kept, err);
    json_array_foreach(d->bindings, i, binding)
    {
        const char *name = json_string_value(json_object_get(binding, "name"));
        const char *type = json_string_value(json_object_get(binding, "type"));
        json_t *text = json_object_get(binding, "text");
        if (r < 0 || strcmp(type, "secret_text") != 0)
            continue;
        if (!json_is_string(text))
            text = json_object_get(kept, name);
        if (text &&
            json_object_set_new(out, name, json_string_nocheck(json_string_value(text))) < 0)
            r = err_nomem(err);
    }
    deploy_wipe(kept);
    json_decref(kept);
    if (r == 0)
        d->secrets = out;
    else
        json_decref(out);
    return r;
}

static void fail_bindings(struct api_call *call, const struct err *err)
{
    if (err->code == ERR_NOT_FOUND)
        api_error(call, 400, 10057, "%s", err->text);
    else if (err->code == ERR_LIMIT)
        api_error(call, 400, 10021, "%s", err->text);
    else
        api_fail(call, 10021, err);
}

/* The version that this one stands on.  ERR_NOT_FOUND: none. */
static int find_base(struct catalog *catalog, const struct deploy *d, const struct worker *worker,
                     struct version *ret, bool *ret_is_deployed, struct err *err)
{
    if (d->base == DEPLOY_ON_CURRENT)
        return version_current(catalog, worker, ret, ret_is_deployed, err);
    *ret_is_deployed = false;
    return version_latest(catalog, worker->id, ret, err);
}

static bool look_at_worker(struct api_call *call, struct catalog *catalog, struct deploy *d)
{
    struct version base = {0};
    struct worker worker = {0};
    struct err err = {0};
    bool is_deployed = false, has_base = false;
    int r = worker_find(catalog, call->token.account_id, d->worker_name, &worker, &err);

    if (r == ERR_NOT_FOUND && d->makes_worker) {
        r = work_out(d, NULL, &err);
        if (r < 0)
            fail_bindings(call, &err);
        return r == 0;
    }
    if (r < 0) {
        if (r == ERR_NOT_FOUND || (r == ERR_INVALID && !d->makes_worker))
            api_error(call, 404, 10007, "This Worker does not exist on your account.");
        else
            api_fail(call, 10016, &err);
        return false;
    }
    r = find_base(catalog, d, &worker, &base, &is_deployed, &err);
    has_base = r == 0;
    if (r < 0 && r != ERR_NOT_FOUND)
        api_fail(call, 10013, &err);
    else if (!has_base && is_change(d))
        api_error(call, 404, 10222,
                  "This Worker has no versions yet: upload its code before you change it");
    if (!api_is_answered(call)) {
        r = work_out(d, has_base ? &base : NULL, &err);
        if (r < 0)
            fail_bindings(call, &err);
    }
    version_done(&base);
    worker_done(&worker);
    return !api_is_answered(call);
}

void deploy_prepare(struct api_call *call, struct catalog *catalog, struct deploy *d)
{
    const char *hash;
    struct err err = {0};
    int r;

    if (!look_at_worker(call, catalog, d) || d->is_draft)
        return;
    hash = is_change(d) ? d->base_bundle : d->bundle;
    d->new_ms = clock_wall_ms();
    r = database_make_uuid(d->new_id, &err);
    if (r == 0)
        r = bundles_folder(catalog, hash, &d->folder, &err);
    if (r == 0)
        r = work_out_secrets(catalog, d, &err);
    if (r < 0)
        api_fail(call, 10013, &err);
}

static int patch_settings(struct catalog *catalog, struct deploy *d, struct err *err)
{
    if (json_object_size(d->settings) == 0)
        return 0;
    return worker_patch_settings(catalog, d->worker_id, d->settings, err);
}

static int make_version(struct catalog *catalog, struct api_call *call, struct deploy *d,
                        struct version *ret, struct err *err)
{
    bool is_old = is_change(d);
    char author[API_AUTHOR_MAX];
    struct version draft = {
        .source = call_inside(call)->agent,
        .author = api_author(call, author),
        .bundle = is_old ? d->base_bundle : d->bundle,
        .main = is_old ? d->base_main : d->main,
        .metadata = is_old ? d->base_metadata : d->metadata,
        .bindings = d->bindings,
        .annotations = d->annotations,
        .facts = d->facts ? d->facts
                 : is_old ? d->base_facts
                          : NULL,
    };

    memcpy(draft.worker_id, d->worker_id, sizeof draft.worker_id);
    memcpy(draft.id, d->new_id, sizeof draft.id);
    draft.created_ms = d->new_ms;
    return version_create(catalog, &draft, d->base_id[0] ? d->base_id : NULL, ret, err);
}

static int make_deployment(struct catalog *catalog, const struct deploy *d,
                           const struct version *version, struct err *err)
{
    struct deployment draft = {.source = version->source,
                               .author = version->author,
                               .annotations = json_deep_copy(version->annotations),
                               .share_count = 1};
    struct deployment made = {0};
    int r;

    memcpy(draft.worker_id, d->worker_id, sizeof draft.worker_id);
    memcpy(draft.shares[0].version_id, version->id, UUID_SIZE);
    draft.shares[0].percentage = 100;
    r = deployment_create(catalog, &draft, &made, err);
    deployment_done(&made);
    json_decref(draft.annotations);
    return r;
}

/* In the transaction: what stands before it may have changed while the template was made. */
static int base_again(struct catalog *catalog, struct deploy *d, const struct worker *worker,
                      bool *ret_is_deployed, struct err *err)
{
    struct version base = {0};
    int r = find_base(catalog, d, worker, &base, ret_is_deployed, err);
    bool has_base = r == 0;

    if (r == ERR_NOT_FOUND && !is_change(d))
        r = 0;
    d->is_kept = r == 0 && strcmp(has_base ? base.id : "", d->base_id) == 0;
    if (r == 0 && !d->is_kept)
        r = work_out(d, has_base ? &base : NULL, err);
    version_done(&base);
    return r;
}

static int commit_all(struct catalog *catalog, struct api_call *call, struct deploy *d,
                      struct err *err)
{
    struct version version = {0};
    struct worker worker = {0};
    bool is_deployed = false;
    int r = catalog_begin(catalog, err);

    if (r < 0)
        return r;
    r = d->makes_worker
            ? worker_need(catalog, call->token.account_id, d->worker_name, &worker, NULL, err)
            : worker_find(catalog, call->token.account_id, d->worker_name, &worker, err);
    if (r == 0) {
        memcpy(d->worker_id, worker.id, sizeof d->worker_id);
        r = base_again(catalog, d, &worker, &is_deployed, err);
    }
    if (r == 0)
        r = make_version(catalog, call, d, &version, err);
    if (r == 0)
        r = patch_settings(catalog, d, err);
    d->is_deployed = d->deploys && !d->is_draft && (!is_change(d) || is_deployed);
    if (r == 0 && d->is_deployed)
        r = make_deployment(catalog, d, &version, err);
    if (r == 0) {
        memcpy(d->version_id, version.id, sizeof d->version_id);
        worker_done(&worker);
        r = worker_find_id(catalog, d->worker_id, &worker, err);
    }
    if (r == 0)
        r = catalog_commit(catalog, err);
    if (r < 0)
        catalog_rollback(catalog);
    else
        d->answer(call, d, &worker, &version);
    version_done(&version);
    worker_done(&worker);
    return r;
}

static void commit(struct api_call *call, struct catalog *catalog)
{
    struct deploy *d = call->state;
    struct err err = {0};

    json_object_set_new(d->annotations, "workers/triggered_by", json_string(d->triggered_by));
    d->version_id[0] = '\0';
    if (commit_all(catalog, call, d, &err) == 0)
        return;
    d->version_id[0] = '\0';
    if (err.code == ERR_NOT_FOUND && !d->makes_worker)
        api_error(call, 404, 10007, "This Worker does not exist on your account.");
    else
        fail_bindings(call, &err);
}

/* ---- on the loop ---- */

static void switched(void *self, const struct err *err)
{
    struct api_call *call = self;

    if (err) /* it is in the catalog: the node comes to it at its next look */
        log_error("a worker was changed, and could not be read again: %s", err->text);
    api_reply(call);
}

void deploy_switch(struct api_call *call, const char *worker_id)
{
    api_wait(call);
    live_changed(call->api->live, call->token.account_id, worker_id, switched, call);
}

void api_changed(struct api_call *call, const char *worker_id)
{
    call_inside(call)->is_changed = true;
    snprintf(call_inside(call)->changed_worker, ID_SIZE, "%s", worker_id);
}

void api_after_change(struct api_call *call)
{
    if (call_inside(call)->is_changed)
        deploy_switch(call, call_inside(call)->changed_worker);
}

static void committed(struct api_call *call)
{
    struct deploy *d = call->state;
    struct live_check *check = d->check;

    d->check = NULL;
    if (check && d->version_id[0] && d->is_kept)
        live_adopt(check, d->worker_id, d->version_id);
    else if (check)
        live_dismiss(check);
    if (d->version_id[0] && d->is_deployed)
        deploy_switch(call, d->worker_id);
}

static json_t *handlers_of(uint32_t bits)
{
    static const char *const NAMES[] = {"fetch", "scheduled", "queue", "alarm",
                                        "trace", "pubsub",    "test"};
    json_t *out = json_array();

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (bits >> i & 1)
            json_array_append_new(out, json_string(NAMES[i]));
    return out;
}

static void on_verdict(void *self, struct live_check *check, const struct live_verdict *v)
{
    struct api_call *call = self;
    struct deploy *d = call->state;

    (void)check;
    if (!v->is_good && v->is_ours) {
        api_error(
            call, 503, 10013,
            "This node could not try your Worker, for no fault of the code: %.*s. Nothing has "
            "changed; deploy again in a moment",
            SPAN_ARG(v->message));
        api_reply(call);
        return;
    }
    if (!v->is_good) {
        api_error(call, 400, v->code ? v->code : 10021, "%.*s", SPAN_ARG(v->message));
        api_reply(call);
        return;
    }
    d->facts = json_pack("{s:o, s:i, s:I}", "handlers", handlers_of(v->handlers), "startup_ms",
                         v->startup_ms, "bytes",
                         is_change(d) ? json_integer_value(json_object_get(d->base_facts, "bytes"))
                                      : (json_int_t)d->bytes);
    api_again(call, commit, committed);
}

void deploy_check(struct api_call *call)
{
    struct deploy *d = call->state;
    struct live_candidate candidate;
    struct err err = {0};
    json_t *plain;

    if (api_is_answered(call) || !d)
        return;
    if (call->is_gone) { /* nothing has begun */
        api_error(call, 408, 10013, "The client has left");
        return;
    }
    if (d->is_draft) {
        if (!is_change(d))
            d->facts = json_pack("{s:b, s:[s], s:I}", "draft", 1, "handlers", "fetch", "bytes",
                                 (json_int_t)d->bytes);
        api_again(call, commit, committed);
        return;
    }
    plain = describe_bindings(d->bindings);
    candidate = (struct live_candidate){
        .account_id = call->token.account_id,
        .worker_name = d->worker_name,
        .folder = d->folder,
        .main = is_change(d) ? d->base_main : d->main,
        .metadata = is_change(d) ? d->base_metadata : d->metadata,
        .bindings = plain,
        .secrets = d->secrets,
        .version_id = d->new_id,
        .created_ms = d->new_ms,
        .tag = json_string_value(json_object_get(d->annotations, "workers/tag")),
    };
    if (live_check(call->api->live, &candidate, on_verdict, call, &d->check, &err) == 0)
        api_wait(call);
    else if (err.code == ERR_LIMIT)
        api_error(call, 503, 10013, "%s: try again in a moment", err.text);
    else
        api_fail(call, 10021, &err);
    json_decref(plain);
}

/* script.c - scripts: upload, list, code, delete; and the same workers as "services". */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/call.h"
#include "api/deploy.h"
#include "api/describe.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

/* ---- PUT: code that answers from now on ---- */

/* Without its dashes: wrangler 3 reads no other form. */
static json_t *plain_id(const char *uuid)
{
    char out[UUID_SIZE];
    size_t n = 0;

    for (; *uuid; uuid++)
        if (*uuid != '-')
            out[n++] = *uuid;
    return json_stringn(out, n);
}

static void answer_put(struct api_call *call, const struct deploy *d, const struct worker *worker,
                       const struct version *version)
{
    json_t *out = describe_script(worker, version);
    json_t *startup = json_object_get(version->facts, "startup_ms");

    json_object_set_new(out, "deployment_id", plain_id(version->id));
    json_object_set_new(out, "version_id", json_string(version->id));
    json_object_set_new(out, "startup_time_ms", startup ? json_incref(startup) : json_integer(0));
    json_object_set_new(out, "available_on_subdomain",
                        json_boolean(worker->is_subdomain_enabled && !d->is_draft));
    json_object_set_new(out, "entry_point", json_string(version->main));
    api_result(call, out);
}

static void put_script(struct api_call *call, struct catalog *catalog)
{
    struct deploy *d = deploy_new(call);
    char *inherit = api_query(call, "bindings_inherit", 0);

    if (d) {
        d->makes_worker = d->deploys = true;
        d->missing = inherit && strcmp(inherit, "strict") == 0 ? BINDINGS_STRICT : BINDINGS_LENIENT;
        d->answer = answer_put;
        if (deploy_read_form(call, catalog, d))
            deploy_prepare(call, catalog, d);
    }
    mem_free(inherit);
}

/* ---- looking ---- */

/* Of each worker the version that counts.  false: the call is answered. */
static json_t *
describe_with(struct api_call *call, struct catalog *catalog, const struct worker *worker,
              json_t *(*describe)(const struct worker *worker, const struct version *version))
{
    struct version version = {0};
    struct err err = {0};
    int r = version_current(catalog, worker, &version, NULL, &err);
    json_t *out = NULL;

    if (r == 0 || r == ERR_NOT_FOUND)
        out = describe(worker, r == 0 ? &version : NULL);
    else
        api_fail(call, 10013, &err);
    version_done(&version);
    return out;
}

static void list_scripts(struct api_call *call, struct catalog *catalog)
{
    struct workers workers = {0};
    json_t *out = json_array();
    struct err err = {0};
    int r = worker_list(catalog, call->token.account_id, &workers, &err);

    if (r < 0)
        api_fail(call, 10013, &err);
    for (size_t i = 0; r == 0 && i < workers.count; i++)
        json_array_append_new(out,
                              describe_with(call, catalog, &workers.items[i], describe_script));
    workers_done(&workers);
    if (api_is_answered(call)) {
        json_decref(out);
        return;
    }
    api_result_list(call, out,
                    json_pack("{s:i, s:I, s:I, s:I, s:i}", "page", 1, "per_page",
                              (json_int_t)json_array_size(out), "count",
                              (json_int_t)json_array_size(out), "total_count",
                              (json_int_t)json_array_size(out), "total_pages", 1));
}

static void get_described(struct api_call *call, struct catalog *catalog, int code,
                          json_t *(*describe)(const struct worker *worker,
                                              const struct version *version))
{
    struct worker worker = {0};
    json_t *out;

    if (!api_worker(call, catalog, code, &worker))
        return;
    out = describe_with(call, catalog, &worker, describe);
    if (!api_is_answered(call))
        api_result(call, out);
    worker_done(&worker);
}

static void get_service(struct api_call *call, struct catalog *catalog)
{
    get_described(call, catalog, 10090, describe_service);
}

static void get_environment(struct api_call *call, struct catalog *catalog)
{
    if (strcmp(api_param(call, "environment"), "production") != 0)
        api_error(call, 404, 10090, "This environment does not exist on your account.");
    else
        get_described(call, catalog, 10090, describe_environment);
}

/* ---- its code ---- */

enum { CONTENT_MEMORY = 1 << 20 }; /* of a form; more of it goes into a file */

struct form {
    const struct api *api;
    char boundary[ID_SIZE];
    struct buf memory;
    int fd; /* or -1 */
    uint64_t written;
};

static int form_flush(struct form *form, struct err *err)
{
    int r = 0;

    if (form->fd < 0)
        r = api_unnamed(form->api, &form->fd, err);
    if (r < 0)
        return r;
    if (file_write(form->fd, buf_span(&form->memory)) < 0)
        return err_errno(err, errno, "write a worker's code");
    form->written += buf_len(&form->memory);
    buf_eat(&form->memory, buf_len(&form->memory));
    return 0;
}

/* What stands in a quoted name has to be escaped as browsers do. */
static int put_name(struct buf *out, const char *name)
{
    int r = 0;

    for (; *name && r == 0; name++) {
        if (*name == '"' || *name == '\r' || *name == '\n')
            r = buf_print(out, "%%%02X", (unsigned char)*name);
        else
            r = buf_append(out, name, 1);
    }
    return r;
}

static int put_part(struct form *form, const char *name, const char *type, struct span bytes,
                    struct err *err)
{
    struct buf *out = &form->memory;

    if (buf_print(out, "--%s\r\nContent-Disposition: form-data; name=\"", form->boundary) < 0 ||
        put_name(out, name) < 0 || buf_print(out, "\"; filename=\"") < 0 ||
        put_name(out, name) < 0 ||
        buf_print(out, "\"\r\nContent-Type: %s\r\n\r\n",
                  *type ? type : "application/octet-stream") < 0 ||
        buf_append(out, bytes.data, bytes.len) < 0 || buf_append(out, "\r\n", 2) < 0)
        return err_nomem(err);
    return buf_len(out) >= CONTENT_MEMORY ? form_flush(form, err) : 0;
}

/* Requirements that came one by one (see upload.c) go the same way back. */
static int put_requirements(struct form *form, const struct bundle_file *file, struct err *err)
{
    char *text = mem_strdup(file->bytes), *rest = text, *line;
    int r = text ? 0 : err_nomem(err);

    while (r == 0 && (line = strsep(&rest, "\n")))
        if (*line)
            r = put_part(form, line, file->type, SPAN(""), err);
    mem_free(text);
    return r;
}

static int put_files(struct form *form, const struct bundle_files *files, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < files->count && r == 0; i++) {
        const struct bundle_file *file = &files->items[i];
        if (strcmp(file->type, "text/x-python-requirement") == 0)
            r = put_requirements(form, file, err);
        else
            r = put_part(form, file->name, file->type, (struct span){file->bytes, file->len}, err);
    }
    if (r == 0 && buf_print(&form->memory, "--%s--\r\n", form->boundary) < 0)
        r = err_nomem(err);
    if (r == 0 && form->fd >= 0)
        r = form_flush(form, err);
    if (r == 0 && form->fd >= 0 && lseek(form->fd, 0, SEEK_SET) < 0)
        r = err_errno(err, errno, "read a worker's code");
    return r;
}

static void send_content(struct api_call *call, struct catalog *catalog,
                         const struct version *version)
{
    struct form form = {.api = call->api, .fd = -1};
    struct bundle_files files = {0};
    struct err err = {0};
    char type[128];
    int r = bundles_read(catalog, version->bundle, &files, &err);

    if (r == 0)
        r = catalog_make_id(form.boundary, &err);
    if (r == 0)
        r = put_files(&form, &files, &err);
    snprintf(type, sizeof type, "multipart/form-data; boundary=%s", form.boundary);
    if (r < 0) {
        api_fail(call, 10007, &err);
        if (form.fd >= 0)
            close(form.fd);
    } else if (form.fd >= 0) {
        api_file(call, type, NULL, form.fd, form.written);
    } else {
        api_raw(call, 200, type, buf_span(&form.memory));
    }
    if (r == 0)
        api_header(call, "cf-entrypoint", version->main);
    buf_done(&form.memory);
    bundle_files_done(&files);
}

static void get_content_of(struct api_call *call, struct catalog *catalog, int code)
{
    char *wanted = api_query(call, "version", 0);
    struct version version = {0};
    struct worker worker = {0};
    struct err err = {0};
    int r;

    if (api_worker(call, catalog, code, &worker)) {
        r = wanted ? version_find(catalog, worker.id, wanted, &version, &err)
                   : version_current(catalog, &worker, &version, NULL, &err);
        if (r < 0)
            api_fail(call, 10007, &err);
        else
            send_content(call, catalog, &version);
    }
    version_done(&version);
    worker_done(&worker);
    mem_free(wanted);
}

static void get_content(struct api_call *call, struct catalog *catalog)
{
    get_content_of(call, catalog, 10007);
}

static void get_service_content(struct api_call *call, struct catalog *catalog)
{
    get_content_of(call, catalog, 10090);
}

/* ---- deleting ---- */

static bool binds_to(const struct version *version, const char *name)
{
    json_t *binding;
    size_t i;

    json_array_foreach(version->bindings, i, binding)
    {
        const char *type = json_string_value(json_object_get(binding, "type"));
        const char *target = json_string_value(json_object_get(binding, "service"));
        if (!target)
            target = json_string_value(json_object_get(binding, "script_name"));
        if (type && target && strcmp(target, name) == 0 &&
            (strcmp(type, "service") == 0 || strcmp(type, "durable_object_namespace") == 0))
            return true;
    }
    return false;
}

/* Names of the workers that are bound to this one: an array; NULL: the call is answered. */
static json_t *find_dependents(struct api_call *call, struct catalog *catalog,
                               const struct worker *worker)
{
    struct workers workers = {0};
    json_t *out = json_array();
    struct err err = {0};
    int r = worker_list(catalog, call->token.account_id, &workers, &err);

    for (size_t i = 0; r == 0 && i < workers.count; i++) {
        struct version version = {0};
        if (strcmp(workers.items[i].id, worker->id) == 0)
            continue;
        r = version_current(catalog, &workers.items[i], &version, NULL, &err);
        if (r == 0 && binds_to(&version, worker->name))
            json_array_append_new(out, json_string(workers.items[i].name));
        r = r == ERR_NOT_FOUND ? 0 : r;
        version_done(&version);
    }
    workers_done(&workers);
    if (r == 0)
        return out;
    api_fail(call, 10013, &err);
    json_decref(out);
    return NULL;
}

static void delete_of(struct api_call *call, struct catalog *catalog, int code,
                      json_t *(*describe)(const struct worker *worker,
                                          const struct version *version))
{
    char *force = api_query(call, "force", 0);
    struct worker worker = {0};
    json_t *result = NULL, *users = NULL;
    struct err err = {0};

    if (!api_worker(call, catalog, code, &worker))
        goto done;
    users = find_dependents(call, catalog, &worker);
    if (!users)
        goto done;
    if (json_array_size(users) > 0 && !(force && strcmp(force, "true") == 0)) {
        api_error(call, 400, 10064,
                  "Cannot delete this Worker as it is still referenced by '%s': delete the binding "
                  "first, "
                  "or delete with force",
                  json_string_value(json_array_get(users, 0)));
        goto done;
    }
    if (describe)
        result = describe_with(call, catalog, &worker, describe);
    if (api_is_answered(call))
        goto done;
    if (worker_delete(catalog, call->token.account_id, worker.name, &err) < 0) {
        api_fail(call, code, &err);
        goto done;
    }
    api_result(call, result);
    api_changed(call, worker.id);
    result = NULL;
done:
    json_decref(result);
    json_decref(users);
    worker_done(&worker);
    mem_free(force);
}

static void delete_script(struct api_call *call, struct catalog *catalog)
{
    delete_of(call, catalog, 10007, NULL);
}

static void delete_service(struct api_call *call, struct catalog *catalog)
{
    delete_of(call, catalog, 10090, describe_service);
}

/* What `wrangler delete` asks before it deletes without --force. */
static void get_references(struct api_call *call, struct catalog *catalog)
{
    json_t *users, *incoming = json_array(), *name;
    struct worker worker = {0};
    size_t i;

    if (!api_worker(call, catalog, 10007, &worker)) {
        json_decref(incoming);
        return;
    }
    users = find_dependents(call, catalog, &worker);
    json_array_foreach(users, i, name)
    {
        json_array_append_new(incoming, json_pack("{s:O, s:s, s:s}", "service", name, "environment",
                                                  "production", "name", "binding"));
    }
    worker_done(&worker);
    if (users)
        api_result(call, json_pack("{s:{s:o, s:[], s:b}, s:[], s:[]}", "services", "incoming",
                                   incoming, "outgoing", "pages_function", 0, "durable_objects",
                                   "dispatch_outbounds"));
    else
        json_decref(incoming);
    json_decref(users);
}

static void get_tail_producers(struct api_call *call, struct catalog *catalog)
{
    struct workers workers = {0};
    json_t *out = json_array();
    struct err err = {0};
    int r = worker_list(catalog, call->token.account_id, &workers, &err);

    for (size_t i = 0; r == 0 && i < workers.count; i++) {
        const struct worker *one = &workers.items[i];
        json_t *consumer;
        size_t k;
        json_array_foreach(json_object_get(one->settings, "tail_consumers"), k, consumer)
        {
            const char *service = json_string_value(json_object_get(consumer, "service"));
            if (service && strcmp(service, api_param(call, "script")) == 0)
                json_array_append_new(out, json_pack("{s:{s:s, s:s}}", "producer", "service",
                                                     one->name, "environment", "production"));
        }
    }
    workers_done(&workers);
    if (r == 0) {
        api_result(call, out);
        return;
    }
    json_decref(out);
    api_fail(call, 10013, &err);
}

#define SCRIPT  "/accounts/:account/workers/scripts/:script"
#define SERVICE "/accounts/:account/workers/services/:script"

const struct api_endpoint SCRIPT_ENDPOINTS[] = {
    {"GET", "/accounts/:account/workers/scripts", SCOPE_READ, API_NO_BODY, .work = list_scripts},
    {"PUT", SCRIPT, SCOPE_DEPLOY, API_FORM, .work = put_script, .after = deploy_check},
    {"GET", SCRIPT, SCOPE_READ, API_NO_BODY, .work = get_content},
    {"DELETE", SCRIPT, SCOPE_DEPLOY, API_NO_BODY, .work = delete_script, .after = api_after_change},
    {"GET", SCRIPT "/content", SCOPE_READ, API_NO_BODY, .work = get_content},
    {"GET", SCRIPT "/content/v2", SCOPE_READ, API_NO_BODY, .work = get_content},
    {"GET", SCRIPT "/references", SCOPE_READ, API_NO_BODY, .work = get_references},
    {"GET", "/accounts/:account/workers/tails/by-consumer/:script", SCOPE_READ, API_NO_BODY,
     .work = get_tail_producers},
    {"GET", SERVICE, SCOPE_READ, API_NO_BODY, .work = get_service},
    {"DELETE", SERVICE, SCOPE_DEPLOY, API_NO_BODY, .work = delete_service,
     .after = api_after_change},
    {"GET", SERVICE "/environments/:environment", SCOPE_READ, API_NO_BODY, .work = get_environment},
    {"GET", SERVICE "/environments/:environment/content/v2", SCOPE_READ, API_NO_BODY,
     .work = get_service_content},
    {0}};

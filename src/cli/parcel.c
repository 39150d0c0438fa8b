/* parcel.c - see parcel.h. */
#include "cli/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "catalog/database.h"
#include "cli/access.h"
#include "cli/secrets_file.h"
#include "text/value.h"

enum { CHUNK = 64 * 1024 };

/* ---- metadata ---- */

/* list[] = take_entry */
static int add(json_t *list, json_t *take_entry)
{
    return take_entry && json_array_append_new(list, take_entry) == 0 ? 0 : ERR_NOMEM;
}

static int add_variables(json_t *list, const char *env_json)
{
    json_t *all = NULL, *value;
    json_error_t at;
    const char *name;
    int r = value_parse(span_of(env_json), &all, &at);

    json_object_foreach(all, name, value) if (r == 0) r = add(
        list, json_is_string(value)
                  ? json_pack("{s:s, s:s, s:O}", "name", name, "type", "plain_text", "text", value)
                  : json_pack("{s:s, s:s, s:O}", "name", name, "type", "json", "json", value));
    json_decref(all);
    return r;
}

/* The id is there when it can be one; parcel_fill finds the others. */
static int add_databases(json_t *list, const struct project *p)
{
    int r = 0;

    for (size_t i = 0; i < p->database_count && r == 0; i++) {
        const struct project_database *d = &p->databases[i];
        json_t *entry = json_pack("{s:s, s:s, s:s}", "name", d->binding, "type", "d1",
                                  "database_name", d->name);
        if (entry && database_is_uuid(d->id) &&
            json_object_set_new(entry, "id", json_string(d->id)) < 0) {
            json_decref(entry);
            entry = NULL;
        }
        r = add(list, entry);
    }
    return r;
}

static int add_secrets(json_t *list, const char *file, struct err *err)
{
    json_t *all = NULL, *value;
    const char *name;
    int r = secrets_read(file, &all, err);

    json_object_foreach(all, name, value) if (r == 0 && json_is_string(value))
    {
        r = add(list,
                json_pack("{s:s, s:s, s:O}", "name", name, "type", "secret_text", "text", value));
        if (r < 0)
            err_nomem(err);
    }
    /* The strings live on in the list: parcel_done wipes them. */
    json_decref(all);
    return r;
}

static int set(json_t *object, const char *key, json_t *take_value)
{
    return take_value && json_object_set_new(object, key, take_value) == 0 ? 0 : ERR_NOMEM;
}

static int set_flags(json_t *metadata, const char *flags)
{
    json_t *list = json_array();
    int r = list ? 0 : ERR_NOMEM;

    for (size_t len; *flags && r == 0; flags += len, flags += *flags == ' ') {
        len = strcspn(flags, " ");
        r = add(list, json_stringn(flags, len));
    }
    if (r == 0 && json_array_size(list) > 0)
        return set(metadata, "compatibility_flags", list);
    json_decref(list);
    return r;
}

static int set_annotations(json_t *metadata, const struct parcel_wish *wish, struct err *err)
{
    const char *const TEXTS[][2] = {{"workers/message", wish->message}, {"workers/tag", wish->tag}};
    json_t *out = json_object();
    int r = out ? 0 : ERR_NOMEM;

    for (size_t i = 0; i < 2 && r == 0; i++) {
        const char *text = TEXTS[i][1];
        if (text && strlen(text) > PARCEL_ANNOTATION_MAX) {
            json_decref(out);
            return err_set(err, ERR_LIMIT, "%s is longer than %d bytes", i ? "--tag" : "--message",
                           PARCEL_ANNOTATION_MAX);
        }
        if (text && text[0])
            r = set(out, TEXTS[i][0], json_string(text));
    }
    if (r == 0 && json_object_size(out) > 0)
        return set(metadata, "annotations", out);
    json_decref(out);
    return r;
}

static json_t *keep_list(bool keeps_vars)
{
    return keeps_vars ? json_pack("[s, s, s, s]", "plain_text", "json", "secret_text", "secret_key")
                      : json_pack("[s, s]", "secret_text", "secret_key");
}

static int make_metadata(const struct project *p, const struct parcel_wish *wish,
                         struct parcel *out, struct err *err)
{
    json_t *settings = NULL, *list = json_array();
    json_error_t at;
    int r;

    out->metadata = json_object();
    r = set(out->metadata, out->files.bundle.is_script ? "body_part" : "main_module",
            json_string(out->files.main));
    if (r == 0)
        r = set(out->metadata, "bindings", list);
    else
        json_decref(list);
    if (r == 0)
        r = add_variables(list, p->env_json);
    if (r == 0)
        r = add_databases(list, p);
    if (r == 0 && p->compatibility_date[0])
        r = set(out->metadata, "compatibility_date", json_string(p->compatibility_date));
    if (r == 0)
        r = set_flags(out->metadata, p->compatibility_flags);
    if (r == 0)
        r = set(out->metadata, "keep_bindings",
                keep_list(wish->keeps_vars || p->deploy.keeps_vars));
    if (r == 0 && p->deploy.settings_json[0]) {
        r = value_parse(span_of(p->deploy.settings_json), &settings, &at);
        if (r == 0 && json_object_update(out->metadata, settings) < 0)
            r = ERR_NOMEM;
        json_decref(settings);
    }
    if (r < 0)
        return err_nomem(err);
    r = set_annotations(out->metadata, wish, err);
    if (r == ERR_NOMEM)
        return err_nomem(err);
    return r < 0 || !wish->secrets_file ? r : add_secrets(list, wish->secrets_file, err);
}

/* ---- files ---- */

/* Folders on the way to a file. */
static int make_parents(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    int r = copy ? 0 : err_nomem(err);

    for (char *at = copy ? strchr(copy + 1, '/') : NULL; at && r == 0; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            r = err_errno(err, errno, "make '%s'", copy);
        *at = '/';
    }
    mem_free(copy);
    return r;
}

static int open_copy(const char *outdir, const char *name, int *ret_fd, struct err *err)
{
    struct buf text = {0};
    char *path = buf_print(&text, "%s/%s", outdir, name) == 0 ? buf_detach(&text) : NULL;
    int r = path ? make_parents(path, err) : err_nomem(err);

    if (r == 0) {
        *ret_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (*ret_fd < 0)
            r = err_errno(err, errno, "write '%s'", path);
    }
    buf_done(&text);
    mem_free(path);
    return r;
}

/* Count what deflate makes of the input that z has. */
static void squeeze(z_stream *z, int flush, uint64_t *count)
{
    unsigned char out[CHUNK];

    do {
        z->next_out = out;
        z->avail_out = sizeof out;
        deflate(z, flush);
        *count += sizeof out - z->avail_out;
    } while (z->avail_out == 0);
}

static int read_one(const struct upload_file *f, z_stream *z, int copy, struct parcel *p,
                    struct err *err)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r = 0;
    char bytes[CHUNK];
    ssize_t n;

    if (fd < 0)
        return err_errno(err, errno, "read '%s'", f->path);
    while (r == 0 && (n = read(fd, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r = err_errno(err, errno, "read '%s'", f->path);
            break;
        }
        z->next_in = (unsigned char *)bytes;
        z->avail_in = (unsigned)n;
        squeeze(z, Z_NO_FLUSH, &p->gzip_bytes);
        p->bytes += (uint64_t)n;
        if (copy >= 0 && file_write(copy, (struct span){bytes, (size_t)n}) < 0)
            r = err_errno(err, errno, "write a copy of '%s'", f->name);
    }
    close(fd);
    return r;
}

/* What it comes to, packed and not, and the copy in --outdir. */
static int read_files(struct parcel *p, const char *outdir, struct err *err)
{
    z_stream z = {0};
    int r = 0, copy;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_nomem(err);
    for (size_t i = 0; i < p->files.count && r == 0; i++) {
        copy = -1;
        if (outdir)
            r = open_copy(outdir, p->files.items[i].name, &copy, err);
        if (r == 0)
            r = read_one(&p->files.items[i], &z, copy, p, err);
        if (copy >= 0 && close(copy) < 0 && r == 0)
            r = err_errno(err, errno, "write a copy of '%s'", p->files.items[i].name);
    }
    z.avail_in = 0;
    squeeze(&z, Z_FINISH, &p->gzip_bytes);
    deflateEnd(&z);
    return r;
}

int parcel_make(struct remote *r, const struct parcel_wish *wish, struct parcel *ret,
                struct err *err)
{
    struct diagnostics said = {0};
    struct buf text = {0};
    int code;

    value_init();
    code = upload_build(&r->project, &ret->files, &said, err);
    if (said.count > 0 && diagnostics_print(&said, &text) == 0)
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&text)));
    if (code < 0 && said.errors > 0)
        err->text[0] = '\0';
    buf_done(&text);
    diagnostics_done(&said);
    if (code == 0)
        code = make_metadata(&r->project, wish, ret, err);
    return code < 0 ? code : read_files(ret, wish->outdir, err);
}

void parcel_done(struct parcel *p)
{
    secrets_wipe(p->metadata);
    upload_done(&p->files);
    *p = (struct parcel){0};
}

/* ---- for people ---- */

void parcel_print_size(const struct parcel *p)
{
    printf("Total Upload: %.2f KiB / gzip: %.2f KiB\n", (double)p->bytes / 1024,
           (double)p->gzip_bytes / 1024);
}

int parcel_print_bindings(const struct parcel *p, const struct remote *r, struct err *err)
{
    const char *hidden[PARCEL_ANNOTATION_MAX] = {0};
    struct buf out = {0};
    int code;

    for (size_t i = 0; i < r->options.var_count && i + 1 < PARCEL_ANNOTATION_MAX; i++)
        hidden[i] = r->options.vars[i];
    code = access_print_upload(json_object_get(p->metadata, "bindings"), hidden, &out);
    if (code == 0)
        printf("%.*s\n", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    return code < 0 ? err_nomem(err) : 0;
}

/* ---- what the node has ---- */

/* The uuid of the database of this name, "" when there is none. */
static int look_up(struct remote *r, const char *name, json_t **ret_uuid, struct err *err)
{
    struct client_answer answer = {0};
    char *escaped = client_escape(name), *path = NULL;
    json_t *one;
    size_t i;
    int code =
        escaped ? client_path(r->client, &path, err, "/d1/database?per_page=100&name=%s", escaped)
                : err_nomem(err);

    *ret_uuid = NULL;
    if (code == 0)
        code = client_ask(r->client, &(struct client_request){.method = "GET", .path = path},
                          &answer, err);
    if (code == 0)
        json_array_foreach(answer.result, i, one)
        {
            const char *its = json_string_value(json_object_get(one, "name"));
            if (!*ret_uuid && its && strcmp(its, name) == 0)
                *ret_uuid = json_incref(json_object_get(one, "uuid"));
        }
    client_answer_done(&answer);
    mem_free(escaped);
    mem_free(path);
    return code;
}

static int make_database(struct remote *r, const char *name, json_t **ret_uuid, struct err *err)
{
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:s}", "name", name);
    char *path = NULL;
    int code = body ? client_path(r->client, &path, err, "/d1/database") : err_nomem(err);

    if (code == 0)
        code = client_ask(r->client,
                          &(struct client_request){.method = "POST", .path = path, .json = body},
                          &answer, err);
    if (code == 0) {
        *ret_uuid = json_incref(json_object_get(answer.result, "uuid"));
        printf("🌀 Created the D1 database '%s' (%s)\n", name,
               json_string_value(*ret_uuid) ? json_string_value(*ret_uuid) : "?");
    }
    client_answer_done(&answer);
    json_decref(body);
    mem_free(path);
    return code;
}

static int fill_database(struct remote *r, json_t *binding, struct err *err)
{
    const char *name = json_string_value(json_object_get(binding, "database_name"));
    json_t *uuid = NULL;
    int code = look_up(r, name, &uuid, err);

    if (code == 0 && !uuid)
        code = make_database(r, name, &uuid, err);
    if (code == 0 && !json_is_string(uuid))
        code = err_set(err, ERR_GONE, "the node does not say the id of the database '%s'", name);
    if (code == 0 && json_object_set(binding, "id", uuid) < 0)
        code = err_nomem(err);
    json_decref(uuid);
    return code;
}

/* Does the list of secrets have this one? */
static bool has_name(json_t *list, const char *name, size_t len)
{
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *its = json_string_value(json_object_get(one, "name"));
        if (its && strlen(its) == len && strncmp(its, name, len) == 0)
            return true;
    }
    return false;
}

static int check_required(const struct parcel *p, struct remote *r, struct err *err)
{
    const char *required = r->project.deploy.required;
    struct client_answer answer;
    struct buf missing = {0};
    int code;

    if (!required[0])
        return 0;
    code = remote_ask(r, &(struct client_request){.method = "GET"}, &answer, err,
                      "/scripts/%s/secrets", r->name);
    if (code < 0 && remote_is_unknown(&answer))
        code = 0; /* it has none yet */
    for (const char *at = required; *at && code == 0; at += strcspn(at, "\n") + 1) {
        size_t len = strcspn(at, "\n");
        if (!has_name(answer.result, at, len) &&
            !has_name(json_object_get(p->metadata, "bindings"), at, len) &&
            buf_print(&missing, "%s%.*s", buf_len(&missing) ? ", " : "", (int)len, at) < 0)
            code = err_nomem(err);
    }
    if (code == 0 && buf_len(&missing) > 0) {
        code = err_set(err, ERR_INVALID, "'%s' lacks secrets that secrets.required names: %.*s",
                       r->name, SPAN_ARG(buf_span(&missing)));
        err_hint(err, "`corral secret put NAME` gives it one, --secrets-file FILE several along "
                      "with the code.");
    }
    buf_done(&missing);
    client_answer_done(&answer);
    return code;
}

int parcel_fill(struct parcel *p, struct remote *r, struct err *err)
{
    json_t *list = json_object_get(p->metadata, "bindings"), *binding;
    int code = check_required(p, r, err);
    const char *type;
    size_t i;

    json_array_foreach(list, i, binding)
    {
        type = json_string_value(json_object_get(binding, "type"));
        if (code == 0 && type && strcmp(type, "d1") == 0 && !json_object_get(binding, "id"))
            code = fill_database(r, binding, err);
    }
    return code;
}

/* ---- away with it ---- */

/* As it goes out: the names of databases are for people here. */
static char *metadata_text(json_t *metadata)
{
    json_t *copy = json_deep_copy(metadata), *binding;
    char *text = NULL;
    size_t i;

    json_array_foreach(json_object_get(copy, "bindings"), i, binding)
        json_object_del(binding, "database_name");
    if (copy)
        text = json_dumps(copy, JSON_COMPACT);
    secrets_wipe(copy);
    return text;
}

int parcel_send(const struct parcel *p, struct remote *r, const char *method, const char *path,
                struct client_answer *ret, struct err *err)
{
    struct client_part *parts = mem_alloc((p->files.count + 1) * sizeof *parts);
    char *text = metadata_text(p->metadata);
    size_t count = 0;
    int code;

    *ret = (struct client_answer){0};
    if (!parts || !text) {
        mem_free(parts);
        mem_free(text);
        return err_nomem(err);
    }
    parts[count++] = (struct client_part){.name = "metadata", .bytes = span_of(text)};
    for (size_t i = 0; i < p->files.count; i++) {
        const struct upload_file *f = &p->files.items[i];
        parts[count++] = (struct client_part){
            .name = f->name, .filename = f->name, .type = f->type, .file = f->path};
    }
    code = remote_ask(
        r,
        &(struct client_request){
            .method = method, .parts = parts, .part_count = count, .timeout_ms = CLIENT_LONG_MS},
        ret, err, "%s", path);
    explicit_bzero(text, strlen(text));
    mem_free(text);
    mem_free(parts);
    if (code < 0 && ret->code == 10021)
        err_hint(err, "Nothing has changed on the node: what was there goes on.");
    return code;
}

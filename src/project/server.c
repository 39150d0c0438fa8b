/* server.c - see server.h: a table of keys, and one walk over it.
 *
 * Whoever adds an option to `corral serve` adds its key here, and to docs/configuration.md. */
#include "project/server.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "project/config.h"
#include "project/path.h"
#include "project/schema.h"
#include "text/nearest.h"

enum kind {
    TEXT,
    FILE_NAME, /* seen from the folder of corral.toml */
    OUTPUT,    /* a file name, "-" or "off" */
    NUMBER,
    LIMIT, /* a number in its range, or 0 */
    SWITCH,
    LISTEN, /* one address, or a list of them */
    ALLOW,  /* rules of text/reach.h */
    DENY,
    INDEXES, /* a list of addresses */
    TABLE,
    CERTIFICATE,
    KEY,   /* of the one certificate */
    HOSTS, /* [[tls.hosts]] */
};

struct known {
    const char *table; /* "": the top */
    const char *name;
    enum kind kind;
    size_t offset;
    int64_t min, max;
};

#define AT(field) offsetof(struct server, field)
static const struct known KNOWN[] = {
    {"", "data", FILE_NAME, AT(data), 0, 0},
    {"", "listen", LISTEN, 0, 0, 0},
    {"", "api", TEXT, AT(api), 0, 0},
    {"", "domain", TEXT, AT(domain), 0, 0},
    {"", "api_url", TEXT, AT(api_url), 0, 0},
    {"", "allow_plain_http_api", SWITCH, AT(allow_plain_http_api), 0, 0},
    {"", "secrets_key_file", FILE_NAME, AT(secrets_key_file), 0, 0},
    {"", "request_cf", FILE_NAME, AT(request_cf), 0, 0},
    {"", "drain_seconds", NUMBER, AT(drain_seconds), 1, 3600},
    {"", "tls", TABLE, 0, 0, 0},
    {"", "limits", TABLE, 0, 0, 0},
    {"", "log", TABLE, 0, 0, 0},
    {"", "fetch", TABLE, 0, 0, 0},
    {"", "box", TABLE, 0, 0, 0},
    {"", "packages", TABLE, 0, 0, 0},
    {"packages", "indexes", INDEXES, 0, 0, 0},
    {"packages", "any_index", SWITCH, AT(takes_any_index), 0, 0},
    {"tls", "cert", CERTIFICATE, 0, 0, 0},
    {"tls", "key", KEY, 0, 0, 0},
    {"tls", "hosts", HOSTS, 0, 0, 0},
    {"limits", "requests_per_day", NUMBER, AT(requests_per_day), 0, INT64_C(1) << 52},
    {"limits", "node_memory_mb", NUMBER, AT(node_memory_mb), 0, INT64_C(1) << 30},
    {"limits", "instances", NUMBER, AT(instances), 1, 256},
    {"limits", "account_instances", NUMBER, AT(account_instances), 0, 100000},
    {"limits", "node_instances", NUMBER, AT(node_instances), 0, 100000},
    {"limits", "pools", NUMBER, AT(pools), 1, 100000},
    {"limits", "idle_seconds", NUMBER, AT(idle_seconds), 1, 1 << 20},
    {"limits", "clients", NUMBER, AT(clients), 1, 1000000},
    {"limits", "clients_per_address", NUMBER, AT(clients_per_address), 0, 1000000},
    {"fetch", "allow", ALLOW, 0, 0, 0},
    {"fetch", "deny", DENY, 0, 0, 0},
    {"fetch", "private", SWITCH, AT(fetch_private), 0, 0},
    {"fetch", "public", SWITCH, AT(fetch_public), 0, 0},
    {"box", "accept", TEXT, AT(accept_box), 0, 0},
    {"box", "uids", TEXT, AT(box_uids), 0, 0},
    {"log", "access", OUTPUT, AT(access_log), 0, 0},
    {"log", "level", TEXT, AT(log_level), 0, 0},
};
enum { KNOWN_FIXED = sizeof KNOWN / sizeof *KNOWN, KNOWN_COUNT = KNOWN_FIXED + LIMITS };

/* Those of the table, and behind them the limits of workers. */
static struct known known_at(size_t i)
{
    enum limit limit = (enum limit)(i - KNOWN_FIXED);

    if (i < KNOWN_FIXED)
        return KNOWN[i];
    return (struct known){
        "limits",         limit_name(limit), LIMIT, AT(limits.of) + (size_t)limit * sizeof(int64_t),
        limit_min(limit), limit_max(limit)};
}

struct reading {
    struct server *server;
    const struct config *config;
    const char *folder; /* of corral.toml */
    struct diagnostics *d;
    char *cert, *key;         /* of [tls] */
    bool has_allow, has_deny; /* likewise rules */
    bool has_certificates;    /* the command line named some: those of the file do not count */
    bool is_short;
};

void server_init(struct server *server)
{
    *server = (struct server){.drain_seconds = -1,
                              .allow_plain_http_api = -1,
                              .requests_per_day = -1,
                              .fetch_private = -1,
                              .fetch_public = -1,
                              .takes_any_index = -1,
                              .node_memory_mb = -1,
                              .instances = -1,
                              .account_instances = -1,
                              .node_instances = -1,
                              .pools = -1,
                              .idle_seconds = -1,
                              .clients = -1,
                              .clients_per_address = -1};
    for (int i = 0; i < LIMITS; i++)
        server->limits.of[i] = -1;
}

void server_done(struct server *server)
{
    char **texts[] = {&server->data,
                      &server->api,
                      &server->domain,
                      &server->api_url,
                      &server->secrets_key_file,
                      &server->request_cf,
                      &server->access_log,
                      &server->log_level,
                      &server->accept_box,
                      &server->box_uids};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        mem_free(*texts[i]);
    for (size_t i = 0; i < server->listen_count; i++)
        mem_free(server->listen[i]);
    for (size_t i = 0; i < server->certificate_count; i++) {
        mem_free(server->certificates[i].host);
        mem_free(server->certificates[i].cert);
        mem_free(server->certificates[i].key);
    }
    reach_done(&server->reach);
    for (size_t i = 0; i < server->index_count; i++)
        mem_free(server->indexes[i]);
    server_init(server);
}

/* ---- saying what is wrong ---- */

static void complain(struct reading *r, const char *const *path, size_t depth, const char *wanted,
                     const json_t *value)
{
    char shown[128];
    size_t n = 0;

    for (size_t i = 0; i < depth && n < sizeof shown; i++)
        n += (size_t)snprintf(shown + n, sizeof shown - n, "%s%s", i ? "." : "", path[i]);
    diagnostics_add(r->d, SEVERITY_ERROR, config_value_place(r->config, path, depth), NULL,
                    "'%s' must be %s, not %s", shown, wanted, schema_word(r->config, value));
}

static void refuse_key(struct reading *r, const char *table, const char *const *path, size_t depth)
{
    const char *name = path[depth - 1];
    struct nearest near;
    char hint[128], whole[64];

    nearest_init(&near, name);
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (strcmp(known_at(i).table, table) == 0)
            nearest_try(&near, known_at(i).name);
    snprintf(whole, sizeof whole, "%s%s", table, table[0] ? "." : "");
    if (near.best)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near.best);
    else
        snprintf(hint, sizeof hint, "docs/configuration.md has all keys");
    diagnostics_add(r->d, SEVERITY_ERROR, config_key_place(r->config, path, depth), hint,
                    "'%s%.64s' is not a key of corral.toml", whole, name);
}

/* ---- values ---- */

/* Without a NUL in it, and with something. */
static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);

    return text && text[0] && strlen(text) == json_string_length(value) ? text : NULL;
}

static char *take_text(struct reading *r, const char *const *path, size_t depth,
                       const json_t *value, enum kind kind)
{
    const char *text = text_of(value);
    char *copy;

    if (!text) {
        complain(r, path, depth, "a text", value);
        return NULL;
    }
    if (kind == TEXT || (kind == OUTPUT && (strcmp(text, "-") == 0 || strcmp(text, "off") == 0)))
        copy = mem_strdup(text);
    else
        copy = path_join(r->folder, text);
    r->is_short |= !copy;
    return copy;
}

static void put_text(struct reading *r, const struct known *k, const char *const *path,
                     size_t depth, const json_t *value)
{
    char **to = (char **)((char *)r->server + k->offset);
    char *text = take_text(r, path, depth, value, k->kind);

    if (*to)
        mem_free(text); /* the command line has said it */
    else
        *to = text;
}

static void put_number(struct reading *r, const struct known *k, const char *const *path,
                       size_t depth, const json_t *value)
{
    int64_t *to = (int64_t *)((char *)r->server + k->offset);
    char wanted[80];
    int64_t n = json_is_integer(value) ? json_integer_value(value) : -1;

    if (k->kind == SWITCH) {
        if (!json_is_boolean(value))
            complain(r, path, depth, "true or false", value);
        else if (*to < 0)
            *to = json_is_true(value);
        return;
    }
    snprintf(wanted, sizeof wanted, "a number from %lld to %lld%s", (long long)k->min,
             (long long)k->max, k->kind == LIMIT ? ", or 0 for no limit" : "");
    if (!json_is_integer(value))
        complain(r, path, depth, wanted, value);
    else if ((n < k->min || n > k->max) && !(k->kind == LIMIT && n == 0))
        diagnostics_add(r->d, SEVERITY_ERROR, config_value_place(r->config, path, depth), NULL,
                        "'%s%s%s' must be %s, not %lld", k->table, k->table[0] ? "." : "", k->name,
                        wanted, (long long)json_integer_value(value));
    else if (*to < 0)
        *to = n;
}

static void put_listen(struct reading *r, const char *const *path, const json_t *value)
{
    struct server *s = r->server;
    bool is_said = s->listen_count > 0;
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    const json_t *one;
    char *text;

    if (count == 0 || count > SERVER_LISTEN_MAX || (json_is_array(value) == 0 && !text_of(value))) {
        complain(r, path, 1, "an address such as \"127.0.0.1:8787\", or a list of up to 8", value);
        return;
    }
    for (size_t i = 0; i < count && !is_said; i++) {
        one = json_is_array(value) ? json_array_get(value, i) : value;
        text = take_text(r, path, 1, one, TEXT);
        if (text)
            s->listen[s->listen_count++] = text;
    }
}

/* A list of rules; each mistake at its place. */
static void put_rules(struct reading *r, const struct known *k, const char *const *path,
                      size_t depth, const json_t *value)
{
    bool is_allow = k->kind == ALLOW;
    bool is_said = is_allow ? r->has_allow : r->has_deny;
    struct reach checked = {0}, *to = is_said ? &checked : &r->server->reach;
    char number[24];
    const char *item[] = {path[0], path[1], number};
    struct err err;
    int e = 0;

    if (!json_is_array(value)) {
        complain(r, path, depth, "a list of rules such as [\"10.1.0.0/16\", \"db.internal:5432\"]",
                 value);
        return;
    }
    for (size_t i = 0; i < json_array_size(value) && e != ERR_NOMEM; i++) {
        const json_t *one = json_array_get(value, i);
        const char *text = text_of(one);
        snprintf(number, sizeof number, "%zu", i);
        if (!text) {
            complain(r, item, 3, "a rule such as \"10.1.0.0/16\"", one);
            continue;
        }
        err = (struct err){0};
        e = is_allow ? reach_allow(to, span_of(text), &err) : reach_deny(to, span_of(text), &err);
        if (e < 0)
            diagnostics_add(r->d, SEVERITY_ERROR, config_value_place(r->config, item, 3), err.hint,
                            "'fetch.%s': %s", k->name, err.text);
    }
    r->is_short |= e == ERR_NOMEM;
    reach_done(&checked);
}

bool server_is_index(const char *text)
{
    struct span url = span_of(text);

    return (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) && url.len > 8 &&
           strcspn(text, " \t\r\n\"'\\") == url.len;
}

static void put_indexes(struct reading *r, const char *const *path, const json_t *value)
{
    struct server *s = r->server;
    bool is_said = s->index_count > 0;
    char number[24];
    const char *item[] = {path[0], path[1], number};

    if (!json_is_array(value) || json_array_size(value) > SERVER_INDEXES_MAX) {
        complain(r, path, 2, "a list of up to 64 addresses of package indexes", value);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        const char *text = text_of(one);
        snprintf(number, sizeof number, "%zu", i);
        if (!text || !server_is_index(text))
            complain(r, item, 3, "an address such as \"https://pypi.example.com/simple/\"", one);
        else if (!is_said && !(s->indexes[s->index_count] = mem_strdup(text)))
            r->is_short = true;
        else if (!is_said)
            s->index_count++;
    }
}

/* ---- certificates ---- */

static void add_certificate(struct reading *r, char *take_host, char *take_cert, char *take_key)
{
    struct server *s = r->server;

    if (take_cert && take_key && !r->has_certificates &&
        s->certificate_count < SERVER_CERTIFICATES_MAX) {
        s->certificates[s->certificate_count++] =
            (struct server_certificate){take_host, take_cert, take_key};
        return;
    }
    mem_free(take_host);
    mem_free(take_cert);
    mem_free(take_key);
}

/* One of [[tls.hosts]]. */
static void put_host(struct reading *r, size_t index, const json_t *entry)
{
    static const char *const NAMES[] = {"host", "cert", "key"};
    char number[24], *texts[3] = {NULL, NULL, NULL};
    const char *path[4] = {"tls", "hosts", number, NULL}, *name;
    json_t *value;
    size_t i;

    snprintf(number, sizeof number, "%zu", index);
    if (!json_is_object(entry)) {
        complain(r, path, 3, "a table", entry);
        return;
    }
    json_object_foreach((json_t *)entry, name, value)
    {
        path[3] = name;
        for (i = 0; i < 3 && strcmp(name, NAMES[i]) != 0; i++)
            ;
        if (i < 3)
            texts[i] = take_text(r, path, 4, value, i == 0 ? TEXT : FILE_NAME);
        else
            diagnostics_add(r->d, SEVERITY_ERROR, config_key_place(r->config, path, 4),
                            "a host has 'host', 'cert' and 'key'",
                            "'tls.hosts.%.64s' is not a key of corral.toml", name);
    }
    for (i = 0; i < 3; i++)
        if (!texts[i] && !json_object_get(entry, NAMES[i]))
            diagnostics_add(r->d, SEVERITY_ERROR, config_key_place(r->config, path, 3),
                            "a host has 'host', 'cert' and 'key'",
                            "number %zu of 'tls.hosts' has no '%s'", index + 1, NAMES[i]);
    if (!texts[0]) { /* was complained about */
        mem_free(texts[1]);
        texts[1] = NULL;
    }
    add_certificate(r, texts[0], texts[1], texts[2]);
}

static void put_hosts(struct reading *r, const char *const *path, const json_t *value)
{
    if (!json_is_array(value) || json_array_size(value) >= SERVER_CERTIFICATES_MAX) {
        complain(r, path, 2, "a list of up to 255 tables: [[tls.hosts]]", value);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        put_host(r, i, json_array_get(value, i));
}

/* [tls] cert and key belong together, and come first: they serve who names no host. */
static void put_certificate(struct reading *r, const json_t *tls)
{
    const char *path[] = {"tls"};
    const json_t *cert = json_object_get(tls, "cert"), *key = json_object_get(tls, "key");

    if (!cert != !key)
        diagnostics_add(r->d, SEVERITY_ERROR, config_key_place(r->config, path, 1), NULL,
                        "'tls' has a '%s' but no '%s'", cert ? "cert" : "key",
                        cert ? "key" : "cert");
    add_certificate(r, NULL, r->cert, r->key);
    r->cert = r->key = NULL;
}

/* ---- the walk ---- */

static void read_table(struct reading *r, const char *table, const json_t *values);

static void put(struct reading *r, const struct known *k, const char *const *path, size_t depth,
                const json_t *value)
{
    switch (k->kind) {
    case TEXT:
    case FILE_NAME:
    case OUTPUT:
        put_text(r, k, path, depth, value);
        break;
    case NUMBER:
    case LIMIT:
    case SWITCH:
        put_number(r, k, path, depth, value);
        break;
    case LISTEN:
        put_listen(r, path, value);
        break;
    case ALLOW:
    case DENY:
        put_rules(r, k, path, depth, value);
        break;
    case INDEXES:
        put_indexes(r, path, value);
        break;
    case CERTIFICATE:
        r->cert = take_text(r, path, depth, value, FILE_NAME);
        break;
    case KEY:
        r->key = take_text(r, path, depth, value, FILE_NAME);
        break;
    case HOSTS:
        break; /* behind the one of [tls]: read_table */
    case TABLE:
        if (json_is_object(value))
            read_table(r, k->name, value);
        else
            complain(r, path, depth, "a table", value);
    }
}

static void read_table(struct reading *r, const char *table, const json_t *values)
{
    const char *path[2] = {table, NULL}, *name;
    size_t depth = table[0] ? 2 : 1, i;
    struct known known;
    json_t *value;

    json_object_foreach((json_t *)values, name, value)
    {
        path[depth - 1] = name;
        for (i = 0; i < KNOWN_COUNT; i++)
            if (strcmp(known_at(i).table, table) == 0 && strcmp(known_at(i).name, name) == 0)
                break;
        if (i < KNOWN_COUNT) {
            known = known_at(i);
            put(r, &known, path, depth, value);
        } else {
            refuse_key(r, table, path, depth);
        }
    }
    if (strcmp(table, "tls") != 0)
        return;
    put_certificate(r, values);
    path[1] = "hosts";
    value = json_object_get(values, "hosts");
    if (value)
        put_hosts(r, path, value);
}

int server_read(struct server *server, const char *path, const char *worker_program,
                struct diagnostics *d, struct err *err)
{
    struct config config = {0};
    char *normal = path_normal(path), *folder = normal ? path_parent(normal) : NULL;
    struct reading reading = {.server = server,
                              .config = &config,
                              .folder = folder,
                              .d = d,
                              .has_allow = server->reach.allow_count > 0,
                              .has_deny = server->reach.deny_count > 0,
                              .has_certificates = server->certificate_count > 0};
    int r = folder ? config_read(path, path, worker_program, &config, d, err) : err_nomem(err);

    if (r == 0 && config.format != CONFIG_TOML)
        r = err_set(err, ERR_INVALID, "'%s' must be TOML, and be called so", path);
    if (r == 0)
        read_table(&reading, "", config.root);
    if (r == 0 && (reading.is_short || d->is_short))
        r = err_nomem(err);
    if (r == 0 && d->errors > 0)
        r = err_set(err, ERR_INVALID, "'%s' has %zu mistake%s", path, d->errors,
                    d->errors == 1 ? "" : "s");
    config_done(&config);
    mem_free(normal);
    mem_free(folder);
    return r;
}

/* serve_options.c - see serve_options.h. */
#include "cli/serve_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/option.h"
#include "cli/strangers.h"

static const struct option OPTIONS[] = {
    {"--data", "-d", "FOLDER", "where everything is kept; made when it is not there (required)"},
    {"--listen", "-l", "ADDRESS", "workers answer here; may be repeated (127.0.0.1:8787)"},
    {"--api", NULL, "ADDRESS", "the control API answers here (127.0.0.1:8788)"},
    {"--domain", NULL, "DOMAIN", "workers are at NAME.SUBDOMAIN.DOMAIN (localhost)"},
    {"--config", "-c", "FILE", "take settings from this corral.toml; the command line wins"},
    {"--tls-cert", NULL, "FILE",
     "certificate chain (PEM); may be repeated, one for each --tls-key"},
    {"--tls-key", NULL, "FILE", "its private key (PEM)"},
    {"--api-url", NULL, "URL", "how clients reach the API, when something stands before it"},
    {"--allow-plain-http-api", NULL, NULL, "let the API listen beyond this machine without TLS"},
    {"--accept-box", NULL, "GRADE", "accounts may share the node from this grade on (landlock)"},
    {"--box-uids", NULL, "FIRST-LAST", "user ids for accounts, as root (a million from 1900000000 on)"},
    {"--secrets-key-file", NULL, "FILE", "the key that seals secrets (DATA/secrets.key)"},
    {"--request-cf", NULL, "FILE", "what request.cf says of every request: a JSON object"},
    {"--access-log", NULL, "FILE", "JSON lines: a file, '-' for stdout, 'off' (-)"},
    {"--log-level", NULL, "LEVEL", "debug, info, warn, error or none (info)"},
    {"--drain-seconds", NULL, "SECONDS", "requests may end for so long after SIGTERM (30)"},
    {"--requests-per-day", NULL, "NUMBER",
     "of an account, unless it has a quota of its own (0: no limit)"},
    {"--cpu-ms", NULL, "NUMBER", "processor time of a request, likewise (30000; 0: no limit)"},
    {"--memory-mb", NULL, "NUMBER", "memory of an instance above its template's (512)"},
    {"--node-memory-mb", NULL, "NUMBER",
     "memory of all workers together (0: three quarters of what there is)"},
    {"--wall-ms", NULL, "NUMBER", "until a request's answer has begun (0: no limit)"},
    {"--startup-ms", NULL, "NUMBER", "top-level code (10000)"},
    {"--tmp-mb", NULL, "NUMBER", "files below /tmp (128)"},
    {"--threads", NULL, "NUMBER", "of an instance (192)"},
    {"--descriptors", NULL, "NUMBER", "open files of an instance (256)"},
    {"--message-mb", NULL, "NUMBER", "message of a WebSocket (32; 0: no limit)"},
    {"--body-mb", NULL, "NUMBER", "body of a request (100)"},
    {"--log-kb", NULL, "NUMBER", "lines of one request (256)"},
    {"--subrequests", NULL, "NUMBER", "calls that one request may make (10000; 0: no limit)"},
    {"--connections", NULL, "NUMBER", "of one request, those that wait for an answer (6; 0: no limit)"},
    {"--allow-fetch", NULL, "RULE",
     "workers may reach this: 10.1.0.0/16, 127.0.0.1:5432, db.internal:5432; may be repeated"},
    {"--deny-fetch", NULL, "RULE", "workers may not reach this; may be repeated"},
    {"--allow-private-fetch", NULL, NULL, "workers may reach private networks"},
    {"--package-index", NULL, "URL",
     "requirements of uploads may name this index; may be repeated"},
    {"--any-package-index", NULL, NULL, "they may name any index and any wheel's address"},
    {"--instances", NULL, "NUMBER", "of a version, at most (one per core)"},
    {"--account-instances", NULL, "NUMBER", "of all workers of an account (128; 0: no limit)"},
    {"--node-instances", NULL, "NUMBER", "of all workers together (512; 0: no limit)"},
    {"--pools", NULL, "NUMBER", "versions in memory at once, at most (200)"},
    {"--idle-seconds", NULL, "SECONDS", "a version without requests leaves memory (600)"},
    {"--clients", NULL, "NUMBER", "connected at once, at most (16384)"},
    {"--clients-per-address", NULL, "NUMBER", "connections of one address (0: no limit)"},
    {"--help", "-h", NULL, "show this"},
    {0},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS - 1 };

struct walk {
    struct serve_options *o;
    const char *config;
    size_t certs, keys;
};

static void help(void)
{
    printf(
        "Usage: corral serve --data FOLDER [options]\n\n"
        "Run a node: workers are deployed to its API by `corral deploy` or wrangler, and answer\n"
        "at the addresses of --listen.  ADDRESS is 127.0.0.1:8787, [::]:443, *:0 ...; with "
        "http://\n"
        "or https:// before it, it says what is spoken there.\n\n");
    option_print(OPTIONS, OPTION_COUNT);
}

/* ---- the command line ---- */

static int take_text(char **to, const char *name, const char *value, struct err *err)
{
    char *copy;

    if (!value[0])
        return err_set(err, ERR_INVALID, "%s needs a value", name);
    copy = mem_strdup(value);
    if (!copy)
        return err_nomem(err);
    mem_free(*to);
    *to = copy;
    return 0;
}

static int take_listen(struct server *s, const char *value, struct err *err)
{
    if (s->listen_count == SERVER_LISTEN_MAX)
        return err_set(err, ERR_LIMIT, "more than %d addresses to listen on", SERVER_LISTEN_MAX);
    return take_text(&s->listen[s->listen_count++], "--listen", value, err);
}

static int take_certificate(struct walk *w, bool is_key, const char *value, struct err *err)
{
    struct server *s = &w->o->server;
    size_t at = is_key ? w->keys++ : w->certs++;
    struct server_certificate *c = &s->certificates[at];

    if (at == SERVER_CERTIFICATES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d certificates", SERVER_CERTIFICATES_MAX);
    if (s->certificate_count <= at)
        s->certificate_count = at + 1;
    return take_text(is_key ? &c->key : &c->cert, is_key ? "--tls-key" : "--tls-cert", value, err);
}

/* A limit of workers, "--cpu-ms"; ERR_NOT_FOUND: it is none. */
static int take_limit(struct server *s, const char *name, const char *value, struct err *err)
{
    char key[32];
    enum limit limit;
    long n;

    snprintf(key, sizeof key, "%s", name + 2);
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : *c;
    if (!limit_find(span_of(key), &limit))
        return ERR_NOT_FOUND;
    if (option_number(name, value, 0, (long)limit_max(limit), &n, err) < 0)
        return err->code;
    if (n > 0 && n < limit_min(limit))
        return err_set(err, ERR_INVALID, "%s takes a number from %ld to %ld, or 0 for no limit",
                       name, (long)limit_min(limit), (long)limit_max(limit));
    s->limits.of[limit] = n;
    return 0;
}

/* ERR_NOT_FOUND: it is none of these. */
static int take_number(struct server *s, const char *name, const char *value, struct err *err)
{
    const struct {
        const char *name;
        int64_t *to;
        long min, max;
    } NUMBERS[] = {{"--drain-seconds", &s->drain_seconds, 1, 3600},
                   {"--requests-per-day", &s->requests_per_day, 0, 1L << 52},
                   {"--node-memory-mb", &s->node_memory_mb, 0, 1L << 30},
                   {"--instances", &s->instances, 1, 256},
                   {"--account-instances", &s->account_instances, 0, 100000},
                   {"--node-instances", &s->node_instances, 0, 100000},
                   {"--pools", &s->pools, 1, 100000},
                   {"--idle-seconds", &s->idle_seconds, 1, 1 << 20},
                   {"--clients", &s->clients, 1, 1000000},
                   {"--clients-per-address", &s->clients_per_address, 0, 1000000}};
    long n;

    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (strcmp(name, NUMBERS[i].name) != 0)
            continue;
        if (option_number(name, value, NUMBERS[i].min, NUMBERS[i].max, &n, err) < 0)
            return err->code;
        *NUMBERS[i].to = n;
        return 0;
    }
    return take_limit(s, name, value, err);
}

static int take_rule(struct server *s, const char *name, const char *value, struct err *err)
{
    int r = name[2] == 'a' ? reach_allow(&s->reach, span_of(value), err)
                           : reach_deny(&s->reach, span_of(value), err);

    return r < 0 ? err_wrap(err, "%s", name) : 0;
}

static int take_index(struct server *s, const char *value, struct err *err)
{
    if (!server_is_index(value))
        return err_set(err, ERR_INVALID, "--package-index '%.200s' is no address of http or https",
                       value);
    if (s->index_count == SERVER_INDEXES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d package indexes", SERVER_INDEXES_MAX);
    return take_text(&s->indexes[s->index_count++], "--package-index", value, err);
}

static int take_option(void *self, const struct option *option, const char *value, struct err *err)
{
    struct walk *w = self;
    struct server *s = &w->o->server;
    const struct {
        const char *name;
        char **to;
    } TEXTS[] = {{"--data", &s->data},
                 {"--api", &s->api},
                 {"--domain", &s->domain},
                 {"--api-url", &s->api_url},
                 {"--secrets-key-file", &s->secrets_key_file},
                 {"--request-cf", &s->request_cf},
                 {"--access-log", &s->access_log},
                 {"--log-level", &s->log_level},
                 {"--accept-box", &s->accept_box},
                 {"--box-uids", &s->box_uids}};
    int r;

    if (!option)
        return err_set(err, ERR_INVALID, "'%.200s' is too much: corral serve takes options only",
                       value);
    if (strcmp(option->name, "--help") == 0) {
        help();
        exit(0);
    }
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (strcmp(option->name, TEXTS[i].name) == 0)
            return take_text(TEXTS[i].to, option->name, value, err);
    if (strcmp(option->name, "--listen") == 0)
        return take_listen(s, value, err);
    if (strcmp(option->name, "--tls-cert") == 0 || strcmp(option->name, "--tls-key") == 0)
        return take_certificate(w, option->name[6] == 'k', value, err);
    if (strcmp(option->name, "--allow-fetch") == 0 || strcmp(option->name, "--deny-fetch") == 0)
        return take_rule(s, option->name, value, err);
    if (strcmp(option->name, "--package-index") == 0)
        return take_index(s, value, err);
    if (strcmp(option->name, "--any-package-index") == 0)
        s->takes_any_index = option_is_on(value);
    if (strcmp(option->name, "--allow-plain-http-api") == 0)
        s->allow_plain_http_api = option_is_on(value);
    if (strcmp(option->name, "--allow-private-fetch") == 0)
        s->fetch_private = option_is_on(value);
    if (strcmp(option->name, "--config") == 0)
        w->config = value;
    r = option->argument ? take_number(s, option->name, value, err) : 0;
    return r == ERR_NOT_FOUND ? 0 : r;
}

/* ---- both together ---- */

static int fill(char **to, const char *text, struct err *err)
{
    if (*to)
        return 0;
    *to = mem_strdup(text);
    return *to ? 0 : err_nomem(err);
}

static int fill_defaults(struct server *s, struct err *err)
{
    int r;

    if (!s->data) {
        err_set(err, ERR_INVALID, "no data folder was named");
        return err_hint(err, "Say --data FOLDER, or data = \"FOLDER\" in corral.toml.");
    }
    r = fill(&s->api, "127.0.0.1:8788", err);
    r = r < 0 ? r : fill(&s->domain, "localhost", err);
    r = r < 0 ? r : fill(&s->access_log, "-", err);
    r = r < 0 ? r : fill(&s->log_level, "info", err);
    if (r == 0 && s->listen_count == 0) {
        r = fill(&s->listen[0], "127.0.0.1:8787", err);
        s->listen_count = r == 0;
    }
    if (s->drain_seconds < 0)
        s->drain_seconds = 30;
    s->reach.has_private = s->fetch_private == 1;
    s->reach.has_no_public = s->fetch_public == 0;
    for (int i = 0; i < LIMITS; i++)
        if (s->limits.of[i] < 0)
            s->limits.of[i] = LIMIT_SERVE.of[i];
    return r;
}

/* A name that has hosts below it: labels of a-z, 0-9 and '-', in small letters. */
static int check_domain(char *domain, struct err *err)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t len = strlen(domain), label = 0;
    bool is_good = len <= 180;

    for (char *c = domain; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    for (size_t i = 0; i <= len && is_good; i++) {
        if (domain[i] == '.' || domain[i] == '\0') {
            is_good = label > 0 && label <= 63 && domain[i - 1] != '-' && domain[i - label] != '-';
            label = 0;
        } else {
            is_good = strchr(LETTERS, domain[i]) != NULL;
            label++;
        }
    }
    if (is_good)
        return 0;
    err_set(err, ERR_INVALID, "'%.200s' is no domain", domain);
    return err_hint(err,
                    "A name such as workers.example.com: workers answer at NAME.SUBDOMAIN of it.");
}

static int check_certificates(const struct serve_options *o, struct err *err)
{
    const struct server *s = &o->server;

    for (size_t i = 0; i < s->certificate_count; i++)
        if (!s->certificates[i].cert || !s->certificates[i].key) {
            err_set(err, ERR_INVALID, "a %s without its %s",
                    s->certificates[i].cert ? "certificate" : "key",
                    s->certificates[i].cert ? "key" : "certificate");
            return err_hint(err, "Each --tls-cert has a --tls-key, in the same order.");
        }
    return 0;
}

static int need_certificate(const struct serve_options *o, const char *text, struct err *err)
{
    if (o->server.certificate_count > 0)
        return 0;
    err_set(err, ERR_INVALID, "'%s' needs a certificate", text);
    return err_hint(err, "Name one by --tls-cert and --tls-key, or in [tls] of corral.toml.");
}

static int place_listeners(struct serve_options *o, struct err *err)
{
    struct server *s = &o->server;
    int r = 0;

    for (size_t i = 0; i < s->listen_count && r == 0; i++) {
        struct address *a = &o->listen[i];
        r = address_parse(s->listen[i], a, err);
        if (r == 0 && a->scheme == ADDRESS_ANY)
            a->scheme = s->certificate_count > 0 ? ADDRESS_HTTPS : ADDRESS_HTTP;
        if (r == 0 && a->scheme == ADDRESS_HTTPS)
            r = need_certificate(o, s->listen[i], err);
        if (r == 0 && i == 0 && a->scheme == ADDRESS_REDIRECT) {
            err_set(err, ERR_INVALID, "workers do not answer at '%s'", s->listen[i]);
            r = err_hint(err, "The first address is one of workers; redirect:// comes behind it.");
        }
    }
    return r;
}

/* Whoever reads the API's traffic has its tokens, and with them every worker. */
static int place_api(struct serve_options *o, struct err *err)
{
    struct server *s = &o->server;
    struct address *a = &o->api;
    bool is_loopback;
    int r = address_parse(s->api, a, err);

    if (r < 0)
        return err_wrap(err, "--api");
    is_loopback = address_is_loopback(a);
    if (a->scheme == ADDRESS_ANY)
        a->scheme = !is_loopback && s->certificate_count > 0 ? ADDRESS_HTTPS : ADDRESS_HTTP;
    if (a->scheme == ADDRESS_HTTPS)
        return need_certificate(o, s->api, err);
    if (a->scheme == ADDRESS_REDIRECT)
        return err_set(err, ERR_INVALID, "the API cannot be a redirect: '%s'", s->api);
    if (is_loopback || s->allow_plain_http_api == 1)
        return 0;
    err_set(
        err, ERR_INVALID,
        "the API would listen at %s without TLS: whoever sees its traffic reads the tokens in it, "
        "and owns every worker with them",
        s->api);
    return err_hint(
        err, "Give it a certificate (--tls-cert, --tls-key), let it listen on 127.0.0.1 behind "
             "a proxy, or say --allow-plain-http-api.");
}

static int check_level(const char *name, struct err *err)
{
    int level = log_level_parse(name);

    if (level < 0)
        return err_set(err, ERR_INVALID,
                       "the log level is debug, info, warn, error or none, not '%.60s'", name);
    log_set_level((enum log_level)level);
    return 0;
}

int serve_options_parse(struct serve_options *ret, char **args, const char *worker_program,
                        struct diagnostics *d, struct err *err)
{
    struct serve_options *o = ret;
    struct server *s = &o->server;
    struct walk w = {.o = o};
    int r;

    *o = (struct serve_options){0};
    server_init(s);
    r = option_parse(OPTIONS, args, take_option, &w, err);
    r = r < 0 || !w.config ? r : server_read(s, w.config, worker_program, d, err);
    r = r < 0 ? r : fill_defaults(s, err);
    r = r < 0 ? r : check_level(s->log_level, err);
    r = r < 0 ? r : strangers_accept(s->accept_box, &o->accept, err);
    r = r < 0 ? r : uids_read(s->box_uids, &o->uids, err);
    r = r < 0 ? r : check_domain(s->domain, err);
    r = r < 0 ? r : check_certificates(o, err);
    r = r < 0 ? r : place_listeners(o, err);
    return r < 0 ? r : place_api(o, err);
}

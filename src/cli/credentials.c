/* credentials.c - the environment first, then the file of `corral login`.
 *
 * The file is written beside itself and moved into its place, so that a command that runs
 * meanwhile reads the old one or the new one, whole. */
#include "cli/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/url.h"
#include "text/value.h"

#define ROOT  "/client/v4"
#define LOGIN "`corral login`"

enum { FILE_BYTES_MAX = 64 * 1024 };

/* ---- addresses ---- */

int credentials_api(const char *name, const char *text, char **ret, struct err *err)
{
    struct span href, rest;
    struct buf api = {0};
    struct url url;
    int r;

    url_init(&url);
    r = url_parse(&url, span_of(text), NULL, NULL);
    if (r == ERR_NOMEM) {
        err_nomem(err);
        goto done;
    }
    if (r < 0 || (url.scheme != URL_HTTP && url.scheme != URL_HTTPS)) {
        err_set(err, ERR_INVALID, "%s '%.200s' is not an address", name, text);
        err_hint(err, "It begins with http:// or https://, such as http://127.0.0.1:8788.");
        r = ERR_INVALID;
        goto done;
    }
    if (url_get(&url, URL_USERNAME).len || url_get(&url, URL_PASSWORD).len ||
        url_get(&url, URL_SEARCH).len || url_get(&url, URL_HASH).len) {
        r = err_set(err, ERR_INVALID, "%s has more than scheme, host, port and path", name);
        goto done;
    }
    href = url_get(&url, URL_HREF);
    while (href.len > 0 && strchr("/?#", href.data[href.len - 1]))
        href.len--;
    rest = SPAN(ROOT);
    r = buf_append(&api, href.data, href.len);
    if (r == 0 &&
        (href.len < rest.len || memcmp(href.data + href.len - rest.len, rest.data, rest.len) != 0))
        r = buf_append(&api, rest.data, rest.len);
    *ret = r == 0 ? buf_detach(&api) : NULL;
    r = *ret ? 0 : err_nomem(err);
done:
    buf_done(&api);
    url_done(&url);
    return r;
}

int credentials_check_token(const char *name, const char *token, struct err *err)
{
    if (!token[0])
        return err_set(err, ERR_INVALID, "%s is empty", name);
    if (strlen(token) > CREDENTIALS_TOKEN_MAX)
        return err_set(err, ERR_LIMIT, "%s is longer than %d bytes", name, CREDENTIALS_TOKEN_MAX);
    for (const char *at = token; *at; at++)
        if (*at <= ' ' || *at > '~')
            return err_set(err, ERR_INVALID,
                           "%s has a space or another character in it that no token has", name);
    return 0;
}

/* ---- the store ---- */

/* NULL without a home, or without memory. */
static char *store_path(const char *tail)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    struct buf path = {0};
    char *out;
    int r;

    if (config && config[0] == '/')
        r = buf_print(&path, "%s%s", config, tail);
    else if (home && home[0] == '/')
        r = buf_print(&path, "%s/.config%s", home, tail);
    else
        return NULL;
    out = r == 0 ? buf_detach(&path) : NULL;
    buf_done(&path);
    return out;
}

char *credentials_path(void)
{
    return store_path("/corral/credentials.json");
}

/* The text of the store, with a NUL behind it.  *ret NULL: there is none. */
static int read_store(const char *path, char **ret, struct err *err)
{
    struct stat st;
    ssize_t n = 0;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

    *ret = NULL;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0) {
        err_errno(err, errno, "read '%s'", path);
        goto done;
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        err_set(err, ERR_INVALID, "'%s' can be read or changed by others", path);
        err_hint(err, "It holds a token: `chmod 600` it, or `corral login` again.");
        goto done;
    }
    *ret = mem_alloc(FILE_BYTES_MAX + 1);
    if (!*ret) {
        err_nomem(err);
        goto done;
    }
    while (len < FILE_BYTES_MAX && (n = read(fd, *ret + len, FILE_BYTES_MAX - len)) > 0)
        len += (size_t)n;
    close(fd);
    return n < 0 ? err_errno(err, errno, "read '%s'", path) : 0;
done:
    if (fd >= 0)
        close(fd);
    return err->code;
}

/* Strings wiped before they are freed; objects of strings only. */
static void forget(json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value) if (json_is_string(value))
        explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_decref(object);
}

/* *ret NULL: nothing is stored. */
static int load_store(json_t **ret, struct err *err)
{
    char *path = credentials_path(), *text = NULL;
    json_error_t at;
    int r;

    *ret = NULL;
    if (!path)
        return 0;
    r = read_store(path, &text, err);
    if (r == 0 && text) {
        value_init();
        r = value_parse(span_of(text), ret, &at);
        if (r == ERR_NOMEM)
            err_nomem(err);
        if (r == ERR_INVALID || (r == 0 && (!json_is_string(json_object_get(*ret, "api")) ||
                                            !json_is_string(json_object_get(*ret, "token"))))) {
            r = err_set(err, ERR_INVALID, "'%s' is not what `corral login` has written", path);
            err_hint(err, "`corral login` writes it anew.");
        }
    }
    if (r < 0) {
        forget(*ret);
        *ret = NULL;
    }
    if (text)
        explicit_bzero(text, FILE_BYTES_MAX);
    mem_free(text);
    mem_free(path);
    return r;
}

/* The folder of the store and those above it, which nobody else may look into. */
static int make_folders(struct err *err)
{
    char *path = store_path("/corral");
    int r = 0;

    if (!path) {
        err_set(err, ERR_NOT_FOUND, "there is no home folder to keep credentials in");
        return err_hint(err, "Set HOME or XDG_CONFIG_HOME.");
    }
    for (char *at = strchr(path + 1, '/'); r == 0; at = strchr(at + 1, '/')) {
        if (at)
            *at = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            r = err_errno(err, errno, "make '%s'", path);
        if (!at)
            break;
        *at = '/';
    }
    if (r == 0 && chmod(path, 0700) < 0)
        r = err_errno(err, errno, "make '%s' yours alone", path);
    mem_free(path);
    return r;
}

static int write_store(const char *path, struct span text, struct err *err)
{
    struct buf beside = {0};
    char *temporary;
    int fd = -1, r = 0;

    temporary = buf_print(&beside, "%s.XXXXXX", path) == 0 ? buf_detach(&beside) : NULL;
    buf_done(&beside);
    if (!temporary)
        return err_nomem(err);
    fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
    if (fd < 0 || file_write(fd, text) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)
        r = err_errno(err, errno, "write '%s'", path);
    if (fd >= 0)
        close(fd);
    if (r < 0 && fd >= 0)
        unlink(temporary);
    mem_free(temporary);
    return r;
}

int credentials_store(const char *api, const char *token, const char *account, struct err *err)
{
    char *path = NULL, *text = NULL;
    json_t *object;
    int r = make_folders(err);

    if (r < 0)
        return r;
    value_init();
    object = json_pack("{s:s, s:s, s:s}", "api", api, "token", token, "account_id", account);
    text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    path = credentials_path();
    r = text && path ? write_store(path, span_of(text), err) : err_nomem(err);
    if (text)
        explicit_bzero(text, strlen(text));
    forget(object);
    mem_free(text);
    mem_free(path);
    return r;
}

int credentials_forget(struct err *err)
{
    char *path = credentials_path();
    int r = 0;

    if (path && unlink(path) == 0)
        r = 1;
    else if (path && errno != ENOENT && errno != ENOTDIR)
        r = err_errno(err, errno, "remove '%s'", path);
    mem_free(path);
    return r;
}

/* ---- find ---- */

/* A variable that is set to something. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

struct source {
    const char *name, *value;
};

static struct source first_of(const char *a, const char *b)
{
    if (variable(a))
        return (struct source){a, variable(a)};
    return (struct source){b, variable(b)};
}

static int find_api(json_t *stored, struct credentials *c, struct err *err)
{
    struct source from = first_of("CORRAL_API_URL", "CLOUDFLARE_API_BASE_URL");

    if (!from.value)
        from = (struct source){LOGIN, json_string_value(json_object_get(stored, "api"))};
    if (from.value) {
        c->api_from = from.name;
        return credentials_api(from.name, from.value, &c->api, err);
    }
    err_set(err, ERR_NOT_FOUND, "nothing says which node this is for");
    return err_hint(err, "Set CORRAL_API_URL and CORRAL_API_TOKEN (CLOUDFLARE_API_BASE_URL and "
                         "CLOUDFLARE_API_TOKEN do as well), or run `corral login`.");
}

/* What was stored is for one API. */
static const char *stored_for(json_t *stored, const char *api, const char *key)
{
    const char *text = json_string_value(json_object_get(stored, "api"));

    return text && strcmp(text, api) == 0 ? json_string_value(json_object_get(stored, key)) : NULL;
}

static int find_token(json_t *stored, struct credentials *c, struct err *err)
{
    struct source from = {"CORRAL_API_TOKEN", variable("CORRAL_API_TOKEN")};
    int r;

    if (!from.value && strcmp(c->api_from, LOGIN) != 0)
        from = (struct source){"CLOUDFLARE_API_TOKEN", variable("CLOUDFLARE_API_TOKEN")};
    if (!from.value)
        from = (struct source){LOGIN, stored_for(stored, c->api, "token")};
    if (!from.value) {
        err_set(err, ERR_NOT_FOUND, "there is no token for %s", c->api);
        return err_hint(err, "Set CORRAL_API_TOKEN, or run `corral login`; `corral token create` "
                             "on the node makes one.");
    }
    r = credentials_check_token(from.name, from.value, err);
    if (r < 0)
        return r;
    c->token_from = from.name;
    c->token = mem_strdup(from.value);
    return c->token ? 0 : err_nomem(err);
}

static int find_account(json_t *stored, const char *configured, struct credentials *c,
                        struct err *err)
{
    struct source from = first_of("CORRAL_ACCOUNT_ID", "CLOUDFLARE_ACCOUNT_ID");

    if (!from.value && configured && configured[0])
        from = (struct source){"account_id of the configuration", configured};
    if (!from.value)
        from = (struct source){LOGIN, stored_for(stored, c->api, "account_id")};
    if (from.value && from.value[strspn(from.value, "0123456789abcdefABCDEF")])
        return err_set(err, ERR_INVALID, "%s is not the id of an account: 32 hexadecimal digits",
                       from.name);
    c->account_from = from.value ? from.name : "";
    c->account = mem_strdup(from.value ? from.value : "");
    return c->account ? 0 : err_nomem(err);
}

int credentials_find(const char *account_id, struct credentials *ret, struct err *err)
{
    json_t *stored = NULL;
    int r = 0;

    *ret = (struct credentials){.api_from = "", .token_from = "", .account_from = ""};
    /* A store that cannot be read is none of whoever does not need it. */
    if (!variable("CORRAL_API_TOKEN") ||
        !(variable("CORRAL_API_URL") || variable("CLOUDFLARE_API_BASE_URL")))
        r = load_store(&stored, err);
    if (r == 0)
        r = find_api(stored, ret, err);
    if (r == 0)
        r = find_token(stored, ret, err);
    if (r == 0)
        r = find_account(stored, account_id, ret, err);
    forget(stored);
    if (r < 0)
        credentials_done(ret);
    return r;
}

void credentials_done(struct credentials *c)
{
    if (c->token)
        explicit_bzero(c->token, strlen(c->token));
    mem_free(c->api);
    mem_free(c->token);
    mem_free(c->account);
    *c = (struct credentials){.api_from = "", .token_from = "", .account_from = ""};
}

/* config.c - read JSON, JSONC or TOML into one shape.
 *
 * JSON is read leniently in both *.json and *.jsonc, as wrangler does: comments
 * and trailing commas are blanked, then jansson judges.  TOML goes through
 * project/toml.c.  The keys' places come from a second, own scan of the text. */
#include "project/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "project/toml.h"
#include "text/jsonc.h"
#include "text/position.h"
#include "text/value.h"

static int read_all(int fd, char *text, size_t len, size_t *ret_len)
{
    ssize_t n;

    *ret_len = 0;
    while (*ret_len < len) {
        n = read(fd, text + *ret_len, len - *ret_len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        *ret_len += (size_t)n;
    }
    return 0;
}

int config_read_file(const char *path, const char *shown, size_t limit_bytes, char **ret_text,
                     size_t *ret_len, struct err *err)
{
    char *text = NULL;
    struct stat st;
    int fd, r = 0;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "there is no file '%s'", shown);
    if (fd < 0)
        return err_errno(err, errno, "read '%s'", shown);
    if (fstat(fd, &st) < 0) {
        r = err_errno(err, errno, "read '%s'", shown);
    } else if (!S_ISREG(st.st_mode)) {
        r = err_set(err, ERR_INVALID, "'%s' is not a file", shown);
    } else if ((size_t)st.st_size > limit_bytes) {
        r = err_set(err, ERR_LIMIT, "'%s' is larger than %zu KiB", shown, limit_bytes / 1024);
    } else {
        text = mem_alloc((size_t)st.st_size + 1);
        if (!text)
            r = err_nomem(err);
        else if (read_all(fd, text, (size_t)st.st_size, ret_len) < 0)
            r = err_errno(err, errno, "read '%s'", shown);
    }
    close(fd);
    if (r < 0) {
        mem_free(text);
        return r;
    }
    text[*ret_len] = '\0';
    *ret_text = text;
    return 0;
}

static struct span text_of(const struct config *c)
{
    return (struct span){c->text, c->len};
}

/* The token that jansson stumbled over ends at its position: say where it starts. */
static size_t error_offset(const json_error_t *e, size_t len)
{
    size_t at = e->position > 0 ? (size_t)e->position : 0;
    const char *near = strstr(e->text, " near '");
    const char *end = near ? strrchr(e->text, '\'') : NULL;
    size_t token = end ? (size_t)(end - near - strlen(" near '")) : 0;

    if (at > len)
        at = len;
    return at > token ? at - token : 0;
}

static const char *json_hint(const char *what)
{
    if (strncmp(what, "'}' expected", 12) == 0 || strncmp(what, "']' expected", 12) == 0)
        return "is a comma missing before this?";
    if (strncmp(what, "string or '}' expected", 22) == 0)
        return "names need double quotes: \"name\": ...";
    if (strncmp(what, "':' expected", 12) == 0)
        return "a name is followed by a colon: \"name\": ...";
    if (strstr(what, " near '''"))
        return "strings need double quotes";
    return NULL;
}

static int read_json(struct config *c, struct diagnostics *d, struct err *err)
{
    /* The source lines in messages should be the user's: blank a copy. */
    char *plain = mem_copy(c->text, c->len);
    json_error_t e;
    int r;

    if (!plain)
        return err_nomem(err);
    jsonc_blank(plain, c->len);
    r = value_parse((struct span){plain, c->len}, &c->root, &e);
    mem_free(plain);
    if (r == ERR_NOMEM)
        return err_nomem(err);
    if (r == 0 && json_is_object(c->root))
        return 0;
    if (r == 0)
        diagnostics_add(d, SEVERITY_ERROR, (struct place){.file = c->shown}, NULL,
                        "the configuration must be an object: { ... }");
    else
        diagnostics_add(d, SEVERITY_ERROR, place_at(c->shown, text_of(c), error_offset(&e, c->len)),
                        json_hint(e.text), "this is not JSON: %s", e.text);
    return ERR_INVALID;
}

static int read_toml(struct config *c, const char *worker_program, struct diagnostics *d,
                     struct err *err)
{
    struct toml_error e = {0};
    int r = toml_read(worker_program, text_of(c), &c->root, &e, err);
    const char *path[KEYS_DEPTH_MAX];
    struct place where = {.file = c->shown};
    size_t depth = 0;

    if (r != ERR_INVALID)
        return r;
    if (e.line > 0) {
        where = place_at(c->shown, text_of(c), position_offset(text_of(c), e.line, e.column));
    } else if (e.path) {
        for (; depth < json_array_size(e.path) && depth < KEYS_DEPTH_MAX; depth++)
            path[depth] = json_string_value(json_array_get(e.path, depth));
        where = config_value_place(c, path, depth);
    }
    diagnostics_add(d, SEVERITY_ERROR, where, e.path ? "JSON has no such number" : NULL,
                    e.path ? "%s" : "this is not TOML: %s", e.message ? e.message : "");
    toml_error_done(&e);
    return ERR_INVALID;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

int config_read(const char *path, const char *shown, const char *worker_program, struct config *ret,
                struct diagnostics *d, struct err *err)
{
    struct config *c = ret;
    int r;

    value_init();
    *c = (struct config){.shown = shown};
    c->format = ends_with(path, ".json") || ends_with(path, ".jsonc") ? CONFIG_JSON : CONFIG_TOML;
    r = config_read_file(path, shown, CONFIG_BYTES_MAX, &c->text, &c->len, err);
    if (r < 0)
        return r;
    r = c->format == CONFIG_JSON ? keys_scan_json(&c->keys, text_of(c))
                                 : keys_scan_toml(&c->keys, text_of(c));
    if (r == ERR_NOMEM)
        return err_nomem(err);
    if (r == ERR_LIMIT) {
        diagnostics_add(d, SEVERITY_ERROR, place_at(shown, text_of(c), c->keys.deep_at), NULL,
                        "nested deeper than %d levels", KEYS_DEPTH_MAX);
        return ERR_INVALID;
    }
    return c->format == CONFIG_JSON ? read_json(c, d, err) : read_toml(c, worker_program, d, err);
}

void config_done(struct config *c)
{
    mem_free(c->text);
    json_decref(c->root);
    keys_done(&c->keys);
    *c = (struct config){0};
}

struct place config_key_place(const struct config *c, const char *const *path, size_t depth)
{
    const struct key *key = keys_find(&c->keys, path, depth);

    return key ? place_at(c->shown, text_of(c), key->key_at) : (struct place){.file = c->shown};
}

struct place config_value_place(const struct config *c, const char *const *path, size_t depth)
{
    const struct key *key = keys_find(&c->keys, path, depth);

    return key ? place_at(c->shown, text_of(c), key->value_at) : (struct place){.file = c->shown};
}

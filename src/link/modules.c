/* modules.c - see modules.h. */
#include "link/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "text/value.h"

enum { PARTS_BYTES_MAX = 64 << 20 };

#define ROOT   ".corral" /* the main folder in the stage */
#define ABOVE  "u"       /* folders above it */
#define PARENT "__parent__"

/* ---- kinds ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcasecmp(name + n - m, end) == 0;
}

static enum module_kind kind_by_name(const char *name)
{
    static const struct {
        const char *end;
        enum module_kind kind;
    } ENDS[] = {{".js", MODULE_ESM},    {".mjs", MODULE_ESM},   {".cjs", MODULE_COMMONJS},
                {".wasm", MODULE_WASM}, {".txt", MODULE_TEXT},  {".html", MODULE_TEXT},
                {".sql", MODULE_TEXT},  {".json", MODULE_JSON}, {".map", MODULE_MAP},
                {".py", MODULE_PYTHON}};

    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
        if (ends_with(name, ENDS[i].end))
            return ENDS[i].kind;
    return MODULE_DATA;
}

enum module_kind module_kind(const char *type, const char *name)
{
    static const struct {
        const char *type;
        enum module_kind kind;
    } TYPES[] = {{"application/javascript+module", MODULE_ESM},
                 {"text/javascript+module", MODULE_ESM},
                 {"application/x-javascript+module", MODULE_ESM},
                 {"application/javascript", MODULE_COMMONJS},
                 {"text/javascript", MODULE_COMMONJS},
                 {"application/x-javascript", MODULE_COMMONJS},
                 {"application/wasm", MODULE_WASM},
                 {"application/json", MODULE_JSON},
                 {"application/source-map", MODULE_MAP},
                 {"text/x-python", MODULE_PYTHON},
                 {"text/x-python-requirement", MODULE_PYTHON}};
    size_t n = strcspn(type, "; \t");

    if (n == 0)
        return kind_by_name(name);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (strlen(TYPES[i].type) == n && strncasecmp(type, TYPES[i].type, n) == 0)
            return TYPES[i].kind;
    return strncasecmp(type, "text/", 5) == 0 ? MODULE_TEXT : MODULE_DATA;
}

bool module_is_code(enum module_kind kind)
{
    return kind == MODULE_ESM || kind == MODULE_COMMONJS;
}

/* ---- names ---- */

/* The parts of a path one by one into `out`, which has room for all of it.  How far it leads up. */
static unsigned walk(const char *path, char *out)
{
    unsigned up = 0;
    size_t len = 0, n;

    for (const char *at = path; *at; at += n, at += *at == '/') {
        n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            up += len == 0;
            while (len > 0 && out[--len] != '/')
                ;
        } else if (n > 0 && !(n == 1 && at[0] == '.')) {
            if (len > 0)
                out[len++] = '/';
            memcpy(out + len, at, n);
            len += n;
        }
    }
    out[len] = '\0';
    return up;
}

static int clean(const char *name, const char *above, struct buf *out, struct err *err)
{
    char *rest = mem_alloc(strlen(name) + 1);
    unsigned up;
    int r = 0;

    if (!rest)
        return err_nomem(err);
    up = walk(name, rest);
    if (!rest[0])
        r = err_set(err, ERR_INVALID, "'%.200s' cannot be the name of a module", name);
    else if (up > MODULE_UP_MAX)
        r = err_set(err, ERR_INVALID,
                    "the module '%.200s' lies more than %d folders above the main module", name,
                    MODULE_UP_MAX);
    for (; up > 0 && r == 0; up--)
        r = buf_print(out, "%s/", above) < 0 ? err_nomem(err) : 0;
    if (r == 0)
        r = buf_print(out, "%s", rest) < 0 ? err_nomem(err) : 0;
    mem_free(rest);
    return r;
}

int module_name(const char *name, struct buf *out, struct err *err)
{
    return clean(name, "..", out, err);
}

int module_path(const char *name, struct buf *out, struct err *err)
{
    return clean(name, PARENT, out, err);
}

int module_resolve(const char *importer, const char *spec, struct buf *out, struct err *err)
{
    const char *slash = strrchr(importer, '/');
    struct buf path = {0};
    int r;

    if (slash)
        r = buf_print(&path, "%.*s/%s", (int)(slash - importer), importer, spec);
    else
        r = buf_print(&path, "%s", spec);
    r = r < 0 ? err_nomem(err) : clean(buf_data(&path), "..", out, err);
    buf_done(&path);
    return r;
}

/* ---- places ---- */

int module_place(unsigned up, const char *name, struct buf *out)
{
    unsigned above = 0;
    int r = 0;

    for (; strncmp(name, "../", 3) == 0; name += 3)
        above++;
    for (unsigned i = above > 0 ? above - 1 : 0; i < up && r == 0; i++)
        r = buf_print(out, ABOVE "/");
    return r < 0 ? r : buf_print(out, "%s%s", above == 0 ? ROOT "/" : "", name);
}

const char *module_of_place(const char *place)
{
    const char *at = place;

    while (strncmp(at, ABOVE "/", sizeof ABOVE) == 0)
        at += sizeof ABOVE;
    return strncmp(at, ROOT "/", sizeof ROOT) == 0 ? at + sizeof ROOT : at;
}

/* ---- reading ---- */

static int read_text(const char *path, char **ret_text, size_t *ret_len, struct err *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r = 0;
    char *text = NULL;
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > PARTS_BYTES_MAX)
        r = err_errno(err, errno, "read '%.200s'", path);
    if (r == 0 && !(text = mem_alloc((size_t)st.st_size + 1)))
        r = err_nomem(err);
    for (size_t len = 0; r == 0 && len < (size_t)st.st_size; len += (size_t)n) {
        n = read(fd, text + len, (size_t)st.st_size - len);
        if (n <= 0)
            r = err_errno(err, n < 0 ? errno : EIO, "read '%.200s'", path);
    }
    if (fd >= 0)
        close(fd);
    if (r < 0) {
        mem_free(text);
        return r;
    }
    *ret_text = text;
    *ret_len = (size_t)st.st_size;
    return 0;
}

static int take(const json_t *part, struct module *m, unsigned *up, int *number, struct err *err)
{
    const char *name = json_string_value(json_object_get(part, "name"));
    const char *type = json_string_value(json_object_get(part, "type"));
    const char *path = json_string_value(json_object_get(part, "path"));
    struct buf clean_name = {0};
    unsigned above = 0;
    int r;

    if (!name || !type)
        return err_set(err, ERR_SYSTEM, "the list of a bundle's modules was changed");
    r = module_name(name, &clean_name, err);
    m->number = -1;
    if (r == 0) {
        m->name = buf_detach(&clean_name);
        m->path = mem_strdup(path ? path : name);
        m->kind = module_kind(type, name);
        r = m->name && m->path ? 0 : err_nomem(err);
    }
    if (r == 0) {
        for (const char *at = m->name; strncmp(at, "../", 3) == 0; at += 3)
            above++;
        *up = above > *up ? above : *up;
        if (!module_is_code(m->kind) && m->kind != MODULE_MAP && m->kind != MODULE_PYTHON)
            m->number = (*number)++;
    }
    buf_done(&clean_name);
    return r;
}

int modules_read(const char *parts, struct modules *ret, struct err *err)
{
    struct modules all = {0};
    json_t *list = NULL, *part;
    json_error_t where;
    char *text = NULL;
    size_t len = 0, i;
    int number = 0, r = read_text(parts, &text, &len, err);

    if (r < 0)
        return r;
    r = value_parse((struct span){text, len}, &list, &where);
    mem_free(text);
    if (r == ERR_NOMEM)
        return err_nomem(err);
    if (r < 0 || !json_is_array(list)) {
        json_decref(list);
        return err_set(err, ERR_SYSTEM, "the list of a bundle's modules was changed");
    }
    all.items = mem_alloc((json_array_size(list) + 1) * sizeof *all.items);
    r = all.items ? 0 : err_nomem(err);
    json_array_foreach(list, i, part)
    {
        if (r == 0)
            r = take(part, &all.items[all.count++], &all.up, &number, err);
    }
    json_decref(list);
    if (r == 0)
        *ret = all;
    else
        modules_done(&all);
    return r;
}

void modules_done(struct modules *modules)
{
    for (size_t i = 0; i < modules->count; i++) {
        mem_free(modules->items[i].name);
        mem_free(modules->items[i].path);
    }
    mem_free(modules->items);
    *modules = (struct modules){0};
}

const struct module *modules_find(const struct modules *modules, const char *name)
{
    for (size_t i = 0; i < modules->count; i++)
        if (strcmp(modules->items[i].name, name) == 0)
            return &modules->items[i];
    return NULL;
}

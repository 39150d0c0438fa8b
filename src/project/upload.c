/* upload.c - name the inputs of a bundle from the folder of main. */
#include "project/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "project/bundle.h"
#include "project/inputs.h"
#include "project/path.h"
#include "project/rules.h"

#define BUNDLES "bundles" /* of bundle.c */

static const char *const PACKAGE_FILES[] = {"requirements.txt", "pyproject.toml"};
enum { PACKAGE_FILE_COUNT = sizeof PACKAGE_FILES / sizeof *PACKAGE_FILES };

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static const char *type_of(const char *name)
{
    static const char *const TYPES[][2] = {{".py", "text/x-python"}, {".txt", "text/plain"},
                                           {".html", "text/plain"},  {".sql", "text/plain"},
                                           {".toml", "text/plain"},  {".wasm", "application/wasm"}};

    if (!path_below("python_modules", name))
        for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
            if (ends_with(name, TYPES[i][0]))
                return TYPES[i][1];
    return "application/octet-stream";
}

static int add(struct upload *u, const struct project *p, const char *inside, const char *name,
               uint64_t bytes)
{
    struct upload_file *f = &u->items[u->count++];

    *f = (struct upload_file){mem_strdup(name), path_join(p->folder, inside), type_of(name), bytes};
    return f->name && f->path ? 0 : ERR_NOMEM;
}

/* Those of main's folder go behind the others of their name. */
static int by_name(const void *a, const void *b)
{
    const struct upload_file *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order
                 : (strlen(x->path) > strlen(y->path)) - (strlen(x->path) < strlen(y->path));
}

static void drop_doubles(struct upload *u)
{
    size_t kept = 0;

    for (size_t i = 0; i < u->count; i++) {
        if (kept > 0 && strcmp(u->items[kept - 1].name, u->items[i].name) == 0) {
            mem_free(u->items[i].name);
            mem_free(u->items[i].path);
            continue;
        }
        u->items[kept++] = u->items[i];
        u->bytes += u->items[kept - 1].bytes;
    }
    u->count = kept;
}

static int collect(const struct project *p, const struct inputs *in, struct upload *u)
{
    size_t cut = (size_t)(u->main - p->main); /* "src/" */
    struct stat st;
    int r = 0;

    for (size_t i = 0; i < in->count && r == 0; i++) {
        const char *inside = in->items[i].path;
        bool is_below = cut > 0 && strncmp(inside, p->main, cut) == 0;
        r = add(u, p, inside, is_below ? inside + cut : inside, in->items[i].bytes);
    }
    for (size_t i = 0; i < PACKAGE_FILE_COUNT && r == 0 && cut > 0; i++) {
        char *path = path_join(p->folder, PACKAGE_FILES[i]);
        if (!path)
            return ERR_NOMEM;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            r = add(u, p, PACKAGE_FILES[i], PACKAGE_FILES[i], (uint64_t)st.st_size);
        mem_free(path);
    }
    return r;
}

int upload_list(const struct project *p, struct upload *ret, struct err *err)
{
    const char *slash = strrchr(p->main, '/');
    struct inputs in;
    int r = inputs_list(p, &in, err);

    *ret = (struct upload){.main = slash ? slash + 1 : p->main};
    if (r == 0) {
        ret->items = mem_alloc((in.count + PACKAGE_FILE_COUNT) * sizeof *ret->items);
        if (!ret->items || collect(p, &in, ret) < 0)
            r = err_nomem(err);
    }
    inputs_done(&in);
    if (r < 0)
        return r;
    qsort(ret->items, ret->count, sizeof *ret->items, by_name);
    drop_doubles(ret);
    if (ret->bytes > BUNDLE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the worker's files are larger than %llu MiB",
                       BUNDLE_BYTES_MAX >> 20);
    return 0;
}

/* One of our own, whatever .parts.json calls it: the texts live on. */
static const char *static_type(const char *type)
{
    static const char MAP[] = "application/source-map";

    for (int i = 0; i < MODULE_KINDS; i++)
        if (strcmp(rules_type((enum module_kind)i), type) == 0)
            return rules_type((enum module_kind)i);
    return strcmp(type, MAP) == 0 ? MAP : "application/octet-stream";
}

static int add_part(struct upload *u, const char *name, const char *type)
{
    struct upload_file *f = &u->items[u->count++];
    struct stat st;

    *f = (struct upload_file){mem_strdup(name), path_join(u->bundle.folder, name),
                              static_type(type), 0};
    if (!f->name || !f->path)
        return ERR_NOMEM;
    if (stat(f->path, &st) == 0)
        f->bytes = (uint64_t)st.st_size;
    u->bytes += f->bytes;
    return 0;
}

static int list_parts(const struct project *p, struct upload *u, struct err *err)
{
    char *path = path_join(u->bundle.folder, BUNDLE_PARTS);
    json_t *parts = path ? json_load_file(path, 0, NULL) : NULL, *one;
    size_t i;
    int r = 0;

    u->items = mem_alloc((json_array_size(parts) + 1) * sizeof *u->items);
    if (!path || !u->items)
        r = err_nomem(err);
    else if (!json_is_array(parts))
        r = err_set(err, ERR_SYSTEM, "'%s' is gone", path);
    json_array_foreach(parts, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *type = json_string_value(json_object_get(one, "type"));
        if (r < 0 || !name || !type ||
            (!p->script.uploads_maps && strcmp(type, "application/source-map") == 0))
            continue;
        if (add_part(u, name, type) < 0)
            r = err_nomem(err);
    }
    json_decref(parts);
    mem_free(path);
    return r;
}

static bool is_writable(const char *state)
{
    if (mkdir(state, 0755) < 0 && errno != EEXIST)
        return errno != EACCES && errno != EPERM && errno != EROFS && errno != ENOTDIR;
    return faccessat(AT_FDCWD, state, W_OK | X_OK, AT_EACCESS) == 0;
}

/* A project that may only be read is built elsewhere. */
static int find_room(struct project *p, struct upload *u, struct err *err)
{
    const char *base = getenv("TMPDIR");
    char *state;

    if (is_writable(p->state_folder))
        return 0;
    u->spare = path_join(base && base[0] == '/' ? base : "/tmp", "corral-deploy-XXXXXX");
    state = u->spare && mkdtemp(u->spare) ? mem_strdup(u->spare) : NULL;
    if (!state) {
        int r = u->spare
                    ? err_errno(err, errno, "write '%s', or make '%s'", p->state_folder, u->spare)
                    : err_nomem(err);
        mem_free(u->spare);
        u->spare = NULL;
        return r;
    }
    mem_free(p->state_folder);
    p->state_folder = state;
    return 0;
}

static void leave_room(struct upload *u)
{
    char *bundles = u->spare ? path_join(u->spare, BUNDLES) : NULL;

    if (bundles)
        (void)rmdir(bundles);
    if (u->spare)
        (void)rmdir(u->spare);
    mem_free(bundles);
    mem_free(u->spare);
}

int upload_build(struct project *p, struct upload *ret, struct diagnostics *d, struct err *err)
{
    int r;

    if (!p->script.is_used)
        return upload_list(p, ret, err);
    *ret = (struct upload){0};
    r = find_room(p, ret, err);
    r = r < 0 ? r : bundle_build(p, NULL, &ret->bundle, d, err);
    if (r < 0) {
        leave_room(ret);
        *ret = (struct upload){0};
        return r;
    }
    ret->main = ret->bundle.main;
    return list_parts(p, ret, err);
}

void upload_done(struct upload *u)
{
    struct err ignored;

    for (size_t i = 0; i < u->count; i++) {
        mem_free(u->items[i].name);
        mem_free(u->items[i].path);
    }
    mem_free(u->items);
    if (u->bundle.folder && bundle_remove(&u->bundle, &ignored) < 0)
        bundle_done(&u->bundle); /* a sweep finds it */
    leave_room(u);
    *u = (struct upload){0};
}

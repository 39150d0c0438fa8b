/* watch.c - which folders to watch and which changes to overlook. */
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "project/inputs.h"
#include "project/path.h"
#include "project/rules.h"
#include "project/script.h"
#include "project/vars.h"

static int add(struct watch_roots *roots, const char *folder, const char *inside,
               enum watch_kind kind)
{
    char *path = inside[0] ? path_join(folder, inside) : mem_strdup(folder);
    struct stat st;

    if (!path)
        return ERR_NOMEM;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        mem_free(path);
        return 0;
    }
    roots->items[roots->count++] = (struct watch_root){path, kind};
    return 0;
}

/* Folders of package files that nobody watches yet.  More of them than there is room for: the
 * rest is seen when something else changes. */
static int add_package_folders(const struct project *p, const char *main, struct watch_roots *roots)
{
    const char *end, *at = p->package_files;
    char *path, *folder;
    int r = 0;

    for (; r == 0 && at && (end = strchr(at, '\n')) && roots->count < WATCH_ROOTS_MAX;
         at = end + 1) {
        const char *inside;
        path = mem_copy(at, (size_t)(end - at));
        folder = path ? path_parent(path) : NULL;
        inside = folder ? path_below(p->folder, folder) : NULL;
        for (size_t i = 0; folder && !inside && i < roots->count; i++)
            if (strcmp(roots->items[i].path, folder) == 0)
                inside = "";
        if (!folder)
            r = ERR_NOMEM;
        else if (!inside || (inside[0] && !(main[0] && path_below(main, inside)) &&
                             !path_below("python_modules", inside)))
            r = add(roots, folder, "", WATCH_FOLDER);
        mem_free(folder);
        mem_free(path);
    }
    return r;
}

/* ---- JavaScript ---- */

static bool is_watched(const struct watch_roots *roots, const char *folder)
{
    for (size_t i = 0; i < roots->count; i++)
        if (path_below(roots->items[i].path, folder))
            return true;
    return false;
}

/* The folders of inputs outside of the project: a workspace's other packages. */
static int add_outside(const struct project *p, struct watch_roots *roots)
{
    const char *end, *at = p->script.inputs;
    int r = 0;

    for (; r == 0 && at && (end = strchr(at, '\n')) && roots->count < WATCH_ROOTS_MAX;
         at = end + 1) {
        char *path = mem_copy(at, (size_t)(end - at)), *folder = path ? path_parent(path) : NULL;
        if (!folder)
            r = ERR_NOMEM;
        else if (!path_below(p->folder, folder) && !is_watched(roots, folder))
            r = add(roots, folder, "", WATCH_TREE);
        mem_free(folder);
        mem_free(path);
    }
    return r;
}

static bool is_free(const struct project *p)
{
    return p->script.is_used || p->build.command;
}

/* Imports may lead anywhere in the project. */
static int add_all(const struct project *p, struct watch_roots *roots)
{
    int r = add(roots, p->folder, "", WATCH_TREE);

    for (size_t i = 0; i < p->build.watched.count && r == 0 && roots->count < WATCH_ROOTS_MAX; i++)
        if (!is_watched(roots, p->build.watched.items[i]))
            r = add(roots, p->build.watched.items[i], "", WATCH_TREE);
    if (r == 0 && p->script.base_dir && roots->count < WATCH_ROOTS_MAX &&
        !is_watched(roots, p->script.base_dir))
        r = add(roots, p->script.base_dir, "", WATCH_TREE);
    return r < 0 ? r : add_outside(p, roots);
}

int project_watch_roots(const struct project *p, struct watch_roots *ret_roots)
{
    const char *slash = p->main ? strrchr(p->main, '/') : NULL;
    char *folder;
    int r;

    *ret_roots = (struct watch_roots){0};
    if (!p->folder)
        return 0;
    if (is_free(p)) {
        r = add_all(p, ret_roots);
        if (r < 0)
            watch_roots_done(ret_roots);
        return r;
    }
    if (!p->main || !slash || p->has_links) { /* everything is below the project's folder */
        r = add(ret_roots, p->folder, "", WATCH_TREE);
        r = r < 0 ? r : add_package_folders(p, "", ret_roots);
        if (r < 0)
            watch_roots_done(ret_roots);
        return r;
    }
    folder = mem_copy(p->main, (size_t)(slash - p->main));
    if (!folder)
        return ERR_NOMEM;
    r = add(ret_roots, p->folder, "", WATCH_FOLDER);
    if (r == 0)
        r = add(ret_roots, p->folder, folder, WATCH_TREE);
    if (r == 0 && !path_below("python_modules", folder))
        r = add(ret_roots, p->folder, "python_modules", WATCH_TREE);
    if (r == 0)
        r = add_package_folders(p, folder, ret_roots);
    mem_free(folder);
    if (r < 0)
        watch_roots_done(ret_roots);
    return r;
}

int project_watch_more(const struct project *p, struct buf *out)
{
    const char *end, *at = p->script.inputs, *last = "";
    size_t last_len = 0;
    int r = 0;

    for (; r == 0 && at && (end = strchr(at, '\n')); at = end + 1) {
        const char *slash = memrchr(at, '/', (size_t)(end - at));
        size_t n = slash ? (size_t)(slash - at) : 0;
        bool is_plain = path_below(p->folder, at) &&
                        !memmem(at, n, "/node_modules", sizeof "/node_modules" - 1);
        if (is_plain || (n == last_len && memcmp(at, last, n) == 0))
            continue;
        last = at;
        last_len = n;
        r = buf_append(out, at, n + 1);
    }
    return r;
}

void watch_roots_done(struct watch_roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        mem_free(roots->items[i].path);
    *roots = (struct watch_roots){0};
}

/* Without a main nobody knows what will be an input: overlook only what never is. */
static bool is_never_input(const char *inside)
{
    char part[256];

    while (*inside) {
        size_t n = strcspn(inside, "/");
        if (n >= sizeof part)
            return true;
        memcpy(part, inside, n);
        part[n] = '\0';
        if (inputs_skips_name(part))
            return true;
        inside += n + (inside[n] == '/');
    }
    return false;
}

bool project_is_package_file(const struct project *p, const char *path)
{
    const char *inside = p->folder ? path_below(p->folder, path) : NULL;

    return (inside &&
            (strcmp(inside, "requirements.txt") == 0 || strcmp(inside, "pyproject.toml") == 0)) ||
           path_is_line(p->package_files, path);
}

bool project_is_built_from(const struct project *p, const char *path)
{
    for (size_t i = 0; p->build.command && i < p->build.watched.count; i++)
        if (path_below(p->build.watched.items[i], path))
            return true;
    return p->build.command && p->config && strcmp(p->config, path) == 0;
}

/* Is it an input of the last bundle, or a folder that has some? */
static bool is_script_input(const struct project *p, const char *path)
{
    size_t n = strlen(path);
    const char *at = p->script.inputs;

    while (at && *at) {
        if (strncmp(at, path, n) == 0 && (at[n] == '\n' || at[n] == '/'))
            return true;
        at = strchr(at, '\n');
        at += at != NULL;
    }
    return false;
}

/* "node_modules", "a/node_modules/x", "node_modules/@scope/x": where packages come and go. */
static bool is_package(const char *inside)
{
    static const char FOLDER[] = "node_modules";
    const char *at = strstr(inside, FOLDER);

    if (!at || (at > inside && at[-1] != '/'))
        return false;
    at += sizeof FOLDER - 1;
    if (*at != '/')
        return !*at;
    if (at[1] == '@' && strchr(at + 1, '/'))
        at = strchr(at + 1, '/');
    return at[1] != '.' && !strchr(at + 1, '/');
}

/* Could a file of this name be imported, or say how?  Folders could: they have no dot. */
static bool may_be_imported(const struct project *p, const char *name)
{
    static const char *const OTHERS[] = {".json", ".jsonc", ".css"};
    const char *dot = strrchr(name, '.');
    char end[64];

    if (!dot || script_is(name))
        return true;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (strcmp(dot, OTHERS[i]) == 0)
            return true;
    for (size_t i = 0; i < p->script.rules.count; i++)
        if (rules_extension(p->script.rules.items[i].glob, end, sizeof end) &&
            strcmp(dot, end) == 0)
            return true;
    return false;
}

static bool is_never_input(const char *inside);

/* Of a project whose inputs may be anywhere. */
static bool ignores_script(const struct project *p, const char *path, const char *inside)
{
    bool is_known = p->script.inputs && !p->script.is_broken;

    if (is_script_input(p, path) || project_is_built_from(p, path))
        return false;
    if (!inside)
        return true;
    if (strstr(inside, "node_modules"))
        return is_known ? strcmp(path_base(path), "node_modules") != 0 : !is_package(inside);
    if (is_never_input(inside))
        return true;
    return is_known && !p->script.finds_modules && !may_be_imported(p, path_base(path));
}

bool project_ignores(const struct project *p, const char *path)
{
    const char *inside = p->folder ? path_below(p->folder, path) : NULL;

    if (project_is_package_file(p, path))
        return false;
    if (!inside)
        return !is_free(p) || ignores_script(p, path, NULL);
    if (!inside[0])
        return false;
    if (inputs_is_state(p, path))
        return true;
    if (p->config && p->config[0] && strcmp(p->config, path) == 0)
        return false;
    if (!strchr(inside, '/') &&
        (strcmp(inside, "wrangler.toml") == 0 || strcmp(inside, "wrangler.json") == 0 ||
         strcmp(inside, "wrangler.jsonc") == 0 || vars_is_file(p, inside)))
        return false;
    if (is_free(p))
        return ignores_script(p, path, inside);
    if (!p->main || p->has_links)
        return is_never_input(inside);
    return !inputs_has_path(p, inside);
}

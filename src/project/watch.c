/* watch.c - which folders to watch and which changes to overlook. */
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "project/inputs.h"
#include "project/path.h"
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

int project_watch_roots(const struct project *p, struct watch_roots *ret_roots)
{
    const char *slash = p->main ? strrchr(p->main, '/') : NULL;
    char *folder;
    int r;

    *ret_roots = (struct watch_roots){0};
    if (!p->folder)
        return 0;
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

bool project_ignores(const struct project *p, const char *path)
{
    const char *inside = p->folder ? path_below(p->folder, path) : NULL;

    if (project_is_package_file(p, path))
        return false;
    if (!inside)
        return true;
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
    if (!p->main || p->has_links)
        return is_never_input(inside);
    return !inputs_has_path(p, inside);
}

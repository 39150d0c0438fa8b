/* entry.c - check `main`, and guess what was meant. */
#include "project/entry.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "project/inputs.h"
#include "project/path.h"
#include "project/script.h"
#include "text/nearest.h"

enum {
    LOOK_ENTRIES_MAX = 2000, /* directory entries that a guess looks at */
    LOOK_DEPTH_MAX = 5,
};

struct look {
    const char *wanted;
    bool is_script; /* JavaScript is looked for, else Python */
    char *best;
    size_t distance;
    unsigned seen;
};

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static void look_at(struct look *look, const char *path)
{
    size_t distance = nearest_distance(look->wanted, path);
    char *copy;

    /* The same name in another folder is nearer than another name in the same. */
    if (strcmp(path_base(path), path_base(look->wanted)) == 0)
        distance = 0;
    if (look->best && distance >= look->distance)
        return;
    copy = mem_strdup(path);
    if (!copy)
        return;
    mem_free(look->best);
    look->best = copy;
    look->distance = distance;
}

static void look_in(struct look *look, const char *folder, const char *inside, int depth)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && look->seen < LOOK_ENTRIES_MAX && (entry = readdir(dir))) {
        char *path, *name;
        look->seen++;
        if (inputs_skips_name(entry->d_name))
            continue;
        path = path_join(folder, entry->d_name);
        name = inside[0] ? path_join(inside, entry->d_name) : mem_strdup(entry->d_name);
        if (path && name && entry->d_type == DT_DIR && depth < LOOK_DEPTH_MAX)
            look_in(look, path, name, depth + 1);
        else if (path && name && entry->d_type != DT_DIR &&
                 (look->is_script ? script_is(name) : ends_with(name, ".py")))
            look_at(look, name);
        mem_free(path);
        mem_free(name);
    }
    if (dir)
        closedir(dir);
}

static char *look_for(const char *folder, const char *wanted)
{
    struct look look = {.wanted = wanted, .is_script = script_is(wanted)};

    look_in(&look, folder, "", 0);
    return look.best;
}

char *entry_nearest(const char *folder, const char *wanted)
{
    char *best = wanted ? look_for(folder, wanted) : NULL;

    if (!best && !(wanted && ends_with(wanted, ".py")))
        best = look_for(folder, "src/entry.py");
    return best ? best : look_for(folder, "src/index.js");
}

/* Why can a file of this kind not be a worker?  NULL: it can. */
static const char *refusal(const char *main, const char **ret_hint)
{
    if (ends_with(main, ".py") || script_is(main))
        return NULL;
    *ret_hint =
        "main names the file with the handlers, such as \"src/index.ts\" or \"src/entry.py\"";
    if (!ends_with(main, ".wasm"))
        return "this is neither JavaScript nor TypeScript nor Python";
    *ret_hint = "main is a JavaScript file that imports it: import module from \"./x.wasm\"";
    return "a WebAssembly module has no handlers";
}

static void report_missing(const struct project *p, const char *main, struct place where,
                           struct diagnostics *d)
{
    char *near = entry_nearest(p->folder, main);
    char hint[600];

    if (near)
        snprintf(hint, sizeof hint, "did you mean \"%.500s\"?", near);
    diagnostics_add(d, SEVERITY_ERROR, where,
                    near ? hint : "there is no such file in the project yet",
                    "there is no file '%s' in the project", main);
    mem_free(near);
}

/* Check the file itself, now that its path is known to be below the folder. */
static int check_file(const struct project *p, const char *path, const char *main,
                      struct place where, struct diagnostics *d, struct err *err)
{
    char *real = path_real(path);
    struct stat st;

    if (!real && errno == ENOMEM)
        return err_nomem(err);
    if (!real && (errno == ENOENT || errno == ENOTDIR))
        report_missing(p, main, where, d);
    else if (!real || stat(real, &st) < 0)
        diagnostics_add(d, SEVERITY_ERROR, where, NULL, "'%s': %s", main, strerror(errno));
    else if (!path_below(p->folder, real))
        diagnostics_add(d, SEVERITY_ERROR, where, "put the file itself into the project",
                        "'%s' is a link that leaves the project", main);
    else if (!S_ISREG(st.st_mode))
        diagnostics_add(d, SEVERITY_ERROR, where, NULL, "'%s' is a folder, not a file", main);
    mem_free(real);
    return 0;
}

int entry_check(struct project *p, const char *main, struct place where, struct diagnostics *d,
                struct err *err)
{
    const char *hint, *why = refusal(main, &hint), *inside;
    char *given, *path = NULL;
    int r = 0;

    if (why) {
        diagnostics_add(d, SEVERITY_ERROR, where, hint, "'%s': %s", main, why);
        return 0;
    }
    given = path_join(p->folder, main);
    if (!given)
        return err_nomem(err);
    path = path_real_parent(given);
    if (!path && errno == ENOMEM)
        r = err_nomem(err);
    if (!path) /* a folder on the way is missing: judge by the letters */
        path = path_normal(given);
    inside = path ? path_below(p->folder, path) : NULL;
    if (r == 0 && !path) {
        r = err_nomem(err);
    } else if (r == 0 && (!inside || !inside[0])) {
        diagnostics_add(d, SEVERITY_ERROR, where, "main is a path inside the project's folder",
                        "'%s' is outside the project (%s)", main, p->folder);
    } else if (r == 0) {
        r = check_file(p, path, main, where, d, err);
        p->main = r == 0 ? mem_strdup(inside) : NULL;
        if (r == 0 && !p->main)
            r = err_nomem(err);
    }
    mem_free(path);
    mem_free(given);
    return r;
}

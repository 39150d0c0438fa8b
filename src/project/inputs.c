/* inputs.c - walk the folders that make a bundle.
 *
 * What must stay true:
 *   1. nothing outside the project's folder is ever listed: a link that leaves
 *      it is an error, one inside it is followed
 *   2. the walk ends: files, depth and links into their own parents are bounded
 *   3. the same tree gives the same list, whatever order the file system has */
#include "project/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "project/bundle.h"
#include "project/path.h"

#define MODULES "python_modules"

struct walk {
    const struct project *project;
    struct inputs *in;
    struct err *err;
    struct {
        dev_t dev;
        ino_t ino;
    } above[BUNDLE_DEPTH_MAX];
    size_t depth;
    size_t fullest_count; /* files directly in the fullest folder */
    char *fullest;
};

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool is_leftover(const char *name)
{
    return strcmp(name, "__pycache__") == 0 || ends_with(name, ".pyc");
}

bool inputs_skips_name(const char *name)
{
    return name[0] == '.' || is_leftover(name) || strcmp(name, "node_modules") == 0 ||
           strcmp(name, "venv") == 0;
}

static bool is_config(const struct project *p, const char *inside)
{
    return strcmp(inside, "wrangler.toml") == 0 || strcmp(inside, "wrangler.json") == 0 ||
           strcmp(inside, "wrangler.jsonc") == 0 ||
           (p->config && p->config[0] && strcmp(inside, path_base(p->config)) == 0);
}

static bool is_in_modules(const char *inside)
{
    return path_below(MODULES, inside) != NULL;
}

/* The folder of main, inside the project: "" when it is the project's own. */
static char *main_folder(const struct project *p)
{
    const char *slash = strrchr(p->main, '/');

    return mem_copy(p->main, slash ? (size_t)(slash - p->main) : 0);
}

static bool is_skipped(const struct project *p, const char *inside, const char *name)
{
    if (is_in_modules(inside))
        return is_leftover(name) || path_is_line(p->left_out, inside);
    return (inputs_skips_name(name) || is_config(p, inside)) && strcmp(inside, p->main) != 0;
}

/* Would the walk, started at `from` bytes of the path, come through to its end? */
static bool is_reached(const struct project *p, const char *inside, size_t from)
{
    char path[PATH_MAX];
    size_t n = from;

    if (strlen(inside) >= sizeof path)
        return false;
    while (inside[n]) {
        n += inside[n] == '/';
        from = n;
        n += strcspn(inside + n, "/");
        memcpy(path, inside, n);
        path[n] = '\0';
        if (is_skipped(p, path, path + from))
            return false;
    }
    return true;
}

bool inputs_has_path(const struct project *p, const char *inside)
{
    const char *slash = strrchr(p->main, '/');
    size_t n = slash ? (size_t)(slash - p->main) : 0, len = strlen(inside);

    if (is_in_modules(inside))
        return is_reached(p, inside, 0);
    if (strncmp(inside, p->main, len < n ? len : n) != 0)
        return false;
    if (len < n) /* a folder on the way to main */
        return p->main[len] == '/';
    return (n == 0 || !inside[n] || inside[n] == '/') && is_reached(p, inside, n);
}

static bool is_main_below(const struct project *p, const char *folder)
{
    const char *inside;

    if (path_below(folder, p->folder))
        return true;
    inside = path_below(p->folder, folder);
    return inside && p->main && path_below(inside, p->main);
}

bool inputs_is_state(const struct project *p, const char *path)
{
    static const char *const OURS[] = {"bundles", "d1", "environments", "linked", "wheels"};
    const char *below = p->state_folder ? path_below(p->state_folder, path) : NULL;

    if (!below || !is_main_below(p, p->state_folder))
        return below != NULL;
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (path_below(OURS[i], below))
            return true;
    return false;
}

/* ---- the walk ---- */

static int add(struct walk *w, const char *inside, uint64_t bytes)
{
    struct inputs *in = w->in;
    size_t cap = in->cap ? in->cap * 2 : 64;
    struct input *items;
    char *path;

    if (in->count == in->cap) {
        items = mem_resize(in->items, cap * sizeof *items);
        if (!items)
            return err_nomem(w->err);
        in->items = items;
        in->cap = cap;
    }
    path = mem_strdup(inside);
    if (!path)
        return err_nomem(w->err);
    in->items[in->count++] = (struct input){path, bytes};
    in->bytes += bytes;
    return 0;
}

static int too_many(struct walk *w)
{
    err_set(w->err, ERR_LIMIT, "the worker has more than %d files; most are in '%s'",
            BUNDLE_FILES_MAX, w->fullest && w->fullest[0] ? w->fullest : ".");
    return err_hint(w->err, "only what lies below the folder of main is uploaded: move the rest");
}

/* Follow a link: 1 when it leads to something inside the project, 0 to skip it. */
static int follow(struct walk *w, const char *path, const char *inside, struct stat *ret_st)
{
    char *real = path_real(path);
    int r = 1;

    if (!real && errno == ENOMEM)
        return err_nomem(w->err);
    if (!real)
        return 0; /* leads nowhere: an editor's lock, a broken link */
    if (!path_below(w->project->folder, real)) {
        err_set(w->err, ERR_INVALID, "'%s' is a link that leaves the project (%s)", inside, real);
        r = err_hint(w->err, "put a copy into the project, or the link outside the folder of main");
    } else if (inputs_is_state(w->project, real) || stat(real, ret_st) < 0) {
        r = 0;
    }
    w->in->has_links = w->in->has_links || r == 1;
    mem_free(real);
    return r;
}

static int walk_folder(struct walk *w, const char *inside);

static int enter(struct walk *w, const char *inside, const struct stat *st)
{
    int r;

    for (size_t i = 0; i < w->depth; i++)
        if (w->above[i].dev == st->st_dev && w->above[i].ino == st->st_ino)
            return err_set(w->err, ERR_INVALID, "'%s' is a link to a folder that it is in", inside);
    if (w->depth == BUNDLE_DEPTH_MAX)
        return err_set(w->err, ERR_LIMIT, "'%s': more than %d folders inside each other", inside,
                       BUNDLE_DEPTH_MAX);
    w->above[w->depth].dev = st->st_dev;
    w->above[w->depth++].ino = st->st_ino;
    r = walk_folder(w, inside);
    w->depth--;
    return r;
}

/* One entry; *files counts those directly in this folder. */
static int visit(struct walk *w, const char *inside, size_t *files)
{
    char *path = path_join(w->project->folder, inside);
    struct stat st;
    int r = 1;

    if (!path)
        return err_nomem(w->err);
    if (inputs_is_state(w->project, path) || lstat(path, &st) < 0)
        r = 0;
    else if (S_ISLNK(st.st_mode))
        r = follow(w, path, inside, &st);
    mem_free(path);
    if (r <= 0)
        return r;
    if (S_ISDIR(st.st_mode))
        return enter(w, inside, &st);
    if (!S_ISREG(st.st_mode))
        return 0;
    ++*files;
    if (w->in->count == BUNDLE_FILES_MAX)
        return too_many(w);
    return add(w, inside, (uint64_t)st.st_size);
}

static void note_fullest(struct walk *w, const char *inside, size_t files)
{
    char *copy;

    if (files <= w->fullest_count)
        return;
    copy = mem_strdup(inside);
    if (!copy)
        return; /* only a nicety of a message */
    mem_free(w->fullest);
    w->fullest = copy;
    w->fullest_count = files;
}

static int walk_folder(struct walk *w, const char *inside)
{
    char *path = path_join(w->project->folder, inside);
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *entry;
    size_t files = 0;
    int r = 0;

    if (!path)
        return err_nomem(w->err);
    if (!dir)
        r = err_errno(w->err, errno, "read the folder '%s'", path);
    while (r == 0 && (entry = readdir(dir))) {
        char *name;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        name = inside[0] ? path_join(inside, entry->d_name) : mem_strdup(entry->d_name);
        if (!name)
            r = err_nomem(w->err);
        else if (!is_skipped(w->project, name, entry->d_name))
            r = visit(w, name, &files);
        if (files >= 64)
            note_fullest(w, inside, files);
        mem_free(name);
    }
    if (dir)
        closedir(dir);
    mem_free(path);
    return r;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct input *)a)->path, ((const struct input *)b)->path);
}

static int check_bytes(const struct inputs *in, struct err *err)
{
    const struct input *biggest = NULL;

    if (in->bytes <= BUNDLE_BYTES_MAX)
        return 0;
    for (size_t i = 0; i < in->count; i++)
        if (!biggest || in->items[i].bytes > biggest->bytes)
            biggest = &in->items[i];
    err_set(err, ERR_LIMIT,
            "the worker's files are larger than %llu MiB; the biggest is '%s' with %.1f MiB",
            BUNDLE_BYTES_MAX >> 20, biggest->path, (double)biggest->bytes / (1 << 20));
    return err_hint(err, "move it out of the folder of main, or keep it in a bucket");
}

/* Start at a folder of the project; one that is not there has no files. */
static int start(struct walk *w, const char *inside)
{
    char *path = path_join(w->project->folder, inside);
    struct stat st;
    int r = 1;

    if (!path)
        return err_nomem(w->err);
    if (lstat(path, &st) < 0)
        r = 0;
    else if (S_ISLNK(st.st_mode))
        r = follow(w, path, inside, &st);
    if (r == 1)
        r = S_ISDIR(st.st_mode) ? enter(w, inside, &st) : 0;
    mem_free(path);
    return r;
}

int inputs_list(const struct project *p, struct inputs *ret, struct err *err)
{
    struct walk w = {.project = p, .in = ret, .err = err};
    char *folder = main_folder(p);
    int r;

    *ret = (struct inputs){0};
    if (!folder)
        return err_nomem(err);
    r = start(&w, folder);
    if (r == 0 && folder[0] && !is_in_modules(folder))
        r = start(&w, MODULES);
    if (r == 0)
        r = check_bytes(ret, err);
    if (r == 0 && ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_path);
    mem_free(w.fullest);
    mem_free(folder);
    return r;
}

void inputs_done(struct inputs *in)
{
    for (size_t i = 0; i < in->count; i++)
        mem_free(in->items[i].path);
    mem_free(in->items);
    *in = (struct inputs){0};
}

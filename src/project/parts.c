/* parts.c - modules that go up as they are, and the list of what is in a bundle. */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "project/bundle.h"
#include "project/bundler.h"
#include "project/path.h"
#include "project/script.h"
#include "text/value.h"

int parts_add(struct bundled *b, const char *name, const char *type)
{
    json_t *part = json_pack("{s:s, s:s}", "name", name, "type", type);

    return part && json_array_append_new(b->parts, part) == 0 ? 0 : ERR_NOMEM;
}

/* ---- copying ---- */

static int make_parents(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        int r;
        *at = '\0';
        r = mkdir(path, 0700);
        *at = '/';
        if (r < 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

static int pour(int in, int out)
{
    char chunk[64 * 1024];
    ssize_t n;

    while ((n = read(in, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || file_write(out, (struct span){chunk, (size_t)n}) < 0)
            return -1;
    }
    return 0;
}

static int copy_one(const char *from, const char *to, const char *name, struct err *err)
{
    char *path = path_join(to, name);
    int in = -1, out = -1, r = 0;

    if (!path)
        return err_nomem(err);
    in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in >= 0 && make_parents(path) == 0)
        out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in < 0 || out < 0 || pour(in, out) < 0)
        r = err_errno(err, errno, "copy '%s'", from);
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) < 0 && r == 0)
        r = err_errno(err, errno, "write '%s'", path);
    mem_free(path);
    return r;
}

/* ---- finding ---- */

struct search {
    const struct project *p;
    const char *to;
    struct bundled *b;
    struct err *err;
};

static bool has_part(const struct bundled *b, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach(b->parts, i, one) if (strcmp(json_string_value(json_object_get(one, "name")),
                                                    name) == 0) return true;
    return false;
}

static int take(struct search *s, const char *path, const char *name)
{
    char *main = path_join(s->p->folder, s->p->main);
    bool is_main = main && strcmp(main, path) == 0;
    enum module_kind kind;
    int r = 0;

    if (!main)
        return err_nomem(s->err);
    mem_free(main);
    if (is_main || has_part(s->b, name) || !rules_find(&s->p->script.rules, name, &kind))
        return 0;
    if (json_array_size(s->b->parts) >= BUNDLE_FILES_MAX)
        return err_set(s->err, ERR_LIMIT, "the worker has more than %d modules", BUNDLE_FILES_MAX);
    r = copy_one(path, s->to, name, s->err);
    if (r == 0 &&
        (parts_add(s->b, name, rules_type(kind)) < 0 || buf_print(&s->b->inputs, "%s\n", path) < 0))
        r = err_nomem(s->err);
    return r;
}

static int search_folder(struct search *s, const char *folder, const char *inside, int depth);

static int visit(struct search *s, const char *folder, const char *inside, const char *entry,
                 int depth)
{
    char *path = path_join(folder, entry);
    char *name = inside[0] ? path_join(inside, entry) : mem_strdup(entry);
    struct stat st;
    int r = 0;

    if (!path || !name)
        r = err_nomem(s->err);
    else if (!inputs_is_state(s->p, path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        r = depth < BUNDLE_DEPTH_MAX ? search_folder(s, path, name, depth + 1) : 0;
    else if (!inputs_is_state(s->p, path) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        r = take(s, path, name);
    mem_free(name);
    mem_free(path);
    return r;
}

static int search_folder(struct search *s, const char *folder, const char *inside, int depth)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort), r = 0;

    if (n < 0)
        return err_errno(s->err, errno, "read the folder '%s'", folder);
    for (int i = 0; i < n; i++) {
        if (r == 0 && !inputs_skips_name(entries[i]->d_name))
            r = visit(s, folder, inside, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int parts_find(const struct project *p, const char *to, struct bundled *b, struct err *err)
{
    struct search s = {p, to, b, err};

    return search_folder(&s, p->script.base_dir, "", 0);
}

/* ---- without a bundler ---- */

int parts_copy(const struct project *p, const char *to, struct bundled *b, struct diagnostics *d,
               struct err *err)
{
    char *path = path_join(p->folder, p->main);
    const char *name = path ? path_below(p->script.base_dir, path) : NULL, *dot;
    enum module_kind kind = MODULE_ES;
    int r = 0;

    if (!path)
        return err_nomem(err);
    name = name && name[0] ? name : path_base(path);
    dot = strrchr(name, '.');
    if (strcmp(dot, ".js") != 0 && strcmp(dot, ".mjs") != 0 && strcmp(dot, ".cjs") != 0) {
        diagnostics_add(d, SEVERITY_ERROR, (struct place){.file = p->shown[0] ? p->shown : NULL},
                        "leave 'no_bundle' out",
                        "'%s' has to be bundled: with no_bundle, main is JavaScript", p->main);
        r = err_set(err, ERR_INVALID, "'%s' has to be bundled", p->main);
    }
    if (r == 0 && !rules_find(&p->script.rules, name, &kind))
        kind = strcmp(dot, ".cjs") == 0 ? MODULE_COMMONJS : MODULE_ES;
    if (r == 0)
        r = copy_one(path, to, name, err);
    if (r == 0) {
        b->main = mem_strdup(name);
        if (!b->main || parts_add(b, name, rules_type(kind)) < 0 ||
            buf_print(&b->inputs, "%s\n", path) < 0)
            r = err_nomem(err);
    }
    if (r == 0 && p->script.finds_modules)
        r = parts_find(p, to, b, err);
    mem_free(path);
    return r < 0 ? r : parts_settle(to, b, err);
}

/* ---- the list ---- */

static int write_parts(const char *to, const json_t *parts, struct err *err)
{
    char *path = path_join(to, BUNDLE_PARTS), *text = value_dump(parts, JSON_COMPACT);
    int fd = -1, r = 0;

    if (!path || !text)
        r = err_nomem(err);
    if (r == 0) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || file_write(fd, span_of(text)) < 0)
            r = err_errno(err, errno, "write '%s'", path);
    }
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = err_errno(err, errno, "write '%s'", path);
    mem_free(text);
    mem_free(path);
    return r;
}

static int list_file(const char *to, const char *name, struct inputs *in, struct err *err)
{
    char *path = path_join(to, name);
    struct stat st;
    int r = 0;

    if (!path)
        return err_nomem(err);
    if (stat(path, &st) < 0)
        r = err_errno(err, errno, "read '%s'", path);
    mem_free(path);
    if (r < 0)
        return r;
    in->items[in->count] = (struct input){mem_strdup(name), (uint64_t)st.st_size};
    if (!in->items[in->count++].path)
        return err_nomem(err);
    in->bytes += (uint64_t)st.st_size;
    if (in->bytes > BUNDLE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the worker's modules are larger than %llu MiB",
                       BUNDLE_BYTES_MAX >> 20);
    return 0;
}

int parts_settle(const char *to, struct bundled *b, struct err *err)
{
    size_t count = json_array_size(b->parts), i;
    json_t *one;
    int r = write_parts(to, b->parts, err);

    b->files.items = mem_alloc((count + 1) * sizeof *b->files.items);
    if (r == 0 && !b->files.items)
        r = err_nomem(err);
    json_array_foreach(b->parts, i, one) if (r == 0) r =
        list_file(to, json_string_value(json_object_get(one, "name")), &b->files, err);
    return r < 0 ? r : list_file(to, BUNDLE_PARTS, &b->files, err);
}

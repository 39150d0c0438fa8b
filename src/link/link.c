/* link.c - keep what was linked; make what is not there.
 *
 *     hash -> HOME/HASH there?  hold it -> done
 *                         no -> stage -> bundling -> .new-RANDOM/ -> rename -> hold it
 *
 *   1. a folder called HASH came into being by one rename, when all of it was on the disk, and is
 *      never changed
 *   2. it loses its name before anything in it is deleted, and only when nobody holds it
 *   3. its modification time is when it was last taken; the sweep asks for it */
#include "link/link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/folder.h"
#include "link/awaits.h"
#include "link/bundler.h"
#include "link/map.h"
#include "text/value.h"

enum {
    FORMAT = 7, /* of what is made: another one is another hash */
    HASH_BYTES = 16,
    TRIES = 3,     /* when somebody sweeps what was just made */
    LEFT_S = 3600, /* what is being made, and nobody makes it any more */
};
#define MAP_MAX (64u << 20) /* bytes of a source map: a larger one is left out */

#define NEW   ".new-"
#define GONE  ".gone-"
#define STAGE ".stage-"

bool link_is_javascript(const char *main)
{
    size_t n = strlen(main);

    return n < 3 || strcmp(main + n - 3, ".py") != 0;
}

/* ---- the bundler's program ---- */

static char *find_program(const char *list)
{
    char path[PATH_MAX];

    while (*list) {
        size_t n = strcspn(list, ":");
        if (n > 0 && snprintf(path, sizeof path, "%.*s/esbuild", (int)n, list) < PATH_MAX &&
            access(path, X_OK) == 0)
            return realpath(path, NULL);
        list += n + (list[n] == ':');
    }
    return NULL;
}

int link_bundler(char **ret_path, struct err *err)
{
    const char *named = getenv("ESBUILD"), *list = getenv("PATH");
    char *found = named && *named ? realpath(named, NULL)
                                  : find_program(list ? list : "/usr/local/bin:/usr/bin:/bin");
    char *copy = found ? mem_strdup(found) : NULL;
    bool is_there = found && access(found, X_OK) == 0;

    free(found);
    if (is_there && copy) {
        *ret_path = copy;
        return 0;
    }
    mem_free(copy);
    if (is_there)
        return err_nomem(err);
    if (named && *named)
        err_set(err, ERR_NOT_FOUND, "ESBUILD names '%.200s', which is no program", named);
    else
        err_set(err, ERR_NOT_FOUND, "esbuild is not installed, and JavaScript workers need it");
    return err_hint(err, "Install it (apt install esbuild), or set ESBUILD to its path.");
}

/* ---- the hash ---- */

static bool add(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    uint64_t n = len;

    return EVP_DigestUpdate(ctx, &n, sizeof n) == 1 &&
           (len == 0 || EVP_DigestUpdate(ctx, data, len) == 1);
}

static bool add_all(EVP_MD_CTX *ctx, const struct link_ask *ask, const char *bindings)
{
    const enum builtin_node node = builtin_node(ask->date, ask->flags);
    const int format = ask->has_sources ? FORMAT : -FORMAT;
    bool is_good = add(ctx, &format, sizeof format) && add(ctx, &node, sizeof node) &&
                   add(ctx, ask->hash, strlen(ask->hash)) &&
                   add(ctx, ask->main, strlen(ask->main)) && add(ctx, bindings, strlen(bindings));

    for (const struct builtin_file *f = builtin_files; f->name && is_good; f++)
        is_good = add(ctx, f->name, strlen(f->name)) && add(ctx, f->data, f->len);
    return is_good;
}

/* Bindings count when they name parts: then the script has them as globals. */
static char *text_of_bindings(const json_t *bindings)
{
    json_t *some = json_array(), *one;
    char *text;
    size_t i;

    json_array_foreach(bindings, i, one)
    {
        if (json_object_get(one, "part"))
            json_array_append(some, one);
    }
    text = some ? json_dumps(some, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(some);
    return text;
}

static int hash_of(const struct link_ask *ask, char ret_hash[2 * HASH_BYTES + 1], struct err *err)
{
    char *bindings = text_of_bindings(ask->bindings);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    bool is_good = ctx && bindings && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                   add_all(ctx, ask, bindings) && EVP_DigestFinal_ex(ctx, bytes, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    mem_free(bindings);
    for (int i = 0; is_good && i < HASH_BYTES; i++)
        snprintf(ret_hash + 2 * i, 3, "%02x", bytes[i]);
    return is_good ? 0 : err_nomem(err);
}

/* ---- holding ---- */

/* 1: held; 0: it is not there. */
static int hold(const char *path, struct linked *ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat held, named;

    if (fd < 0)
        return 0;
    /* A file system without locks serves one process well all the same. */
    if ((flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) || fstat(fd, &held) < 0 ||
        stat(path, &named) < 0 || held.st_ino != named.st_ino || held.st_dev != named.st_dev) {
        close(fd);
        return 0;
    }
    (void)futimens(fd, NULL);
    ret->folder = mem_strdup(path);
    if (!ret->folder) {
        close(fd);
        return err_nomem(err);
    }
    ret->fd = fd;
    return 1;
}

void linked_done(struct linked *linked)
{
    if (linked->folder)
        close(linked->fd);
    mem_free(linked->folder);
    *linked = (struct linked){0};
}

/* ---- making ---- */

/* Out of what the bundler wrote, which is a stranger's as the modules are. */
static int copy_outputs(const struct bundling *b, int to, struct err *err)
{
    struct buf text = {0}, followed = {0}, map = {0};
    struct awaits inserted = {0};
    struct err ignored;
    int r = stage_read(b->stage->fd, "out/worker.js", LINK_OUTPUT_MAX, &text, err);

    if (r == 0 && b->is_followed)
        r = awaits_rewrite(buf_span(&text), &followed, &inserted, err);
    r = r < 0
            ? r
            : map_script(r == 1 ? buf_span(&followed) : buf_span(&text), b->stage->name, &map, err);
    r = r < 0 ? r : stage_put(to, "worker.js", buf_span(&map), err);
    buf_eat(&text, buf_len(&text));
    buf_eat(&map, buf_len(&map));
    if (r == 0 && stage_read(b->stage->fd, "out/worker.js.map", MAP_MAX, &text, &ignored) == 0 &&
        map_rewrite(buf_span(&text), &inserted, &map, &ignored) == 0)
        r = stage_put(to, "worker.js.map", buf_span(&map), err);
    awaits_done(&inserted);
    buf_done(&text);
    buf_done(&followed);
    buf_done(&map);
    return r;
}

static int copy_modules(const struct bundling *b, int to, struct err *err)
{
    char name[32];
    int r = 0;

    for (size_t i = 0; i < b->modules->count && r == 0; i++) {
        const struct module *m = &b->modules->items[i];
        struct buf bytes = {0};
        if (m->number < 0)
            continue;
        snprintf(name, sizeof name, "m/%d", m->number);
        r = stage_read(b->files, m->path, LINK_OUTPUT_MAX, &bytes, err);
        r = r < 0 ? r : stage_put(to, name, buf_span(&bytes), err);
        buf_done(&bytes);
    }
    return r;
}

static int put(const struct bundling *b, const char *hash, struct err *err)
{
    int home = b->stage->home, to = -1, r = 0;
    char spare[64];

    folder_random_name(NEW, spare);
    if (mkdirat(home, spare, 0700) < 0 ||
        (to = openat(home, spare, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_errno(err, errno, "make a linked worker");
    r = copy_outputs(b, to, err);
    r = r < 0 ? r : copy_modules(b, to, err);
    if (r == 0 && fsync(to) < 0 && errno != EINVAL && errno != EROFS)
        r = err_errno(err, errno, "write a linked worker");
    close(to);
    if (r == 0 && renameat(home, spare, home, hash) == 0)
        return 0;
    if (r == 0 && errno != EEXIST && errno != ENOTEMPTY) /* or somebody was faster */
        r = err_errno(err, errno, "make a linked worker");
    (void)folder_clear(home, spare);
    return r;
}

static int find_main(struct bundling *b, struct err *err)
{
    struct buf name = {0};
    int r = module_name(b->ask->main, &name, err);

    b->main = r == 0 ? modules_find(b->modules, buf_data(&name)) : NULL;
    buf_done(&name);
    if (r == 0 && !b->main)
        r = err_set(err, ERR_INVALID, "Uncaught Error: No such module \"%.200s\".", b->ask->main);
    else if (r == 0 && !module_is_code(b->main->kind))
        r = err_set(err, ERR_INVALID, "The main module \"%.200s\" is no JavaScript", b->ask->main);
    b->is_script = r == 0 && b->main->kind == MODULE_COMMONJS;
    return r;
}

static void take_limits(struct bundling *b)
{
    b->limits = b->ask->limits;
    if (b->limits.timeout_ms == 0)
        b->limits.timeout_ms = LINK_TIMEOUT_MS;
    if (b->limits.memory_bytes == 0)
        b->limits.memory_bytes = LINK_MEMORY_MAX;
    if (b->limits.output_bytes == 0)
        b->limits.output_bytes = LINK_OUTPUT_MAX;
    b->deadline_ms = clock_now_ms() + b->limits.timeout_ms;
}

static int make(const struct link_ask *ask, const char *hash, char **ret_detail, struct err *err)
{
    struct stage stage = {.home = -1, .fd = -1};
    struct modules modules = {0};
    struct bundling b = {.ask = ask,
                         .modules = &modules,
                         .stage = &stage,
                         .files = -1,
                         .node = builtin_node(ask->date, ask->flags)};
    char *program = NULL;
    int r = modules_read(ask->parts, &modules, err);

    take_limits(&b);
    r = r < 0 ? r : find_main(&b, err);
    r = r < 0 ? r : link_bundler(&program, err);
    if (r == 0) {
        b.program = program;
        b.files = open(ask->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (b.files < 0)
            r = err_errno(err, errno, "open '%.200s'", ask->folder);
    }
    r = r < 0 ? r : stage_open(ask->home, &stage, err);
    r = r < 0 ? r : bundling_run(&b, err);
    r = r < 0 ? r : put(&b, hash, err);
    if (r < 0 && buf_len(&b.detail) > 0)
        *ret_detail = buf_detach(&b.detail);
    buf_done(&b.detail);
    buf_done(&b.aliases);
    buf_done(&b.importers);
    mem_free(b.late.numbers);
    if (b.files >= 0)
        close(b.files);
    stage_done(&stage);
    modules_done(&modules);
    mem_free(program);
    return r;
}

int link_make(const struct link_ask *ask, struct linked *ret_linked, char **ret_detail,
              struct err *err)
{
    char hash[2 * HASH_BYTES + 1], *path = NULL, *home = mem_strdup(ask->home);
    int r = 0;

    *ret_linked = (struct linked){0};
    *ret_detail = NULL;
    value_init();
    r = home ? hash_of(ask, hash, err) : err_nomem(err);
    if (r == 0)
        r = (path = folder_join(home, hash, NULL)) ? folder_make(home, err) : err_nomem(err);
    for (int i = 0; r == 0 && i < TRIES; i++) {
        r = hold(path, ret_linked, err);
        if (r == 0)
            r = make(ask, hash, ret_detail, err);
    }
    if (r == 0)
        r = hold(path, ret_linked, err);
    if (r == 0)
        r = err_set(err, ERR_SYSTEM, "what is linked in '%.200s' goes away at once", ask->home);
    mem_free(path);
    mem_free(home);
    return r < 0 ? r : 0;
}

/* ---- the end of it ---- */

static bool is_older(int home, const char *name, int64_t seconds)
{
    struct stat st;

    return fstatat(home, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mtime + seconds < clock_wall_ms() / 1000;
}

static void sweep_one(int home, const char *name)
{
    char gone[64];
    int fd;

    if (strncmp(name, GONE, strlen(GONE)) == 0 ||
        ((strncmp(name, NEW, strlen(NEW)) == 0 || strncmp(name, STAGE, strlen(STAGE)) == 0) &&
         is_older(home, name, LEFT_S))) {
        (void)folder_clear(home, name);
        return;
    }
    if (strlen(name) != 2 * HASH_BYTES || !is_older(home, name, LINK_KEPT_S))
        return;
    fd = openat(home, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    folder_random_name(GONE, gone);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_older(home, name, LINK_KEPT_S) &&
        renameat(home, name, home, gone) == 0)
        (void)folder_clear(home, gone);
    close(fd);
}

void link_sweep(const char *home)
{
    int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir && fd >= 0)
        close(fd);
    while (dir && (entry = readdir(dir)))
        sweep_one(fd, entry->d_name);
    if (dir)
        closedir(dir);
}

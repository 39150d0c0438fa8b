/* bundle.c - copy a worker's files to a folder named by what they are.
 *
 *     list -> read and hash -> STATE/bundles/HASH there and whole? -> done
 *                                         no -> copy to .new-PID, hashing again
 *                                               same hash -> rename to HASH
 *                                               other hash, or a file is gone:
 *                                               somebody is saving: start over
 *     lock the folder; is it still the one called HASH? no -> start over
 *
 * What must stay true:
 *   1. a folder called HASH holds exactly what HASH was computed from; it comes
 *      into being by one rename and leaves by one
 *   2. nobody but the owner may look into the folder of bundles
 *   3. nothing is fsynced (it can be made again), so after a power cut a folder
 *      may hold empty files: a folder is used only when every size is right */
#include "project/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "project/bundler.h"
#include "project/digest.h"
#include "project/inputs.h"
#include "project/path.h"

enum {
    TRIES = 4, /* while files change under our hands */
    CHUNK = 64 * 1024,
};

#define FOLDER "bundles"
#define NEW    ".new-" /* followed by the pid of who makes it, and a number */
#define OLD    ".old-"

enum outcome { DONE = 0, CHANGED = 1 }; /* or a negative ERR_ */

struct copy {
    const char *folder; /* what the inputs are seen from */
    const struct inputs *in;
    const char *to; /* NULL: only read and hash */
    struct digest digest;
    uint64_t bytes;
    struct err *err;
};

/* Make the folders above a path.  0 or -1 with errno. */
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

static int create(char *path)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(path, flags, 0400);

    if (fd < 0 && errno == ENOENT && make_parents(path) == 0)
        fd = open(path, flags, 0400);
    if (fd >= 0 && fchmod(fd, 0400) < 0) { /* whatever the umask says */
        close(fd);
        return -1;
    }
    return fd;
}

/* Everything of one open file through the digest, and into `out` unless -1. */
static int pour(struct copy *c, int in, int out, const char *inside)
{
    char chunk[CHUNK];
    uint64_t bytes = 0;
    ssize_t n;

    for (;;) {
        n = read(in, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(c->err, errno, "read '%s'", inside);
        if (n == 0)
            break;
        bytes += (uint64_t)n;
        if (c->bytes + bytes > BUNDLE_BYTES_MAX)
            return CHANGED; /* it grew since it was listed */
        digest_add(&c->digest, chunk, (size_t)n);
        if (out >= 0 && file_write(out, (struct span){chunk, (size_t)n}) < 0)
            return err_errno(c->err, errno, "copy '%s' to '%s'", inside, c->to);
    }
    c->bytes += bytes;
    digest_add(&c->digest, &bytes, sizeof bytes);
    return DONE;
}

static int copy_file(struct copy *c, const char *inside)
{
    char *from = path_join(c->folder, inside);
    char *to = c->to ? path_join(c->to, inside) : NULL;
    int in = -1, out = -1, r = DONE;

    if (!from || (c->to && !to)) {
        r = err_nomem(c->err);
        goto done;
    }
    digest_add(&c->digest, inside, strlen(inside) + 1);
    in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        r = CHANGED;
        goto done;
    }
    if (in < 0) {
        r = err_errno(c->err, errno, "read '%s'", inside);
        goto done;
    }
    if (to) {
        out = create(to);
        if (out < 0) {
            r = err_errno(c->err, errno, "write '%s'", to);
            goto done;
        }
    }
    r = pour(c, in, out, inside);
done:
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) < 0 && r == DONE)
        r = err_errno(c->err, errno, "write '%s'", to);
    mem_free(to);
    mem_free(from);
    return r;
}

static int copy_all(struct copy *c, char ret_hash[33])
{
    int r = DONE;

    digest_init(&c->digest);
    c->bytes = 0;
    for (size_t i = 0; r == DONE && i < c->in->count; i++)
        r = copy_file(c, c->in->items[i].path);
    if (r == DONE)
        digest_finish(&c->digest, ret_hash);
    return r;
}

/* Is a folder of an earlier time really whole? */
static bool is_whole(const char *folder, const struct inputs *in)
{
    bool is_good = true;
    struct stat st;

    if (stat(folder, &st) < 0)
        return false;
    for (size_t i = 0; is_good && i < in->count; i++) {
        char *path = path_join(folder, in->items[i].path);
        is_good = path && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
                  (uint64_t)st.st_size == in->items[i].bytes;
        mem_free(path);
    }
    return is_good;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static int remove_tree(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT ? -1 : 0;
}

/* BASE/PREFIXpid-N, in our memory: no two threads work in one. */
static char *temporary(const char *base, const char *prefix)
{
    static atomic_uint count;
    char name[48];

    snprintf(name, sizeof name, "%s%ld-%u", prefix, (long)getpid(), atomic_fetch_add(&count, 1));
    return path_join(base, name);
}

/* Give the finished copy its name. */
static int settle(const char *made, const char *folder, const struct inputs *in, struct err *err)
{
    if (rename(made, folder) == 0)
        return DONE;
    if (errno == EEXIST || errno == ENOTEMPTY) {
        if (is_whole(folder, in))
            return remove_tree(made), DONE;
        if (remove_tree(folder) == 0 && rename(made, folder) == 0)
            return DONE;
    }
    return err_errno(err, errno, "make '%s'", folder);
}

static int copy_to(struct copy *c, const char *base, const char *hash, const char *folder)
{
    char *made = temporary(base, NEW);
    char again[33] = "";
    int r;

    if (!made)
        return err_nomem(c->err);
    c->to = made;
    if (remove_tree(made) < 0)
        r = err_errno(c->err, errno, "write to '%s'", base);
    else
        r = copy_all(c, again);
    if (r == DONE && strcmp(again, hash) != 0)
        r = CHANGED;
    if (r == DONE)
        r = settle(made, folder, c->in, c->err);
    if (r != DONE)
        remove_tree(made);
    if (r == ERR_SYSTEM)
        r = err_hint(c->err, "the worker's files are copied there; --persist-to FOLDER names "
                             "another place");
    c->to = NULL;
    mem_free(made);
    return r;
}

/* Hold the folder.  Somebody may delete it until that is done: look again. */
static int hold(struct bundle *b, struct err *err)
{
    struct stat held, named;
    int r = CHANGED;

    b->fd = open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (b->fd < 0)
        return errno == ENOENT ? CHANGED : err_errno(err, errno, "open '%s'", b->folder);
    /* A file system without locks serves one process well all the same. */
    if (flock(b->fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        r = fstat(b->fd, &held) == 0 && stat(b->folder, &named) == 0 &&
                    held.st_ino == named.st_ino && held.st_dev == named.st_dev
                ? DONE
                : CHANGED;
    if (r != DONE) {
        close(b->fd);
        b->fd = -1;
    }
    return r;
}

/* One try: everything from the list to the folder. */
static int try_once(const struct project *p, const char *base, struct bundle *b, struct err *err)
{
    struct inputs in = {0};
    struct copy c = {.folder = p->folder, .in = &in, .err = err};
    int r = inputs_list(p, &in, err);

    if (r == 0)
        r = copy_all(&c, b->hash);
    if (r == DONE) {
        mem_free(b->folder);
        b->folder = path_join(base, b->hash);
        if (!b->folder)
            r = err_nomem(err);
        else if (!is_whole(b->folder, &in))
            r = copy_to(&c, base, b->hash, b->folder);
    }
    if (r == DONE)
        r = hold(b, err);
    b->files = in.count;
    b->bytes = c.bytes;
    inputs_done(&in);
    return r;
}

int bundle_make(const struct project *p, struct bundle *ret_bundle, struct err *err)
{
    struct bundle *b = ret_bundle;
    char *base = path_join(p->state_folder, FOLDER);
    int r = CHANGED;

    *b = (struct bundle){.main = mem_strdup(p->main), .fd = -1};
    if (!base || !b->main)
        r = err_nomem(err);
    /* An older one made it wider; whoever may not change that is not its owner. */
    if (r == CHANGED && chmod(base, 0700) < 0 && errno != ENOENT)
        errno = 0;
    for (int i = 0; r == CHANGED && i < TRIES; i++)
        r = try_once(p, base, b, err);
    if (r == CHANGED)
        r = err_set(err, ERR_INVALID, "the files of '%s' change all the time", p->name);
    mem_free(base);
    if (r < 0)
        bundle_done(b);
    return r;
}

/* ---- JavaScript ---- */

/* Hash what was made, and give it its name. */
static int take_made(const char *base, const char *made, const struct inputs *in, struct bundle *b,
                     struct err *err)
{
    struct copy c = {.folder = made, .in = in, .err = err};
    int r = copy_all(&c, b->hash);

    for (size_t i = 0; r == DONE && i < in->count; i++) {
        char *path = path_join(made, in->items[i].path);
        if (!path || chmod(path, 0400) < 0)
            r = path ? err_errno(err, errno, "chmod '%s'", path) : err_nomem(err);
        mem_free(path);
    }
    if (r != DONE)
        return r;
    mem_free(b->folder);
    b->folder = path_join(base, b->hash);
    if (!b->folder)
        return err_nomem(err);
    if (is_whole(b->folder, in))
        remove_tree(made);
    else
        r = settle(made, b->folder, in, err);
    b->files = in->count;
    b->bytes = c.bytes;
    return r == DONE ? hold(b, err) : r;
}

static bool is_script(const struct bundled *made)
{
    const char *type = json_string_value(json_object_get(json_array_get(made->parts, 0), "type"));

    return type && strcmp(type, "application/javascript") == 0 && strcmp(made->main, "index.js") == 0;
}

static int build_once(struct project *p, const char *base, const atomic_bool *is_cancelled,
                      struct bundle *b, struct diagnostics *d, struct err *err)
{
    char *made = temporary(base, NEW), *inside = made ? path_join(made, "x") : NULL;
    struct bundled bundled = {0};
    int r = 0;

    if (!inside)
        r = err_nomem(err);
    else if (remove_tree(made) < 0 || make_parents(inside) < 0)
        r = err_errno(err, errno, "make '%s'", made);
    if (r == 0)
        r = bundler_run(p, made, is_cancelled, &bundled, d, err);
    if (r == 0) {
        r = take_made(base, made, &bundled.files, b, err);
        b->is_script = is_script(&bundled);
        mem_free(b->main);
        b->main = bundled.main;
        bundled.main = NULL;
        mem_free(p->script.inputs);
        p->script.inputs = buf_detach(&bundled.inputs);
        if (r == 0 && (!b->main || !p->script.inputs))
            r = err_nomem(err);
    }
    if (r != DONE && made && remove_tree(made) < 0)
        errno = 0; /* a sweep finds it */
    bundled_done(&bundled);
    mem_free(inside);
    mem_free(made);
    return r;
}

int bundle_build(struct project *p, const atomic_bool *is_cancelled, struct bundle *ret_bundle,
                 struct diagnostics *d, struct err *err)
{
    struct bundle *b = ret_bundle;
    char *base = NULL;
    int r = CHANGED;

    if (!p->script.is_used)
        return bundle_make(p, ret_bundle, err);
    *b = (struct bundle){.fd = -1};
    base = path_join(p->state_folder, FOLDER);
    if (!base)
        r = err_nomem(err);
    for (int i = 0; r == CHANGED && i < TRIES; i++)
        r = build_once(p, base, is_cancelled, b, d, err);
    if (r == CHANGED)
        r = err_set(err, ERR_INVALID, "the files of '%s' change all the time", p->name);
    mem_free(base);
    p->script.is_broken = r < 0;
    if (r < 0)
        bundle_done(b);
    return r;
}

void bundle_done(struct bundle *b)
{
    if (b->folder && b->fd >= 0)
        close(b->fd);
    mem_free(b->folder);
    mem_free(b->main);
    *b = (struct bundle){0};
}

/* ---- the end of bundles ---- */

static bool is_hash(const char *name)
{
    return strlen(name) == 32 && strspn(name, "0123456789abcdef") == 32;
}

static int remove_unheld(const char *folder, struct err *err)
{
    char *base = path_parent(folder), *old = NULL;
    int fd = -1, r = 0;

    if (!base)
        return err_nomem(err);
    if (!is_hash(path_base(folder)) || strcmp(path_base(base), FOLDER) != 0) {
        r = err_set(err, ERR_INVALID, "'%s' is not the folder of a bundle", folder);
        goto done;
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        goto done;
    /* Away first, so that nobody takes it for whole while it shrinks. */
    old = temporary(base, OLD);
    if (!old)
        r = err_nomem(err);
    else if (remove_tree(old) < 0 || (rename(folder, old) < 0 && errno != ENOENT) ||
             remove_tree(old) < 0)
        r = err_errno(err, errno, "remove '%s'", folder);
done:
    if (fd >= 0)
        close(fd);
    mem_free(old);
    mem_free(base);
    return r;
}

int bundle_remove(struct bundle *b, struct err *err)
{
    char *folder = b->folder;
    int r;

    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
    r = remove_unheld(folder, err);
    bundle_done(b);
    return r;
}

/* A half-made or half-removed folder whose maker is gone? */
static bool is_abandoned(const char *name)
{
    long pid;

    if (strncmp(name, NEW, strlen(NEW)) != 0 && strncmp(name, OLD, strlen(OLD)) != 0)
        return false;
    pid = strtol(name + strlen(NEW), NULL, 10);
    return pid <= 0 || (kill((pid_t)pid, 0) < 0 && errno == ESRCH);
}

void bundle_sweep(const char *state_folder)
{
    char *base = path_join(state_folder, FOLDER);
    DIR *dir = base ? opendir(base) : NULL;
    struct dirent *entry;
    struct err ignored;

    while (dir && (entry = readdir(dir))) {
        char *path = path_join(base, entry->d_name);
        if (path && is_hash(entry->d_name)) {
            if (remove_unheld(path, &ignored) < 0)
                errno = 0; /* the next sweep tries again */
        } else if (path && is_abandoned(entry->d_name)) {
            remove_tree(path);
        }
        mem_free(path);
    }
    if (dir)
        closedir(dir);
    mem_free(base);
}

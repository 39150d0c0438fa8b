/* watch.c - inotify, one watch per folder, and a timer that waits for quiet.
 *
 * Editors write a second file and rename it over the first, or truncate and
 * write; build tools make and remove folders.  So nothing is read out of the
 * events but "something changed here"; the listener looks for itself.
 *
 * A folder that appears is walked at once and reported whatever it holds: files
 * may have been put there before the watch stood.  A folder that moves away
 * takes its watches along in the kernel, so they are removed by path.
 *
 * Invariants
 *   1. Every watch descriptor in `folders` has the path that it had when it was
 *      added, and paths under a moved or removed folder are not in `folders`.
 *   2. After an event that counts a timer is running until `changed` fires.
 *   3. When the kernel's queue overflows every root is walked again.
 *   4. A root that is missing is looked for every ROOT_RETRY_MS. */
#include "loop/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    DEPTH_MAX = 64,             /* folders in folders */
    ROOTS_MAX = 64,
    ROOT_RETRY_MS = 300,
};

static const uint32_t MASK = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_DELETE | IN_MOVED_FROM |
                             IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                             IN_EXCL_UNLINK;

struct folder {
    int wd;
    char *path;
};

struct watch {
    uv_poll_t poll;
    uv_timer_t quiet;
    uv_timer_t retry;
    int fd;
    const struct watch_events *events;
    void *self;
    struct folder *folders;
    unsigned count, room;
    char *roots[ROOTS_MAX];
    unsigned root_count;
    int64_t first_ms;           /* of the running burst; 0: there is none */
    int64_t due_ms;
    char last[PATH_MAX];        /* what changed last */
    unsigned handles;
    void (*closed)(void *self);
};

/* The table of folders */

static struct folder *find(struct watch *watch, int wd)
{
    for (unsigned i = 0; i < watch->count; i++)
        if (watch->folders[i].wd == wd)
            return &watch->folders[i];
    return NULL;
}

static void forget(struct watch *watch, struct folder *folder)
{
    mem_free(folder->path);
    *folder = watch->folders[--watch->count];
}

static int remember(struct watch *watch, int wd, const char *path, struct err *err)
{
    struct folder *old = find(watch, wd), *grown;
    unsigned room = watch->room ? watch->room * 2 : 64;
    char *copy = mem_strdup(path);

    if (!copy)
        return err_nomem(err);
    if (old) {
        mem_free(old->path);
        old->path = copy;
        return 0;
    }
    if (watch->count == watch->room) {
        grown = mem_resize(watch->folders, room * sizeof *grown);
        if (!grown) {
            mem_free(copy);
            return err_nomem(err);
        }
        watch->folders = grown;
        watch->room = room;
    }
    watch->folders[watch->count++] = (struct folder){wd, copy};
    return 0;
}

/* Is `path` the folder `top`, or below it? */
static bool is_under(const char *path, const char *top)
{
    size_t n = strlen(top);

    return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static void forget_under(struct watch *watch, const char *top)
{
    for (unsigned i = watch->count; i-- > 0;)
        if (is_under(watch->folders[i].path, top)) {
            (void)inotify_rm_watch(watch->fd, watch->folders[i].wd);
            forget(watch, &watch->folders[i]);
        }
}

/* Walking */

static int add_one(struct watch *watch, const char *path, struct err *err)
{
    int wd;

    if (watch->count >= WATCH_FOLDERS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d folders to watch, the last one is '%s'",
                       WATCH_FOLDERS_MAX, path);
    wd = inotify_add_watch(watch->fd, path, MASK);
    if (wd >= 0)
        return remember(watch, wd, path, err);
    if (errno == ENOSPC) {
        (void)err_set(err, ERR_LIMIT, "the kernel watches no more folders than '%s'", path);
        return err_hint(err, "raise it: sysctl fs.inotify.max_user_watches=524288");
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return err_set(err, ERR_NOT_FOUND, "no folder '%s'", path);
    return err_errno(err, errno, "watch '%s'", path);
}

static bool is_folder(int dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Watch `path` and what is below.  What vanishes meanwhile is no error. */
static int add_tree(struct watch *watch, const char *path, int depth, struct err *err)
{
    char below[PATH_MAX];
    struct dirent *entry;
    DIR *dir;
    int r;

    r = add_one(watch, path, err);
    if (r < 0 || depth >= DEPTH_MAX)
        return r;
    dir = opendir(path);
    if (!dir)
        return 0;
    for (entry = readdir(dir); entry && r == 0; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            !is_folder(dirfd(dir), entry))
            continue;
        if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >= sizeof below ||
            watch->events->is_ignored(watch->self, below, entry->d_name))
            continue;
        r = add_tree(watch, below, depth + 1, err);
        r = r == ERR_NOT_FOUND ? 0 : r;
    }
    closedir(dir);
    return r;
}

/* Saying so */

static void on_quiet(uv_timer_t *timer)
{
    struct watch *watch = timer->data;

    watch->first_ms = 0;
    watch->events->changed(watch->self, watch->last);
}

static void note(struct watch *watch, const char *path, int wait_ms)
{
    int64_t now_ms = clock_now_ms(), due_ms = now_ms + wait_ms;
    bool is_quick = wait_ms == WATCH_QUIET_MS;

    snprintf(watch->last, sizeof watch->last, "%s", path);
    /* A slow reason never puts off what is already due. */
    if (!is_quick && watch->first_ms != 0)
        return;
    if (watch->first_ms == 0)
        watch->first_ms = now_ms;
    else if (due_ms > watch->first_ms + WATCH_BURST_MS && watch->due_ms < due_ms)
        due_ms = watch->due_ms > now_ms ? watch->due_ms : now_ms;
    watch->due_ms = due_ms;
    uv_update_time(watch->quiet.loop);
    uv_timer_start(&watch->quiet, on_quiet, (uint64_t)(due_ms - now_ms), 0);
}

static void on_retry(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    bool is_missing = false;
    struct err err;

    for (unsigned i = 0; i < watch->root_count; i++) {
        bool is_there = false;
        for (unsigned k = 0; k < watch->count && !is_there; k++)
            is_there = strcmp(watch->folders[k].path, watch->roots[i]) == 0;
        if (is_there)
            continue;
        if (add_tree(watch, watch->roots[i], 0, &err) == 0)
            note(watch, watch->roots[i], WATCH_QUIET_MS);
        else
            is_missing = true;
    }
    if (is_missing)
        uv_timer_start(&watch->retry, on_retry, ROOT_RETRY_MS, 0);
}

/* Reading */

static void on_overflow(struct watch *watch)
{
    struct err err;

    for (unsigned i = 0; i < watch->root_count; i++) {
        /* A root that cannot be walked now is looked for again by the retry. */
        if (add_tree(watch, watch->roots[i], 0, &err) < 0)
            uv_timer_start(&watch->retry, on_retry, ROOT_RETRY_MS, 0);
        note(watch, watch->roots[i], WATCH_QUIET_MS);
    }
}

/* A watched folder itself went or moved. */
static void on_self(struct watch *watch, const char *path)
{
    char top[PATH_MAX];

    snprintf(top, sizeof top, "%s", path);
    forget_under(watch, top);
    note(watch, top, WATCH_QUIET_MS);
    for (unsigned i = 0; i < watch->root_count; i++)
        if (is_under(watch->roots[i], top))
            uv_timer_start(&watch->retry, on_retry, ROOT_RETRY_MS, 0);
}

static void on_folder(struct watch *watch, const struct inotify_event *event, const char *path)
{
    struct err err;

    if (event->mask & (IN_MOVED_FROM | IN_DELETE))
        forget_under(watch, path);
    else if ((event->mask & (IN_CREATE | IN_MOVED_TO)) && add_tree(watch, path, 0, &err) < 0)
        forget_under(watch, path); /* gone again, or one too many: said below all the same */
    note(watch, path, WATCH_QUIET_MS);
}

static void on_file(struct watch *watch, const struct inotify_event *event, const char *path)
{
    struct stat st;

    if (event->mask & IN_MODIFY) {
        note(watch, path, WATCH_OPEN_MS);
        return;
    }
    /* A new plain file is being written: its close says when it is whole.  A
     * link is whole at once. */
    if ((event->mask & IN_CREATE) && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_nlink == 1) {
        note(watch, path, WATCH_OPEN_MS);
        return;
    }
    note(watch, path, WATCH_QUIET_MS);
}

static void on_event(struct watch *watch, const struct inotify_event *event)
{
    struct folder *folder = find(watch, event->wd);
    char path[PATH_MAX];

    if (event->mask & IN_Q_OVERFLOW) {
        on_overflow(watch);
        return;
    }
    if (!folder)
        return;
    if (event->mask & IN_IGNORED) {
        forget(watch, folder);
        return;
    }
    if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
        on_self(watch, folder->path);
        return;
    }
    if (event->len == 0 ||
        (size_t)snprintf(path, sizeof path, "%s/%s", folder->path, event->name) >= sizeof path ||
        watch->events->is_ignored(watch->self, path, event->name))
        return;
    if (event->mask & IN_ISDIR)
        on_folder(watch, event, path);
    else
        on_file(watch, event, path);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = handle->data;
    union {
        struct inotify_event align;
        char bytes[16 * 1024];
    } room;
    ssize_t n;

    (void)status;
    (void)events;
    n = read(watch->fd, room.bytes, sizeof room.bytes);
    for (char *at = room.bytes; n > 0 && at < room.bytes + n;) {
        const struct inotify_event *event = (const struct inotify_event *)(void *)at;
        at += sizeof *event + event->len;
        on_event(watch, event);
    }
}

/* Opening and closing */

int watch_open(uv_loop_t *loop, const struct watch_events *events, void *self,
               struct watch **ret_watch, struct err *err)
{
    struct watch *watch = mem_alloc(sizeof *watch);
    int r;

    if (!watch)
        return err_nomem(err);
    watch->events = events;
    watch->self = self;
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0) {
        r = err_errno(err, errno, "ask the kernel to watch files");
        mem_free(watch);
        return r;
    }
    r = uv_poll_init(loop, &watch->poll, watch->fd);
    if (r < 0) {
        close(watch->fd);
        mem_free(watch);
        return err_set(err, ERR_SYSTEM, "watch files: %s", uv_strerror(r));
    }
    uv_timer_init(loop, &watch->quiet);
    uv_timer_init(loop, &watch->retry);
    watch->poll.data = watch->quiet.data = watch->retry.data = watch;
    watch->handles = 3;
    uv_poll_start(&watch->poll, UV_READABLE, on_poll);
    *ret_watch = watch;
    return 0;
}

int watch_add(struct watch *watch, const char *folder, struct err *err)
{
    char *root;
    int r;

    for (unsigned i = 0; i < watch->root_count; i++)
        if (strcmp(watch->roots[i], folder) == 0)
            return 0;
    if (watch->root_count == ROOTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d folders to watch", ROOTS_MAX);
    root = mem_strdup(folder);
    if (!root)
        return err_nomem(err);
    r = add_tree(watch, folder, 0, err);
    if (r < 0) {
        mem_free(root);
        return r;
    }
    watch->roots[watch->root_count++] = root;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;

    if (--watch->handles > 0)
        return;
    if (watch->closed)
        watch->closed(watch->self);
    for (unsigned i = 0; i < watch->count; i++)
        mem_free(watch->folders[i].path);
    for (unsigned i = 0; i < watch->root_count; i++)
        mem_free(watch->roots[i]);
    mem_free(watch->folders);
    mem_free(watch);
}

void watch_close(struct watch *watch, void (*closed)(void *self))
{
    watch->closed = closed;
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    uv_close((uv_handle_t *)&watch->quiet, on_closed);
    uv_close((uv_handle_t *)&watch->retry, on_closed);
    close(watch->fd);
}

unsigned watch_folders(const struct watch *watch) { return watch->count; }

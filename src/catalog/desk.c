/* desk.c - see desk.h.
 *
 *     loop                          thread
 *     desk_add  -> waiting ->       work(job, catalog)
 *     done(job) <- finished <- async
 *
 * The thread closes the catalog when nothing waits and it is told to end: that may write, too. When
 * nothing waits for a while it sweeps bundles, a minute after its start and then every hour.
 *   1. `waiting`, `finished`, `is_closing`, `is_over` are looked at under the lock
 *   2. a job is in exactly one of the two lists or in the thread's hands
 *   3. DATA/node.lock is ours alone: two nodes of one folder would run every schedule twice */
#include "catalog/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/bundles.h"
#include "catalog/folder.h"

struct desk {
    uv_async_t async;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct ring waiting, finished;
    size_t count;     /* that have not come back; the loop's */
    int64_t moved_ms; /* when the last one came back, or the first came to wait; the loop's */
    bool is_closing, is_over;
    struct catalog *catalog; /* the thread's */
    int alone;               /* node.lock */
    void (*closed)(void *self);
    void *self;
};

static int64_t first_sweep_ms = 60 * 1000, next_sweep_ms = 3600 * 1000;

void desk_sweep_every(int64_t ms)
{
    first_sweep_ms = next_sweep_ms = ms;
}

static void add_ms(struct timespec *time, int64_t ms)
{
    time->tv_sec += (time_t)(ms / 1000);
    time->tv_nsec += (long)(ms % 1000) * 1000000;
    if (time->tv_nsec >= 1000000000) {
        time->tv_sec++;
        time->tv_nsec -= 1000000000;
    }
}

/* Under the lock, which it gives away meanwhile.  What could not be removed is there next time. */
static void wait_or_sweep(struct desk *d, struct timespec *when)
{
    struct err ignored;

    if (pthread_cond_timedwait(&d->wake, &d->lock, when) != ETIMEDOUT ||
        !ring_is_empty(&d->waiting))
        return;
    pthread_mutex_unlock(&d->lock);
    (void)!bundles_sweep(d->catalog, &ignored);
    clock_gettime(CLOCK_MONOTONIC, when);
    add_ms(when, next_sweep_ms);
    pthread_mutex_lock(&d->lock);
}

static void *run(void *self)
{
    struct desk *d = self;
    struct desk_job *job;
    struct timespec sweep;

    clock_gettime(CLOCK_MONOTONIC, &sweep);
    add_ms(&sweep, first_sweep_ms);
    pthread_mutex_lock(&d->lock);
    for (;;) {
        while (ring_is_empty(&d->waiting) && !d->is_closing)
            wait_or_sweep(d, &sweep);
        if (ring_is_empty(&d->waiting))
            break;
        job = RING_OF(d->waiting.next, struct desk_job, ring);
        ring_drop(&job->ring);
        pthread_mutex_unlock(&d->lock);
        job->work(job, d->catalog);
        pthread_mutex_lock(&d->lock);
        ring_push(&d->finished, &job->ring);
        uv_async_send(&d->async);
    }
    pthread_mutex_unlock(&d->lock);
    catalog_close(d->catalog);
    pthread_mutex_lock(&d->lock);
    d->is_over = true;
    uv_async_send(&d->async);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct desk *d = handle->data;
    void (*closed)(void *self) = d->closed;
    void *self = d->self;

    pthread_cond_destroy(&d->wake);
    pthread_mutex_destroy(&d->lock);
    if (d->alone >= 0)
        close(d->alone);
    mem_free(d);
    if (closed)
        closed(self);
}

static void on_async(uv_async_t *async)
{
    struct desk *d = async->data;
    struct ring come;
    bool is_over;

    ring_init(&come);
    pthread_mutex_lock(&d->lock);
    ring_move(&come, &d->finished);
    is_over = d->is_over;
    pthread_mutex_unlock(&d->lock);
    while (!ring_is_empty(&come)) {
        struct desk_job *job = RING_OF(come.next, struct desk_job, ring);
        ring_drop(&job->ring);
        d->count--;
        d->moved_ms = clock_now_ms();
        job->done(job);
    }
    if (is_over && !uv_is_closing((uv_handle_t *)&d->async)) {
        pthread_join(d->thread, NULL); /* it is behind its last line */
        uv_close((uv_handle_t *)&d->async, on_closed);
    }
}

/* Somebody else has it: its pid stands in the file. */
static int refuse(int fd, const char *folder, struct err *err)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0)
        err_set(err, ERR_LIMIT, "another node (pid %ld) serves the data folder '%s'", pid, folder);
    else
        err_set(err, ERR_LIMIT, "another node serves the data folder '%s'", folder);
    return err_hint(err, "Stop that one first, or use another --data folder.");
}

static int note_pid(int fd, const char *path, struct err *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return err_errno(err, errno, "write '%s'", path);
    return 0;
}

/* One desk per data folder, whatever the process. */
static int take_folder(const char *folder, int *ret_fd, struct err *err)
{
    char *path = folder_join(folder, "node.lock", NULL);
    int fd, r = 0;

    if (!path)
        return err_nomem(err);
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        r = err_errno(err, errno, "open '%s'", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        r = errno == EWOULDBLOCK ? refuse(fd, folder, err)
                                 : err_errno(err, errno, "lock '%s'", path);
    else
        r = note_pid(fd, path, err);
    if (r == 0) {
        *ret_fd = fd;
        fd = -1;
    }
    if (fd >= 0)
        close(fd);
    mem_free(path);
    return r;
}

/* Signals are for the loop's thread. */
static int start(struct desk *d, struct err *err)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&d->thread, NULL, run, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? err_errno(err, failed, "start the thread of the catalog") : 0;
}

/* Whatever happens to the time of day. */
static void init_wake(pthread_cond_t *wake)
{
    pthread_condattr_t how;

    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(wake, &how);
    pthread_condattr_destroy(&how);
}

int desk_open(uv_loop_t *loop, const struct catalog_config *config, struct desk **ret_desk,
              struct err *err)
{
    struct desk *d = mem_alloc(sizeof *d);
    int r;

    if (!d)
        return err_nomem(err);
    d->alone = -1;
    ring_init(&d->waiting);
    ring_init(&d->finished);
    r = catalog_open(config, &d->catalog, err);
    if (r == 0)
        r = take_folder(catalog_folder(d->catalog), &d->alone, err);
    if (r < 0)
        goto fail;
    pthread_mutex_init(&d->lock, NULL);
    init_wake(&d->wake);
    d->async.data = d;
    r = uv_async_init(loop, &d->async, on_async);
    if (r < 0) {
        r = err_set(err, ERR_SYSTEM, "start the thread of the catalog: %s", uv_strerror(r));
        goto fail_lock;
    }
    r = start(d, err);
    if (r < 0) {
        catalog_close(d->catalog);
        uv_close((uv_handle_t *)&d->async, on_closed); /* frees it */
        return r;
    }
    *ret_desk = d;
    return 0;
fail_lock:
    pthread_cond_destroy(&d->wake);
    pthread_mutex_destroy(&d->lock);
fail:
    catalog_close(d->catalog);
    if (d->alone >= 0)
        close(d->alone);
    mem_free(d);
    return r;
}

void desk_close(struct desk *desk, void (*closed)(void *self), void *self)
{
    desk->closed = closed;
    desk->self = self;
    pthread_mutex_lock(&desk->lock);
    desk->is_closing = true;
    pthread_cond_signal(&desk->wake);
    pthread_mutex_unlock(&desk->lock);
}

int desk_add(struct desk *desk, struct desk_job *job, struct err *err)
{
    if (desk->is_closing) /* only the loop writes it */
        return err_set(err, ERR_GONE, "the node is ending");
    if (desk->count >= DESK_JOBS_MAX)
        return err_set(err, ERR_LIMIT, "%d changes and questions wait for the catalog already",
                       DESK_JOBS_MAX);
    if (desk->count++ == 0)
        desk->moved_ms = clock_now_ms();
    ring_init(&job->ring);
    pthread_mutex_lock(&desk->lock);
    ring_push(&desk->waiting, &job->ring);
    pthread_cond_signal(&desk->wake);
    pthread_mutex_unlock(&desk->lock);
    return 0;
}

size_t desk_count(const struct desk *desk)
{
    return desk->count;
}

int64_t desk_stalled_ms(const struct desk *desk)
{
    return desk->count > 0 ? clock_now_ms() - desk->moved_ms : 0;
}

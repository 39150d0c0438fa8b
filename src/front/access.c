/* access.c - lines go into memory at once, and to their file in a thread.
 *
 *   loop: line -> pending --(writer takes it whole)--> writing -> file
 *
 * 1. pending is bounded; the writer holds at most as much again.
 * 2. The writer gathers for GATHER_MS before it takes what is there, so that a busy node does not
 * wake it for each line.
 * 3. To what may block (a pipe, a terminal) it writes only what poll has promised room for, at most
 * PIPE_BUF bytes at a time: so it sees `is_ending` in time.
 * 4. log_* is for the loop's thread: what goes wrong in the writer is left in `problem` and said at
 * the next line.
 *
 * Who calls it: record.c, cli. */
#include "front/access.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { GATHER_MS = 10, POLL_MS = 50, WRITE_MAX = 256 * 1024 };

struct access {
    char *file; /* NULL: fd is the caller's */
    int fd;     /* guarded by lock; the writer's while is_busy */
    bool with_query;
    uv_thread_t writer;
    uv_mutex_t lock;
    uv_cond_t more;
    /* Guarded by lock. */
    struct buf pending;
    uint64_t dropped; /* ever */
    int problem;      /* errno of a write, 0: none since it was said */
    int next_fd;      /* access_reopen: to be used from the next write on; -1 */
    bool is_ending;
    int64_t end_at; /* is_ending: give up then */
    /* The loop's. */
    uint64_t told; /* of dropped, in the log */
    bool has_complained;
    /* The writer's. */
    struct buf writing;
    bool is_mid_line; /* the last byte written was not a line's last */
    bool is_torn;     /* and the rest of the line is lost: a newline is due */
};

/* ---- the writer's thread ---- */

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

static uint64_t count_lines(struct span bytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < bytes.len; i++)
        n += bytes.data[i] == '\n';
    return n;
}

static bool has_time(struct access *a)
{
    bool has;

    uv_mutex_lock(&a->lock);
    has = !a->is_ending || now_ms() < a->end_at;
    uv_mutex_unlock(&a->lock);
    return has;
}

/* One piece; 0, or an errno.  ECANCELED: no time is left. */
static int write_piece(struct access *a, bool may_block)
{
    struct pollfd p = {.fd = a->fd, .events = POLLOUT};
    struct span bytes = a->is_torn ? SPAN("\n") : buf_span(&a->writing);
    size_t most = may_block ? PIPE_BUF : WRITE_MAX;
    ssize_t done;

    if (may_block && poll(&p, 1, POLL_MS) == 0)
        return has_time(a) ? 0 : ECANCELED;
    done = write(a->fd, bytes.data, bytes.len < most ? bytes.len : most);
    if (done < 0)
        return errno == EINTR || errno == EAGAIN ? (has_time(a) ? 0 : ECANCELED) : errno;
    if (!a->is_torn && done > 0) {
        a->is_mid_line = bytes.data[done - 1] != '\n';
        buf_eat(&a->writing, (size_t)done);
    }
    a->is_torn = false;
    return 0;
}

/* What cannot be written is lost, and counted. */
static void write_all(struct access *a)
{
    struct stat st;
    bool may_block = fstat(a->fd, &st) < 0 || !S_ISREG(st.st_mode);
    uint64_t lost;
    int r = 0;

    while (r == 0 && buf_len(&a->writing) > 0)
        r = write_piece(a, may_block);
    if (r == 0)
        return;
    a->is_torn |= a->is_mid_line;
    a->is_mid_line = false;
    lost = count_lines(buf_span(&a->writing));
    buf_eat(&a->writing, buf_len(&a->writing));
    uv_mutex_lock(&a->lock);
    a->dropped += lost;
    a->problem = r;
    uv_mutex_unlock(&a->lock);
}

/* false: the end.  lock is held. */
static bool await_lines(struct access *a)
{
    while (buf_len(&a->pending) == 0 && !a->is_ending)
        uv_cond_wait(&a->more, &a->lock);
    if (!a->is_ending)
        uv_cond_timedwait(&a->more, &a->lock, (uint64_t)GATHER_MS * 1000000);
    return buf_len(&a->pending) > 0;
}

static void run_writer(void *self)
{
    struct access *a = self;
    struct buf empty;
    int old = -1;

    uv_mutex_lock(&a->lock);
    while (await_lines(a)) {
        empty = a->writing;
        a->writing = a->pending;
        a->pending = empty;
        if (a->next_fd >= 0) {
            old = a->fd;
            a->fd = a->next_fd;
            a->next_fd = -1;
            a->is_torn = a->is_mid_line = false;
        }
        uv_mutex_unlock(&a->lock);
        if (old >= 0)
            close(old);
        old = -1;
        write_all(a);
        uv_mutex_lock(&a->lock);
    }
    uv_mutex_unlock(&a->lock);
}

/* ---- the loop's thread ---- */

static int open_file(const char *file, int *ret_fd, struct err *err)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);

    if (fd < 0)
        return err_errno(err, errno, "open the access log '%s'", file);
    *ret_fd = fd;
    return 0;
}

static void access_free(struct access *a)
{
    if (a->file && a->fd >= 0)
        close(a->fd);
    if (a->next_fd >= 0)
        close(a->next_fd);
    buf_done(&a->pending);
    buf_done(&a->writing);
    mem_free(a->file);
    mem_free(a);
}

static int start_writer(struct access *a, struct err *err)
{
    int r = uv_mutex_init(&a->lock);

    if (r < 0)
        return err_set(err, ERR_SYSTEM, "access log: %s", uv_strerror(r));
    r = uv_cond_init(&a->more);
    if (r == 0) {
        r = uv_thread_create(&a->writer, run_writer, a);
        if (r == 0)
            return 0;
        uv_cond_destroy(&a->more);
    }
    uv_mutex_destroy(&a->lock);
    return err_set(err, ERR_SYSTEM, "access log: %s", uv_strerror(r));
}

int access_open(const struct access_config *config, struct access **ret_access, struct err *err)
{
    struct access *a = mem_alloc(sizeof *a);
    int r = 0;

    if (!a)
        return err_nomem(err);
    a->fd = config->file ? -1 : config->fd;
    a->next_fd = -1;
    a->with_query = config->with_query;
    if (config->file) {
        a->file = mem_strdup(config->file);
        r = a->file ? open_file(a->file, &a->fd, err) : err_nomem(err);
    }
    if (r == 0)
        r = start_writer(a, err);
    if (r < 0) {
        access_free(a);
        return r;
    }
    *ret_access = a;
    return 0;
}

int access_reopen(struct access *a, struct err *err)
{
    int fd = -1, old, r;

    if (!a->file)
        return 0;
    r = open_file(a->file, &fd, err);
    if (r < 0)
        return r;
    uv_mutex_lock(&a->lock);
    old = a->next_fd;
    a->next_fd = fd;
    uv_mutex_unlock(&a->lock);
    if (old >= 0)
        close(old);
    return 0;
}

void access_close(struct access *a)
{
    if (!a)
        return;
    uv_mutex_lock(&a->lock);
    a->is_ending = true;
    a->end_at = now_ms() + ACCESS_CLOSE_MS;
    uv_cond_signal(&a->more);
    uv_mutex_unlock(&a->lock);
    uv_thread_join(&a->writer);
    if (a->dropped > a->told)
        log_warn("%llu lines of the access log were lost",
                 (unsigned long long)(a->dropped - a->told));
    uv_cond_destroy(&a->more);
    uv_mutex_destroy(&a->lock);
    access_free(a);
}

uint64_t access_dropped(struct access *a)
{
    uint64_t n;

    uv_mutex_lock(&a->lock);
    n = a->dropped;
    uv_mutex_unlock(&a->lock);
    return n;
}

/* Say once that lines are lost, and once how many when they no longer are. */
static void complain(struct access *a, int problem, uint64_t lost)
{
    if (lost == 0)
        return;
    if (!a->has_complained)
        log_warn("the access log loses lines: %s",
                 problem ? strerror(problem) : "its reader is too slow");
    a->has_complained = true;
}

void access_note(struct access *a, const struct visit *visit)
{
    size_t before;
    uint64_t lost;
    int problem, r = 0;

    uv_mutex_lock(&a->lock);
    before = buf_len(&a->pending);
    lost = a->dropped - a->told;
    if (lost > 0 && before < ACCESS_PENDING_MAX / 2)
        r = visit_put_dropped(&a->pending, visit->time_ms, lost);
    if (lost > 0 && before < ACCESS_PENDING_MAX / 2 && r == 0) {
        a->told += lost;
        lost = 0;
    }
    if (before >= ACCESS_PENDING_MAX || visit_put(&a->pending, visit, a->with_query) < 0) {
        a->dropped++;
        lost++;
    }
    problem = a->problem;
    a->problem = 0;
    if (before == 0)
        uv_cond_signal(&a->more);
    uv_mutex_unlock(&a->lock);
    complain(a, problem, lost);
    if (lost == 0)
        a->has_complained = false;
}

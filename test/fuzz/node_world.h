/* node_world.h - the node's side of all its processes, with the processes in the hands of a fuzzer.
 *
 * Herd, pool, keeper and everything below them are the real ones, on a loop
 * that is turned by hand.  Played here is only what the kernel would do: time
 * goes on when the fuzzer says so (clock_gettime), a process is an end of a
 * socket pair (child_open), and who speaks is who should (identity_open; the
 * pidfd is an eventfd that becomes readable when the process is to have ended). */
#ifndef CORRAL_FUZZ_NODE_WORLD_H
#define CORRAL_FUZZ_NODE_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "herd/herd.h"
#include "keeper/keeper.h"
#include "kin/identity.h"
#include "kin/kin.h"
#include "loop/child.h"

enum { ACTORS = 24, ENDS = 96, MEMORY_MAX = 96 * 1024 * 1024 };

/* One process, seen from its own side. */
struct actor {
    int fd;             /* -1: none, or it has ended */
    int output;         /* of a template: the pipe, -1 */
    enum role role;
    uint32_t order;     /* id of the last SPAWN or FORK that it was given, not answered yet; 0 */
    uint32_t stream;    /* the last that the node has opened */
    uint32_t outcall;   /* the last that it has opened itself */
    unsigned pings;
    bool has_hello, has_load, is_loaded;
    struct buf in;
    struct buf held;    /* the rest of a message of which it has said the beginning */
};

static struct actor actors[ACTORS];
static int ends[ENDS];              /* the pidfds that were handed out */
static unsigned ends_count;
static struct child *children[ACTORS];
static int64_t time_ns;             /* on top of the kernel's */

extern size_t __sanitizer_get_current_allocated_bytes(void);

#define must(is_so)                                                                                \
    do {                                                                                           \
        if (!(is_so)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #is_so);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the kernel's part ---- */

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *ret)
{
    long r = syscall(SYS_clock_gettime, id, ret);

    if (r == 0 && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)) {
        int64_t ns = (int64_t)ret->tv_sec * 1000000000 + ret->tv_nsec + time_ns;
        *ret = (struct timespec){ns / 1000000000, ns % 1000000000};
    }
    return (int)r;
}

int identity_open(pid_t pid, pid_t parent, int *ret_pidfd, struct err *err)
{
    (void)parent;
    if (pid <= 0 || ends_count == ENDS)
        return err_set(err, ERR_GONE, "no such process");
    *ret_pidfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(*ret_pidfd >= 0);
    ends[ends_count++] = dup(*ret_pidfd);
    return 0;
}

static inline void end_process(unsigned i)
{
    (void)eventfd_write(ends[i], 1);
}

int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags);
int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned flags)
{
    (void)sig, (void)info, (void)flags;
    return eventfd_write(pidfd, 1);
}

/* A handle that has an end to be told of, without a process: the exit is told by the timer. */
static inline struct actor *actor_new(int fd, enum role role)
{
    for (unsigned i = 0; i < ACTORS; i++)
        if (actors[i].fd < 0) {
            buf_done(&actors[i].in);
            buf_done(&actors[i].held);
            actors[i] = (struct actor){.fd = fd, .output = -1, .role = role};
            must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
            return &actors[i];
        }
    close(fd);
    return NULL;
}

static inline void actor_end(struct actor *a)
{
    if (a->fd >= 0)
        close(a->fd);
    if (a->output >= 0)
        close(a->output);
    a->fd = a->output = -1;
    buf_done(&a->in);
    buf_done(&a->held);
}

/* A child is an idle handle in the place of a uv_process_t. */
static void on_child_idle(uv_idle_t *idle)
{
    struct child *child = idle->data;

    uv_idle_stop(idle);
    if (child->is_running) {
        child->is_running = false;
        child->exited(child->self, 0, SIGKILL);
    }
}

int child_open(struct child *child, uv_loop_t *loop, const char *program, char *const *arguments,
               char *const *environment, int fd,
               void (*exited)(void *self, int64_t status, int signal), void *self, struct err *err)
{
    (void)arguments, (void)environment;
    *child = (struct child){.exited = exited, .self = self};
    must(sizeof(uv_idle_t) <= sizeof(uv_process_t));
    uv_idle_init(loop, (uv_idle_t *)&child->process);
    child->process.data = child;
    if (!actor_new(dup(fd), strcmp(program, "/bin/sh") == 0 ? ROLE_ZYGOTE : ROLE_STORE))
        return err_set(err, ERR_SYSTEM, "too many processes");
    child->is_running = true;
    for (unsigned i = 0; i < ACTORS; i++)
        if (!children[i]) {
            children[i] = child;
            break;
        }
    return 0;
}

static void on_child_handle_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    child->closed(child->self);
}

void child_close(struct child *child, void (*closed)(void *self))
{
    for (unsigned i = 0; i < ACTORS; i++)
        if (children[i] == child)
            children[i] = NULL;
    child->is_running = false;
    child->closed = closed;
    uv_close((uv_handle_t *)&child->process, on_child_handle_closed);
}

void child_kill(struct child *child)
{
    if (child->is_running)
        uv_idle_start((uv_idle_t *)&child->process, on_child_idle);
}

int child_pid(const struct child *child)
{
    (void)child;
    return getpid();
}

char *child_inherited(const char *name, char *room, size_t size)
{
    (void)name, (void)room, (void)size;
    return NULL;
}

/* ---- what an actor hears ---- */

static inline void take_order(struct actor *a, const struct frame *f, int *fds, unsigned count)
{
    struct actor *born = NULL;
    struct spawn spawn;
    struct err err;

    if (spawn_get(f, &spawn, &err) == 0)
        a->order = spawn.id;
    if (count > 0) {
        born = actor_new(fds[0], f->type == FRAME_SPAWN ? ROLE_TEMPLATE : ROLE_INSTANCE);
        fds[0] = -1;
    }
    if (born && count > 1) {
        born->output = fds[1];
        must(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
        fds[1] = -1;
    }
}

static inline void take_heard(struct actor *a, const struct frame *f, int *fds, unsigned count)
{
    if (f->type == FRAME_SPAWN || f->type == FRAME_FORK)
        take_order(a, f, fds, count);
    else if (f->type == FRAME_REQUEST || f->type == FRAME_EVENT ||
             (f->type == FRAME_OUTCALL && a->role == ROLE_STORE))
        a->stream = f->stream;
    else if (f->type == FRAME_LOAD)
        a->has_load = true;
    else if (f->type == FRAME_PING)
        a->pings++;
}

/* Returns false when there is nothing (more). */
static inline bool hear_once(struct actor *a)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PEER_FDS_MAX * sizeof(int))];
    } control;
    char room[32 * 1024];
    struct iovec iov = {room, sizeof room};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int fds[PEER_FDS_MAX] = {-1, -1, -1, -1};
    unsigned count = 0;
    struct frame f;
    struct err err;
    size_t used;
    ssize_t n;

    if (a->fd < 0)
        return false;
    n = recvmsg(a->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            actor_end(a);
        return false;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(c), count * sizeof(int));
        }
    must(buf_append(&a->in, room, (size_t)n) == 0);
    /* What the node says is well-formed: it would be its own mistake. */
    while (a->fd >= 0 && buf_len(&a->in) > 0) {
        int r = frame_parse(buf_data(&a->in), buf_len(&a->in), &f, &used, &err);
        must(r >= 0);
        if (r == 0)
            break;
        take_heard(a, &f, fds, count);
        buf_eat(&a->in, used);
    }
    for (unsigned i = 0; i < PEER_FDS_MAX; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return true;
}

static inline void hear(struct actor *a)
{
    while (hear_once(a))
        ;
}

/* ---- what it says ---- */

/* As far as the socket takes it: a process that is not listened to cannot wait here. */
static inline void say_bytes(struct actor *a, const void *bytes, size_t n)
{
    if (a->fd >= 0 && n > 0 && send(a->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        errno != EAGAIN)
        actor_end(a);
}

static inline void say_held(struct actor *a)
{
    struct buf held = a->held;

    a->held = (struct buf){0};
    say_bytes(a, buf_data(&held), buf_len(&held));
    buf_done(&held);
}

/* The next thing that a well-behaved process of its kind would say. */
static inline void behave(struct actor *a)
{
    struct buf out = {0};
    struct err err;

    hear(a);
    if (a->fd < 0)
        return;
    say_held(a);
    if (!a->has_hello) {
        struct hello m = {.version = WIRE_VERSION, .role = a->role};
        (void)!hello_put(&out, 0, 0, &m, &err);
        a->has_hello = true;
    } else if (a->has_load && !a->is_loaded) {
        struct loaded m = {.handlers = HANDLER_FETCH};
        (void)!loaded_put(&out, 0, 0, &m, &err);
        a->is_loaded = true;
    } else if (a->order) {
        struct spawned m = {.id = a->order, .pid = 7};
        (void)!spawned_put(&out, 0, 0, &m, &err);
        a->order = 0;
    } else if (a->pings) {
        (void)!frame_put(&out, FRAME_PONG, 0, 0, NULL, 0);
        a->pings--;
    }
    say_bytes(a, buf_data(&out), buf_len(&out));
    buf_done(&out);
}

#endif

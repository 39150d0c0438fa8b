/* helper.c - spawn, read until the end, kill, reap. */
#include "base/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/terminal.h"

enum {
    CHUNK = 32 * 1024,
    CANCEL_MS = 50, /* how often the flag is looked at */
};

/* A helper that is not reaped: its number, and its group's, are its own. */
struct running {
    struct running *next;
    pid_t pid;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over what follows */
static struct running *all;
static bool is_over; /* none is started any more */

static int spawn(const struct helper *h, int in, int out, const posix_spawnattr_t *attr,
                 pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int words, r;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    words = h->takes_words ? STDERR_FILENO : terminal_for_words();
    r = posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, h->takes_words ? out : words, 2);
    if (r == 0 && h->folder)
        r = posix_spawn_file_actions_addchdir_np(&actions, h->folder);
    /* Nor what the node itself was started with. */
    if (r == 0)
        r = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (r == 0)
        r = posix_spawn(ret_pid, h->argv[0], &actions, attr, (char **)h->argv, (char **)h->envp);
    posix_spawn_file_actions_destroy(&actions);
    terminal_done(words);
    return r;
}

/* What the lock is over changes with no signal between, whose handler ends them all. */
static void take_lock(sigset_t *ret_before)
{
    sigset_t every;

    sigfillset(&every);
    pthread_sigmask(SIG_BLOCK, &every, ret_before);
    pthread_mutex_lock(&lock);
}

static void give_lock(const sigset_t *before)
{
    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* With no signal blocked or ignored, in a group of its own.  0 or an errno. */
static int start(const struct helper *h, int in, int out, pid_t *ret_pid)
{
    posix_spawnattr_t attr;
    sigset_t none, ignored;
    int r;

    if (posix_spawnattr_init(&attr) != 0)
        return ENOMEM;
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &ignored);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    r = spawn(h, in, out, &attr, ret_pid);
    posix_spawnattr_destroy(&attr);
    return r;
}

/* As start, and helper_end_all knows of it. */
static int begin(const struct helper *h, int in, int out, struct running *running)
{
    sigset_t before;
    int r;

    take_lock(&before);
    r = is_over ? ECANCELED : start(h, in, out, &running->pid);
    if (r == 0) {
        running->next = all;
        all = running;
    }
    give_lock(&before);
    return r;
}

static void forget(const struct running *running)
{
    struct running **at = &all;
    sigset_t before;

    take_lock(&before);
    while (*at != running)
        at = &(*at)->next;
    *at = running->next;
    give_lock(&before);
}

static void kill_group(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

void helper_end_all(void)
{
    sigset_t before;

    take_lock(&before);
    is_over = true;
    for (const struct running *one = all; one; one = one->next)
        kill_group(one->pid);
    give_lock(&before);
}

static void on_signal(int number)
{
    helper_end_all();
    raise(number); /* SA_RESETHAND: it does now what it always does */
}

void helper_end_with_us(void)
{
    static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    struct sigaction now;

    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
        if (sigaction(SIGNALS[i], NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
            now.sa_handler == SIG_DFL)
            sigaction(SIGNALS[i], &action, NULL);
}

/* Wait until there is something to read: bytes, or the end. */
static int wait_for(const struct helper *h, int fd, int64_t deadline_ms, struct err *err)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    for (;;) {
        int64_t left_ms = deadline_ms - clock_now_ms();
        if (h->is_cancelled && atomic_load(h->is_cancelled))
            return err_set(err, ERR_CANCELLED, "%s was stopped", h->what);
        if (left_ms <= 0)
            return err_set(err, ERR_LIMIT, "%s took longer than %lld ms", h->what,
                           (long long)h->timeout_ms);
        if (h->is_cancelled && left_ms > CANCEL_MS)
            left_ms = CANCEL_MS;
        if (poll(&p, 1, (int)left_ms) > 0)
            return 0;
    }
}

/* Read until the helper closes its end. */
static int collect(const struct helper *h, int fd, int64_t deadline_ms, struct err *err)
{
    char room[CHUNK];
    ssize_t n;
    int r;

    for (;;) {
        r = wait_for(h, fd, deadline_ms, err);
        if (r < 0)
            return r;
        n = read(fd, room, sizeof room);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return err_errno(err, errno, "read from %s", h->what);
        if (n == 0)
            return 0;
        r = h->output(h->self, (struct span){room, (size_t)n}, err);
        if (r < 0)
            return r;
    }
}

/* It has closed its output: it should end now. */
static int wait_end(const struct helper *h, pid_t pid, int64_t deadline_ms, struct err *err)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0), r;

    if (fd < 0)
        return 0; /* then waitpid alone waits */
    r = wait_for(h, fd, deadline_ms, err);
    close(fd);
    return r;
}

/* The group keeps its number until the helper is reaped. */
static int reap(const struct running *running, bool is_late)
{
    pid_t pid = running->pid;
    siginfo_t info;
    int status = 0;

    if (!is_late)
        while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
            ;
    kill_group(pid);
    forget(running);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int helper_run(const struct helper *h, struct err *err)
{
    int64_t deadline_ms = clock_now_ms() + h->timeout_ms;
    int in = -1, ends[2] = {-1, -1}, r = 0, status;
    struct running running = {0};

    in = memfd_create("corral-helper", MFD_CLOEXEC);
    if (in < 0 || file_write(in, h->input) < 0 || lseek(in, 0, SEEK_SET) < 0 ||
        pipe2(ends, O_CLOEXEC) < 0) {
        r = err_errno(err, errno, "prepare %s", h->what);
        goto done;
    }
    r = begin(h, in, ends[1], &running);
    if (r == ECANCELED) {
        r = err_set(err, ERR_CANCELLED, "%s was stopped", h->what);
        goto done;
    }
    if (r != 0) {
        err_errno(err, r, "start %s, '%s'", h->what, h->argv[0]);
        r = err_hint(err, "corral-worker belongs beside corral");
        goto done;
    }
    close(ends[1]);
    ends[1] = -1;
    r = collect(h, ends[0], deadline_ms, err);
    if (r == 0)
        r = wait_end(h, running.pid, deadline_ms, err);
    status = reap(&running, r < 0);
    if (h->ret_signal)
        *h->ret_signal = r == 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    else if (r == 0 && WIFSIGNALED(status))
        r = err_set(err, ERR_SYSTEM, "%s died of signal %d", h->what, WTERMSIG(status));
    if (r == 0 && h->ret_exit)
        *h->ret_exit = WEXITSTATUS(status);
done:
    if (in >= 0)
        close(in);
    if (ends[0] >= 0)
        close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    return r;
}

static char box[128] = "--box=seccomp";
static bool has_box;

void helper_use_box(const char *layers)
{
    has_box = true;
    snprintf(box, sizeof box, "--box=%s", layers);
}

const char *helper_box(void)
{
    return box;
}

bool helper_has_box(void)
{
    return has_box;
}

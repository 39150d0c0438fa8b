/* keys.c - the terminal's mode, and who may change it when.
 *
 *           in front                       SIGTSTP
 *   AWAY ----------------> HERE ----------------------> AWAY, stopped
 *    ^  looks every LOOK_MS  |  (Ctrl-Z; mode restored)      | SIGCONT: look
 *    +-----------------------+ <-----------------------------+
 *       a read brings nothing (in the background, or the terminal is gone)
 *
 * Invariants
 *  1. Only a process in the foreground touches the mode: in the background it is
 *     the shell's, and changing it would stop us.
 *  2. `before` is the mode from before the first change, and never read again:
 *     later the terminal may still be in ours.
 *  3. A read never waits: VMIN is 0 in our mode.
 *  4. libuv makes what it polls non-blocking, and stdin is shared with the shell
 *     and with our stderr: the terminal is opened once more, by its name. */
#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { LOOK_MS = 300 };

static const int FATAL[] = {SIGHUP,  SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
                            SIGFPE,  SIGSEGV, SIGSYS, SIGXCPU, SIGXFSZ};
enum { FATAL_COUNT = sizeof FATAL / sizeof *FATAL };

static struct {
    uv_poll_t poll;
    uv_timer_t timer;
    uv_signal_t stop, resume;
    void (*pressed)(void *self, char key);
    void *self;
    int fd;                             /* the terminal, opened once more: see 4 */
    struct termios before;
    struct sigaction fatal_before[FATAL_COUNT];
    volatile sig_atomic_t is_changed;   /* the terminal is in our mode */
    bool is_open;
} keys;

bool keys_are_there(void) { return isatty(STDIN_FILENO) && isatty(STDERR_FILENO); }

/* A terminal that is not the controlling one has no foreground: then nobody else is there. */
static bool is_in_front(void)
{
    pid_t front = tcgetpgrp(STDIN_FILENO);

    return front < 0 ? errno == ENOTTY : front == getpgrp();
}

void keys_restore(void)
{
    int kept = errno;

    if (keys.is_changed && is_in_front())
        tcsetattr(STDIN_FILENO, TCSANOW, &keys.before);
    keys.is_changed = 0;
    errno = kept;
}

/* Die as it would have been without us. */
static void on_fatal(int number, siginfo_t *info, void *context)
{
    int kept = errno;

    (void)context;
    keys_restore();
    for (int i = 0; i < FATAL_COUNT; i++)
        if (FATAL[i] == number)
            sigaction(number, &keys.fatal_before[i], NULL);
    /* A fault comes again by itself, now for whom it was meant. */
    if (info->si_code <= 0 || info->si_code == SI_KERNEL)
        raise(number);
    errno = kept;
}

static void catch_fatal(void)
{
    struct sigaction ours = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO};

    for (int i = 0; i < FATAL_COUNT; i++) {
        sigaction(FATAL[i], NULL, &keys.fatal_before[i]);
        if (keys.fatal_before[i].sa_handler != SIG_IGN)
            sigaction(FATAL[i], &ours, NULL);
    }
}

static void on_timer(uv_timer_t *timer);

static void go_away(void)
{
    uv_poll_stop(&keys.poll);
    keys_restore();
    uv_timer_start(&keys.timer, on_timer, LOOK_MS, LOOK_MS);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
    char typed[64];
    ssize_t n = status < 0 ? -1 : read(keys.fd, typed, sizeof typed);

    (void)poll, (void)events;
    if (n <= 0 && !(n < 0 && errno == EINTR))
        go_away();
    for (ssize_t i = 0; i < n && keys.is_open; i++)
        keys.pressed(keys.self, typed[i]);
}

static void come_back(void)
{
    struct termios ours = keys.before;

    if (!is_in_front())
        return; /* waits for: the timer */
    ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    ours.c_cc[VMIN] = 0;
    ours.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &ours) < 0)
        return;
    keys.is_changed = 1;
    if (uv_poll_start(&keys.poll, UV_READABLE, on_input) == 0)
        uv_timer_stop(&keys.timer);
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    come_back();
}

static void on_stop(uv_signal_t *signal, int number)
{
    (void)signal, (void)number;
    go_away();
    /* SIGSTOP, because SIGTSTP is ours; only this process stops, the shell sees the same. */
    raise(SIGSTOP);
    come_back();
}

/* The mode may be another since somebody stopped us with SIGSTOP. */
static void on_resume(uv_signal_t *signal, int number)
{
    (void)signal, (void)number;
    come_back();
}

int keys_open(uv_loop_t *loop, void (*pressed)(void *self, char key), void *self, struct err *err)
{
    char name[PATH_MAX];
    int r;

    keys.pressed = pressed;
    keys.self = self;
    if (tcgetattr(STDIN_FILENO, &keys.before) < 0 ||
        ttyname_r(STDIN_FILENO, name, sizeof name) != 0)
        return err_errno(err, errno, "ask for the terminal's mode");
    keys.fd = open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (keys.fd < 0)
        return err_errno(err, errno, "open the terminal '%s'", name);
    r = uv_poll_init(loop, &keys.poll, keys.fd);
    if (r < 0) {
        close(keys.fd);
        return err_set(err, ERR_SYSTEM, "listen to the terminal: %s", uv_strerror(r));
    }
    uv_timer_init(loop, &keys.timer);
    uv_signal_init(loop, &keys.stop);
    uv_signal_init(loop, &keys.resume);
    keys.is_open = true;
    /* A read in the background is to fail, not to stop us. */
    signal(SIGTTIN, SIG_IGN);
    catch_fatal();
    atexit(keys_restore);
    uv_timer_start(&keys.timer, on_timer, LOOK_MS, LOOK_MS);
    if (uv_signal_start(&keys.stop, on_stop, SIGTSTP) < 0 ||
        uv_signal_start(&keys.resume, on_resume, SIGCONT) < 0) {
        keys_close();
        return err_set(err, ERR_SYSTEM, "catch the terminal's signals");
    }
    come_back();
    return 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
    (void)handle;
    close(keys.fd);
}

void keys_close(void)
{
    if (!keys.is_open)
        return;
    keys.is_open = false;
    keys_restore();
    uv_close((uv_handle_t *)&keys.poll, on_poll_closed);
    uv_close((uv_handle_t *)&keys.timer, NULL);
    uv_close((uv_handle_t *)&keys.stop, NULL);
    uv_close((uv_handle_t *)&keys.resume, NULL);
}

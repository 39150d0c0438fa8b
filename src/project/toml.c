/* toml.c - run the helper that reads TOML.
 *
 * The text goes in as an unnamed file (memfd), so nothing has to be written
 * while we read the answer; the answer comes through a pipe, watched with
 * poll and a deadline.  The child is always reaped: killed first when it is
 * late or says too much.
 *
 * The last text that was read well is kept with its values: in development
 * nearly every reload comes from a saved source file, and the configuration is
 * what it was.  Values are shared, so nobody may change them. */
#include "project/toml.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/value.h"

static int start(const char *program, int in, int out, pid_t *ret_pid)
{
    char *argv[] = {(char *)program, "toml", NULL};
    char *envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    int r;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    r = posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (r == 0)
        r = posix_spawn(ret_pid, program, &actions, &attr, argv, envp);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

/* Read until the helper closes its end. */
static int collect(int fd, struct buf *out, struct err *err)
{
    int64_t deadline_ms = clock_now_ms() + TOML_TIMEOUT_MS, left_ms;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char *room;
    ssize_t n;

    for (;;) {
        left_ms = deadline_ms - clock_now_ms();
        if (left_ms <= 0)
            return err_set(err, ERR_LIMIT, "reading TOML took longer than %d ms", TOML_TIMEOUT_MS);
        if (poll(&p, 1, (int)left_ms) <= 0)
            continue;
        if (buf_reserve(out, 32 * 1024, &room) < 0)
            return err_nomem(err);
        n = read(fd, room, 32 * 1024);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return err_errno(err, errno, "read from the TOML helper");
        if (n == 0)
            return 0;
        buf_commit(out, (size_t)n);
        if (buf_len(out) > TOML_OUTPUT_MAX)
            return err_set(err, ERR_LIMIT, "the TOML helper said more than %d MiB",
                           TOML_OUTPUT_MAX >> 20);
    }
}

static void reap(pid_t pid, int *ret_status)
{
    *ret_status = 0;
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
        ;
}

static int run(const char *program, struct span text, struct buf *out, struct err *err)
{
    int in = -1, ends[2] = {-1, -1}, r = 0, status;
    pid_t pid = 0;

    in = memfd_create("corral-toml", MFD_CLOEXEC);
    if (in < 0 || file_write(in, text) < 0 || lseek(in, 0, SEEK_SET) < 0 ||
        pipe2(ends, O_CLOEXEC) < 0) {
        r = err_errno(err, errno, "prepare the TOML helper");
        goto done;
    }
    r = start(program, in, ends[1], &pid);
    if (r != 0) {
        err_errno(err, r, "start '%s' to read TOML", program);
        r = err_hint(err, "corral-worker belongs beside corral; a wrangler.json needs no helper");
        goto done;
    }
    close(ends[1]);
    ends[1] = -1;
    r = collect(ends[0], out, err);
    if (r < 0)
        kill(pid, SIGKILL);
    reap(pid, &status);
    if (r == 0 && WIFSIGNALED(status))
        r = err_set(err, ERR_SYSTEM, "the TOML helper died of signal %d", WTERMSIG(status));
done:
    if (in >= 0)
        close(in);
    if (ends[0] >= 0)
        close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    return r;
}

/* The helper's answer: {"ok": {...}} or {"error": {...}}. */
static int understand(json_t *answer, json_t **ret_root, struct toml_error *ret_error,
                      struct err *err)
{
    json_t *ok = json_object_get(answer, "ok"), *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));

    if (json_is_object(ok)) {
        *ret_root = json_incref(ok);
        return 0;
    }
    if (!message)
        return err_set(err, ERR_SYSTEM, "the TOML helper gave no answer");
    *ret_error = (struct toml_error){
        .answer = json_incref(answer),
        .message = message,
        .line = (int)json_integer_value(json_object_get(error, "line")),
        .column = (int)json_integer_value(json_object_get(error, "column")),
        .path = json_object_get(error, "path"),
    };
    return err_set(err, ERR_INVALID, "this is not TOML: %s", message);
}

/* ---- the last one ---- */

static struct {
    char *text;
    size_t len;
    json_t *root;
} last;

static bool is_last(struct span text)
{
    return last.root && last.len == text.len &&
           (text.len == 0 || memcmp(last.text, text.data, text.len) == 0);
}

/* Without memory nothing is kept: the helper runs again. */
static void keep_last(struct span text, json_t *root)
{
    char *copy = mem_copy(text.data, text.len);

    if (!copy)
        return;
    mem_free(last.text);
    json_decref(last.root);
    last.text = copy;
    last.len = text.len;
    last.root = json_incref(root);
}

int toml_read(const char *worker_program, struct span text, json_t **ret_root,
              struct toml_error *ret_error, struct err *err)
{
    struct buf out = {0};
    json_error_t e;
    json_t *answer = NULL;
    int r;

    if (is_last(text)) {
        *ret_root = json_incref(last.root);
        return 0;
    }
    if (!worker_program)
        return err_set(err, ERR_NOT_FOUND, "there is no corral-worker to read TOML with");
    r = run(worker_program, text, &out, err);
    if (r < 0)
        goto done;
    r = value_parse(buf_len(&out) ? buf_span(&out) : SPAN(""), &answer, &e);
    if (r == ERR_NOMEM)
        err_nomem(err);
    else
        r = understand(answer, ret_root, ret_error, err);
    if (r == 0)
        keep_last(text, *ret_root);
done:
    json_decref(answer);
    buf_done(&out);
    return r;
}

void toml_error_done(struct toml_error *e)
{
    json_decref(e->answer);
    *e = (struct toml_error){0};
}

/* start.c - from the arguments to the first frame: files, threads, the box, HELLO.
 *
 * Invariants
 *  1. Nothing of the database is interpreted before the box is entered: its files are only opened.
 *  2. The threads are made behind its other layers, which every one of them so has, and before the
 * filter, which knows no clone.
 *  3. Who it becomes owns nothing: the files are the node's user's, and stay so.
 *  4. Dies with the node: killed by PDEATHSIG, or in good order at the end of the socket.
 *
 * What fails on the way is told in a FAILED frame that names the path and what to do. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "box/box.h"
#include "box/layers.h"
#include "store/serving.h"

enum {
    START_QUERY_MS_MAX = 24 * 3600 * 1000,
    /* Bytes of each thread's stack.  Views, triggers and foreign keys that hang on each other are
     * compiled by recursion, which SQLite does not bound: see engine_bound_stack. */
    START_STACK = 16 * 1024 * 1024,
    START_STACK_BOUND = START_STACK / 8,
};
#define START_VM_MAX (4ULL << 30) /* bytes of address space: heap, bodies, mapped files, stacks */

/* ---- arguments ---- */

static int number_of(const char *text, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(text, &end, 10);
    return errno != 0 || *end || end == text || *text == '-' ? ERR_INVALID : 0;
}

static int take_option(struct store_options *o, const char *text, struct err *err)
{
    const char *value = strchr(text, '=');
    struct span name = {text, value ? (size_t)(value - text) : strlen(text)};
    uint64_t n = 0;

    value = value ? value + 1 : "";
    if (span_is(name, "--sync") && strcmp(value, "normal") == 0)
        o->sync = ENGINE_SYNC_NORMAL;
    else if (span_is(name, "--sync") && strcmp(value, "full") == 0)
        o->sync = ENGINE_SYNC_FULL;
    else if (span_is(name, "--size-max") && number_of(value, &n) == 0)
        o->size_max_bytes = n;
    else if (span_is(name, "--query-ms") && number_of(value, &n) == 0 && n > 0 &&
             n <= START_QUERY_MS_MAX)
        o->query_ms = (int64_t)n;
    else if (span_is(name, "--uid") && number_of(value, &n) == 0 && n > 0 && n <= INT32_MAX)
        o->uid = (unsigned)n;
    else if (span_is(name, "--box"))
        return box_layers_get(span_of(value), &o->box_layers, err);
    else
        return err_set(err, ERR_INVALID, "corral-store does not know the option %s", text);
    return 0;
}

int store_options_parse(int argc, char **argv, struct store_options *ret, struct err *err)
{
    int r = 0;

    *ret = (struct store_options){.query_ms = 30 * 1000, .box_layers = BOX_BIT(BOX_SECCOMP)};
    for (int i = 1; i < argc && r == 0; i++)
        if (strncmp(argv[i], "--", 2) != 0 && !ret->folder)
            ret->folder = argv[i];
        else
            r = take_option(ret, argv[i], err);
    if (r == 0 && !ret->folder)
        r = err_set(err, ERR_INVALID, "corral-store wants the folder of a database");
    return r;
}

/* ---- threads ---- */

static void *run_thread(void *self)
{
    engine_bound_stack(START_STACK_BOUND);
    return thread_main(self);
}

static int make_locks(struct store *s, struct err *err)
{
    pthread_condattr_t monotonic;
    int r = pthread_mutex_init(&s->lock, NULL);

    r = r ? r : pthread_condattr_init(&monotonic);
    r = r ? r : pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    r = r ? r : pthread_cond_init(&s->changed, &monotonic);
    for (unsigned i = 0; i < STORE_THREADS && r == 0; i++) {
        s->threads[i].store = s;
        r = pthread_cond_init(&s->threads[i].wake, &monotonic);
    }
    return r ? err_errno(err, r, "make locks") : 0;
}

static int make_threads(struct store *s, struct err *err)
{
    pthread_attr_t small;
    int r = pthread_attr_init(&small);

    r = r ? r : pthread_attr_setstacksize(&small, START_STACK);
    for (unsigned i = 0; i < STORE_THREADS && r == 0; i++)
        r = pthread_create(&s->threads[i].id, &small, run_thread, &s->threads[i]);
    return r ? err_errno(err, r, "start threads") : 0;
}

/* They wait until there is something to do. */
static void await_threads(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->idle_count < STORE_THREADS)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the box ---- */

/* Its files are open: there is nothing more to see of the machine, and nobody to be.  No pid
 * namespace: it stays the node's own child, and no call that it has takes the number of another
 * process. */
static int leave_machine(unsigned asked, unsigned uid, struct err *err)
{
    const struct box_paths nothing = {0};
    const unsigned layers = (uid > 0 ? asked : box_layers_unchanged(asked)) & ~BOX_BIT(BOX_PIDS);
    const pid_t parent = getppid();
    const bool is_root = geteuid() == 0;
    bool is_user = false;
    int proc = layers & BOX_BIT(BOX_USER) ? box_proc_open() : -1;
    int r = box_namespaces_enter(layers, proc, &is_user, err);

    if (r == 0 && layers & BOX_BIT(BOX_TREE))
        r = box_tree_enter(&nothing, err);
    if (r == 0)
        r = box_rights_give_up(is_user ? layers & ~BOX_BIT(BOX_USER) : layers, uid, proc, err);
    if (proc >= 0)
        close(proc);
    /* Who changes his rights is untied. */
    r = r < 0 ? r : box_tie_to_parent(parent, err);
    if (r == 0 && layers & BOX_BIT(BOX_LANDLOCK))
        r = box_landlock_enter(&nothing, err);
    if (r == 0 && is_root && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        r = err_errno(err, errno, "set dumpable");
    return r < 0 ? err_wrap(err, "the box of a database") : 0;
}

static int enter_filter(unsigned layers, struct err *err)
{
    const struct rlimit no_more = {0, 0};
    const struct box_limits limits = {.vm_bytes = START_VM_MAX};
    struct box_filter filter = {0};
    int r = box_limit(&limits, err);

    if (r == 0 && setrlimit(RLIMIT_NPROC, &no_more) < 0)
        r = err_errno(err, errno, "limit processes");
    if (layers & BOX_BIT(BOX_SECCOMP)) {
        r = r < 0 ? r : box_filter_init(&filter, BOX_STORE, err);
        r = r < 0 ? r : box_filter_enter(&filter, err);
        box_filter_done(&filter);
    }
    return r;
}

static int put_hello(struct store *s, struct err *err)
{
    const struct hello hello = {.version = WIRE_VERSION, .role = ROLE_STORE};
    int r = hello_put(outbox_enter(&s->out), 0, 0, &hello, err);

    outbox_leave(&s->out);
    return r;
}

/* Until the node hangs up: of a process that has ended it could not tell any more who wrote. */
static void await_end(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char room[4096];
    ssize_t n = 1;

    while (n > 0 || errno == EAGAIN || errno == EINTR) {
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return;
        n = read(fd, room, sizeof room);
        if (n == 0)
            return;
    }
}

static _Noreturn void give_up(struct store *s, const struct err *why)
{
    const struct failed m = {
        .kind = FAILURE_INTERNAL, .text = span_of(why->text), .hint = span_of(why->hint)};
    struct err err;
    int r = put_hello(s, &err);

    r = r < 0 ? r : failed_put(outbox_enter(&s->out), 0, 0, &m, &err);
    outbox_leave(&s->out);
    if (r == 0)
        r = outbox_drain(&s->out, &err);
    if (r == 0)
        await_end(s->out.fd);
    _exit(1);
}

/* Nothing of the node's own environment is here for anybody. */
static void wipe_environment(void)
{
    for (char **e = environ; e && *e; e++)
        memset(*e, 0, strlen(*e));
    clearenv();
}

static int start(struct store *s, struct err *err)
{
    struct engine_config config = {.sync = s->options.sync,
                                   .size_max_bytes = s->options.size_max_bytes};
    int r = engine_files_open(s->options.folder, &config.files, err);

    r = r < 0 ? r : leave_machine(s->options.box_layers, s->options.uid, err);
    r = r < 0 ? r : make_locks(s, err);
    r = r < 0 ? r : make_threads(s, err);
    if (r < 0)
        return r;
    await_threads(s);
    r = enter_filter(s->options.box_layers, err);
    r = r < 0 ? r : engine_init(&config, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&s->lock);
    s->is_started = true;
    s->checkpointed = engine_position();
    pthread_mutex_unlock(&s->lock);
    r = put_hello(s, err);
    return r < 0 ? r : outbox_drain(&s->out, err);
}

void store_main(const struct store_options *options, int control_fd)
{
    static struct store s;
    /* Its stack is as the user's shell has it, so it runs no SQL. */
    struct thread first = {.store = &s, .is_leader = true};
    struct err err = {0};
    int r;

    signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C in the terminal is the node's business; it ends us in order. */
    setsid();
    umask(077);
    wipe_environment();
    s.options = *options;
    outbox_init(&s.out, control_fd);
    fcntl(control_fd, F_SETFL, fcntl(control_fd, F_GETFL) | O_NONBLOCK);
    box_close_from(control_fd + 1);
    r = box_tie_to_parent(getppid(), &err);
    r = r < 0 ? r : start(&s, &err);
    if (r < 0)
        give_up(&s, &err);
    thread_pass_lead(&first);
    pthread_join(s.threads[0].id, NULL);
    abort();
}

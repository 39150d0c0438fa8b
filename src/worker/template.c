/* template.c - the second generation: one version of one worker, loaded once.
 *
 *   BOXED --LOAD--> loaded? --yes--> single-threaded? --yes--> LOADED frame, READY
 *                      |                    |  ^
 *                      no                   no | looked at again
 *                      v                    v  |
 *                   FAILED frame, end    EVALUATED frame
 *
 * Invariants
 *  1. The box is entered before a byte of the tenant is read.
 *  2. LOADED is said only when forking works: helper threads of the engines
 *     (a WebAssembly compiler idles for some ten seconds) are waited for.
 *  3. From READY on no engine code runs here: the template only forks.
 *
 * It has run tenant code, so nothing it says is believed by the node beyond
 * its own worker.  Called by: zygote.c.  Talks to: herd/pool.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "worker/boxed.h"
#include "worker/children.h"
#include "worker/link.h"
#include "worker/worker.h"

enum {
    TEMPLATE_SETTLE_MS = 20,   /* between two looks at the helper threads */
    TRACEBACK_MAX = 96 * 1024, /* bytes */
};

struct template
{
    struct heritage *heritage;
    struct link link;
    int statm_fd; /* /proc/self/statm, opened while /proc is there */
    bool is_loaded;
};

static _Noreturn void leave(struct template *t, const struct err *err)
{
    if (err->code != ERR_GONE)
        log_error("template: %s", err->text);
    link_done(&t->link);
    _exit(err->code == ERR_GONE ? 0 : 1);
}

static void host_log(void *self, uint32_t stream, enum log_level level, struct span text,
                     struct span told)
{
    struct template *t = self;
    struct err err = {0};

    if (link_log(&t->link, stream, level, text, told, &err) < 0 ||
        link_flush_all(&t->link, &err) < 0)
        leave(t, &err);
}

static void host_met(void *self, uint32_t stream, enum limit limit)
{
    const struct met m = {.limit = limit};
    struct template *t = self;
    struct err err = {0};

    if (met_put(&t->link.out, 0, stream, &m, &err) < 0 || link_flush_all(&t->link, &err) < 0)
        leave(t, &err);
}

/* Bytes of address space that this process has now, or 0 when unknown. */
static uint64_t vm_now(const struct template *t)
{
    char text[64];
    ssize_t n = pread(t->statm_fd, text, sizeof text - 1, 0);

    if (n <= 0)
        return 0;
    text[n] = '\0';
    return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* How much a worker's exception says is the worker's: together they must fit into a frame. */
static int say_failed(struct template *t, const struct realm_failure *why, struct err *err)
{
    const struct failed m = {.kind = (uint32_t)why->kind,
                             .text = link_cut(span_of(why->text)),
                             .hint = link_cut(span_of(why->hint)),
                             .traceback = link_cut_at(span_of(why->traceback), TRACEBACK_MAX),
                             .file = link_cut(span_of(why->file)),
                             .line = (uint32_t)why->line,
                             .column = (uint32_t)why->column,
                             .module = link_cut(span_of(why->module))};
    int r = failed_put(&t->link.out, 0, 0, &m, err);

    return r < 0 ? r : link_flush_all(&t->link, err);
}

/* Invariant 2.  Python's own threads have the GIL meanwhile: realm_fork_before takes it. */
static int settle(struct template *t, struct err *err)
{
    static const struct span NOTICE =
        SPAN("waiting for threads to end before this version starts: helpers of the engines, or "
             "threads that top-level code has started");
    int64_t since = clock_now_ms();
    bool is_said = false;
    int r;

    if (box_is_single_threaded())
        return 0;
    if (frame_put(&t->link.out, FRAME_EVALUATED, 0, 0, NULL, 0) < 0)
        return err_nomem(err);
    r = link_flush_all(&t->link, err);
    if (r < 0)
        return r;
    while (!box_is_single_threaded()) {
        if (!is_said && clock_now_ms() - since > 1000) {
            host_log(t, 0, LOG_INFO, NOTICE, SPAN(""));
            is_said = true;
        }
        r = children_wait(&t->link, TEMPLATE_SETTLE_MS, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static char *copy_of(struct span s)
{
    return mem_copy(s.data, s.len);
}

static int load(struct template *t, const struct frame *f, struct err *err)
{
    struct realm_failure failure = {0};
    struct realm_bundle bundle = {0};
    struct loaded loaded = {0};
    struct load m;
    int r;

    r = load_get(f, &m, err);
    if (r < 0)
        return r;
    /* Kept for the life of the process: the realm may refer to them. */
    bundle.name = copy_of(m.name);
    bundle.folder = copy_of(m.folder);
    bundle.main = copy_of(m.main);
    bundle.compatibility_date = copy_of(m.compatibility_date);
    bundle.compatibility_flags = copy_of(m.compatibility_flags);
    bundle.env = (struct span){copy_of(m.env), m.env.len};
    bundle.bindings = (struct span){copy_of(m.bindings), m.bindings.len};
    bundle.tmp_bytes = m.tmp_bytes;
    bundle.message_bytes = m.message_bytes;
    bundle.request_cf = (struct span){copy_of(m.request_cf), m.request_cf.len};
    bundle.packages = (struct span){copy_of(m.packages), m.packages.len};
    if (!bundle.name || !bundle.folder || !bundle.main || !bundle.compatibility_date ||
        !bundle.compatibility_flags || !bundle.env.data || !bundle.bindings.data ||
        !bundle.packages.data || !bundle.request_cf.data)
        return err_nomem(err);
    if (chdir(bundle.folder) < 0)
        return err_errno(err, errno, "enter the bundle's folder '%s'", bundle.folder);
    if (realm_load(t->heritage->realm, &bundle, &loaded.handlers, &failure) < 0) {
        r = say_failed(t, &failure, err);
        realm_failure_done(&failure);
        return r < 0 ? r : err_set(err, ERR_GONE, "'%s' did not load", bundle.name);
    }
    realm_settle(t->heritage->realm);
    r = settle(t, err);
    if (r < 0)
        return r;
    realm_fork_before(t->heritage->realm);
    t->is_loaded = true;
    return loaded_put(&t->link.out, 0, 0, &loaded, err);
}

static int fork_instance(struct template *t, const struct frame *f, struct err *err)
{
    int socket_fd = link_take_fd(&t->link), word_fd = -1;
    struct box_limits limits = {0};
    struct spawn order;
    pid_t pid;
    int r;

    r = spawn_get(f, &order, err);
    if (r == 0 && order.is_timed)
        word_fd = link_take_fd(&t->link);
    if (r < 0 || socket_fd < 0 || (order.is_timed && word_fd < 0))
        return r < 0 ? r : err_set(err, ERR_INVALID, "FORK came without its descriptors");
    if (order.memory_bytes > 0) {
        uint64_t vm = vm_now(t);
        limits.vm_bytes = vm > 0 ? vm + order.memory_bytes : 0;
        limits.file_bytes = order.memory_bytes;
    }
    limits.descriptors = order.descriptors;
    r = children_fork(t->heritage, &t->link, order.id, children_plain, &pid, err);
    if (r == 0 && pid == 0) {
        link_done(&t->link);
        close(t->statm_fd);
        box_forget_threads();
        instance_main(t->heritage, socket_fd, &limits, word_fd);
    }
    close(socket_fd);
    if (word_fd >= 0)
        close(word_fd);
    return r;
}

static int obey(struct template *t, struct err *err)
{
    struct frame f;
    int r;

    for (;;) {
        r = link_next(&t->link, &f, err);
        if (r <= 0)
            return r;
        if (f.type == FRAME_LOAD && !t->is_loaded)
            r = load(t, &f, err);
        else if (f.type == FRAME_FORK && t->is_loaded)
            r = fork_instance(t, &f, err);
        else
            r = err_set(err, ERR_INVALID, "unexpected %s frame", frame_name(f.type));
        if (r < 0)
            return r;
    }
}

/* Descriptors 1 and 2 are the output pipe from here on: what native code
 * prints is logged under the worker's name. */
static int enter(struct template *t, int output_fd, struct span paths, struct err *err)
{
    static const struct box_limits AS_IT_IS;
    const unsigned layers = t->heritage->box.layers;
    int r;

    if (dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
        return err_errno(err, errno, "redirect output");
    close(output_fd);
    t->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (t->statm_fd < 0)
        return err_errno(err, errno, "open /proc/self/statm");
    (void)box_is_single_threaded(); /* the first call wants /proc, too */
    r = boxed_enter(t->heritage, paths, err);
    r = r < 0 ? r : box_limit(&AS_IT_IS, err);
    if (r == 0 && layers & BOX_BIT(BOX_SECCOMP))
        r = box_filter_enter(&t->heritage->template_filter, err);
    return r;
}

/* A box that cannot be entered is no box: the version fails, and says why. */
static int say_unboxed(struct template *t, const struct err *why, struct err *err)
{
    char text[sizeof why->text + 64];
    const struct failed m = {
        .kind = FAILURE_INTERNAL,
        .text = {text,
                 (size_t)snprintf(text, sizeof text, "its box cannot be entered: %s", why->text)},
        .hint = SPAN("`corral doctor` says what this machine offers")};
    int r = failed_put(&t->link.out, 0, 0, &m, err);

    r = r < 0 ? r : link_flush_all(&t->link, err);
    /* Until the node ends it: it looks at who said that. */
    while (r >= 0)
        r = children_wait(&t->link, -1, err);
    return r;
}

void template_main(struct heritage *heritage, int take_control_fd, int take_output_fd,
                   struct span paths)
{
    static const struct hello HELLO = {.version = WIRE_VERSION, .role = ROLE_TEMPLATE};
    static struct template t;
    struct err err = {0}, why = {0};
    int r;

    t.heritage = heritage;
    heritage->host = WORKER_SILENT_HOST;
    heritage->host.self = &t;
    heritage->host.log = host_log;
    heritage->host.met = host_met;
    link_init(&t.link, take_control_fd, true);
    children_init(CHILDREN_PLAIN);
    if (enter(&t, take_output_fd, paths, &why) == ERR_GONE)
        leave(&t, &why);
    r = hello_put(&t.link.out, 0, 0, &HELLO, &err);
    if (r == 0 && why.code < 0)
        r = say_unboxed(&t, &why, &err);
    while (r >= 0) {
        r = link_flush_all(&t.link, &err);
        r = r < 0 ? r : children_wait(&t.link, -1, &err);
        r = r < 0 ? r : obey(&t, &err);
    }
    leave(&t, &err);
}

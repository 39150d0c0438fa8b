/* zygote.c - the first generation: both engines warm, forks templates on order.
 *
 * Invariants
 *  1. Holds no secret and has read no tenant byte: what it forks is clean.
 *  2. Single-threaded whenever it forks (realm_fork_before, box_is_single_threaded).
 *  3. Dies with the node: killed by PDEATHSIG, or leaves at end of file.
 *
 * The engines sleep from the first realm_fork_before on: between forks the
 * zygote only reads orders and collects its dead, in plain C.
 *
 * Called by: main/corral_worker.c.  Talks to: herd/herd.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/children.h"
#include "worker/link.h"
#include "worker/worker.h"

struct zygote {
    struct heritage heritage;
    struct link link;
};

static void host_log(void *self, uint32_t stream, enum log_level level, struct span text)
{
    (void)self;
    (void)stream;
    log_tenant(level, "zygote", text.data, text.len);
}

static void host_respond(void *self, uint32_t stream, const struct host_response *response)
{
    (void)self;
    (void)stream;
    (void)response;
}

static void host_respond_body(void *self, uint32_t stream, struct span bytes, bool is_end)
{
    (void)self;
    (void)stream;
    (void)bytes;
    (void)is_end;
}

static void host_fail(void *self, uint32_t stream, enum host_failure why, struct span text)
{
    (void)self;
    (void)stream;
    (void)why;
    (void)text;
}

static void host_request_credit(void *self, uint32_t stream, uint32_t bytes)
{
    (void)self;
    (void)stream;
    (void)bytes;
}

static void host_stream(void *self, uint32_t stream)
{
    (void)self;
    (void)stream;
}

const struct host WORKER_SILENT_HOST = {
    .log = host_log,
    .respond = host_respond,
    .respond_body = host_respond_body,
    .fail = host_fail,
    .request_credit = host_request_credit,
    .request_unwanted = host_stream,
    .done = host_stream,
};

static _Noreturn void die(const struct err *err)
{
    if (err->code != ERR_GONE)
        log_error("zygote: %s%s%s", err->text, err->hint[0] ? ". " : "", err->hint);
    _exit(err->code == ERR_GONE ? 0 : 1);
}

/* The kernel's favourite victim should be a worker, not the node. */
static void volunteer_for_oom(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "500", 3) < 0)
        log_debug("zygote: oom_score_adj stays as it is");
    close(fd);
}

static int say_hello(struct zygote *z, struct err *err)
{
    const struct hello hello = {.version = WIRE_VERSION,
                                .role = ROLE_ZYGOTE,
                                .python = span_of(realm_python_version()),
                                .javascript = span_of(realm_javascript_version())};
    int r = hello_put(&z->link.out, 0, 0, &hello, err);

    return r < 0 ? r : link_flush_all(&z->link, err);
}

static int spawn_template(struct zygote *z, const struct frame *f, struct err *err)
{
    int control = link_take_fd(&z->link), output = link_take_fd(&z->link);
    struct spawn order;
    pid_t pid;
    int r;

    r = spawn_get(f, &order, err);
    if (r < 0 || control < 0 || output < 0)
        return r < 0 ? r : err_set(err, ERR_INVALID, "SPAWN came without descriptors");
    r = children_fork(&z->heritage, &z->link, order.id, &pid, err);
    if (r == 0 && pid == 0) {
        link_done(&z->link);
        template_main(&z->heritage, control, output);
    }
    close(control);
    close(output);
    return r;
}

static int obey(struct zygote *z, struct err *err)
{
    struct frame f;
    int r;

    for (;;) {
        r = link_next(&z->link, &f, err);
        if (r <= 0)
            return r;
        if (f.type != FRAME_SPAWN)
            return err_set(err, ERR_INVALID, "unexpected %s frame", frame_name(f.type));
        r = spawn_template(z, &f, err);
        if (r < 0)
            return r;
    }
}

static int serve(struct zygote *z, struct err *err)
{
    int r;

    for (;;) {
        r = children_wait(&z->link, -1, err);
        if (r >= 0)
            r = obey(z, err);
        if (r >= 0)
            r = link_flush_all(&z->link, err);
        if (r < 0)
            return r;
    }
}

void zygote_main(int control_fd)
{
    static struct zygote z;
    struct err err = {0};
    int r;

    signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C in the terminal is the node's business; it ends us in order. */
    setsid();
    r = box_tie_to_parent(getppid(), &err);
    if (r < 0)
        die(&err);
    link_init(&z.link, control_fd, true);
    box_close_from(control_fd + 1);
    volunteer_for_oom();
    children_init();
    r = box_filter_init(&z.heritage.template_filter, BOX_TEMPLATE, &err);
    r = r < 0 ? r : box_filter_init(&z.heritage.instance_filter, BOX_INSTANCE, &err);
    z.heritage.host = WORKER_SILENT_HOST;
    r = r < 0 ? r : realm_new(&z.heritage.host, &z.heritage.realm, &err);
    r = r < 0 ? r : say_hello(&z, &err);
    if (r < 0)
        die(&err);
    realm_fork_before(z.heritage.realm);
    r = serve(&z, &err);
    die(&err);
}

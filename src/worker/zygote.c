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
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "box/layers.h"
#include "worker/boxed.h"
#include "worker/children.h"
#include "worker/link.h"
#include "worker/worker.h"

struct zygote {
    struct heritage heritage;
    struct link link;
};

static void host_log(void *self, uint32_t stream, enum log_level level, struct span text,
                     struct span told)
{
    (void)self;
    (void)stream;
    (void)told;
    log_tenant(level == HOST_RAISED ? LOG_ERROR : level, "zygote", text.data, text.len);
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
    r = children_fork(&z->heritage, &z->link, order.id, boxed_fork, &pid, err);
    if (r == 0 && pid == 0) {
        char *paths = mem_copy(order.paths.data, order.paths.len);
        struct span kept = {paths, paths ? order.paths.len : 0};
        link_done(&z->link);
        template_main(&z->heritage, control, output, kept);
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

int worker_box_parse(char **arguments, struct worker_box *ret, struct err *err)
{
    bool has_box = false;
    int r = 0;

    *ret = (struct worker_box){0};
    for (; *arguments && r == 0; arguments++) {
        const char *value = strchr(*arguments, '=');
        struct span name = {*arguments, value ? (size_t)(value - *arguments) : 0};
        char *end = NULL;
        if (span_is(name, "--box")) {
            r = box_layers_get(span_of(value + 1), &ret->layers, err);
            has_box = true;
        } else if (span_is(name, "--uid"))
            ret->uid = (unsigned)strtoul(value + 1, &end, 10);
        else
            r = err_set(err, ERR_INVALID, "corral-worker does not know the option %s", *arguments);
        if (end && (*end || end == value + 1))
            r = err_set(err, ERR_INVALID, "%s is no user id", *arguments);
    }
    /* Not even without any: that is said, too. */
    if (r == 0 && !has_box)
        r = err_set(err, ERR_INVALID,
                    "corral-worker zygote wants --box=LAYERS: nobody's code runs in a box that was "
                    "forgotten. Start `corral dev` or `corral serve`, which find out what this "
                    "machine has (`corral doctor` shows it), and say it");
    if (r == 0 && ret->layers & BOX_BIT(BOX_UID) && ret->uid == 0)
        r = err_set(err, ERR_INVALID, "the layer uid wants --uid=N, and not root's");
    return r;
}

void zygote_main(int control_fd, const struct worker_box *box)
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
    z.heritage.box = *box;
    z.heritage.box.is_watched = geteuid() == 0 && box_may_look();
    /* Templates in a pid namespace are forked by a process that ends. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        die(&(struct err){.text = "cannot become a subreaper", .code = ERR_SYSTEM});
    link_init(&z.link, control_fd, true);
    box_close_from(control_fd + 1);
    volunteer_for_oom();
    children_init(CHILDREN_GROUPS);
    r = box_filter_init(&z.heritage.template_filter,
                        box_keeps_signals(box->layers, box_landlock_abi()) ? BOX_TEMPLATE
                                                                           : BOX_TEMPLATE_ALONE,
                        &err);
    r = r < 0 ? r : box_filter_init(&z.heritage.instance_filter, BOX_INSTANCE, &err);
    z.heritage.host = WORKER_SILENT_HOST;
    r = r < 0 ? r : realm_new(&z.heritage.host, &z.heritage.realm, &err);
    r = r < 0 ? r : boxed_prepare(&z.heritage.box, &err);
    r = r < 0 ? r : say_hello(&z, &err);
    if (r < 0)
        die(&err);
    realm_fork_before(z.heritage.realm);
    r = serve(&z, &err);
    die(&err);
}

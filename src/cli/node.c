/* node.c - see node.h. */
#include "cli/node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/helper.h"
#include "base/log.h"
#include "box/layers.h"
#include "cli/portowner.h"
#include "loop/leftover.h"

int node_find_worker(char ret_path[PROGRAM_PATH_MAX], struct err *err)
{
    if (helper_has_box())
        return program_find("corral-worker", ret_path, err);
    /* What can be told by a single call: to try everything takes as long as to read a project. */
    helper_use_box(box_landlock_abi() > 0 ? "seccomp,landlock" : "seccomp");
    return program_find("corral-worker", ret_path, err);
}

int node_find_programs(struct node_programs *ret, struct err *err)
{
    int r = node_find_worker(ret->worker, err);

    return r < 0 ? r : program_find("corral-store", ret->store, err);
}

void node_raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
        log_debug("the limit of open files stays as it is: %s", strerror(errno));
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < NODE_DESCRIPTORS_FEW)
        log_warn("this process may open %llu files only, so at most %u clients can be connected at "
                 "once: raise its hard limit (ulimit -Hn, LimitNOFILE=65536 in a systemd unit)",
                 (unsigned long long)limit.rlim_cur, node_connections(0));
}

unsigned node_connections(int64_t wanted)
{
    struct rlimit limit;
    uint64_t most, asked = wanted > 0 ? (uint64_t)wanted : NODE_CONNECTIONS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return (unsigned)asked;
    most = (uint64_t)limit.rlim_cur / 4 * 3;
    if (most == 0)
        most = 1;
    if (asked <= most)
        return (unsigned)asked;
    if (wanted > 0)
        log_warn("limits.clients: %" PRIu64 " is more than the limit of open files allows, "
                 "%" PRIu64 " it is",
                 asked, most);
    return (unsigned)most;
}

int node_setting(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text ? atoi(text) : otherwise;
}

int64_t node_memory_bytes(int64_t mb)
{
    uint64_t all = uv_get_total_memory(), ours = uv_get_constrained_memory();

    if (mb > 0)
        return mb << 20;
    if (ours > 0 && ours < all)
        all = ours;
    return (int64_t)(all / 4 * 3);
}

const struct box_tier *node_box(struct err *err)
{
    static struct box_tier tier;
    static bool is_known;
    char layers[BOX_LAYERS_TEXT];
    const char *name = getenv("CORRAL_TEST_BOX");
    enum box_grade grade = BOX_GRADE_FULL;

    if (is_known)
        return &tier;
    if (name && box_grade_from(span_of(name), &grade, err) < 0) {
        (void)err_wrap(err, "CORRAL_TEST_BOX");
        return NULL;
    }
    box_tier_detect(box_grade_layers(grade), &tier);
    box_layers_put(tier.layers, layers);
    helper_use_box(layers);
    is_known = true;
    return &tier;
}

struct front_timeouts node_timeouts(int drain_ms)
{
    return (struct front_timeouts){.head_ms = node_setting("CORRAL_TEST_HEAD_MS", 0),
                                   .body_ms = node_setting("CORRAL_TEST_BODY_MS", 0),
                                   .idle_ms = node_setting("CORRAL_TEST_KEEPALIVE_MS", 0),
                                   .write_ms = node_setting("CORRAL_TEST_WRITE_MS", 0),
                                   .drain_ms = node_setting("CORRAL_TEST_DRAIN_MS", drain_ms)};
}

struct service_config node_service(struct keeper *keeper)
{
    return (struct service_config){.ca_file = getenv("SSL_CERT_FILE"),
                                   .connect_ms = node_setting("CORRAL_TEST_CONNECT_MS", 0),
                                   .silence_ms = node_setting("CORRAL_TEST_SILENCE_MS", 0),
                                   .open_max = node_setting("CORRAL_TEST_OUTGOING", 0),
                                   .resolve = getenv("CORRAL_TEST_RESOLVE"),
                                   .keeper = keeper};
}

static void log_store(void *self, enum log_level level, struct span text)
{
    (void)self;
    log_write(level, "%.*s", SPAN_ARG(text));
}

static unsigned own_uid = BOX_UID_LAST;

int node_claim_uids(struct uids *uids, struct err *err)
{
    const struct box_tier *box = node_box(err);
    bool is_held = false;
    int r = box ? 0 : err->code;

    if (r < 0 || !(box->layers & BOX_BIT(BOX_UID)))
        return r;
    r = uids_claim(uids, "/etc", UIDS_FOLDER, &is_held, err);
    if (r < 0)
        return r;
    if (!is_held)
        log_warn(
            "nobody can tell whether another node of this machine has the user ids %u-%u, too: "
            "%s. Give each node a range of its own (box.uids)",
            uids->range.first, uids->range.last, err->text);
    else if (!uids->is_told && uids->range.first != BOX_UID_FIRST)
        log_debug("the accounts' user ids are %u-%u: those before are in use", uids->range.first,
                  uids->range.last);
    own_uid = uids->range.first;
    return 0;
}

int node_box_uid(void *self, const char *folder, unsigned *ret_uid, struct err *err)
{
    (void)self, (void)folder, (void)err;
    *ret_uid = own_uid;
    return 0;
}

struct keeper_config node_keeper(const struct node_programs *programs, enum keeper_sync sync)
{
    struct err ignored;
    const struct box_tier *box = node_box(&ignored); /* known by now */

    return (struct keeper_config){.store_program = programs->store,
                                  .box_layers = box ? box->layers : 0,
                                  .box_uid = node_box_uid,
                                  .sync = sync,
                                  .idle_ms = node_setting("CORRAL_TEST_STORE_IDLE_MS", 0),
                                  .query_ms = node_setting("CORRAL_TEST_QUERY_MS", 0),
                                  .stores_max = (unsigned)node_setting("CORRAL_TEST_STORES", 0),
                                  .log = log_store};
}

int node_keep_wheels(struct service *service, const char *folder, struct err *err)
{
    struct buf path = {0};
    int r = buf_print(&path, "%s/wheels", folder);

    r = r < 0 || buf_append(&path, "", 1) < 0
            ? err_nomem(err)
            : service_keep_wheels(service, buf_data(&path),
                                  (int64_t)node_setting("CORRAL_TEST_WHEELS_BYTES", 0), err);
    buf_done(&path);
    return r;
}

void node_say_box(const struct box_tier *box)
{
    const char *grade = box_grade_name(box_grade_of(box->layers));
    char layers[BOX_LAYERS_TEXT];

    box_layers_put(box->layers, layers);
    if (box_is_for_strangers(box->layers))
        log_info("Box: %s (%s)", grade, layers);
    else
        log_warn("Box: %s (%s): run only code that you trust here. `corral doctor` says what is "
                 "missing and how to raise it.",
                 grade, layers[0] ? layers : "no layer");
}

void node_end_leftovers(const struct box_tier *box, const struct node_programs *programs)
{
    unsigned count = box->layers & BOX_BIT(BOX_PIDS) ? 0 : leftover_end(programs->worker);

    if (count > 0)
        log_warn("%u processes were ended that workers of a killed node had left behind", count);
}

void node_say_diagnostics(const struct diagnostics *d)
{
    struct buf text = {0};

    for (size_t i = 0; i < d->count; i++) {
        bool is_error = d->items[i].severity == SEVERITY_ERROR;
        if (diagnostic_print(&d->items[i], &text) == 0)
            log_write(is_error ? LOG_ERROR : LOG_WARN, "%.*s", SPAN_ARG(buf_span(&text)));
        buf_eat(&text, buf_len(&text));
    }
    buf_done(&text);
}

bool node_is_port_taken(const struct err *err)
{
    return strstr(err->text, "in use") != NULL;
}

int node_explain_port(const char *ip, int port, const char *advice, struct err *err)
{
    int family = strchr(ip, ':') ? AF_INET6 : AF_INET;
    char name[64];
    pid_t pid = portowner_find(port, family, name, sizeof name);

    if (pid > 0) {
        err_set(err, ERR_SYSTEM, "port %d is in use by '%s' (pid %ld)", port, name, (long)pid);
        return err_hint(err, "End that process, or choose another port: %s", advice);
    }
    return err_hint(err, "Choose another port: %s", advice);
}

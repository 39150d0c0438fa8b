/* egress.c - what all transfers share: settings, deadlines, the bound on names. */
#include "service/egress.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "service/ask.h"
#include "service/berth.h"
#include "service/lane.h"
#include "service/transfer.h"

void egress_let_go(struct egress *egress)
{
    if (--egress->handles > 0)
        return;
    egress->closed(egress->self);
    reach_done(&egress->reach);
    mem_free(egress->ca_file);
    mem_free(egress);
    curl_global_cleanup();
}

/* ---- deadlines ---- */

static void on_pace(uv_timer_t *timer)
{
    struct egress *egress = timer->data;
    int64_t now_ms = clock_now_ms();
    struct ring all;

    ring_init(&all);
    ring_move(&all, &egress->transfers);
    while (!ring_is_empty(&all)) {
        struct transfer *t = RING_OF(all.next, struct transfer, ring);
        ring_push(&egress->transfers, &t->ring);
        transfer_look(t, now_ms);
    }
    lane_look(egress, now_ms);
    if (ring_is_empty(&egress->lanes))
        uv_timer_stop(&egress->pace);
}

static void on_turn(uv_timer_t *timer)
{
    berth_turn(timer->data);
}

void egress_due(struct egress *egress)
{
    if (!egress->is_closing && !uv_is_active((uv_handle_t *)&egress->turn))
        uv_timer_start(&egress->turn, on_turn, 0, 0);
}

/* ---- names ---- */

/* libcurl starts a thread for each name, and nothing ends one whose transfer is
 * gone before the name servers have answered or tired it out.  So all threads of
 * this process are counted; the few that are not libcurl's do not matter. */
bool egress_is_searching(const struct egress *egress)
{
    struct stat st;

    /* A folder has one link more for each folder in it. */
    return stat("/proc/self/task", &st) == 0 && st.st_nlink > (nlink_t)egress->lookups_max + 2;
}

/* ---- open, close, fetch ---- */

static int open_timer(struct egress *egress, uv_timer_t *timer)
{
    int r = uv_timer_init(egress->loop, timer);

    timer->data = egress;
    egress->handles += r == 0;
    return r;
}

int egress_open(uv_loop_t *loop, const struct service_config *config, struct egress **ret_egress,
                struct err *err)
{
    struct egress *egress = mem_alloc(sizeof *egress);
    bool has_ca = config->ca_file && config->ca_file[0];

    if (!egress)
        return err_nomem(err);
    egress->loop = loop;
    egress->is_edge = config->is_edge;
    egress->connect_ms = config->connect_ms > 0 ? config->connect_ms : EGRESS_CONNECT_MS;
    egress->silence_ms = config->silence_ms > 0 ? config->silence_ms : EGRESS_SILENCE_MS;
    egress->lookups_max = config->lookups_max > 0 ? config->lookups_max : EGRESS_LOOKUPS_MAX;
    egress->open_max = config->open_max > 0 ? (unsigned)config->open_max : EGRESS_OPEN_MAX;
    ring_init(&egress->lanes);
    ring_init(&egress->transfers);
    egress->resolve = config->resolve;
    egress->reach.is_open = !config->reach;
    if (config->reach && reach_copy(&egress->reach, config->reach, err) < 0) {
        mem_free(egress);
        return err->code;
    }
    egress->ca_file = has_ca ? mem_strdup(config->ca_file) : NULL;
    if (has_ca && !egress->ca_file) {
        reach_done(&egress->reach);
        mem_free(egress);
        return err_nomem(err);
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        reach_done(&egress->reach);
        mem_free(egress->ca_file);
        mem_free(egress);
        return err_set(err, ERR_SYSTEM, "start libcurl: it refused");
    }
    /* Timers cannot fail to start on Linux. */
    (void)open_timer(egress, &egress->turn);
    (void)open_timer(egress, &egress->pace);
    *ret_egress = egress;
    return 0;
}

int egress_own(struct egress *egress, const struct ip *ip, int port, struct err *err)
{
    return reach_own(&egress->reach, ip, port, err);
}

static void on_timer_closed(uv_handle_t *handle)
{
    egress_let_go(handle->data);
}

void egress_close(struct egress *egress, void (*closed)(void *self), void *self)
{
    egress->closed = closed;
    egress->self = self;
    egress->is_closing = true;
    while (!ring_is_empty(&egress->transfers))
        transfer_free(RING_OF(egress->transfers.next, struct transfer, ring));
    while (!ring_is_empty(&egress->lanes))
        lane_close(RING_OF(egress->lanes.next, struct lane, ring));
    uv_close((uv_handle_t *)&egress->turn, on_timer_closed);
    uv_close((uv_handle_t *)&egress->pace, on_timer_closed);
}

void egress_fetch(struct egress *egress, const struct outlets *outlets, struct outcall *outcall,
                  const struct outcall_head *head, bool is_end)
{
    egress_tap(egress, outlets, outcall, head, is_end, NULL, NULL);
}

void egress_tap(struct egress *egress, const struct outlets *outlets, struct outcall *outcall,
                const struct outcall_head *head, bool is_end, const struct transfer_tap *tap,
                void *tap_self)
{
    struct err err = {0};
    char text[sizeof err.text + 32];
    bool is_exact =
        span_is(head->method, ASK_EXACT); /* the head may be the tap's, and go with it */
    int n;

    if (transfer_start(egress, outlets, outcall, head, is_end, tap, tap_self, &err) < 0) {
        n = snprintf(text, sizeof text, "%s%s", is_exact ? "invalid 0\n" : "", err.text);
        outcall_fail(outcall,
                     (struct span){text, n < (int)sizeof text ? (size_t)n : sizeof text - 1});
        return;
    }
    if (!uv_is_active((uv_handle_t *)&egress->pace))
        uv_timer_start(&egress->pace, on_pace, EGRESS_PACE_MS, EGRESS_PACE_MS);
}

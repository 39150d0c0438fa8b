/* lane.c - one account's libcurl: a multi handle, its sockets and its timer on the loop.
 *
 * libcurl says which descriptors and which moment it waits for; each descriptor
 * has a uv_poll_t of its own (struct watch_socket), each moment goes into the
 * one timer.  What happened is told to curl_multi_socket_action, and transfers
 * that have ended are collected behind it: never from inside a callback of
 * libcurl, where nothing may be removed. */
#include "service/lane.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "service/transfer.h"

struct watch_socket {
    uv_poll_t poll;
    struct lane *lane;
    curl_socket_t fd;
    int events; /* that libcurl waits for */
};

static void let_go(struct lane *lane)
{
    struct egress *egress = lane->egress;

    if (--lane->handles > 0)
        return;
    mem_free(lane->account);
    mem_free(lane);
    egress_let_go(egress);
}

/* ---- libcurl and the loop ---- */

static void hang_up(struct lane *lane)
{
    lane->has_hung_up = false;
    RING_EACH(at, &lane->egress->transfers)
        transfer_hang_up(RING_OF(at, struct transfer, ring));
}

static void collect(struct lane *lane)
{
    CURLMsg *message;
    int left;

    for (;;) {
        message = curl_multi_info_read(lane->multi, &left);
        if (!message)
            break;
        if (message->msg == CURLMSG_DONE) {
            struct transfer *t = NULL;
            CURLcode result = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
            transfer_ended(t, result);
        }
    }
    if (lane->has_hung_up)
        hang_up(lane);
}

static void on_timer(uv_timer_t *timer)
{
    struct lane *lane = timer->data;
    int running;

    curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(lane);
}

static int set_timer(CURLM *multi, long timeout_ms, void *self)
{
    struct lane *lane = self;

    (void)multi;
    if (lane->is_closing)
        return 0;
    uv_update_time(lane->egress->loop);
    if (timeout_ms < 0)
        uv_timer_stop(&lane->timer);
    else
        uv_timer_start(&lane->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events);

/* A server that refuses an upload hangs up on what it has not read, but not before it has said why:
 * libcurl is told to read (of an error alone it gives up at once) and finds what is wrong. */
static void look_again(struct watch_socket *w)
{
    if (w->events && !uv_is_closing((uv_handle_t *)&w->poll))
        uv_poll_start(&w->poll, w->events, on_poll); /* libuv has stopped it */
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch_socket *w = poll->data;
    struct lane *lane = w->lane;
    int flags = 0, running;

    if (status < 0)
        flags = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(lane->multi, w->fd, flags, &running);
    if (status < 0)
        look_again(w);
    collect(lane);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct watch_socket *w = handle->data;
    struct lane *lane = w->lane;

    mem_free(w);
    let_go(lane);
}

static struct watch_socket *watch(struct lane *lane, curl_socket_t fd)
{
    struct watch_socket *w = mem_alloc(sizeof *w);

    if (!w)
        return NULL;
    if (uv_poll_init_socket(lane->egress->loop, &w->poll, fd) < 0) {
        mem_free(w);
        return NULL;
    }
    w->lane = lane;
    w->fd = fd;
    w->poll.data = w;
    lane->handles++;
    curl_multi_assign(lane->multi, fd, w);
    return w;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *watched)
{
    struct lane *lane = self;
    struct watch_socket *w = watched;
    struct transfer *t = NULL;
    int events = 0;

    if (what == CURL_POLL_REMOVE) {
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
        lane->has_hung_up |= t && transfer_unwatched(t);
        if (w) {
            curl_multi_assign(lane->multi, fd, NULL);
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_poll_closed);
        }
        return 0;
    }
    if (!w)
        w = watch(lane, fd);
    if (!w) {
        log_warn("fetch: no memory to watch a connection");
        return -1;
    }
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    w->events = events;
    uv_poll_start(&w->poll, events, on_poll);
    return 0;
}

/* Beside many others a lane keeps fewer connections that nobody uses. */
static long idle_max(const struct lane *lane)
{
    long lanes = 1, max;

    RING_EACH(at, &lane->egress->lanes)
        lanes++;
    max = LANE_CONNECTIONS_MAX / lanes;
    return max > LANE_CONNECTIONS_MIN ? max : LANE_CONNECTIONS_MIN;
}

static int open_multi(struct lane *lane)
{
    CURLM *m = curl_multi_init();

    if (!m)
        return ERR_NOMEM;
    lane->multi = m;
    if (curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, set_socket) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_SOCKETDATA, lane) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_TIMERDATA, lane) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, idle_max(lane)) != CURLM_OK)
        return ERR_SYSTEM;
    return 0;
}

/* ---- open, close ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

void lane_close(struct lane *lane)
{
    ring_drop(&lane->ring);
    lane->is_closing = true;
    lane->egress->lost -= lane->lost;
    curl_multi_cleanup(lane->multi);
    uv_close((uv_handle_t *)&lane->timer, on_timer_closed);
}

static int open_lane(struct egress *egress, const char *account, struct lane **ret, struct err *err)
{
    struct lane *lane = mem_alloc(sizeof *lane);
    int r;

    if (!lane || !(lane->account = mem_strdup(account))) {
        mem_free(lane);
        return err_nomem(err);
    }
    lane->egress = egress;
    ring_init(&lane->ring);
    ring_init(&lane->askers);
    r = open_multi(lane);
    if (r < 0) {
        curl_multi_cleanup(lane->multi);
        mem_free(lane->account);
        mem_free(lane);
        return err_set(err, r, "The node could not start the request.");
    }
    /* Timers cannot fail to start on Linux. */
    (void)uv_timer_init(egress->loop, &lane->timer);
    lane->timer.data = lane;
    lane->handles = 1;
    lane->used_ms = clock_now_ms();
    egress->handles++;
    ring_push(&egress->lanes, &lane->ring);
    *ret = lane;
    return 0;
}

int lane_need(struct egress *egress, const char *account, struct lane **ret, struct err *err)
{
    if (!account)
        account = "";
    RING_EACH(at, &egress->lanes) {
        *ret = RING_OF(at, struct lane, ring);
        if (strcmp((*ret)->account, account) == 0)
            return 0;
    }
    return open_lane(egress, account, ret, err);
}

void lane_look(struct egress *egress, int64_t now_ms)
{
    struct ring *next;

    for (struct ring *at = egress->lanes.next; at != &egress->lanes; at = next) {
        struct lane *lane = RING_OF(at, struct lane, ring);
        next = at->next;
        if (lane->lost > 0 && now_ms - lane->lost_ms >= LANE_LOST_MS) {
            egress->lost -= lane->lost;
            lane->lost = 0;
        }
        if (ring_is_empty(&lane->askers) && lane->lost == 0 &&
            now_ms - lane->used_ms >= LANE_IDLE_MS)
            lane_close(lane);
    }
    if (egress->waiting > 0)
        egress_due(egress);
}

/* egress.c - libcurl's sockets and timer on the loop, and what all transfers share.
 *
 * libcurl says which descriptors and which moment it waits for; each descriptor
 * has a uv_poll_t of its own (struct watch_socket), each moment goes into the
 * one timer.  What happened is told to curl_multi_socket_action, and transfers
 * that have ended are collected behind it: never from inside a callback of
 * libcurl, where nothing may be removed. */
#include "service/egress.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "service/ask.h"
#include "service/transfer.h"

struct watch_socket {
    uv_poll_t poll;
    struct egress *egress;
    curl_socket_t fd;
    int events; /* that libcurl waits for */
};

static void let_go(struct egress *egress)
{
    if (--egress->handles > 0)
        return;
    egress->closed(egress->self);
    mem_free(egress->ca_file);
    mem_free(egress);
    curl_global_cleanup();
}

/* ---- libcurl and the loop ---- */

static void collect(struct egress *egress)
{
    CURLMsg *message;
    int left;

    for (;;) {
        message = curl_multi_info_read(egress->multi, &left);
        if (!message)
            return;
        if (message->msg == CURLMSG_DONE) {
            struct transfer *t = NULL;
            CURLcode result = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
            transfer_ended(t, result);
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct egress *egress = timer->data;
    int running;

    curl_multi_socket_action(egress->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(egress);
}

static int set_timer(CURLM *multi, long timeout_ms, void *self)
{
    struct egress *egress = self;

    (void)multi;
    if (egress->is_closing)
        return 0;
    uv_update_time(egress->loop);
    if (timeout_ms < 0)
        uv_timer_stop(&egress->timer);
    else
        uv_timer_start(&egress->timer, on_timer, (uint64_t)timeout_ms, 0);
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
    struct egress *egress = w->egress;
    int flags = 0, running;

    if (status < 0)
        flags = CURL_CSELECT_IN | CURL_CSELECT_OUT | CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(egress->multi, w->fd, flags, &running);
    if (status < 0)
        look_again(w);
    collect(egress);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct watch_socket *w = handle->data;
    struct egress *egress = w->egress;

    mem_free(w);
    let_go(egress);
}

static struct watch_socket *watch(struct egress *egress, curl_socket_t fd)
{
    struct watch_socket *w = mem_alloc(sizeof *w);

    if (!w)
        return NULL;
    if (uv_poll_init_socket(egress->loop, &w->poll, fd) < 0) {
        mem_free(w);
        return NULL;
    }
    w->egress = egress;
    w->fd = fd;
    w->poll.data = w;
    egress->handles++;
    curl_multi_assign(egress->multi, fd, w);
    return w;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *watched)
{
    struct egress *egress = self;
    struct watch_socket *w = watched;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(egress->multi, fd, NULL);
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_poll_closed);
        }
        return 0;
    }
    if (!w)
        w = watch(egress, fd);
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
    if (ring_is_empty(&egress->transfers))
        uv_timer_stop(&egress->pace);
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

static int open_multi(struct egress *egress)
{
    CURLM *m = curl_multi_init();

    if (!m)
        return ERR_NOMEM;
    egress->multi = m;
    if (curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, set_socket) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_SOCKETDATA, egress) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_TIMERDATA, egress) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
        curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)EGRESS_IDLE_CONNECTIONS) != CURLM_OK)
        return ERR_SYSTEM;
    return 0;
}

int egress_open(uv_loop_t *loop, const struct service_config *config, struct egress **ret_egress,
                struct err *err)
{
    struct egress *egress = mem_alloc(sizeof *egress);
    bool has_ca = config->ca_file && config->ca_file[0];

    if (!egress)
        return err_nomem(err);
    egress->loop = loop;
    egress->connect_ms = config->connect_ms > 0 ? config->connect_ms : EGRESS_CONNECT_MS;
    egress->silence_ms = config->silence_ms > 0 ? config->silence_ms : EGRESS_SILENCE_MS;
    egress->lookups_max = config->lookups_max > 0 ? config->lookups_max : EGRESS_LOOKUPS_MAX;
    ring_init(&egress->transfers);
    egress->ca_file = has_ca ? mem_strdup(config->ca_file) : NULL;
    if (has_ca && !egress->ca_file) {
        mem_free(egress);
        return err_nomem(err);
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || open_multi(egress) < 0) {
        curl_multi_cleanup(egress->multi);
        mem_free(egress->ca_file);
        mem_free(egress);
        return err_set(err, ERR_SYSTEM, "start libcurl: it refused");
    }
    /* Timers cannot fail to start on Linux. */
    (void)open_timer(egress, &egress->timer);
    (void)open_timer(egress, &egress->pace);
    *ret_egress = egress;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

void egress_close(struct egress *egress, void (*closed)(void *self), void *self)
{
    egress->closed = closed;
    egress->self = self;
    egress->is_closing = true;
    while (!ring_is_empty(&egress->transfers))
        transfer_free(RING_OF(egress->transfers.next, struct transfer, ring));
    curl_multi_cleanup(egress->multi);
    uv_close((uv_handle_t *)&egress->timer, on_timer_closed);
    uv_close((uv_handle_t *)&egress->pace, on_timer_closed);
}

void egress_fetch(struct egress *egress, struct outcall *outcall, const struct outcall_head *head,
                  bool is_end)
{
    egress_tap(egress, outcall, head, is_end, NULL, NULL);
}

void egress_tap(struct egress *egress, struct outcall *outcall, const struct outcall_head *head,
                bool is_end, const struct transfer_tap *tap, void *tap_self)
{
    struct err err = {0};
    char text[sizeof err.text + 32];
    bool is_exact =
        span_is(head->method, ASK_EXACT); /* the head may be the tap's, and go with it */
    int n;

    if (transfer_start(egress, outcall, head, is_end, tap, tap_self, &err) < 0) {
        n = snprintf(text, sizeof text, "%s%s", is_exact ? "invalid 0\n" : "", err.text);
        outcall_fail(outcall,
                     (struct span){text, n < (int)sizeof text ? (size_t)n : sizeof text - 1});
        return;
    }
    if (!uv_is_active((uv_handle_t *)&egress->pace))
        uv_timer_start(&egress->pace, on_pace, EGRESS_PACE_MS, EGRESS_PACE_MS);
}

/* front.c - the room's own clock: dirty connections, deadlines, drain, close.
 *
 * Events of the herd are recorded where they arrive and mark their connection
 * dirty; one pass after the poll phase ticks the dirty ones.  So a tick never
 * runs inside a callback of the herd, and answers that became ready in one
 * turn of the loop leave together.
 *
 * 1. While a connection is dirty the idle handle is active, so the loop does
 *    not sleep before the pass.
 * 2. The pass runs in uv_check.  What it asks of the herd leaves before the
 *    loop sleeps: the herd's own turn ends in uv_prepare (loop/turn.h).
 * 3. front->handles counts open uv handles; the last one to close ends
 *    front_close.
 *
 * Who calls it: cli (dev, serve), tests. */
#include "front/front.h"

#include "base/clock.h"
#include "base/mem.h"
#include "front/inside.h"

static void or_default(int *value, int fallback)
{
    if (*value == 0)
        *value = fallback;
}

static void fill_defaults(struct front_config *config)
{
    struct front_timeouts *t = &config->timeouts;

    or_default(&t->head_ms, 10 * 1000);
    or_default(&t->body_ms, 30 * 1000);
    or_default(&t->idle_ms, 60 * 1000);
    or_default(&t->write_ms, 60 * 1000);
    or_default(&t->answer_ms, 100 * 1000);
    or_default(&t->pool_ms, 30 * 1000);
    or_default(&t->gone_ms, 250);
    or_default(&t->linger_ms, 5 * 1000);
    or_default(&t->drain_ms, 30 * 1000);
    or_default(&t->sweep_ms, 100);
    if (config->body_max_bytes == 0)
        config->body_max_bytes = 500 * 1000 * 1000;
    if (config->connections_max == 0)
        config->connections_max = 16 * 1024;
    if (config->waiting_max == 0)
        config->waiting_max = 1024;
    if (!config->scheme)
        config->scheme = "http";
    if (!config->host)
        config->host = "localhost";
}

static void page_done(struct page *page)
{
    mem_free(page->plain);
    mem_free(page->html);
    *page = (struct page){0};
}

static void front_free(struct front *front)
{
    struct exchange *ex;

    if (!front)
        return;
    while (front->spare) {
        ex = front->spare;
        front->spare = ex->next;
        buf_done(&ex->store);
        mem_free(ex);
    }
    page_done(&front->page);
    crowd_done(&front->crowd);
    certificates_unref(front->certificates);
    mem_free((char *)front->scheme.data);
    mem_free((char *)front->host.data);
    mem_free(front);
}

void front_forget(struct front *front)
{
    if (--front->handles > 0 || !front->is_closing)
        return;
    front->closed(front->closed_self);
    front_free(front);
}

static void on_handle_closed(uv_handle_t *handle)
{
    front_forget(handle->data);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* its being active is all: see 1 */
}

void front_wake(struct front *front)
{
    if (!front->is_closing)
        uv_idle_start(&front->idle, on_idle);
}

static void end_drain(struct front *front)
{
    void (*drained)(void *self) = front->drained;

    if (!drained || front->connections > 0)
        return;
    front->drained = NULL;
    drained(front->drained_self);
}

static void on_check(uv_check_t *check)
{
    struct front *front = check->data;
    struct connection_list batch = TAILQ_HEAD_INITIALIZER(batch);
    struct connection *c;

    if (TAILQ_EMPTY(&front->dirty) && !front->drained)
        return;
    /* A tick may mark its connection again: that is for the next turn. */
    TAILQ_CONCAT(&batch, &front->dirty, dirty);
    while (!TAILQ_EMPTY(&batch)) {
        c = TAILQ_FIRST(&batch);
        TAILQ_REMOVE(&batch, c, dirty);
        c->is_dirty = false;
        connection_tick(c);
    }
    if (TAILQ_EMPTY(&front->dirty))
        uv_idle_stop(&front->idle);
    end_drain(front);
}

static void on_sweep(uv_timer_t *timer)
{
    struct front *front = timer->data;
    int64_t now = clock_now_ms();
    struct connection *c, *next;
    int kind;

    for (c = TAILQ_FIRST(&front->all); c; c = next) {
        next = TAILQ_NEXT(c, all);
        kind = waits_due(&c->waits, now);
        if (front->is_draining && now >= front->drain_at)
            connection_kill(c, RESET_DEADLINE);
        else if (kind >= 0)
            connection_due(c, (enum wait)kind);
        else
            connection_shrink(c);
    }
    if (front->drained)
        front_wake(front);
    if (front->has_paused)
        listener_resume(front);
    else if (TAILQ_EMPTY(&front->all))
        uv_timer_stop(timer); /* an idle node does not wake up */
}

void front_sweep(struct front *front)
{
    uint64_t ms = (uint64_t)front->config.timeouts.sweep_ms;

    if (!uv_is_active((uv_handle_t *)&front->sweep))
        uv_timer_start(&front->sweep, on_sweep, ms, ms);
}

static int copy_string(const char *s, struct span *ret)
{
    size_t len = strlen(s);
    char *copy = mem_copy(s, len);

    if (!copy)
        return ERR_NOMEM;
    *ret = (struct span){copy, len};
    return 0;
}

int front_open(uv_loop_t *loop, const struct front_config *config, struct front **ret_front,
               struct err *err)
{
    struct front *front = mem_alloc(sizeof *front);

    if (!front)
        return err_nomem(err);
    front->config = *config;
    fill_defaults(&front->config);
    if (copy_string(front->config.scheme, &front->scheme) < 0 ||
        copy_string(front->config.host, &front->host) < 0) {
        front_free(front);
        return err_nomem(err);
    }
    if (config->router)
        front->router = *config->router;
    front->config.router = NULL; /* the caller's memory */
    front->is_timed = config->access_log || config->access || config->router;
    front->loop = loop;
    TAILQ_INIT(&front->all);
    TAILQ_INIT(&front->dirty);
    TAILQ_INIT(&front->crowd.quiet);
    front->date_second = -1;
    /* None of these can fail: they only fill the structs. */
    uv_check_init(loop, &front->check);
    uv_idle_init(loop, &front->idle);
    uv_timer_init(loop, &front->sweep);
    front->check.data = front->idle.data = front->sweep.data = front;
    front->handles = 3;
    uv_check_start(&front->check, on_check);
    *ret_front = front;
    return 0;
}

int front_reload_tls(struct front *front, const struct front_certificate *certificates,
                     size_t count, struct err *err)
{
    struct certificates *set = NULL;
    int r = certificates_load(certificates, count, &set, err);

    if (r < 0)
        return r;
    certificates_unref(front->certificates);
    front->certificates = set;
    return 0;
}

void front_share_tls(struct front *front, const struct front *with)
{
    struct certificates *old = front->certificates;

    front->certificates = with->certificates ? certificates_ref(with->certificates) : NULL;
    certificates_unref(old);
}

/* Requests that wait can go on. */
static void wake_waiting(struct front *front)
{
    struct connection *c;

    TAILQ_FOREACH(c, &front->all, all)
    if (c->exchange && c->exchange->state == EXCHANGE_WAITING)
        connection_wake(c);
}

void front_set_pool(struct front *front, struct pool *pool)
{
    front->pool = pool;
    page_done(&front->page);
    wake_waiting(front);
}

/* The page for browsers, with the source lines as they are now. */
static int make_html(const struct front *front, unsigned status, struct span plain, struct buf *out)
{
    struct page_spec spec = {
        .status = status, .title = SPAN("The worker does not load"), .text = plain};
    struct excerpt excerpt;
    int r;

    if (excerpt_find(front, NULL, plain, &excerpt))
        spec.excerpt = &excerpt;
    r = page_html(out, &spec);
    excerpt_done(&excerpt);
    return r;
}

int front_set_page(struct front *front, unsigned status, struct span plain, struct span html,
                   struct err *err)
{
    struct page page = {.status = status, .plain_len = plain.len};
    struct buf made = {0};
    int r = 0;

    front->pool = NULL;
    page_done(&front->page);
    if (html.len == 0) {
        r = make_html(front, status, plain, &made);
        html = buf_span(&made);
    }
    page.html_len = html.len;
    page.plain = r == 0 ? mem_copy(plain.data, plain.len) : NULL;
    page.html = r == 0 ? mem_copy(html.data, html.len) : NULL;
    buf_done(&made);
    if (!page.plain || !page.html) {
        page_done(&page);
        return err_nomem(err);
    }
    front->page = page;
    wake_waiting(front);
    return 0;
}

void front_drain(struct front *front, void (*drained)(void *self), void *self)
{
    struct connection *c;

    front->is_draining = true;
    front->drain_at = clock_now_ms() + front->config.timeouts.drain_ms;
    front->drained = drained;
    front->drained_self = self;
    listener_accept_all(front);
    listener_close_all(front);
    if (front->pool)
        pool_hang_up(front->pool);
    TAILQ_FOREACH(c, &front->all, all)
    connection_drain(c);
    front_wake(front);
}

void front_close(struct front *front, void (*closed)(void *self), void *self)
{
    struct connection *c;

    front->is_closing = true;
    front->drained = NULL;
    front->closed = closed;
    front->closed_self = self;
    listener_close_all(front);
    TAILQ_FOREACH(c, &front->all, all)
    connection_kill(c, RESET_CLIENT_GONE);
    uv_close((uv_handle_t *)&front->check, on_handle_closed);
    uv_close((uv_handle_t *)&front->idle, on_handle_closed);
    uv_close((uv_handle_t *)&front->sweep, on_handle_closed);
}

unsigned front_connections(const struct front *front)
{
    return front->connections;
}

struct span front_date(struct front *front)
{
    int64_t second = clock_wall_ms() / 1000;

    if (second != front->date_second) {
        front->date_second = second;
        date_put(second, front->date);
    }
    return (struct span){front->date, DATE_LEN};
}

/* tail.c - listeners of workers: who they are, what they want, what they have missed.
 *
 * Invariants
 *   1. A tail is in tails->all from tail_create until it is deleted or expires; `ended` comes once,
 *      if it has a listener then.
 *   2. The timer runs exactly while there are tails. */
#include "live/tail.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "live/tails.h"

enum {
    ID_BYTES = 16,
    LOOK_MS = 1000,     /* how often expiry is looked at */
    OVERLOAD_MS = 1000, /* a listener that is behind is told of it so often at most */
};

struct tail {
    struct ring ring;
    struct tails *tails;
    char *account_id, *worker_name;
    char id[2 * ID_BYTES + 1];
    struct filter *filter;
    int64_t wait_ms;    /* of clock_now_ms: with nobody there it goes then */
    int64_t end_ms;     /* likewise, in any case */
    int64_t expires_ms; /* the same by clock_wall_ms */
    const struct tail_listener *listener;
    void *self;
    bool is_debug;
    uint64_t missed; /* events since the listener was last told */
    int64_t told_ms;
};

static struct tail *tail_at(struct ring *at)
{
    return RING_OF(at, struct tail, ring);
}

/* ---- all of them ---- */

static void free_if_over(struct tails *tails)
{
    if (tails->is_timer_closed && tails->traces == 0)
        mem_free(tails);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct tails *tails = handle->data;

    tails->is_timer_closed = true;
    free_if_over(tails);
}

static bool tell_missed(struct tail *tail);

static void on_timer(uv_timer_t *timer)
{
    struct tails *tails = timer->data;
    int64_t now_ms = clock_now_ms();
    struct ring *at = tails->all.next;

    while (at != &tails->all) {
        struct tail *tail = tail_at(at);
        at = at->next;
        if (now_ms >= tail->end_ms || (!tail->listener && now_ms >= tail->wait_ms))
            tail_delete(tail);
        else if (tail->listener)
            (void)tell_missed(tail);
    }
}

int tails_open(uv_loop_t *loop, struct tails **ret_tails, struct err *err)
{
    struct tails *tails = mem_alloc(sizeof *tails);

    if (!tails)
        return err_nomem(err);
    ring_init(&tails->all);
    uv_timer_init(loop, &tails->timer);
    tails->timer.data = tails;
    *ret_tails = tails;
    return 0;
}

void tails_close(struct tails *tails)
{
    tails->is_closing = true;
    while (!ring_is_empty(&tails->all))
        tail_delete(tail_at(tails->all.next));
    uv_close((uv_handle_t *)&tails->timer, on_timer_closed);
}

void tails_forget(struct tails *tails)
{
    tails->traces--;
    free_if_over(tails);
}

void tails_count(const struct tails *tails, const char *account_id, struct tails_count *ret)
{
    *ret = (struct tails_count){.events = tails->events, .dropped = tails->dropped};
    RING_EACH(at, &tails->all)
        ret->tails += !account_id || strcmp(tail_at(at)->account_id, account_id) == 0;
}

static bool is_of(const struct tail *tail, const char *account_id, const char *worker_name)
{
    return strcmp(tail->worker_name, worker_name) == 0 && strcmp(tail->account_id, account_id) == 0;
}

bool tails_has(const struct tails *tails, const char *account_id, const char *worker_name)
{
    if (tails->count == 0)
        return false;
    RING_EACH(at, &tails->all)
        if (tail_at(at)->listener && is_of(tail_at(at), account_id, worker_name))
            return true;
    return false;
}

void tails_forget_worker(struct tails *tails, const char *account_id, const char *worker_name)
{
    struct ring *at = tails->all.next;

    while (at != &tails->all) {
        struct tail *tail = tail_at(at);
        at = at->next;
        if (is_of(tail, account_id, worker_name))
            tail_delete(tail);
    }
}

/* ---- events ---- */

static void drop(struct tail *tail)
{
    tail->missed++;
    tail->tails->dropped++;
}

/* Tell a listener that was too slow what it has missed; false: it is still full. */
static bool tell_missed(struct tail *tail)
{
    char message[160];
    json_t *event;
    char *text;
    bool is_taken = false;
    int64_t now_ms = clock_now_ms();

    if (tail->missed == 0)
        return true;
    if (tail->told_ms > 0 && now_ms - tail->told_ms < OVERLOAD_MS)
        return true;
    snprintf(message, sizeof message,
             "Tail is not reading fast enough: %llu event%s dropped since the last message",
             (unsigned long long)tail->missed, tail->missed == 1 ? " was" : "s were");
    event =
        json_pack("{s:s, s:s, s:I, s:[], s:[{s:[s], s:s, s:I}], s:{s:s, s:s}}", "outcome", "ok",
                  "scriptName", tail->worker_name, "eventTimestamp", (json_int_t)clock_wall_ms(),
                  "exceptions", "logs", "message", message, "level", "warn", "timestamp",
                  (json_int_t)clock_wall_ms(), "event", "type", "overload", "message", message);
    text = event ? json_dumps(event, JSON_COMPACT) : NULL;
    if (text)
        is_taken = tail->listener->event(tail->self, span_of(text));
    mem_free(text);
    json_decref(event);
    if (is_taken) {
        tail->missed = 0;
        tail->told_ms = now_ms;
    }
    return is_taken;
}

static double random_part(void)
{
    uint32_t bits = 0;

    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
        bits = (uint32_t)clock_now_us();
    return ldexp((double)bits, -32);
}

void tails_send(struct tails *tails, const char *account_id, const char *worker_name,
                const struct filter_facts *facts, const json_t *event)
{
    struct ring *at = tails->all.next;
    char *text = NULL;

    while (at != &tails->all) {
        struct tail *tail = tail_at(at);
        at = at->next;
        if (!tail->listener || !is_of(tail, account_id, worker_name) ||
            (!tail->is_debug && !filter_passes(tail->filter, facts, random_part())))
            continue;
        if (!text)
            text = json_dumps(event, JSON_COMPACT);
        if (!text || !tell_missed(tail) || !tail->listener->event(tail->self, span_of(text)))
            drop(tail);
        else
            tails->events++;
    }
    mem_free(text);
}

/* ---- one ---- */

static void tail_free(struct tail *tail)
{
    if (!tail)
        return;
    filter_free(tail->filter);
    mem_free(tail->account_id);
    mem_free(tail->worker_name);
    mem_free(tail);
}

static int give_id(struct tail *tail, struct err *err)
{
    unsigned char bytes[ID_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_set(err, ERR_SYSTEM, "the kernel gives no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(tail->id + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static unsigned count_of(const struct tails *tails, const char *account_id, const char *worker_name)
{
    unsigned n = 0;

    RING_EACH(at, &tails->all)
        n += is_of(tail_at(at), account_id, worker_name);
    return n;
}

static int check_room(const struct tails *tails, const char *account_id, const char *worker_name,
                      struct err *err)
{
    struct tails_count all;

    tails_count(tails, account_id, &all);
    if (count_of(tails, account_id, worker_name) >= TAILS_MAX)
        return err_set(err, ERR_LIMIT,
                       "%d tails of '%.63s' are open already, and no more are allowed", TAILS_MAX,
                       worker_name);
    if (all.tails >= TAILS_ACCOUNT_MAX)
        return err_set(err, ERR_LIMIT,
                       "%d tails of your account are open already, and no more are allowed",
                       TAILS_ACCOUNT_MAX);
    if (tails->count >= TAILS_ALL_MAX)
        return err_set(err, ERR_LIMIT, "this node has %d tails open already: try again later",
                       TAILS_ALL_MAX);
    return 0;
}

int tail_create(struct live *live, const char *account_id, const char *worker_name, json_t *filters,
                const char *client, struct tail **ret_tail, struct err *err)
{
    struct tails *tails = live_tails(live);
    struct tail *tail;
    int r;

    if (tails->is_closing)
        return err_set(err, ERR_GONE, "the node is being closed");
    r = check_room(tails, account_id, worker_name, err);
    if (r < 0)
        return r;
    tail = mem_alloc(sizeof *tail);
    if (!tail)
        return err_nomem(err);
    ring_init(&tail->ring);
    tail->tails = tails;
    tail->account_id = mem_strdup(account_id);
    tail->worker_name = mem_strdup(worker_name);
    tail->wait_ms = clock_now_ms() + TAIL_WAIT_MS;
    tail->end_ms = clock_now_ms() + TAIL_TTL_MS;
    tail->expires_ms = clock_wall_ms() + TAIL_TTL_MS;
    r = tail->account_id && tail->worker_name ? give_id(tail, err) : err_nomem(err);
    if (r == 0)
        r = filter_new(filters, client, &tail->filter, err);
    if (r < 0) {
        tail_free(tail);
        return r;
    }
    if (tails->count++ == 0)
        uv_timer_start(&tails->timer, on_timer, LOOK_MS, LOOK_MS);
    ring_push(&tails->all, &tail->ring);
    *ret_tail = tail;
    return 0;
}

const char *tail_id(const struct tail *tail)
{
    return tail->id;
}

int64_t tail_expires_ms(const struct tail *tail)
{
    return tail->expires_ms;
}

/* In a time that does not tell how much of it was right. */
static bool is_same_id(const struct tail *tail, const char *id)
{
    unsigned char differs = 0;

    if (strlen(id) != 2 * ID_BYTES)
        return false;
    for (size_t i = 0; i < 2 * ID_BYTES; i++)
        differs |= (unsigned char)(tail->id[i] ^ id[i]);
    return differs == 0;
}

struct tail *tail_find(struct live *live, const char *account_id, const char *id)
{
    struct tails *tails = live_tails(live);

    RING_EACH(at, &tails->all) {
        struct tail *tail = tail_at(at);
        if (is_same_id(tail, id) && (!account_id || strcmp(tail->account_id, account_id) == 0))
            return tail;
    }
    return NULL;
}

json_t *tail_list(struct live *live, const char *account_id, const char *worker_name)
{
    struct tails *tails = live_tails(live);
    json_t *list = json_array();

    RING_EACH(at, &tails->all) {
        const struct tail *tail = tail_at(at);
        if (list && is_of(tail, account_id, worker_name) &&
            json_array_append_new(list, json_pack("{s:s, s:I}", "id", tail->id, "expires_ms",
                                                  (json_int_t)tail->expires_ms)) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

int tail_listen(struct tail *tail, const struct tail_listener *listener, void *self,
                struct err *err)
{
    if (tail->listener)
        return err_set(err, ERR_LIMIT, "somebody listens to this tail already");
    tail->listener = listener;
    tail->self = self;
    return 0;
}

void tail_unlisten(struct tail *tail)
{
    tail->listener = NULL;
    tail->wait_ms = clock_now_ms() + TAIL_WAIT_MS;
}

void tail_set_debug(struct tail *tail, bool is_debug)
{
    tail->is_debug = is_debug;
}

void tail_delete(struct tail *tail)
{
    const struct tail_listener *listener = tail->listener;

    ring_drop(&tail->ring);
    if (--tail->tails->count == 0)
        uv_timer_stop(&tail->tails->timer);
    tail->listener = NULL;
    if (listener)
        listener->ended(tail->self);
    tail_free(tail);
}

/* berth.c - see berth.h.
 *
 * Nothing is opened where something has ended: that may be inside of libcurl, or of an instance
 * that is going with all it has asked.  egress->turn fires once the loop is back. */
#include "service/berth.h"

#include "base/clock.h"
#include "base/mem.h"
#include "service/lane.h"

struct berth_asker {
    struct ring ring; /* lane->askers */
    struct lane *lane;
    uint32_t instance, request;
    unsigned refs;       /* transfers */
    unsigned slots;      /* taken */
    struct ring waiting; /* transfers, oldest first */
};

static struct berth_asker *need_asker(struct lane *lane, uint32_t instance, uint32_t request)
{
    struct berth_asker *a;

    RING_EACH(at, &lane->askers) {
        a = RING_OF(at, struct berth_asker, ring);
        if (a->instance == instance && a->request == request)
            return a;
    }
    a = mem_alloc(sizeof *a);
    if (!a)
        return NULL;
    a->lane = lane;
    a->instance = instance;
    a->request = request;
    ring_init(&a->waiting);
    ring_init(&a->ring);
    ring_push(&lane->askers, &a->ring);
    return a;
}

static void make_due(struct egress *egress)
{
    if (egress->waiting > 0)
        egress_due(egress);
}

/* May this account have one more open? */
static bool has_share(const struct lane *lane)
{
    const struct egress *egress = lane->egress;
    unsigned taken = egress->open + egress->lost;

    return taken < egress->open_max && lane->open + lane->lost < egress->open_max - taken;
}

static bool has_slot(const struct berth_asker *asker, const struct transfer *t)
{
    int64_t max = outcall_limit(t->outcall, LIMIT_CONNECTIONS);

    return max == 0 || asker->slots < max;
}

static int begin(struct transfer *t, struct err *err)
{
    struct lane *lane = t->lane;

    if (curl_multi_add_handle(lane->multi, t->easy) != CURLM_OK)
        return err_set(err, ERR_SYSTEM, "The node could not start the request.");
    t->is_open = t->has_slot = true;
    t->asker->slots++;
    t->progress_ms = clock_now_ms();
    lane->open++;
    lane->egress->open++;
    return 0;
}

int berth_ask(struct transfer *t, struct err *err)
{
    struct lane *lane = t->lane;
    struct berth_asker *asker =
        need_asker(lane, outcall_instance(t->outcall), outcall_request(t->outcall));

    if (!asker)
        return err_nomem(err);
    asker->refs++;
    t->asker = asker;
    if (ring_is_empty(&asker->waiting) && has_slot(asker, t) && has_share(lane))
        return begin(t, err);
    if (!has_slot(asker, t))
        outcall_met(t->outcall, LIMIT_CONNECTIONS);
    ring_push(&asker->waiting, &t->berth);
    t->is_waiting = true;
    lane->waiting++;
    lane->egress->waiting++;
    return 0;
}

void berth_look(struct transfer *t)
{
    bool wants = t->is_open && !t->head.is_whole && (!t->is_up_paused || t->head.is_upgrade);

    if (!t->asker || wants == t->has_slot)
        return;
    t->has_slot = wants;
    if (wants) {
        t->asker->slots++;
        return;
    }
    t->asker->slots--;
    make_due(t->egress);
}

static void stop_waiting(struct transfer *t)
{
    ring_drop(&t->berth);
    if (!t->is_waiting)
        return;
    t->is_waiting = false;
    t->lane->waiting--;
    t->egress->waiting--;
}

/* Its thread goes on looking: nobody can end it. */
static void count_lost(struct transfer *t)
{
    curl_off_t us = 0;

    curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &us);
    if (us > 0 || !t->has_name || t->head.status)
        return;
    t->lane->lost++;
    t->egress->lost++;
    t->lane->lost_ms = clock_now_ms();
}

void berth_leave(struct transfer *t)
{
    struct berth_asker *asker = t->asker;

    if (!asker)
        return;
    stop_waiting(t);
    t->asker = NULL;
    if (t->is_open) {
        count_lost(t);
        curl_multi_remove_handle(t->lane->multi, t->easy);
        t->is_open = false;
        t->lane->open--;
        t->egress->open--;
    }
    asker->slots -= t->has_slot;
    t->has_slot = false;
    t->lane->used_ms = clock_now_ms();
    if (--asker->refs == 0) {
        ring_drop(&asker->ring);
        mem_free(asker);
    }
    make_due(t->egress);
}

/* One of this account's; false: there is none that may. */
static bool open_one(struct lane *lane)
{
    struct err err = {0};

    if (lane->waiting == 0 || !has_share(lane))
        return false;
    RING_EACH(at, &lane->askers) {
        struct berth_asker *asker = RING_OF(at, struct berth_asker, ring);
        struct transfer *t = RING_OF(asker->waiting.next, struct transfer, berth);
        if (ring_is_empty(&asker->waiting) || !has_slot(asker, t))
            continue;
        stop_waiting(t);
        ring_push(&lane->askers, &asker->ring); /* behind the others */
        if (begin(t, &err) < 0)
            transfer_fail(t, &err);
        return true;
    }
    return false;
}

void berth_turn(struct egress *egress)
{
    bool is_over = false;

    while (!is_over) {
        struct ring *first = egress->lanes.next;
        is_over = true;
        RING_EACH(at, &egress->lanes)
            if (open_one(RING_OF(at, struct lane, ring)))
                is_over = false;
        /* Who was first is last the next time. */
        if (first != &egress->lanes)
            ring_push(&egress->lanes, first);
    }
}

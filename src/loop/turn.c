/* turn.c - run the collected items before the loop sleeps.
 *
 * uv_check runs behind the callbacks of a turn, uv_prepare in front of the
 * sleep: the first catches what sockets caused, the second what timers and
 * close callbacks caused.  Neither costs a system call.
 *
 * Invariants
 *   1. Both lists, of work and of flushes, are empty whenever the loop sleeps.
 *   2. An item is off its list before it runs, so it may add itself again. */
#include "loop/turn.h"

#include "loop/fair.h"

static void run_list(struct ring *list)
{
    while (!ring_is_empty(list)) {
        struct turn_item *item = RING_OF(list->next, struct turn_item, ring);
        ring_drop(&item->ring);
        item->run(item);
    }
}

static void run_all(struct turn *turn)
{
    struct ring *work = &turn->items[TURN_WORK], *flush = &turn->items[TURN_FLUSH];

    while (!ring_is_empty(work) || !ring_is_empty(flush)) {
        run_list(work);
        run_list(flush);
    }
}

static void on_prepare(uv_prepare_t *handle)
{
    struct turn *turn = handle->data;

    run_all(turn);
    turn->count++;
}

/* Who is left is readable still: the loop does not sleep. */
static void run_late(struct turn *turn)
{
    struct ring *late = &turn->items[TURN_LATE];
    uint64_t end_ns;

    if (ring_is_empty(late))
        return;
    end_ns = uv_hrtime() + FAIR_TURN_US * 1000ull;
    do {
        struct turn_item *item = RING_OF(late->next, struct turn_item, ring);
        ring_drop(&item->ring);
        item->run(item);
    } while (!ring_is_empty(late) && uv_hrtime() < end_ns);
}

/* Who rests again in here waits for the next beat. */
static void on_beat(uv_timer_t *handle)
{
    struct turn *turn = handle->data;
    struct ring rested;

    ring_init(&rested);
    ring_move(&rested, &turn->items[TURN_REST]);
    run_list(&rested);
    if (ring_is_empty(&turn->items[TURN_REST]))
        uv_timer_stop(handle);
}

static void on_check(uv_check_t *handle)
{
    run_late(handle->data);
    run_all(handle->data);
}

int turn_open(struct turn *turn, uv_loop_t *loop, struct err *err)
{
    *turn = (struct turn){.count = 1};
    for (int i = 0; i < TURN_PHASES; i++)
        ring_init(&turn->items[i]);
    /* All these cannot fail for an open loop (libuv's documentation). */
    if (uv_prepare_init(loop, &turn->prepare) < 0 || uv_check_init(loop, &turn->check) < 0 ||
        uv_timer_init(loop, &turn->beat) < 0)
        return err_set(err, ERR_SYSTEM, "the event loop does not take handles");
    turn->prepare.data = turn->check.data = turn->beat.data = turn;
    uv_prepare_start(&turn->prepare, on_prepare);
    uv_check_start(&turn->check, on_check);
    uv_unref((uv_handle_t *)&turn->prepare);
    uv_unref((uv_handle_t *)&turn->check);
    turn->handles = 3;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct turn *turn = handle->data;

    if (--turn->handles == 0)
        turn->closed(turn->self);
}

void turn_close(struct turn *turn, void (*closed)(void *self), void *self)
{
    turn->closed = closed;
    turn->self = self;
    uv_close((uv_handle_t *)&turn->prepare, on_closed);
    uv_close((uv_handle_t *)&turn->check, on_closed);
    uv_close((uv_handle_t *)&turn->beat, on_closed);
}

void turn_item_init(struct turn_item *item, void (*run)(struct turn_item *item))
{
    ring_init(&item->ring);
    item->run = run;
}

void turn_add(struct turn *turn, enum turn_phase phase, struct turn_item *item)
{
    if (ring_is_empty(&item->ring))
        ring_push(&turn->items[phase], &item->ring);
    if (phase == TURN_REST && !uv_is_active((uv_handle_t *)&turn->beat))
        uv_timer_start(&turn->beat, on_beat, TURN_REST_MS, TURN_REST_MS);
}

void turn_drop(struct turn_item *item) { ring_drop(&item->ring); }

/* turn.c - run the collected items before the loop sleeps.
 *
 * uv_check runs behind the callbacks of a turn, uv_prepare in front of the
 * sleep: the first catches what sockets caused, the second what timers and
 * close callbacks caused.  Neither costs a system call.
 *
 * Invariants
 *   1. Both lists are empty whenever the loop sleeps.
 *   2. An item is off its list before it runs, so it may add itself again. */
#include "loop/turn.h"

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

static void on_prepare(uv_prepare_t *handle) { run_all(handle->data); }

static void on_check(uv_check_t *handle) { run_all(handle->data); }

int turn_open(struct turn *turn, uv_loop_t *loop, struct err *err)
{
    *turn = (struct turn){0};
    for (int i = 0; i < TURN_PHASES; i++)
        ring_init(&turn->items[i]);
    /* These four cannot fail for an open loop (libuv's documentation). */
    if (uv_prepare_init(loop, &turn->prepare) < 0 || uv_check_init(loop, &turn->check) < 0)
        return err_set(err, ERR_SYSTEM, "the event loop does not take handles");
    turn->prepare.data = turn->check.data = turn;
    uv_prepare_start(&turn->prepare, on_prepare);
    uv_check_start(&turn->check, on_check);
    uv_unref((uv_handle_t *)&turn->prepare);
    uv_unref((uv_handle_t *)&turn->check);
    turn->handles = 2;
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
}

void turn_drop(struct turn_item *item) { ring_drop(&item->ring); }

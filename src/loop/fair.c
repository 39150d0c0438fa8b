/* fair.c - measure each read, and put off the heavy ones. */
#include "loop/fair.h"

#include "base/clock.h"

void fair_init(struct fair *fair, size_t most, void (*read_late)(struct turn_item *item))
{
    *fair = (struct fair){.quantum = most, .most = most};
    turn_item_init(&fair->late, read_late);
}

void fair_done(struct fair *fair)
{
    turn_drop(&fair->late);
}

bool fair_is_due(struct fair *fair, struct turn *turn)
{
    if (fair->heavy_until_ms == 0)
        return true;
    if (clock_now_ms() >= fair->heavy_until_ms) {
        fair->heavy_until_ms = 0;
        return true;
    }
    turn_add(turn, TURN_LATE, &fair->late);
    return false;
}

size_t fair_quantum(const struct fair *fair)
{
    return fair->quantum;
}

void fair_account(struct fair *fair, size_t bytes, uint64_t start_ns)
{
    uint64_t us = (uv_hrtime() - start_ns) / 1000;
    int64_t now_ms;
    size_t fit;

    /* Nearly always: nothing that need be counted. */
    if (us < FAIR_READ_US / 10 && fair->quantum == fair->most)
        return;
    now_ms = clock_now_ms();
    if (now_ms - fair->window_ms >= FAIR_WINDOW_MS) {
        fair->window_ms = now_ms;
        fair->took_us = 0;
    }
    fair->took_us += us;
    if (us >= FAIR_READ_US || fair->took_us >= FAIR_SHARE_US)
        fair->heavy_until_ms = now_ms + FAIR_HEAVY_MS;
    if (us >= FAIR_READ_US) {
        fit = (size_t)(bytes * FAIR_READ_US / us);
        if (fit < fair->quantum)
            fair->quantum = fit > FAIR_LEAST ? fit : FAIR_LEAST;
    } else if (us < FAIR_READ_US / 2 && bytes >= fair->quantum) {
        fair->quantum = fair->quantum < fair->most / 2 ? fair->quantum * 2 : fair->most;
    }
}

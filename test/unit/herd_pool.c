/* herd_pool.c - the tables of allowed moves are what the file-top drawings show.
 *
 * Each drawing is written down here a second time, as its arrows. */
#include "herd/pool.h"

#include "herd/call.h"
#include "test.h"

struct arrow {
    int from, to;
};

static bool is_drawn(const struct arrow *arrows, int from, int to)
{
    for (; arrows->from != arrows->to; arrows++)
        if (arrows->from == from && arrows->to == to)
            return true;
    return false;
}

#define CHECK_MOVES(may_move, type, states, ...)                                                   \
    do {                                                                                           \
        static const struct arrow ARROWS[] = {__VA_ARGS__, {0, 0}};                                \
        for (int from = 0; from < (states); from++)                                                \
            for (int to = 0; to < (states); to++)                                                  \
                if (may_move((enum type)from, (enum type)to) != is_drawn(ARROWS, from, to))        \
                    test_failed_checks++, printf("  %s: %d -> %d\n", #may_move, from, to);         \
    } while (0)

static void a_pool_moves_as_drawn(void)
{
    CHECK_MOVES(pool_may_move, pool_state, POOL_STATES,
                {POOL_WAITING, POOL_SPAWNING}, {POOL_WAITING, POOL_REFUSED},
                {POOL_WAITING, POOL_CLOSING}, {POOL_SPAWNING, POOL_LOADING},
                {POOL_SPAWNING, POOL_REFUSED}, {POOL_SPAWNING, POOL_FALLING},
                {POOL_SPAWNING, POOL_CLOSING}, {POOL_LOADING, POOL_UP},
                {POOL_LOADING, POOL_REFUSED}, {POOL_LOADING, POOL_FALLING},
                {POOL_LOADING, POOL_CLOSING}, {POOL_UP, POOL_FALLING}, {POOL_UP, POOL_CLOSING},
                {POOL_REFUSED, POOL_CLOSING}, {POOL_FALLING, POOL_WAITING},
                {POOL_FALLING, POOL_CLOSING}, {POOL_CLOSING, POOL_GONE});
}

static void a_zygote_moves_as_drawn(void)
{
    CHECK_MOVES(zygote_may_move, zygote_state, ZYGOTE_STATES,
                {ZYGOTE_RESTING, ZYGOTE_STARTING}, {ZYGOTE_RESTING, ZYGOTE_CLOSED},
                {ZYGOTE_STARTING, ZYGOTE_UP}, {ZYGOTE_STARTING, ZYGOTE_ENDING},
                {ZYGOTE_UP, ZYGOTE_ENDING}, {ZYGOTE_ENDING, ZYGOTE_RESTING},
                {ZYGOTE_ENDING, ZYGOTE_CLOSED});
}

static void a_kin_moves_as_drawn(void)
{
    CHECK_MOVES(kin_may_move, kin_state, KIN_STATES, {KIN_STARTING, KIN_UP},
                {KIN_STARTING, KIN_ENDING}, {KIN_UP, KIN_ENDING}, {KIN_ENDING, KIN_CLOSING});
}

static void a_call_moves_as_drawn(void)
{
    CHECK_MOVES(call_may_move, call_state, CALL_STATES, {CALL_WAITS, CALL_SENT},
                {CALL_WAITS, CALL_OVER}, {CALL_SENT, CALL_ANSWERED}, {CALL_SENT, CALL_LINGERS},
                {CALL_SENT, CALL_OVER}, {CALL_ANSWERED, CALL_LINGERS}, {CALL_ANSWERED, CALL_OVER},
                {CALL_LINGERS, CALL_OVER});
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(a_pool_moves_as_drawn),
        T(a_zygote_moves_as_drawn),
        T(a_kin_moves_as_drawn),
        T(a_call_moves_as_drawn),
        {0},
    };

    return test_main("herd_pool", TESTS, argc, argv);
}

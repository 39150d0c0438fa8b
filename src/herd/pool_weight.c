/* pool_weight.c - the memory of a template, and of what its code has forked.
 *
 * Called by: pool.c, from its tick while there is a template; the hoard, when the node's workers
 * hold too much. */
#include <stdio.h>

#include "box/tier.h"
#include "herd/pool.h"
#include "loop/strays.h"

enum {
    TEMPLATE_LOOK_MS = 1000, /* at the memory of one that only forks */
    STRAYED_LOOKS = 2,
};

/* Too much memory: top-level code that takes it all, or a template that was taken over. */
static void exceed(struct pool *pool, const char *words)
{
    bool is_loading = pool->state == POOL_LOADING;

    snprintf(pool->words, sizeof pool->words, "%s of '%.64s' %s",
             is_loading ? "top-level code" : "the template", pool->text.name, words);
    pool_limited(pool, LIMIT_MEMORY, span_of(pool->words), NULL);
    if (is_loading)
        pool_refuse_because(pool, FAILURE_EXCEPTION, pool->words);
    if (pool->template)
        kin_kill(&pool->template->kin, pool->words);
}

void pool_is_heaviest(void *self)
{
    exceed(self, "held most of the memory of this node's workers, which came to too much");
}

/* Who gets what leaves a template; 0: the template itself. */
static pid_t keeper_of(const struct pool *pool)
{
    return pool->config->box_layers & BOX_BIT(BOX_PIDS) ? 0 : zygote_pid(pool->zygote);
}

/* With what it has forked and nobody knows.  *ret_bytes: of those. */
static bool has_strays(struct pool *pool, int64_t now_ms, int64_t *ret_bytes)
{
    int64_t most = pool->crew.limits.of[LIMIT_MEMORY] << 20;
    struct strays strays;
    bool is_much;

    strays_look(&pool->weight, keeper_of(pool), crew_has, &pool->crew, &strays);
    is_much = strays.count > STRAYS_MAX ||
              (most > 0 && weight_bytes(&pool->weight) + strays.bytes > most);
    if (strays.count > 0 && pool->weight.due_ms > now_ms + WEIGHT_LAST_MS)
        pool->weight.due_ms = now_ms + WEIGHT_LAST_MS;
    *ret_bytes = strays.bytes;
    /* An instance is one of them for the moment until it says who it is, or while it ends. */
    pool->strayed = is_much && strays.count > 0 ? pool->strayed + 1 : 0;
    return pool->strayed >= STRAYED_LOOKS;
}

void pool_weigh_template(struct pool *pool, int64_t now_ms)
{
    int64_t most = pool->crew.limits.of[LIMIT_MEMORY] << 20, has, more = 0;
    bool is_forking;
    char words[160];

    if (now_ms < pool->weight.due_ms)
        return;
    weight_look(&pool->weight, now_ms, meter_clock_us(kin_pid(&pool->template->kin)), most);
    if (pool->state == POOL_UP)
        pool->weight.due_ms = now_ms + TEMPLATE_LOOK_MS;
    is_forking = has_strays(pool, now_ms, &more);
    has = weight_bytes(&pool->weight);
    if (is_forking || (most > 0 && has > most)) {
        if (is_forking)
            snprintf(words, sizeof words,
                     "started processes, which workers have none of: more than %d, or %lld MiB of "
                     "memory in them",
                     STRAYS_MAX, (long long)(more >> 20));
        else
            snprintf(words, sizeof words,
                     "took %lld MiB of memory, and %lld are allowed (limits.memory_mb)",
                     (long long)(has >> 20), (long long)(most >> 20));
        pool->weight.due_ms = INT64_MAX;
        exceed(pool, words);
        return;
    }
    hoard_say(pool->config->hoard, &pool->held, has + more);
}

/* met.c - one sentence for each limit. */
#include "herd/met.h"

#include <stdio.h>

#include "base/clock.h"
#include "herd/places.h"
#include "herd/pool.h"

enum { SAID_MS = 60 * 1000 };

int met_print(const struct limit_set *limits, enum limit limit, const char *who, char *room,
              size_t size)
{
    const long long most = (long long)limits->of[limit];

    switch (limit) {
    case LIMIT_LOG:
        return snprintf(room, size,
                        "further lines of this request are dropped: it has written more than %lld "
                        "KiB (limits.log_kb)",
                        most);
    case LIMIT_SUBREQUESTS:
        return snprintf(room, size,
                        "Too many subrequests: %s has made %lld, and may make no more "
                        "(limits.subrequests)",
                        who, most);
    case LIMIT_MEMORY:
        return snprintf(room, size,
                        "%s has failed for want of memory: an instance has %lld MiB "
                        "(limits.memory_mb)",
                        who, most);
    case LIMIT_TMP:
        return snprintf(room, size,
                        "%s could not write a file: those below /tmp and /session have %lld MiB "
                        "together (limits.tmp_mb)",
                        who, most);
    case LIMIT_THREADS:
        return snprintf(room, size,
                        "%s could not start a thread: its instance has as many as Python may have "
                        "(limits.threads)",
                        who);
    case LIMIT_DESCRIPTORS:
        return snprintf(room, size,
                        "an instance has all %lld file descriptors open that it may "
                        "(limits.descriptors)",
                        most);
    case LIMIT_MESSAGE:
        return snprintf(room, size,
                        "a WebSocket is closed with 1009: a message has more than %lld MiB "
                        "(limits.message_mb)",
                        most);
    case LIMIT_CONNECTIONS:
        return snprintf(room, size,
                        "%s waits with further connections: %lld are open "
                        "(limits.connections)",
                        who, most);
    default:
        return snprintf(room, size, "%s has met limits.%s", who, limit_name(limit));
    }
}

/* To wait is no mistake, and the rule for some workers: a line a minute is enough. */
static bool is_said(struct crew *crew, enum limit limit)
{
    int64_t now_ms = clock_now_ms();

    if (limit != LIMIT_CONNECTIONS)
        return false;
    if (crew->waits_said_ms > 0 && now_ms - crew->waits_said_ms < SAID_MS)
        return true;
    crew->waits_said_ms = now_ms;
    return false;
}

void met_tell(void *self, struct instance *instance, enum limit limit, struct call *call)
{
    struct crew *crew = self;
    char text[200];
    int n = met_print(&crew->limits, limit, call ? "a request" : "code outside of requests", text,
                      sizeof text);

    (void)instance;
    crew->events->limited(crew->self, limit,
                          (struct span){text, is_said(crew, limit) ? 0 : (size_t)n},
                          call ? call->ticket : NULL);
}

void met_tell_top(void *self, enum limit limit)
{
    struct pool *pool = self;
    char text[200];
    int n = met_print(&pool->crew.limits, limit, "top-level code", text, sizeof text);

    pool_limited(pool, limit, (struct span){text, (size_t)n}, NULL);
}

int met_print_places(const struct crew *crew, char *room, size_t size)
{
    const struct places *at = crew->claim.at;
    bool is_node = at && !at->above && at != crew->places;

    return snprintf(room, size,
                    "the workers of this %s run %u instances, as many as they may (limits.%s)",
                    is_node ? "node" : "account", at ? at->max : 0,
                    is_node ? "node_instances" : "account_instances");
}

void met_crowded(struct crew *crew, int64_t now_ms)
{
    char words[160], text[240] = "";
    int n = 0;

    if (crew->crowded_said_ms == 0 || now_ms - crew->crowded_said_ms >= SAID_MS) {
        crew->crowded_said_ms = now_ms;
        met_print_places(crew, words, sizeof words);
        n = snprintf(text, sizeof text, "requests of '%.60s' wait for others to end: %s",
                     crew->name, words);
    }
    crew->events->limited(crew->self, LIMIT_INSTANCES, (struct span){text, (size_t)n}, NULL);
}

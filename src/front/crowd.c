/* crowd.c - how many clients there are, and who gives way when there are too many.
 *
 *   present   connections that are not closed yet: front->config.connections_max
 *   quiet     those between two requests, the longest silent first
 *   address   those of one client: front->config.connections_per_address
 *
 * 1. A client that comes when all places are taken gets the place of the longest silent one: a
 * connection between two requests may be closed at any time (RFC 9112 section 9.5), and a flood of
 * connections that say nothing pushes out itself.  Only where everybody is in the middle of
 * something the new one is refused.
 * 2. One whose next request has come already is passed over: closing it would lose the request.
 * 3. Clients of IPv6 count by their /64: who has one address has them all.
 * 4. The table's hash is seeded: addresses are chosen by who attacks.
 *
 * Who calls it: listener.c, connection.c. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/inside.h"

enum {
    BUCKETS = 4096, /* power of two */
    SAY_MS = 10 * 1000,
    PASSED_OVER_MAX = 16, /* rule 2: looked at in one search */
};

struct crowd_address {
    struct crowd_address *next;
    uint64_t key;
    unsigned count;
};

struct crowd_table {
    uint64_t seed;
    struct crowd_address *buckets[BUCKETS];
};

/* ---- addresses ---- */

/* false: nobody knows who it is. */
static bool key_of(const char *text, uint64_t *ret)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, text, &four) == 1) {
        *ret = UINT64_C(0xffffffff) << 32 | four.s_addr;
        return true;
    }
    if (inet_pton(AF_INET6, text, &six) != 1)
        return false;
    memcpy(ret, &six, sizeof *ret);
    return true;
}

static struct crowd_address **find(struct crowd_table *table, uint64_t key)
{
    uint64_t mixed = (key ^ table->seed) * UINT64_C(0x9e3779b97f4a7c15);
    struct crowd_address **at;

    mixed = (mixed ^ mixed >> 32 ^ table->seed) * UINT64_C(0xd6e8feb86659fd93);
    at = &table->buckets[mixed >> 52 & (BUCKETS - 1)];
    while (*at && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

static struct crowd_table *table_new(void)
{
    struct crowd_table *table = mem_alloc(sizeof *table);

    if (table && getrandom(&table->seed, sizeof table->seed, GRND_NONBLOCK) < 0)
        table->seed = (uint64_t)(uintptr_t)table ^ (uint64_t)clock_now_us();
    return table;
}

void crowd_done(struct crowd *crowd)
{
    struct crowd_address *a, *next;

    for (size_t i = 0; crowd->table && i < BUCKETS; i++)
        for (a = crowd->table->buckets[i]; a; a = next) {
            next = a->next;
            mem_free(a);
        }
    mem_free(crowd->table);
    crowd->table = NULL;
}

/* false: this client has as many as it may.  Without memory nobody is counted. */
static bool count_address(struct crowd *crowd, struct connection *c, unsigned max)
{
    struct crowd_address **at;

    if (max == 0 || !key_of(c->address, &c->crowd_key))
        return true;
    if (!crowd->table)
        crowd->table = table_new();
    if (!crowd->table)
        return true;
    at = find(crowd->table, c->crowd_key);
    if (!*at)
        *at = mem_alloc(sizeof **at);
    if (!*at)
        return true;
    (*at)->key = c->crowd_key;
    if ((*at)->count >= max)
        return false;
    (*at)->count++;
    c->is_counted = true;
    return true;
}

static void forget_address(struct crowd *crowd, struct connection *c)
{
    struct crowd_address **at, *a;

    if (!c->is_counted)
        return;
    c->is_counted = false;
    at = find(crowd->table, c->crowd_key);
    a = *at;
    if (--a->count > 0)
        return;
    *at = a->next;
    mem_free(a);
}

/* ---- places ---- */

/* A crowd is a state, not an event: once in a while is enough. */
static void say(struct front *front)
{
    struct crowd *crowd = &front->crowd;
    int64_t now = clock_now_ms();

    if (crowd->said_at != 0 && now - crowd->said_at < SAY_MS)
        return;
    crowd->said_at = now;
    if (crowd->shed > 0)
        log_warn("connections: all %u places are taken; closed %" PRIu64
                 " of clients that were silent the longest",
                 front->config.connections_max, crowd->shed);
    if (crowd->refused > 0)
        log_warn("connections: all %u places are taken and busy; refused %" PRIu64 " clients",
                 front->config.connections_max, crowd->refused);
    if (crowd->refused_address > 0)
        log_warn("connections: refused %" PRIu64
                 " of clients that have %u already (limits.clients_per_address)",
                 crowd->refused_address, front->config.connections_per_address);
    crowd->shed = crowd->refused = crowd->refused_address = 0;
}

static bool has_unread(struct connection *c)
{
    int fd, n = 0;

    return uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0 && ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

bool crowd_shed(struct front *front)
{
    struct connection *c = TAILQ_FIRST(&front->crowd.quiet);

    for (int i = 0; c && i < PASSED_OVER_MAX && has_unread(c); i++)
        c = TAILQ_NEXT(c, quiet);
    if (!c || has_unread(c))
        return false;
    connection_due(c, WAIT_IDLE); /* with TLS's last words, if they can be said at once */
    connection_kill(c, RESET_CLIENT_GONE);
    return true;
}

bool crowd_enter(struct connection *c)
{
    struct front *front = c->front;
    struct crowd *crowd = &front->crowd;

    crowd->present++;
    c->is_present = true;
    if (!count_address(crowd, c, front->config.connections_per_address)) {
        crowd->refused_address++;
        say(front);
        return false;
    }
    if (crowd->present <= front->config.connections_max)
        return true;
    if (crowd_shed(front)) {
        crowd->shed++;
        say(front);
        return true;
    }
    crowd->refused++;
    say(front);
    return false;
}

void crowd_leave(struct connection *c)
{
    crowd_busy(c);
    forget_address(&c->front->crowd, c);
    if (c->is_present)
        c->front->crowd.present--;
    c->is_present = false;
}

void crowd_quiet(struct connection *c)
{
    if (c->is_quiet)
        return;
    c->is_quiet = true;
    TAILQ_INSERT_TAIL(&c->front->crowd.quiet, c, quiet);
}

void crowd_busy(struct connection *c)
{
    if (!c->is_quiet)
        return;
    c->is_quiet = false;
    TAILQ_REMOVE(&c->front->crowd.quiet, c, quiet);
}

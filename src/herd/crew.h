/* crew.h - the instances of one pool: whom to give a call, when to fork, when to retire.
 *
 * Embedded in the pool.  The pool tells it what it needs (crew_tick) and which
 * template forks; the crew tells the pool when something has changed, at which
 * the pool ticks at the end of the turn.  Loop thread only. */
#ifndef CORRAL_HERD_CREW_H
#define CORRAL_HERD_CREW_H

#include "base/log.h"
#include "herd/instance.h"
#include "herd/obituary.h"
#include "herd/template.h"

struct crew_events {
    void (*changed)(void *self);
    /* A call has left, or somebody is no longer busy: only news for those who wait. */
    void (*eased)(void *self);
    void (*log)(void *self, enum log_level level, struct span text, struct span told, void *ticket,
                bool is_raised);
    /* As in pool_events. */
    void (*limited)(void *self, enum limit limit, struct span text, void *ticket);
    void (*outcall)(void *self, struct outcall *outcall, const struct outcall_head *head,
                    bool is_end);
};

struct crew {
    struct turn *turn;
    const struct herd_config *config;   /* every value set */
    const char *name;                   /* of the worker */
    struct template *template;          /* who forks, NULL when there is none */
    const struct crew_events *events;
    void *self;
    struct obituaries *obituaries;
    struct ration *ration;              /* of log lines, of the whole herd */
    struct places *places;              /* of the herd; NULL: nobody counts */
    struct place_claim claim;           /* on one more of them */
    bool is_crowded;                    /* it wanted one lately, and nobody could give way */
    int64_t crowded_ms, crowded_said_ms;/* since when; met.c's: when that was said */
    struct ring instances;              /* until they are gone */
    unsigned count;
    uint32_t last_id;
    struct backoff backoff;             /* of forks */
    int64_t fork_at_ms;                 /* not before */
    struct backoff lies;                /* of instances that broke the protocol */
    int64_t lie_ms;                     /* the last of them */
    unsigned late;                      /* in a row that were forked too late, or not at all */
    struct log_ration said;             /* what its instances make the node say */
    int64_t missing_ms;                 /* since when there is no spare, 0: there is, or none is due */
    int64_t paced_ms;                   /* the last look at who is busy */
    bool is_told_of_threads;
    int64_t waits_said_ms;              /* of met.c */
    bool is_hung_up;                    /* crew_hang_up was called */
    struct meter_rule rule;             /* the pool sets it, as the next one */
    struct limit_set limits;
    uint64_t forked;                    /* instances, ever */
};

enum crew_need { CREW_SPARE, CREW_CALLS, CREW_NOTHING };

void crew_init(struct crew *crew);
/* Whom to give the next call, NULL when it had better wait. */
struct instance *crew_pick(struct crew *crew);
/* Look after everybody.  CREW_SPARE: nobody waits, be ready for the next;
 * CREW_CALLS: calls wait; CREW_NOTHING: no more than there are. */
void crew_tick(struct crew *crew, int64_t now_ms, enum crew_need need);
/* When to tick next, INT64_MAX: when something happens. */
int64_t crew_due(const struct crew *crew, int64_t now_ms);
int crew_spawned(struct crew *crew, const struct spawned *spawned, struct err *err) MUST_CHECK;
int crew_spawn_failed(struct crew *crew, const struct spawn_failed *failed,
                      struct err *err) MUST_CHECK;
/* End all of them; they leave the crew when they are gone. */
void crew_kill(struct crew *crew, const char *why);
void crew_abandon(struct crew *crew);
/* No further calls will come: have them close their WebSockets. */
void crew_hang_up(struct crew *crew);
/* No stream is left in any of them. */
bool crew_is_idle(const struct crew *crew);
/* Instances, their calls and memory, forked. */
void crew_stats(const struct crew *crew, struct pool_stats *ret);
/* Is this process one of them?  (`crew` as void: for strays_look.) */
bool crew_has(const void *crew, pid_t pid);
/* Nobody lives, and the last few ended before they took a call. */
bool crew_is_failing(const struct crew *crew);
/* Those that live. */
unsigned crew_size(const struct crew *crew);

#endif

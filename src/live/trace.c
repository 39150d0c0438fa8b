/* trace.c - tickets of live on one side, events of tails on the other. */
#include "live/trace.h"

#include "base/mem.h"
#include "live/event.h"
#include "live/tail.h"
#include "live/tails.h"

struct tails *live_tails(struct live *live)
{
    return live->tails;
}

int trace_open(struct live *live, struct err *err)
{
    return tails_open(live->loop, &live->tails, err);
}

void trace_close(struct live *live)
{
    tails_close(live->tails);
    live->tails = NULL;
}

static struct trace_source source_of(const struct live_ticket *ticket)
{
    return (struct trace_source){
        .account_id = ticket->worker->account->id,
        .worker_name = ticket->worker->name,
        .version_id = ticket->version_id,
    };
}

void trace_begin(struct live_ticket *ticket, const struct front_arrival *arrival)
{
    struct tails *tails = ticket->worker->account->live->tails;
    struct trace_source source;

    if (tails->count == 0)
        return;
    source = source_of(ticket);
    ticket->trace = event_request(tails, &source, arrival);
}

void trace_scheduled(struct live_ticket *ticket, const char *cron, int64_t scheduled_ms)
{
    struct tails *tails = ticket->worker->account->live->tails;
    struct trace_source source;

    if (tails->count == 0)
        return;
    source = source_of(ticket);
    ticket->trace = event_scheduled(tails, &source, cron, scheduled_ms);
}

void trace_log(struct live_worker *worker, struct live_ticket *ticket, enum log_level level,
               struct span text)
{
    (void)worker;
    if (ticket)
        event_log(ticket->trace, level, text);
}

void trace_told(struct live_ticket *ticket, struct span told)
{
    event_told(ticket->trace, told);
}

void trace_raised(struct live_worker *worker, struct live_ticket *ticket, struct span text)
{
    (void)worker;
    if (ticket)
        event_raised(ticket->trace, text);
}

void trace_finished(struct live_ticket *ticket, const struct front_outcome *outcome)
{
    event_finished(ticket->trace, outcome);
}

void trace_done(struct live_ticket *ticket)
{
    event_end(ticket->trace, ticket->cpu_us);
    ticket->trace = NULL;
}

void trace_forget(struct live_worker *worker)
{
    tails_forget_worker(worker->account->live->tails, worker->account->id, worker->name);
}

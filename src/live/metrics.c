/* metrics.c - count, and say it in the words of Prometheus.
 *
 * Labels: account (its id), worker, version, database, outcome, status.  All of them are names of
 * things in the catalog, which bounds them; versions and databases of a worker have bounds of their
 * own here.  Everything is written family by family, as the format wants it. */
#include "live/metrics.h"

#include <string.h>

#include "base/mem.h"
#include "live/event.h"
#include "live/exposition.h"
#include "live/room.h"

enum { ENDINGS = FRONT_MOVED + 1, STATUSES = 6 };

struct version_counts {
    char id[UUID_SIZE]; /* "": of those that nobody remembers */
    uint64_t requests[ENDINGS];
    uint64_t cpu_us;
};

struct database_counts {
    char *name; /* NULL: the rest */
    uint64_t queries, errors;
    struct exposition_histogram time;
};

struct worker_metrics {
    struct version_counts versions[METRICS_VERSIONS_MAX]; /* newest first */
    unsigned version_count;
    struct version_counts older;
    uint64_t statuses[STATUSES]; /* none, 1xx to 5xx */
    uint64_t bytes_in, bytes_out;
    struct exposition_histogram time, starts;
    uint64_t start_failures;
    uint64_t crons[ENDINGS];
    uint64_t limited[LIMITS];
    struct database_counts databases[METRICS_DATABASES_MAX + 1]; /* the last: the rest */
    unsigned database_count;
};

static struct worker_metrics *metrics_of(struct live_worker *worker)
{
    if (!worker->metrics)
        worker->metrics = mem_alloc(sizeof *worker->metrics);
    return worker->metrics;
}

void metrics_forget(struct live_worker *worker)
{
    struct worker_metrics *m = worker->metrics;

    worker->metrics = NULL;
    for (unsigned i = 0; m && i < m->database_count; i++)
        mem_free(m->databases[i].name);
    mem_free(m);
}

static void add_counts(struct version_counts *to, const struct version_counts *from)
{
    for (int i = 0; i < ENDINGS; i++)
        to->requests[i] += from->requests[i];
    to->cpu_us += from->cpu_us;
}

static struct version_counts *version_of(struct worker_metrics *m, const char *id)
{
    if (!id || !id[0])
        return &m->older;
    for (unsigned i = 0; i < m->version_count; i++)
        if (strcmp(m->versions[i].id, id) == 0)
            return &m->versions[i];
    if (m->version_count == METRICS_VERSIONS_MAX)
        add_counts(&m->older, &m->versions[--m->version_count]);
    memmove(m->versions + 1, m->versions, m->version_count * sizeof *m->versions);
    m->version_count++;
    m->versions[0] = (struct version_counts){0};
    memcpy(m->versions[0].id, id, strnlen(id, UUID_SIZE - 1));
    return &m->versions[0];
}

void metrics_count(struct live_worker *worker, const char *version_id,
                   const struct front_outcome *outcome)
{
    struct worker_metrics *m = metrics_of(worker);
    struct version_counts *v;
    unsigned status = outcome->status / 100;

    /* Moved: it is counted where it ended. */
    if (!m || outcome->ending == FRONT_MOVED)
        return;
    v = version_of(m, version_id);
    v->requests[outcome->ending]++;
    if (outcome->cpu_us > 0)
        v->cpu_us += (uint64_t)outcome->cpu_us;
    m->statuses[status < STATUSES ? status : 0]++;
    m->bytes_in += outcome->bytes_in;
    m->bytes_out += outcome->bytes_out;
    histogram_add(&m->time, outcome->wall_us);
}

void metrics_cron(struct live_worker *worker, enum front_ending ending)
{
    struct worker_metrics *m = metrics_of(worker);

    if (m)
        m->crons[ending]++;
}

void metrics_limited(struct live_worker *worker, enum limit limit)
{
    struct worker_metrics *m = worker ? metrics_of(worker) : NULL;

    if (m)
        m->limited[limit]++;
}

void metrics_started(struct live_worker *worker, int64_t ms)
{
    struct worker_metrics *m = worker ? metrics_of(worker) : NULL;

    if (!m)
        return;
    if (ms < 0)
        m->start_failures++;
    else
        histogram_add(&m->starts, ms * 1000);
}

static struct database_counts *database_of(struct worker_metrics *m, const char *name)
{
    struct database_counts *d;

    for (unsigned i = 0; i < m->database_count; i++)
        if (strcmp(m->databases[i].name, name) == 0)
            return &m->databases[i];
    if (m->database_count == METRICS_DATABASES_MAX)
        return &m->databases[METRICS_DATABASES_MAX];
    d = &m->databases[m->database_count];
    d->name = mem_strdup(name);
    if (!d->name)
        return &m->databases[METRICS_DATABASES_MAX];
    m->database_count++;
    return d;
}

void metrics_d1(struct live_worker *worker, const struct outlet *outlet, int64_t us, bool is_good)
{
    struct worker_metrics *m = worker ? metrics_of(worker) : NULL;
    struct database_counts *d;

    if (!m)
        return;
    d = database_of(m, outlet->database);
    d->queries++;
    d->errors += !is_good;
    histogram_add(&d->time, us);
}

/* ---- the text ---- */

/* One family with lines of workers. */
struct family {
    const char *name, *type, *help;
    void (*write)(struct exposition *e, const struct live_worker *worker);
};

static void label(struct exposition *e, const struct live_worker *worker)
{
    exposition_label(e, "account", worker->account->id);
    exposition_label(e, "worker", worker->name);
}

static void label_version(struct exposition *e, const struct live_worker *worker, const char *id)
{
    label(e, worker);
    exposition_label(e, "version", id[0] ? id : "older");
}

static void write_version(struct exposition *e, const struct live_worker *worker,
                          const struct version_counts *v)
{
    for (int i = 0; i < ENDINGS; i++) {
        if (v->requests[i] == 0)
            continue;
        label_version(e, worker, v->id);
        exposition_label(e, "outcome", event_outcome((enum front_ending)i));
        exposition_value(e, "", (double)v->requests[i]);
    }
}

static void write_requests(struct exposition *e, const struct live_worker *worker)
{
    for (unsigned i = 0; i < worker->metrics->version_count; i++)
        write_version(e, worker, &worker->metrics->versions[i]);
    write_version(e, worker, &worker->metrics->older);
}

static void write_errors(struct exposition *e, const struct live_worker *worker)
{
    const struct worker_metrics *m = worker->metrics;

    for (int i = 0; i < ENDINGS; i++) {
        uint64_t n = m->older.requests[i];
        for (unsigned k = 0; k < m->version_count; k++)
            n += m->versions[k].requests[i];
        if (n == 0 || i == FRONT_OK || i == FRONT_CANCELED)
            continue;
        label(e, worker);
        exposition_label(e, "outcome", event_outcome((enum front_ending)i));
        exposition_value(e, "", (double)n);
    }
}

static void write_statuses(struct exposition *e, const struct live_worker *worker)
{
    static const char *const NAMES[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

    for (int i = 0; i < STATUSES; i++) {
        if (worker->metrics->statuses[i] == 0)
            continue;
        label(e, worker);
        exposition_label(e, "status", NAMES[i]);
        exposition_value(e, "", (double)worker->metrics->statuses[i]);
    }
}

static void write_time(struct exposition *e, const struct live_worker *worker)
{
    label(e, worker);
    exposition_histogram(e, &worker->metrics->time);
}

static void write_cpu(struct exposition *e, const struct live_worker *worker)
{
    const struct worker_metrics *m = worker->metrics;

    for (unsigned i = 0; i < m->version_count; i++) {
        label_version(e, worker, m->versions[i].id);
        exposition_value(e, "", (double)m->versions[i].cpu_us / 1e6);
    }
    if (m->older.cpu_us > 0) {
        label_version(e, worker, "");
        exposition_value(e, "", (double)m->older.cpu_us / 1e6);
    }
}

static void write_bytes_in(struct exposition *e, const struct live_worker *worker)
{
    label(e, worker);
    exposition_value(e, "", (double)worker->metrics->bytes_in);
}

static void write_bytes_out(struct exposition *e, const struct live_worker *worker)
{
    label(e, worker);
    exposition_value(e, "", (double)worker->metrics->bytes_out);
}

static void write_starts(struct exposition *e, const struct live_worker *worker)
{
    label(e, worker);
    exposition_value(e, "", (double)worker->metrics->starts.count);
}

static void write_start_time(struct exposition *e, const struct live_worker *worker)
{
    label(e, worker);
    exposition_histogram(e, &worker->metrics->starts);
}

static void write_start_failures(struct exposition *e, const struct live_worker *worker)
{
    label(e, worker);
    exposition_value(e, "", (double)worker->metrics->start_failures);
}

static void write_crons(struct exposition *e, const struct live_worker *worker)
{
    for (int i = 0; i < ENDINGS; i++) {
        if (worker->metrics->crons[i] == 0)
            continue;
        label(e, worker);
        exposition_label(e, "outcome", event_outcome((enum front_ending)i));
        exposition_value(e, "", (double)worker->metrics->crons[i]);
    }
}

static void write_limited(struct exposition *e, const struct live_worker *worker)
{
    for (int i = 0; i < LIMITS; i++) {
        if (worker->metrics->limited[i] == 0)
            continue;
        label(e, worker);
        exposition_label(e, "limit", limit_name((enum limit)i));
        exposition_value(e, "", (double)worker->metrics->limited[i]);
    }
}

/* Each database that was used, the rest last. */
static void each_database(struct exposition *e, const struct live_worker *worker,
                          void (*write)(struct exposition *e, const struct database_counts *d))
{
    const struct worker_metrics *m = worker->metrics;

    for (unsigned i = 0; i <= METRICS_DATABASES_MAX; i++) {
        const struct database_counts *d = &m->databases[i];
        if (d->queries == 0)
            continue;
        label(e, worker);
        exposition_label(e, "database", d->name ? d->name : "other");
        write(e, d);
    }
}

static void put_queries(struct exposition *e, const struct database_counts *d)
{
    exposition_value(e, "", (double)d->queries);
}

static void put_query_errors(struct exposition *e, const struct database_counts *d)
{
    exposition_value(e, "", (double)d->errors);
}

static void put_query_time(struct exposition *e, const struct database_counts *d)
{
    exposition_histogram(e, &d->time);
}

static void write_queries(struct exposition *e, const struct live_worker *worker)
{
    each_database(e, worker, put_queries);
}

static void write_query_errors(struct exposition *e, const struct live_worker *worker)
{
    each_database(e, worker, put_query_errors);
}

static void write_query_time(struct exposition *e, const struct live_worker *worker)
{
    each_database(e, worker, put_query_time);
}

static const struct family FAMILIES[] = {
    {"corral_requests_total", "counter", "Requests that have ended, by outcome.", write_requests},
    {"corral_errors_total", "counter", "Requests that ended otherwise than ok or canceled.",
     write_errors},
    {"corral_responses_total", "counter", "Answers by class of their status.", write_statuses},
    {"corral_request_duration_seconds", "histogram",
     "From a request's head to the last byte of its answer.", write_time},
    {"corral_cpu_seconds_total", "counter", "Processor time of requests.", write_cpu},
    {"corral_request_bytes_total", "counter", "Bytes of requests' bodies.", write_bytes_in},
    {"corral_response_bytes_total", "counter", "Bytes of answers' bodies.", write_bytes_out},
    {"corral_cold_starts_total", "counter", "Versions that were started.", write_starts},
    {"corral_cold_start_duration_seconds", "histogram", "From the wish to the version being up.",
     write_start_time},
    {"corral_load_failures_total", "counter", "Versions that did not load.", write_start_failures},
    {"corral_cron_runs_total", "counter", "Scheduled runs, by outcome.", write_crons},
    {"corral_limit_exceeded_total", "counter", "Limits that were met, by their name.", write_limited},
    {"corral_d1_queries_total", "counter", "Calls on D1 databases.", write_queries},
    {"corral_d1_errors_total", "counter",
     "Calls on D1 databases that got no whole answer; mistakes of SQL are answers.",
     write_query_errors},
    {"corral_d1_query_duration_seconds", "histogram", "Duration of calls on D1 databases.",
     write_query_time},
};

static void write_workers(struct exposition *e, const struct family *family, struct live *live,
                          const char *account_id)
{
    exposition_begin(e, family->name, family->type, family->help);
    RING_EACH(at, &live->accounts) {
        const struct live_account *account = RING_OF(at, struct live_account, ring);
        if (account_id && strcmp(account->id, account_id) != 0)
            continue;
        RING_EACH(w, &account->workers) {
            const struct live_worker *worker = RING_OF(w, struct live_worker, ring);
            if (worker->metrics && !worker->is_deleted)
                family->write(e, worker);
        }
    }
}

/* What there is now, in pools. */
struct gauge {
    const char *name, *help;
    double (*read)(const struct pool_stats *stats);
};

static double read_instances(const struct pool_stats *s)
{
    return s->instances;
}

static double read_memory(const struct pool_stats *s)
{
    return (double)s->memory_bytes;
}

static double read_running(const struct pool_stats *s)
{
    return s->calls;
}

static double read_waiting(const struct pool_stats *s)
{
    return s->waiting;
}

static const struct gauge GAUGES[] = {
    {"corral_instances", "Processes that run a version's code.", read_instances},
    {"corral_memory_bytes",
     "Resident memory of a version's processes; what they share counts in each.", read_memory},
    {"corral_requests_running", "Requests that are in an instance.", read_running},
    {"corral_requests_waiting", "Requests that wait for an instance.", read_waiting},
};

static void write_gauge(struct exposition *e, const struct gauge *gauge, struct live *live,
                        const char *account_id)
{
    struct pool_stats stats;

    exposition_begin(e, gauge->name, "gauge", gauge->help);
    RING_EACH(at, &live->rooms_list) {
        const struct room *room = RING_OF(at, struct room, ring);
        if (!room->pool || !room->worker || !room->version ||
            (account_id && strcmp(room->account->id, account_id) != 0))
            continue;
        pool_stats(room->pool, &stats);
        label_version(e, room->worker, room->version->id);
        exposition_value(e, "", gauge->read(&stats));
    }
}

int metrics_text(struct live *live, const char *account_id, struct buf *out)
{
    struct tails_count count;
    struct exposition e;

    exposition_init(&e, out);
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++)
        write_workers(&e, &FAMILIES[i], live, account_id);
    for (size_t i = 0; i < sizeof GAUGES / sizeof *GAUGES; i++)
        write_gauge(&e, &GAUGES[i], live, account_id);
    tails_count(live->tails, account_id, &count);
    exposition_begin(&e, "corral_tails", "gauge", "Tails that are open.");
    exposition_value(&e, "", count.tails);
    if (!account_id) {
        exposition_begin(&e, "corral_tail_events_total", "counter", "Events sent to tails.");
        exposition_value(&e, "", (double)count.events);
        exposition_begin(&e, "corral_tail_events_dropped_total", "counter",
                         "Events that tails were too slow for.");
        exposition_value(&e, "", (double)count.dropped);
    }
    return exposition_end(&e);
}

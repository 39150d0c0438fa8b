/* catalog_trigger.c - src/catalog/{route,schedule,quota}.c: what leads to a worker, and how often it may. */
#include "catalog/trigger.h"

#include "catalog/quota.h"
#include "catalog/worker.h"
#include "catalog_open.h"

static struct worker make_worker(struct catalog *c, const char *account, const char *name)
{
    struct worker w = {0};
    struct err err = {0};

    CHECK(worker_need(c, account, name, &w, NULL, &err) == 0);
    return w;
}

static int add_route(struct catalog *c, const char *account, const char *worker, const char *pattern,
                     int is_domain, char *ret_id, struct err *err)
{
    struct route draft = {.pattern = (char *)pattern, .is_domain = is_domain}, made = {0};
    int r;

    snprintf(draft.account_id, ID_SIZE, "%s", account);
    snprintf(draft.worker_id, ID_SIZE, "%s", worker);
    r = route_create(c, &draft, &made, err);
    if (r == 0) {
        CHECK(strcmp(made.pattern, pattern) == 0 && made.is_domain == is_domain && made.created_ms > 0);
        CHECK(strcmp(made.worker_id, worker) == 0 && strcmp(made.zone, "") == 0);
        if (ret_id)
            memcpy(ret_id, made.id, ID_SIZE);
    }
    route_done(&made);
    return r;
}

/* "pattern worker; pattern worker;" in their order. */
static bool routes_are(struct catalog *c, const char *account, const char *text)
{
    struct routes all = {0};
    struct err err = {0};
    struct worker w = {0};
    char said[1000] = "";
    bool is_it;

    CHECK(route_list(c, account, &all, &err) == 0);
    for (size_t i = 0; i < all.count; i++) {
        bool has_worker = all.items[i].worker_id[0];
        if (has_worker)
            CHECK(worker_find_id(c, all.items[i].worker_id, &w, &err) == 0);
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s %s; ", all.items[i].is_domain ? "domain " : "",
                 all.items[i].pattern, has_worker ? w.name : "-");
        worker_done(&w);
    }
    routes_done(&all);
    is_it = strcmp(said, text) == 0;
    if (!is_it)
        printf("  %s\n", said);
    return is_it;
}

static void a_pattern_leads_to_one_worker(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    struct worker w = make_worker(c, a, "w"), x = make_worker(c, a, "x");
    struct err err = {0};
    char id[ID_SIZE];

    CHECK(add_route(c, a, w.id, "example.com/*", 0, id, &err) == 0);
    CHECK(add_route(c, a, x.id, "example.com/api/*", 0, NULL, &err) == 0);
    CHECK(add_route(c, a, "", "example.com/static/*", 0, NULL, &err) == 0);
    CHECK(add_route(c, a, x.id, "example.com", 1, NULL, &err) == 0);
    CHECK(routes_are(c, a, "example.com/* w; example.com/api/* x; example.com/static/* -; domain example.com x; "));
    CHECK(add_route(c, a, x.id, "example.com/*", 0, NULL, &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "'example.com/*' is there already: it leads to the worker 'w'") == 0);
    CHECK(add_route(c, a, w.id, "example.com/*", 0, NULL, &err) == ERR_LIMIT);
    CHECK(add_route(c, a, w.id, "example.com/static/*", 0, NULL, &err) == ERR_LIMIT);
    CHECK(strstr(err.text, "for no worker"));
    CHECK(add_route(c, a, "nobody", "b.example.com/*", 0, NULL, &err) == ERR_NOT_FOUND);
    CHECK(add_route(c, "nobody", "", "b.example.com/*", 0, NULL, &err) == ERR_NOT_FOUND);
    CHECK(add_route(c, a, w.id, "", 0, NULL, &err) == ERR_INVALID);
    CHECK(add_route(c, a, w.id, "a\nb", 0, NULL, &err) == ERR_INVALID);
    CHECK(route_delete(c, catalog_account(c, "b"), id, &err) == ERR_NOT_FOUND);
    CHECK(route_delete(c, a, id, &err) == 0 && route_delete(c, a, id, &err) == ERR_NOT_FOUND);
    CHECK(routes_are(c, NULL, "example.com/api/* x; example.com/static/* -; domain example.com x; "));
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

static void a_host_is_of_one_account(void)
{
    static const struct {
        const char *first, *second;
        int r;
    } CASES[] = {
        {"example.com/*", "example.com/*", ERR_LIMIT},
        {"example.com/*", "example.com/api/*", ERR_LIMIT},
        {"example.com/*", "EXAMPLE.com/x", ERR_LIMIT},
        {"example.com/*", "https://example.com./x", ERR_LIMIT},
        {"http://example.com/*", "example.com:8080/x", ERR_LIMIT},
        {"*.example.com/*", "a.example.com/*", ERR_LIMIT},
        {"a.example.com/*", "*.example.com/*", ERR_LIMIT},
        {"*example.com/*", "example.com/*", ERR_LIMIT},
        {"*.example.com/*", "*.a.example.com/*", ERR_LIMIT},
        {"*/*", "example.com/*", ERR_LIMIT},
        {"example.com/*", "*/*", ERR_LIMIT},
        {"*.example.com/*", "example.com/*", 0},
        {"example.com/*", "example.org/*", 0},
        {"a.example.com/*", "b.example.com/*", 0},
        {"example.com/*", "badexample.com/*", 0},
        {"example.com/*", "com/*", 0},
    };
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a"), *b = catalog_account(c, "b");
    struct worker w = make_worker(c, a, "w"), x = make_worker(c, b, "x");
    struct err err = {0};

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK(catalog_begin(c, &err) == 0);
        CHECK(add_route(c, a, w.id, CASES[i].first, 0, NULL, &err) == 0);
        CHECK(add_route(c, b, x.id, CASES[i].second, 0, NULL, &err) == CASES[i].r);
        if (CASES[i].r < 0) {
            CHECK(strstr(err.text, "is in use by another account") && !strstr(err.text, "'w'"));
            CHECK(route_replace(c, b, x.id, 0, &CASES[i].second, &CASES[i].second, 1, &err) == ERR_LIMIT);
        }
        catalog_rollback(c);
    }
    CHECK(add_route(c, a, w.id, "example.com", 1, NULL, &err) == 0);
    CHECK(add_route(c, b, x.id, "example.com", 1, NULL, &err) == ERR_LIMIT);
    CHECK(add_route(c, b, x.id, "example.com/*", 0, NULL, &err) == ERR_LIMIT);
    /* Nobody deploys to another account's worker. */
    CHECK(add_route(c, b, w.id, "example.net/*", 0, NULL, &err) == ERR_NOT_FOUND);
    CHECK(route_replace(c, b, w.id, 0, NULL, NULL, 0, &err) == ERR_NOT_FOUND);
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

static void routes_of_a_worker_change_together(void)
{
    static const char *const FIRST[] = {"a.com/*", "b.com/*", "c.com/*", "b.com/*"};
    static const char *const ZONES[] = {"a.com", "b.com", NULL, "b.com"};
    static const char *const SECOND[] = {"c.com/*", "d.com/*"};
    static const char *const BAD[] = {"e.com/*", "taken.com/*"};
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a"), *b = catalog_account(c, "b");
    struct worker w = make_worker(c, a, "w"), x = make_worker(c, a, "x"), y = make_worker(c, b, "y");
    struct routes all = {0};
    struct err err = {0};
    char kept[ID_SIZE];

    CHECK(route_replace(c, a, w.id, 0, FIRST, ZONES, 4, &err) == 0);
    CHECK(routes_are(c, a, "a.com/* w; b.com/* w; c.com/* w; "));
    CHECK(route_list(c, a, &all, &err) == 0 && strcmp(all.items[1].zone, "b.com") == 0 && !all.items[2].zone[0]);
    memcpy(kept, all.items[2].id, ID_SIZE);
    routes_done(&all);
    CHECK(route_replace(c, a, w.id, 1, SECOND, SECOND, 2, &err) == 0);
    CHECK(route_replace(c, a, w.id, 0, SECOND, SECOND, 2, &err) == 0);
    CHECK(routes_are(c, a, "c.com/* w; domain c.com/* w; domain d.com/* w; d.com/* w; "));
    CHECK(route_list(c, a, &all, &err) == 0 && strcmp(all.items[0].id, kept) == 0);
    CHECK(strcmp(all.items[0].zone, "c.com/*") == 0);
    routes_done(&all);
    /* x takes what was w's; nobody takes what is another account's, and then nothing changes. */
    CHECK(route_replace(c, a, x.id, 0, SECOND, SECOND, 1, &err) == 0);
    CHECK(routes_are(c, a, "c.com/* x; domain c.com/* w; domain d.com/* w; d.com/* w; "));
    CHECK(add_route(c, b, y.id, "taken.com/*", 0, NULL, &err) == 0);
    CHECK(route_replace(c, a, x.id, 0, BAD, BAD, 2, &err) == ERR_LIMIT);
    CHECK(routes_are(c, a, "c.com/* x; domain c.com/* w; domain d.com/* w; d.com/* w; "));
    CHECK(route_replace(c, a, w.id, 0, NULL, NULL, 0, &err) == 0);
    CHECK(routes_are(c, a, "c.com/* x; domain c.com/* w; domain d.com/* w; "));
    CHECK(route_replace(c, a, w.id, 0, SECOND, SECOND, ROUTES_MAX + 1, &err) == ERR_LIMIT);
    worker_done(&y);
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

static void an_account_has_so_many_routes(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    struct err err = {0};
    char pattern[64];

    CHECK(catalog_begin(c, &err) == 0);
    for (int i = 0; i < ROUTES_MAX; i++) {
        snprintf(pattern, sizeof pattern, "h%d.com/*", i);
        CHECK(add_route(c, a, "", pattern, 0, NULL, &err) == 0);
    }
    CHECK(add_route(c, a, "", "more.com/*", 0, NULL, &err) == ERR_LIMIT && strstr(err.text, "1000 routes"));
    catalog_rollback(c);
    catalog_close_test(c);
}

static void schedules_that_stay_are_the_same(void)
{
    static const char *const FIRST[] = {"* * * * *", "0 5 * * MON", "* * * * *"};
    static const char *const SECOND[] = {"0 5 * * MON", "1 1 1 1 *"};
    static const char *const BAD[] = {"ok", "a\nb"};
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    struct worker w = make_worker(c, a, "w"), x = make_worker(c, a, "x");
    struct schedules all = {0};
    struct err err = {0};

    clock_fake(1000);
    CHECK(schedule_replace(c, w.id, FIRST, 3, &err) == 0);
    CHECK(schedule_looked(c, w.id, "0 5 * * MON", 1500, &err) == 0);
    CHECK(schedule_looked(c, w.id, "1 1 1 1 *", 1500, &err) == ERR_NOT_FOUND);
    clock_fake(2000);
    CHECK(schedule_replace(c, w.id, SECOND, 2, &err) == 0);
    CHECK(schedule_replace(c, x.id, SECOND, 1, &err) == 0);
    clock_fake(-1);
    CHECK(schedule_list(c, w.id, &all, &err) == 0 && all.count == 2);
    CHECK(strcmp(all.items[0].cron, SECOND[0]) == 0 && all.items[0].created_ms == 1000);
    CHECK(all.items[0].looked_ms == 1500 && strcmp(all.items[0].worker_id, w.id) == 0);
    CHECK(strcmp(all.items[0].account_id, a) == 0);
    CHECK(strcmp(all.items[1].cron, SECOND[1]) == 0 && all.items[1].created_ms == 2000 && all.items[1].looked_ms == 0);
    schedules_done(&all);
    CHECK(schedule_list(c, NULL, &all, &err) == 0 && all.count == 3);
    schedules_done(&all);
    CHECK(schedule_replace(c, w.id, BAD, 2, &err) == ERR_INVALID);
    CHECK(schedule_replace(c, "nobody", SECOND, 2, &err) == ERR_NOT_FOUND);
    CHECK(schedule_replace(c, w.id, SECOND, SCHEDULES_MAX + 1, &err) == ERR_LIMIT);
    CHECK(schedule_replace(c, w.id, NULL, 0, &err) == 0);
    CHECK(schedule_list(c, w.id, &all, &err) == 0 && all.count == 0);
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

static bool quota_is(struct catalog *c, const char *account, const char *worker, int64_t requests, int64_t cpu)
{
    struct quota q = {-7, -7};
    struct err err = {0};

    return quota_get(c, account, worker, &q, &err) == 0 && q.requests_per_day == requests && q.cpu_ms == cpu;
}

static void quotas_are_of_accounts_and_workers(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a"), *b = catalog_account(c, "b");
    struct worker w = make_worker(c, a, "w");
    struct err err = {0};

    CHECK(quota_is(c, a, "", -1, -1));
    CHECK(quota_set(c, a, "", &(struct quota){100, -1}, &err) == 0);
    CHECK(quota_set(c, a, w.id, &(struct quota){-1, 0}, &err) == 0);
    CHECK(quota_is(c, a, "", 100, -1) && quota_is(c, a, w.id, -1, 0) && quota_is(c, b, "", -1, -1));
    CHECK(quota_set(c, a, "", &(struct quota){-1, -1}, &err) == 0 && quota_is(c, a, "", -1, -1));
    CHECK(quota_set(c, a, "", &(struct quota){-2, -1}, &err) == ERR_INVALID);
    CHECK(quota_set(c, b, w.id, &(struct quota){1, 1}, &err) == ERR_NOT_FOUND);
    CHECK(quota_set(c, "nobody", "", &(struct quota){1, 1}, &err) == ERR_NOT_FOUND);
    worker_done(&w);
    catalog_close_test(c);
}

static void usage_adds_up(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    struct worker w = make_worker(c, a, "w"), x = make_worker(c, a, "x");
    struct usage use[3] = {{.day = 100, .requests = 1, .cpu_us = 5}, {.day = 100, .requests = 10, .errors = 1}, {.day = 100}};
    struct usage *day = NULL;
    struct err err = {0};
    size_t count = 0;

    for (int i = 0; i < 2; i++) {
        memcpy(use[i].account_id, a, ID_SIZE);
        memcpy(use[i].worker_id, i ? x.id : w.id, ID_SIZE);
    }
    strcpy(use[2].account_id, "nobody");
    CHECK(usage_add(c, use, 3, &err) == 0 && usage_add(c, use, 1, &err) == 0 && usage_add(c, NULL, 0, &err) == 0);
    CHECK(usage_of_day(c, 100, &day, &count, &err) == 0 && count == 2);
    for (size_t i = 0; i < count; i++) {
        bool is_w = strcmp(day[i].worker_id, w.id) == 0;
        CHECK(day[i].day == 100 && strcmp(day[i].account_id, a) == 0 && day[i].requests == (is_w ? 2 : 10));
        CHECK(day[i].errors == (is_w ? 0 : 1) && day[i].cpu_us == (is_w ? 10 : 0));
    }
    mem_free(day);
    use[0].day = 100 + USAGE_DAYS_KEPT;
    CHECK(usage_add(c, use, 1, &err) == 0);
    CHECK(usage_of_day(c, 100, &day, &count, &err) == 0 && count == 2);
    mem_free(day);
    use[0].day++;
    CHECK(usage_add(c, use, 1, &err) == 0);
    CHECK(usage_of_day(c, 100, &day, &count, &err) == 0 && count == 0);
    mem_free(day);
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

static void runs_out_of_memory_without_a_trace(void)
{
    static const char *const LIST[] = {"a.com/*", "b.com/*"};
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    struct worker w = make_worker(c, a, "w");
    struct routes routes = {0};
    struct schedules schedules = {0};
    struct usage use = {.day = 5}, *day = NULL;
    struct err err = {0};
    size_t count = 0;

    WALK_NOMEM(add_route(c, a, w.id, "c.com/*", 0, NULL, &err));
    WALK_NOMEM(route_replace(c, a, w.id, 0, LIST, LIST, 2, &err));
    WALK_NOMEM(route_list(c, NULL, &routes, &err));
    CHECK(routes.count == 2);
    routes_done(&routes);
    WALK_NOMEM(schedule_replace(c, w.id, LIST, 2, &err));
    WALK_NOMEM(schedule_list(c, NULL, &schedules, &err));
    CHECK(schedules.count == 2);
    schedules_done(&schedules);
    memcpy(use.account_id, a, ID_SIZE);
    WALK_NOMEM(usage_add(c, &use, 1, &err));
    WALK_NOMEM(usage_of_day(c, 5, &day, &count, &err));
    CHECK(count == 1);
    mem_free(day);
    worker_done(&w);
    catalog_close_test(c);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"a_pattern_leads_to_one_worker", a_pattern_leads_to_one_worker},
        {"a_host_is_of_one_account", a_host_is_of_one_account},
        {"routes_of_a_worker_change_together", routes_of_a_worker_change_together},
        {"an_account_has_so_many_routes", an_account_has_so_many_routes},
        {"schedules_that_stay_are_the_same", schedules_that_stay_are_the_same},
        {"quotas_are_of_accounts_and_workers", quotas_are_of_accounts_and_workers},
        {"usage_adds_up", usage_adds_up},
        {"runs_out_of_memory_without_a_trace", runs_out_of_memory_without_a_trace},
        {0},
    };

    return test_main("catalog_trigger", TESTS, argc, argv);
}

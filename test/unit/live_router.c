/* live_router.c - which worker a host and a path lead to, by a real catalog. */
#include "live_node.h"

static void it_is_read(void)
{
    load();
    CHECK(says("http://nobody.main.test/", NULL, NULL, 404, "Nothing is deployed"));
}

static void add_route(const char *worker_id, const char *pattern, int is_domain)
{
    struct route draft = {.pattern = (char *)(uintptr_t)pattern,
                          .zone = (char *)"",
                          .is_domain = is_domain},
                 made = {0};
    struct err err = {0};

    memcpy(draft.account_id, account.id, ID_SIZE);
    memcpy(draft.worker_id, worker_id, strlen(worker_id) + 1);
    if (route_create(catalog, &draft, &made, &err) < 0) {
        printf("  %s\n", err.text);
        test_failed_checks++;
    }
    route_done(&made);
}

static const char *found(const char *host, const char *target)
{
    static char text[128];
    struct router_found f;

    router_find(live, false, span_of(host), span_of(target), &f);
    snprintf(text, sizeof text, "%s%s%s", f.worker ? f.worker->name : "-",
             f.preview[0] ? " " : "", f.preview);
    return text;
}

static void routes_go_before_domains_and_domains_before_the_subdomain(void)
{
    char first[ID_SIZE], shared[ID_SIZE], adopted[ID_SIZE];
    struct account other = {0};
    struct err err = {0};
    bool is_done = false;

    deploy("first", "one", first);
    deploy("shared", "one", shared);
    deploy("adopted", "one", adopted);
    add_route(first, "example.com/*", 0);
    add_route(shared, "example.com/api/*", 0);
    add_route(adopted, "*.example.com/*", 0);
    add_route("", "*.example.com/static/*", 0);
    add_route(shared, "api.example.net", 1);
    add_route(first, "api.example.net/v2*", 0);
    add_route("", "api.example.net/v2/none*", 0);
    add_route(first, "https://secure.example.org/*", 0);
    live_account_changed(live, account.id, on_done, &is_done);
    run_until(&is_done);
    CHECK(strcmp(found("example.com", "/"), "first") == 0);
    CHECK(strcmp(found("example.com:8080", "/api/x?y"), "shared") == 0);
    CHECK(strcmp(found("EXAMPLE.com.", "/api"), "first") == 0);
    CHECK(strcmp(found("a.b.example.com", "/"), "adopted") == 0);
    CHECK(strcmp(found("www.example.com", "/static/x.css"), "-") == 0);
    CHECK(strcmp(found("notexample.com", "/"), "-") == 0);
    CHECK(strcmp(found("api.example.net", "/"), "shared") == 0);
    CHECK(strcmp(found("api.example.net", "/v2/x"), "first") == 0);
    CHECK(strcmp(found("api.example.net", "/v2/none"), "shared") == 0);
    CHECK(strcmp(found("secure.example.org", "/"), "-") == 0);
    CHECK(strcmp(found("[::1]:80", "/"), "-") == 0);
    CHECK(strcmp(found("", "/"), "-") == 0);
    CHECK(strcmp(found(":80", "/"), "-") == 0);
    CHECK(strcmp(found("first.main.test", "/"), "first") == 0);
    /* Nobody takes the hosts of another account. */
    CHECK(account_need(catalog, "other", &other, &err) == 0);
    struct route theft = {.pattern = (char *)"*.main.test/*", .zone = (char *)""}, made = {0};
    struct worker thief = {0};
    CHECK(worker_need(catalog, other.id, "thief", &thief, NULL, &err) == 0);
    memcpy(theft.account_id, other.id, ID_SIZE);
    memcpy(theft.worker_id, thief.id, ID_SIZE);
    if (route_create(catalog, &theft, &made, &err) == 0)
        route_done(&made);
    is_done = false;
    live_changed(live, other.id, thief.id, on_done, &is_done);
    run_until(&is_done);
    CHECK(strcmp(found("first.main.test", "/"), "first") == 0);
    CHECK(strcmp(found("thief.other.test", "/"), "thief") == 0);
    worker_done(&thief);
    account_done(&other);
}

static void a_table_is_whole_or_the_old_one(void)
{
    struct router *old = live->router;
    struct err err = {0};
    long n = 0;
    int r;

    do {
        mem_fail_after(n++);
        r = router_build(live, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || (r == ERR_NOMEM && live->router == old));
    } while (r < 0 && n < 10000);
    CHECK(r == 0 && n > 10);
    CHECK(strcmp(found("example.com", "/"), "first") == 0);
}

static void names_come_and_go(void)
{
    struct names names = {0};
    struct err err;
    int values[300];
    char key[16];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++) {
            snprintf(key, sizeof key, "key-%d", i);
            CHECK(names_put(&names, span_of(key), &values[i], &err) == 0);
        }
        for (int i = 0; i < 300; i += 2) {
            snprintf(key, sizeof key, "key-%d", i);
            names_drop(&names, span_of(key));
            names_drop(&names, span_of(key));
        }
        CHECK(names.count == 150);
        for (int i = 0; i < 300; i++) {
            snprintf(key, sizeof key, "key-%d", i);
            CHECK(names_get(&names, span_of(key)) == (i % 2 ? &values[i] : NULL));
        }
    }
    names_done(&names);
    CHECK(names_get(&names, SPAN("key-1")) == NULL);
}

static void previews_are_found_by_eight_digits(void)
{
    char id[ID_SIZE], version_id[UUID_SIZE], host[128], url[160];
    char *code = code_for("preview");
    struct err err = {0};

    need_worker("first", id);
    make_version(id, code, NULL, version_id);
    snprintf(host, sizeof host, "%.8s-first.main.test", version_id);
    change(id);
    CHECK(strcmp(found(host, "/"), "-") == 0);
    CHECK(worker_set_subdomain(catalog, id, false, true, &err) == 0);
    change(id);
    CHECK(strcmp(found("first.main.test", "/"), "-") == 0);
    snprintf(url, sizeof url, "http://%s/", host);
    CHECK(says(url, NULL, NULL, 200, "preview"));
    CHECK(says("http://00000000-first.main.test/", NULL, NULL, 404, "no such version"));
    CHECK(strcmp(found("0000000-first.main.test", "/"), "-") == 0);
    CHECK(strcmp(found("0000000g-first.main.test", "/"), "-") == 0);
    CHECK(worker_set_subdomain(catalog, id, true, false, &err) == 0);
    change(id);
    mem_free(code);
}

static void the_routes_of_a_deleted_worker_lead_nowhere(void)
{
    struct err err = {0};
    char id[ID_SIZE];

    need_worker("first", id);
    CHECK(strcmp(found("example.com", "/"), "first") == 0);
    CHECK(worker_delete(catalog, account.id, "first", &err) == 0);
    change(id);
    CHECK(strcmp(found("example.com", "/"), "-") == 0);
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(it_is_read),
        T(routes_go_before_domains_and_domains_before_the_subdomain),
        T(a_table_is_whole_or_the_old_one),
        T(names_come_and_go),
        T(previews_are_found_by_eight_digits),
        T(the_routes_of_a_deleted_worker_lead_nowhere),
        {0},
    };

    return live_main("live_router", TESTS, argc, argv);
}

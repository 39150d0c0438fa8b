/* api_match.c - src/api/match.c and query.c: which endpoint a path means, and what stands in it. */
#include <string.h>

#include "api/call.h"
#include "api/match.h"
#include "base/mem.h"
#include "test.h"

static const struct api_endpoint FIRST[] = {
    {.method = "GET", .path = "/user", .scope = SCOPE_READ, .body = API_NO_BODY},
    {.method = "GET", .path = "/accounts/:account/scripts/:script", .scope = SCOPE_READ, .body = API_NO_BODY},
    {.method = "PUT", .path = "/accounts/:account/scripts/:script", .scope = SCOPE_DEPLOY, .body = API_FORM},
    {.method = "GET", .path = "/accounts/:account/scripts/special", .scope = SCOPE_READ, .body = API_NO_BODY},
    {0}};
static const struct api_endpoint SECOND[] = {
    {.method = "GET", .path = "/accounts/:account/objects/*key", .scope = SCOPE_READ, .body = API_NO_BODY},
    {.method = "GET", .path = "/healthz", .scope = SCOPE_READ, .body = API_NO_BODY, .is_open = true, .is_raw = true},
    {0}};
static const struct api_endpoint *const TABLES[] = {FIRST, SECOND, NULL};

static int find(const char *method, const char *path, struct match *ret)
{
    struct err err = {0};

    return match_find(TABLES, span_of(method), span_of(path), ret, &err);
}

static int outcome(const char *method, const char *path)
{
    struct match match;
    int r = find(method, path, &match);

    match_done(&match);
    return r;
}

static void finds_what_stands_there(void)
{
    struct match match;

    CHECK(find("GET", "/client/v4/user", &match) == MATCH_FOUND && match.endpoint == &FIRST[0]);
    match_done(&match);
    CHECK(find("HEAD", "/client/v4/user", &match) == MATCH_FOUND && match.endpoint == &FIRST[0]);
    match_done(&match);
    CHECK(find("GET", "/healthz", &match) == MATCH_FOUND && match.endpoint == &SECOND[1]);
    match_done(&match);
}

static void takes_parameters_decoded(void)
{
    struct match match;

    CHECK(find("GET", "/client/v4/accounts/a%2fb/scripts/%C3%A9", &match) == MATCH_FOUND);
    CHECK(match.endpoint == &FIRST[1]);
    CHECK(strcmp(match.params[0].value, "a/b") == 0 && strcmp(match.params[1].value, "\xc3\xa9") == 0);
    match_done(&match);
    CHECK(find("GET", "/client/v4/accounts/a/objects/x/y%20z/", &match) == MATCH_FOUND);
    CHECK(strcmp(match.params[1].value, "x/y z/") == 0);
    match_done(&match);
}

static void prefers_the_exact_one(void)
{
    struct match match;

    CHECK(find("GET", "/client/v4/accounts/a/scripts/special", &match) == MATCH_FOUND);
    CHECK(match.endpoint == &FIRST[3]);
    match_done(&match);
    CHECK(find("PUT", "/client/v4/accounts/a/scripts/special", &match) == MATCH_FOUND);
    CHECK(match.endpoint == &FIRST[2]);
    match_done(&match);
}

static void says_which_methods_there_are(void)
{
    struct match match;

    CHECK(find("DELETE", "/client/v4/accounts/a/scripts/b", &match) == MATCH_OTHER_METHOD);
    CHECK(strcmp(match.allow, "GET, PUT") == 0);
    match_done(&match);
}

static void refuses_what_is_no_path_of_ours(void)
{
    static const char *const WRONG[] = {
        "", "/", "//", "/user", "/client/v4", "/client/v4/", "/client/v4//user", "/client/v4/user/",
        "/client/v4/accounts//scripts/x", "/client/v4/accounts/a/scripts/", "/client/v4/healthz",
        "/client/v4/accounts/a/objects/", "/client/v5/user", "user", "/client%2fv4/user",
    };

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        CHECK(outcome("GET", WRONG[i]) == MATCH_NONE);
    CHECK(outcome("GET", "/client/v4/accounts/a%00b/scripts/x") == ERR_INVALID);
    CHECK(outcome("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25") ==
          ERR_INVALID);
}

static void survives_want_of_memory(void)
{
    struct match match;
    int r = ERR_NOMEM;

    for (long n = 0; r == ERR_NOMEM && n < 100; n++) {
        mem_fail_after(n);
        r = find("GET", "/client/v4/accounts/a/scripts/b", &match);
        mem_fail_after(-1);
        match_done(&match);
    }
    CHECK(r == MATCH_FOUND);
}

static void is_query(const char *query, const char *name, unsigned n, const char *expected)
{
    struct api_call_inside c = {.call.query = (char *)(uintptr_t)query};
    char *value = api_query(&c.call, name, n);

    CHECK(expected ? value && strcmp(value, expected) == 0 : !value);
    mem_free(value);
}

static void reads_queries(void)
{
    is_query("", "a", 0, NULL);
    is_query("a=1&b=2&a=3", "a", 0, "1");
    is_query("a=1&b=2&a=3", "a", 1, "3");
    is_query("a=1&b=2&a=3", "a", 2, NULL);
    is_query("a", "a", 0, "");
    is_query("&&=&a=x%20y+z%", "a", 0, "x y z%");
    is_query("account.id=7&%61=8", "a", 0, "8");
}

static void bounds_pages(void)
{
    static const struct {
        const char *query;
        unsigned page, per_page;
    } CASES[] = {
        {"", 1, 20},          {"page=3&per_page=5", 3, 5},  {"page=0&per_page=0", 1, 20},
        {"page=-1", 1, 20},   {"per_page=100000", 1, 1000}, {"page=99999999999999999999", 1000000, 20},
        {"page=2x", 1, 20},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct api_call_inside c = {.call.query = (char *)(uintptr_t)CASES[i].query};
        unsigned page, per_page;
        api_page(&c.call, 20, 1000, &page, &per_page);
        CHECK(page == CASES[i].page && per_page == CASES[i].per_page);
    }
}

static const struct test TESTS[] = {
    {"finds_what_stands_there", finds_what_stands_there},
    {"takes_parameters_decoded", takes_parameters_decoded},
    {"prefers_the_exact_one", prefers_the_exact_one},
    {"says_which_methods_there_are", says_which_methods_there_are},
    {"refuses_what_is_no_path_of_ours", refuses_what_is_no_path_of_ours},
    {"survives_want_of_memory", survives_want_of_memory},
    {"reads_queries", reads_queries},
    {"bounds_pages", bounds_pages},
    {0},
};

int main(int argc, char **argv)
{
    return test_main("api_match", TESTS, argc, argv);
}

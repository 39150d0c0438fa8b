/* quota.c - what an account or a worker may use, and what it has used today.  An addition of
 * Corral's.
 *
 *   {"requests_per_day": 100000, "cpu_ms": 10}      0: no limit; null: not said here */
#include <string.h>

#include "api/deploy.h"
#include "api/describe.h"
#include "api/call.h"
#include "base/clock.h"
#include "base/mem.h"
#include "catalog/quota.h"

#define QUOTA_MOST 1000000000000LL

static json_t *number(int64_t value)
{
    return value < 0 ? json_null() : json_integer(value);
}

static int used_today(struct catalog *catalog, const char *account_id, const char *worker_id,
                      struct usage *ret, struct err *err)
{
    struct usage *items = NULL;
    size_t count = 0;
    int r = usage_of_day(catalog, clock_wall_ms() / (24 * 60 * 60 * 1000), &items, &count, err);

    *ret = (struct usage){0};
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (strcmp(items[i].account_id, account_id) != 0 ||
            (worker_id[0] && strcmp(items[i].worker_id, worker_id) != 0))
            continue;
        ret->requests += items[i].requests;
        ret->errors += items[i].errors;
        ret->cpu_us += items[i].cpu_us;
    }
    mem_free(items);
    return r;
}

static void answer_quota(struct api_call *call, struct catalog *catalog, const char *worker_id)
{
    struct quota quota;
    struct usage usage;
    struct err err = {0};

    if (quota_get(catalog, call->account.id, worker_id, &quota, &err) < 0 ||
        used_today(catalog, call->account.id, worker_id, &usage, &err) < 0) {
        api_fail(call, 10013, &err);
        return;
    }
    api_result(call,
               json_pack("{s:o, s:o, s:{s:I, s:I, s:I}}", "requests_per_day",
                         number(quota.requests_per_day), "cpu_ms", number(quota.cpu_ms), "today",
                         "requests", (json_int_t)usage.requests, "errors", (json_int_t)usage.errors,
                         "cpu_ms", (json_int_t)(usage.cpu_us / 1000)));
}

/* false: the call is answered. */
static bool read_number(struct api_call *call, const char *key, int64_t *value)
{
    json_t *given = json_object_get(call->json, key);

    if (!given)
        return true;
    *value = json_is_null(given) ? -1 : json_integer_value(given);
    if (!json_is_null(given) && (!json_is_integer(given) || *value < 0 || *value > QUOTA_MOST)) {
        api_error(call, 400, 10026, "\"%s\" must be a whole number, 0 for no limit, or null", key);
        return false;
    }
    return true;
}

/* false: the call is answered. */
static bool set_quota(struct api_call *call, struct catalog *catalog, const char *worker_id)
{
    struct quota quota;
    const char *key;
    json_t *value;
    struct err err = {0};

    if (!json_is_object(call->json)) {
        api_error(call, 400, 10026, "The request body must be an object");
        return false;
    }
    json_object_foreach(call->json, key, value)
    {
        if (strcmp(key, "requests_per_day") != 0 && strcmp(key, "cpu_ms") != 0) {
            api_error(call, 400, 10026,
                      "There is no quota \"%.100s\": it is \"requests_per_day\" or \"cpu_ms\"",
                      key);
            return false;
        }
    }
    if (quota_get(catalog, call->account.id, worker_id, &quota, &err) < 0) {
        api_fail(call, 10013, &err);
        return false;
    }
    if (!read_number(call, "requests_per_day", &quota.requests_per_day) ||
        !read_number(call, "cpu_ms", &quota.cpu_ms))
        return false;
    if (quota_set(catalog, call->account.id, worker_id, &quota, &err) < 0) {
        api_fail(call, 10026, &err);
        return false;
    }
    answer_quota(call, catalog, worker_id);
    return true;
}

static void get_account_quota(struct api_call *call, struct catalog *catalog)
{
    answer_quota(call, catalog, "");
}

static void put_account_quota(struct api_call *call, struct catalog *catalog)
{
    set_quota(call, catalog, "");
}

static void switched(void *self, const struct err *err)
{
    struct api_call *call = self;

    if (err)
        api_fail(call, 10013, err);
    api_reply(call);
}

static void after_account(struct api_call *call)
{
    if (call_inside(call)->out.status != 200)
        return;
    api_wait(call);
    live_account_changed(call->api->live, call->account.id, switched, call);
}

static void get_worker_quota(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};

    if (api_worker(call, catalog, 10007, &worker))
        answer_quota(call, catalog, worker.id);
    worker_done(&worker);
}

static void put_worker_quota(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};

    if (api_worker(call, catalog, 10007, &worker) && set_quota(call, catalog, worker.id))
        api_changed(call, worker.id);
    worker_done(&worker);
}

#define ACCOUNT "/accounts/:account/corral/quota"
#define SCRIPT  "/accounts/:account/workers/scripts/:script/quota"

const struct api_endpoint QUOTA_ENDPOINTS[] = {
    {"GET", ACCOUNT, SCOPE_READ, API_NO_BODY, .work = get_account_quota},
    {"PUT", ACCOUNT, SCOPE_ADMIN, API_JSON, .work = put_account_quota, .after = after_account},
    {"GET", SCRIPT, SCOPE_READ, API_NO_BODY, .work = get_worker_quota},
    {"PUT", SCRIPT, SCOPE_ADMIN, API_JSON, .work = put_worker_quota, .after = api_after_change},
    {0}};

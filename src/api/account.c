/* account.c - who asks: user, accounts, memberships, the account's subdomain.
 *
 * A token belongs to one account, so there is one account to be seen, and no user behind it: where
 * Cloudflare shows one, this shows the account. */
#include <string.h>

#include "api/call.h"
#include "base/mem.h"

static json_t *describe_account(const struct account *account)
{
    char created[API_TIME_SIZE];

    api_time(account->created_ms, created);
    return json_pack("{s:s, s:s, s:s, s:{s:b}, s:s}", "id", account->id, "name", account->name,
                     "type", "standard", "settings", "enforce_twofactor", 0, "created_on", created);
}

static void get_user(struct api_call *call, struct catalog *catalog)
{
    char author[API_AUTHOR_MAX];

    (void)catalog;
    api_result(call,
               json_pack("{s:s, s:o, s:s, s:[s], s:b}", "id", call->account.id, "email",
                         json_string(api_author(call, author)), "username", call->account.name,
                         "organizations", call->account.name, "suspended", 0));
}

/* The one account as a page: behind the first one there is nothing. */
static void answer_only(struct api_call *call, json_t *take_one)
{
    json_t *list = json_array();
    unsigned page, per_page;

    api_page(call, 50, 1000, &page, &per_page);
    json_array_append_new(list, take_one);
    api_result_page(call, list, page, per_page);
}

static void list_accounts(struct api_call *call, struct catalog *catalog)
{
    (void)catalog;
    answer_only(call, describe_account(&call->account));
}

static void get_account(struct api_call *call, struct catalog *catalog)
{
    (void)catalog;
    api_result(call, describe_account(&call->account));
}

static void list_memberships(struct api_call *call, struct catalog *catalog)
{
    (void)catalog;
    answer_only(call,
                json_pack("{s:s, s:s, s:[s], s:b, s:o}", "id", call->account.id, "status",
                          "accepted", "roles", scope_name(call->token.scope), "api_access_enabled",
                          1, "account", describe_account(&call->account)));
}

/* ---- NAME.SUBDOMAIN.DOMAIN ---- */

static json_t *describe_subdomain(struct api_call *call, const char *subdomain)
{
    return json_pack("{s:s, s:o}", "subdomain", subdomain, "domain",
                     json_sprintf("%s.%s", subdomain, call->api->domain));
}

static void get_subdomain(struct api_call *call, struct catalog *catalog)
{
    (void)catalog;
    api_result(call, describe_subdomain(call, call->account.subdomain));
}

/* An account may lead SUBDOMAIN.DOMAIN to a worker: that must not be where clients bring their
 * tokens. */
static bool is_apis_own(const struct api *api, const char *subdomain)
{
    const char *host = api->public_url ? strstr(api->public_url, "://") : NULL;
    size_t n = strlen(subdomain), m = strlen(api->domain);

    if (!host)
        return false;
    host += 3;
    return strcspn(host, ":/") == n + 1 + m && strncasecmp(host, subdomain, n) == 0 &&
           host[n] == '.' && strncasecmp(host + n + 1, api->domain, m) == 0;
}

static void put_subdomain(struct api_call *call, struct catalog *catalog)
{
    const char *wanted = json_string_value(json_object_get(call->json, "subdomain"));
    struct err err = {0};
    int r;

    if (!wanted) {
        api_error(call, 400, 10026, "The request body must be {\"subdomain\": \"NAME\"}");
        return;
    }
    if (is_apis_own(call->api, wanted))
        r = err_set(&err, ERR_LIMIT, "the subdomain '%.63s' is the API's", wanted);
    else
        r = account_set_subdomain(catalog, call->account.id, wanted, &err);
    if (r == ERR_LIMIT)
        api_error(call, 409, 10031, "The subdomain '%s' is unavailable: choose another one",
                  wanted);
    else if (r < 0)
        api_fail(call, 10026, &err);
    else
        api_result(call, describe_subdomain(call, wanted));
}

static void switched(void *self, const struct err *err)
{
    struct api_call *call = self;

    if (err)
        api_fail(call, 10013, err);
    api_reply(call);
}

static void after_subdomain(struct api_call *call)
{
    if (call_inside(call)->out.status != 200)
        return;
    api_wait(call);
    live_account_changed(call->api->live, call->account.id, switched, call);
}

/* Is it free?  10032: yes, 10031: no, as wrangler asks. */
static void look_for_subdomain(struct api_call *call, struct catalog *catalog)
{
    const char *wanted = api_param(call, "subdomain");
    struct accounts accounts = {0};
    bool is_taken = false;
    struct err err = {0};

    if (account_list(catalog, &accounts, &err) < 0) {
        api_fail(call, 10013, &err);
        return;
    }
    for (size_t i = 0; i < accounts.count; i++)
        is_taken |= strcmp(accounts.items[i].subdomain, wanted) == 0;
    accounts_done(&accounts);
    if (strcmp(wanted, call->account.subdomain) == 0)
        api_result(call, describe_subdomain(call, wanted));
    else if (is_taken)
        api_error(call, 409, 10031, "The subdomain is unavailable: choose another one");
    else
        api_error(call, 404, 10032, "The subdomain is available");
}

const struct api_endpoint ACCOUNT_ENDPOINTS[] = {
    {"GET", "/user", SCOPE_READ, API_NO_BODY, .work = get_user},
    {"GET", "/accounts", SCOPE_READ, API_NO_BODY, .work = list_accounts},
    {"GET", "/accounts/:account", SCOPE_READ, API_NO_BODY, .work = get_account},
    {"GET", "/memberships", SCOPE_READ, API_NO_BODY, .work = list_memberships},
    {"GET", "/accounts/:account/workers/subdomain", SCOPE_READ, API_NO_BODY, .work = get_subdomain},
    {"PUT", "/accounts/:account/workers/subdomain", SCOPE_ADMIN, API_JSON, .work = put_subdomain,
     .after = after_subdomain},
    {"GET", "/accounts/:account/workers/subdomains/:subdomain", SCOPE_ADMIN, API_NO_BODY,
     .work = look_for_subdomain},
    {0}};

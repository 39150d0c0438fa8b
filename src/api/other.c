/* other.c - what Cloudflare has and this Corral has not, said clearly.
 *
 * What wrangler asks for on its way to something that is there is answered truly: there are no
 * queues and no Durable Objects, so lists of them are empty.  Everything else says what it is that
 * is missing. */
#include <string.h>

#include "api/inside.h"

enum { NOT_SUPPORTED = 10501 };

/* ---- lists that are empty ---- */

static void no_items(struct api_call *call, struct catalog *catalog)
{
    unsigned page, per_page;

    (void)catalog;
    api_page(call, 20, 1000, &page, &per_page);
    api_result_page(call, json_array(), page, per_page);
}

static void no_buckets(struct api_call *call, struct catalog *catalog)
{
    (void)catalog;
    api_result(call, json_pack("{s:[]}", "buckets"));
}

/* ---- all else ---- */

struct missing {
    const char *under; /* of the account: "r2"; what stands behind it, too */
    const char *what;
};

static const struct missing MISSING[] = {
    {"queues", "Queues"},
    {"r2", "R2 buckets"},
    {"r2-catalog", "R2 catalogs"},
    {"event_notifications", "Event notifications"},
    {"event_subscriptions", "Event subscriptions"},
    {"workers/durable_objects", "Durable Objects"},
    {"workers/dispatch", "Dispatch namespaces"},
    {"workers/assets", "Static assets"},
    {"workers/observability", "Stored logs"},
    {"vectorize", "Vectorize indexes"},
    {"hyperdrive", "Hyperdrive configurations"},
    {"pages", "Pages projects"},
    {"pipelines", "Pipelines"},
    {"workflows", "Workflows"},
    {"ai", "AI models"},
    {"ai-gateway", "AI gateways"},
    {"ai-search", "AI search"},
    {"autorag", "AI search"},
    {"cloudchamber", "Containers"},
    {"containers", "Containers"},
    {"secrets_store", "Secrets stores"},
    {"mtls_certificates", "mTLS certificates"},
    {"browser-rendering", "Browser rendering"},
    {"images", "Images"},
    {"stream", "Stream"},
    {"email", "Email"},
    {"email-security", "Email security"},
    {"connectivity", "VPC services"},
    {"builds", "Builds"},
    {"flagship", "Feature flags"},
};

/* "/client/v4/accounts/ID/r2/buckets" -> "r2/buckets": the pattern's own words tell. */
static const char *what_of(const struct api_call *call)
{
    static const char BELOW[] = "/accounts/:account/";
    const char *path = call->endpoint->path;

    if (strncmp(path, BELOW, strlen(BELOW)) == 0)
        path += strlen(BELOW);
    for (size_t i = 0; i < sizeof MISSING / sizeof *MISSING; i++) {
        size_t n = strlen(MISSING[i].under);
        if (strncmp(path, MISSING[i].under, n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return MISSING[i].what;
    }
    return "These";
}

static void refuse(struct api_call *call, struct catalog *catalog)
{
    (void)catalog;
    api_error(call, 400, NOT_SUPPORTED, "%s are not supported by this Corral yet.", what_of(call));
}

static void refuse_backups(struct api_call *call, struct catalog *catalog)
{
    (void)catalog;
    api_error(call, 400, NOT_SUPPORTED,
              "D1 backups are not supported by this Corral yet: `d1 export` writes a copy.");
}

/* All methods on a path and on all below it. */
#define ALL_OF(path, function)                                                                     \
    {"GET", path, SCOPE_READ, API_NO_BODY, .work = function},                                      \
        {"POST", path, SCOPE_DEPLOY, API_NO_BODY, .work = function},                               \
        {"PUT", path, SCOPE_DEPLOY, API_NO_BODY, .work = function},                                \
        {"PATCH", path, SCOPE_DEPLOY, API_NO_BODY, .work = function},                              \
    {                                                                                              \
        "DELETE", path, SCOPE_DEPLOY, API_NO_BODY, .work = function                                \
    }
#define TREE(path, function) ALL_OF(path, function), ALL_OF(path "/*rest", function)
#define ACCOUNT(name)        TREE("/accounts/:account/" name, refuse)

const struct api_endpoint OTHER_ENDPOINTS[] = {
    {"GET", "/accounts/:account/queues", SCOPE_READ, API_NO_BODY, .work = no_items},
    {"GET", "/accounts/:account/workers/durable_objects/namespaces", SCOPE_READ, API_NO_BODY,
     .work = no_items},
    {"GET", "/accounts/:account/workers/dispatch/namespaces", SCOPE_READ, API_NO_BODY,
     .work = no_items},
    {"GET", "/accounts/:account/workflows", SCOPE_READ, API_NO_BODY, .work = no_items},
    {"GET", "/accounts/:account/mtls_certificates", SCOPE_READ, API_NO_BODY, .work = no_items},
    {"GET", "/accounts/:account/containers/applications", SCOPE_READ, API_NO_BODY,
     .work = no_items},
    {"GET", "/accounts/:account/r2/buckets", SCOPE_READ, API_NO_BODY, .work = no_buckets},
    ACCOUNT("queues"),
    ACCOUNT("r2"),
    ACCOUNT("r2-catalog"),
    ACCOUNT("event_notifications"),
    ACCOUNT("event_subscriptions"),
    ACCOUNT("workers/durable_objects"),
    ACCOUNT("workers/dispatch"),
    ACCOUNT("workers/assets"),
    ACCOUNT("workers/observability"),
    ACCOUNT("vectorize"),
    ACCOUNT("hyperdrive"),
    ACCOUNT("pages"),
    ACCOUNT("pipelines"),
    ACCOUNT("workflows"),
    ACCOUNT("ai"),
    ACCOUNT("ai-gateway"),
    ACCOUNT("ai-search"),
    ACCOUNT("autorag"),
    ACCOUNT("cloudchamber"),
    ACCOUNT("containers"),
    ACCOUNT("secrets_store"),
    ACCOUNT("mtls_certificates"),
    ACCOUNT("browser-rendering"),
    ACCOUNT("images"),
    ACCOUNT("stream"),
    ACCOUNT("email"),
    ACCOUNT("email-security"),
    ACCOUNT("connectivity"),
    ACCOUNT("builds"),
    ACCOUNT("flagship"),
    TREE("/accounts/:account/d1/database/:database/backup", refuse_backups),
    {0}};

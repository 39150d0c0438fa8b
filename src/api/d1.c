/* d1.c - D1 databases of an account: create, list, show, delete. */
#include "api/d1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "base/mem.h"
#include "keeper/facts.h"

/* ---- shared ---- */

bool d1_look_up(struct api_call *call, struct catalog *catalog, struct database *ret)
{
    const char *wanted = api_param(call, "database");
    char *folder = NULL;
    struct err err = {0};
    int r = catalog_account_folder(catalog, call->account.id, &folder, &err);

    if (r == 0)
        r = database_find(folder, wanted, ret, &err);
    mem_free(folder);
    if (r == ERR_NOT_FOUND || r == ERR_INVALID)
        api_error(call, 404, D1_NO_DATABASE, "The database %.64s could not be found", wanted);
    else if (r < 0)
        api_fail(call, D1_FAILED, &err);
    return r == 0;
}

void d1_fail_call(struct api_call *call, const struct err *err)
{
    if (err->code == ERR_NOT_FOUND)
        api_error(call, 404, D1_NO_DATABASE, "%s", err->text);
    else
        api_error(call, err->code == ERR_LIMIT ? 429 : 500, D1_FAILED, "%s", err->text);
}

bool d1_start(struct api_call *call, const struct errand_spec *spec, struct errand **ret_errand)
{
    struct err err = {0};

    if (errand_start(call->api->loop, call->api->keeper, spec, ret_errand, &err) == 0) {
        api_wait(call);
        return true;
    }
    d1_fail_call(call, &err);
    return false;
}

void d1_time(const char *created_at, char out[28])
{
    size_t n = strlen(created_at);

    if (n == 24 && created_at[23] == 'Z')
        snprintf(out, 28, "%.23s000Z", created_at);
    else
        snprintf(out, 28, "%.27s", created_at);
}

static json_t *pack(const struct database *d)
{
    char created_at[28];

    d1_time(d->created_at, created_at);
    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "uuid", d->uuid, "name", d->name, "version",
                     "production", "created_at", created_at, "file_size",
                     (json_int_t)d->size_bytes);
}

static json_t *with_tables(json_t *object, int64_t tables)
{
    if (object && json_object_set_new(object, "num_tables", json_integer(tables)) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* ---- create ---- */

/* What cannot be had here must not be promised. */
static bool check_wishes(struct api_call *call)
{
    const char *mode = "disabled";

    if (json_unpack(call->json, "{s?{s?s}}", "read_replication", "mode", &mode) < 0 ||
        strcmp(mode, "disabled") != 0) {
        api_error(call, 400, D1_MALFORMED,
                  "Read replication is not supported by this Corral yet: a database has one copy.");
        return false;
    }
    return true;
}

static bool check_name(struct api_call *call, const char *name)
{
    struct err err = {0};

    if (!name)
        api_error(call, 400, D1_MALFORMED, "The request is malformed: name is missing");
    else if (database_check_name(name, &err) < 0)
        api_error(call, 400, D1_MALFORMED, "The request is malformed: %s", err.text);
    else if (database_is_uuid(name))
        api_error(call, 400, D1_MALFORMED, "A database's name must not look like a UUID.");
    else
        return check_wishes(call);
    return false;
}

/* Is there a place for one more? */
static int check_count(const char *folder, struct err *err)
{
    struct databases all;
    int r = database_list(folder, &all, err);

    if (r == 0 && all.count >= D1_DATABASES_MAX)
        r = err_set(err, ERR_GONE, "The account has %d databases: no more than that.",
                    D1_DATABASES_MAX);
    databases_done(&all);
    return r;
}

static void create(struct api_call *call, struct catalog *catalog)
{
    const char *name = json_string_value(json_object_get(call->json, "name"));
    struct database d = {0};
    char *folder = NULL;
    struct err err = {0};
    int r;

    if (!check_name(call, name))
        return;
    r = catalog_account_folder(catalog, call->account.id, &folder, &err);
    r = r < 0 ? r : check_count(folder, &err);
    r = r < 0 ? r : database_create(folder, name, NULL, &d, &err);
    mem_free(folder);
    if (r == ERR_LIMIT)
        api_error(call, 400, D1_EXISTS, "A database with that name already exists");
    else if (r == ERR_GONE)
        api_error(call, 400, D1_TOO_MANY, "%s", err.text);
    else if (r < 0)
        api_fail(call, D1_FAILED, &err);
    else
        api_result(call, with_tables(pack(&d), 0));
    database_done(&d);
}

/* ---- list ---- */

static void list(struct api_call *call, struct catalog *catalog)
{
    char *folder = NULL, *name = api_query(call, "name", 0);
    struct databases all = {0};
    json_t *array = json_array();
    unsigned page, per_page;
    struct err err = {0};
    int r = catalog_account_folder(catalog, call->account.id, &folder, &err);

    r = r < 0 ? r : database_list(folder, &all, &err);
    for (size_t i = 0; i < all.count && r == 0; i++)
        if ((!name || strstr(all.items[i].name, name)) &&
            json_array_append_new(array, pack(&all.items[i])) < 0)
            r = err_nomem(&err);
    api_page(call, 1000, 10000, &page, &per_page);
    if (r < 0)
        api_fail(call, D1_FAILED, &err);
    else
        api_result_page(call, json_incref(array), page, per_page);
    json_decref(array);
    databases_done(&all);
    mem_free(folder);
    mem_free(name);
}

/* ---- one ---- */

struct look { /* at one database */
    struct api_call *call;
    char *folder;
    json_t *object;
    struct facts facts;
    struct errand *errand;
    bool wants_bookmark, is_unused;
};

static void look_free(void *state)
{
    struct look *look = state;

    if (look->errand)
        errand_cancel(look->errand);
    json_decref(look->object);
    facts_done(&look->facts);
    mem_free(look->folder);
    mem_free(look);
}

static void find(struct api_call *call, struct catalog *catalog)
{
    struct look *look = mem_alloc(sizeof *look);
    struct err err = {0};
    struct database d;

    if (!look) {
        (void)err_nomem(&err);
        api_fail(call, D1_FAILED, &err);
        return;
    }
    look->call = call;
    call->state = look;
    call->free_state = look_free;
    if (!d1_look_up(call, catalog, &d))
        return;
    look->object = pack(&d);
    look->is_unused = d.size_bytes == 0;
    look->folder = d.folder;
    d.folder = NULL;
    database_done(&d);
}

static void answer_look(struct look *look)
{
    json_t *object = look->object;

    look->object = NULL;
    if (look->wants_bookmark) {
        json_decref(object);
        api_result(look->call, json_pack("{s:s}", "bookmark", look->facts.bookmark));
        return;
    }
    if (look->facts.size_bytes > 0)
        (void)json_object_set_new(object, "file_size", json_integer(look->facts.size_bytes));
    (void)json_object_set_new(object, "running_in_region", json_string("LOCAL"));
    api_result(look->call, with_tables(object, look->facts.tables));
}

static int on_head(void *self, const struct reply *reply, struct err *err)
{
    struct look *look = self;

    return facts_take_head(&look->facts, reply, err);
}

static int on_take(void *self, struct span bytes, struct err *err)
{
    struct look *look = self;

    return facts_take_body(&look->facts, bytes, err);
}

static void on_done(void *self, int result, const struct err *why)
{
    struct look *look = self;
    struct err err = *why;

    look->errand = NULL;
    if (result == 0)
        result = facts_check(&look->facts, &err);
    if (result < 0)
        d1_fail_call(look->call, &err);
    else
        answer_look(look);
    api_reply(look->call);
}

static void ask(struct look *look)
{
    const struct errand_spec spec = {.folder = look->folder,
                                     .method = "info",
                                     .file = -1,
                                     .text = SPAN(""),
                                     .head = on_head,
                                     .take = on_take,
                                     .done = on_done,
                                     .self = look};

    /* One that nobody has used has no file, and gets none for this question. */
    if (look->is_unused && !look->wants_bookmark)
        answer_look(look);
    else
        (void)d1_start(look->call, &spec, &look->errand);
}

static void show(struct api_call *call)
{
    if (!api_is_answered(call))
        ask(call->state);
}

static void bookmark(struct api_call *call)
{
    struct look *look = call->state;

    if (api_is_answered(call))
        return;
    look->wants_bookmark = true;
    ask(look);
}

static void restore(struct api_call *call, struct catalog *catalog)
{
    struct database d;

    if (!d1_look_up(call, catalog, &d))
        return;
    database_done(&d);
    api_error(call, 400, D1_FAILED,
              "Going back in time is not supported by this Corral yet: it keeps no history of a "
              "database. `d1 export` writes a copy that `d1 execute --file` reads.");
}

static void update(struct api_call *call, struct catalog *catalog)
{
    struct database d;

    if (!d1_look_up(call, catalog, &d))
        return;
    if (check_wishes(call))
        api_result(call, pack(&d));
    database_done(&d);
}

/* ---- delete ---- */

static void drop(struct api_call *call, struct catalog *catalog)
{
    struct database d;
    char *folder = NULL;
    struct err err = {0};
    int r;

    if (!d1_look_up(call, catalog, &d))
        return;
    r = catalog_account_folder(catalog, call->account.id, &folder, &err);
    r = r < 0 ? r : database_drop(folder, d.name, &err);
    mem_free(folder);
    if (r == ERR_NOT_FOUND) /* by somebody beside us */
        api_error(call, 404, D1_NO_DATABASE, "The database %s could not be found", d.uuid);
    else if (r < 0)
        api_fail(call, D1_FAILED, &err);
    else
        api_result(call, NULL);
    call->state = mem_strdup(d.folder);
    call->free_state = mem_free;
    database_done(&d);
}

/* Its process, if there is one, is told now and not when somebody calls. */
static void let_go(struct api_call *call)
{
    if (call->state)
        keeper_let_go(call->api->keeper, call->state);
}

/* ---- /graphql: what wrangler's d1 info and d1 insights ask ---- */

/* What was read and written is not kept: no groups, in the shape that is asked for. */
static void graphql(struct api_call *call, struct catalog *catalog)
{
    static const struct span NOTHING =
        SPAN("{\"data\":{\"viewer\":{\"accounts\":[{\"d1AnalyticsAdaptiveGroups\":[],"
             "\"d1QueriesAdaptiveGroups\":[]}]}},\"errors\":null}");
    static const struct span FORBIDDEN =
        SPAN("{\"data\":null,\"errors\":[{\"message\":\"not authorized for that account\"}]}");
    const char *account = "";
    bool is_ours;

    (void)catalog;
    is_ours = json_unpack(call->json, "{s:{s:s}}", "variables", "accountTag", &account) == 0 &&
              strcmp(account, call->account.id) == 0;
    api_raw(call, 200, "application/json", is_ours ? NOTHING : FORBIDDEN);
}

#define DATABASE "/accounts/:account/d1/database"
const struct api_endpoint D1_ENDPOINTS[] = {
    {"GET", DATABASE, SCOPE_READ, API_NO_BODY, .work = list},
    {"POST", DATABASE, SCOPE_DEPLOY, API_JSON, .work = create},
    {"GET", DATABASE "/:database", SCOPE_READ, API_NO_BODY, .work = find, .after = show},
    {"DELETE", DATABASE "/:database", SCOPE_DEPLOY, API_NO_BODY, .work = drop, .after = let_go},
    {"PATCH", DATABASE "/:database", SCOPE_DEPLOY, API_JSON, .work = update},
    {"PUT", DATABASE "/:database", SCOPE_DEPLOY, API_JSON, .work = update},
    {"GET", DATABASE "/:database/time_travel/bookmark", SCOPE_READ, API_NO_BODY, .work = find,
     .after = bookmark},
    {"POST", DATABASE "/:database/time_travel/restore", SCOPE_DEPLOY, API_NO_BODY, .work = restore},
    {"POST", "/graphql", SCOPE_READ, API_JSON, .work = graphql},
    {0}};

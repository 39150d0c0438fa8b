/* catalog_worker.c - src/catalog/{worker,version,secret,deployment}.c: what is deployed. */
#include "catalog/worker.h"

#include <sqlite3.h>

#include "catalog/quota.h"
#include "catalog/trigger.h"
#include "catalog_open.h"

static char HASH[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    CHECK(value);
    return value;
}

static bool is_json(const json_t *value, const char *text)
{
    json_t *wanted = json(text);
    bool is_it = json_equal(value, wanted);

    json_decref(wanted);
    return is_it;
}

static struct worker make_worker(struct catalog *c, const char *account, const char *name)
{
    struct worker w = {0};
    struct err err = {0};

    CHECK(worker_need(c, account, name, &w, NULL, &err) == 0);
    return w;
}

/* bindings: JSON; ret_id may be NULL. */
static int make_version(struct catalog *c, const char *worker_id, const char *bindings,
                        const char *base, char *ret_id, struct err *err)
{
    struct version draft = {.bundle = HASH, .bindings = json(bindings)}, made = {0};
    int r;

    memcpy(draft.worker_id, worker_id, ID_SIZE);
    r = version_create(c, &draft, base, &made, err);
    json_decref(draft.bindings);
    if (r == 0 && ret_id)
        memcpy(ret_id, made.id, UUID_SIZE);
    version_done(&made);
    return r;
}

static int deploy(struct catalog *c, const char *worker_id, const char *version_id, struct err *err)
{
    struct deployment draft = {.share_count = 1, .shares[0].percentage = 100}, made = {0};
    int r;

    memcpy(draft.worker_id, worker_id, ID_SIZE);
    memcpy(draft.shares[0].version_id, version_id, UUID_SIZE);
    r = deployment_create(c, &draft, &made, err);
    deployment_done(&made);
    return r;
}

static bool secrets_are(struct catalog *c, const char *version_id, const char *text)
{
    json_t *secrets = NULL;
    struct err err = {0};
    bool is_it = version_secrets(c, version_id, &secrets, &err) == 0 && is_json(secrets, text);

    json_decref(secrets);
    return is_it;
}

static void makes_finds_and_deletes_workers(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a"), *b = catalog_account(c, "b");
    struct worker w = {0}, again = {0};
    struct workers all = {0};
    struct err err = {0};
    bool is_new = false;
    char old[ID_SIZE];

    clock_fake(1763795339007);
    CHECK(worker_need(c, a, "hello", &w, &is_new, &err) == 0 && is_new);
    clock_fake(-1);
    CHECK(w.version_count == 0 && w.is_subdomain_enabled && !w.has_previews);
    CHECK(strcmp(w.account_id, a) == 0 && strlen(w.id) == 32 && is_json(w.settings, "{}"));
    CHECK(w.created_ms == 1763795339007 && w.modified_ms == w.created_ms);
    CHECK(worker_need(c, a, "hello", &again, &is_new, &err) == 0 && !is_new);
    CHECK(strcmp(w.id, again.id) == 0);
    worker_done(&again);
    CHECK(worker_find(c, b, "hello", &again, &err) == ERR_NOT_FOUND);
    CHECK(strcmp(err.text, "there is no worker 'hello'") == 0);
    worker_done(&again);
    again = make_worker(c, b, "hello");
    CHECK(strcmp(w.id, again.id) != 0);
    worker_done(&again);
    CHECK(worker_find_id(c, w.id, &again, &err) == 0 && strcmp(again.name, "hello") == 0);
    worker_done(&again);
    again = make_worker(c, a, "A_b-9");
    worker_done(&again);
    CHECK(worker_list(c, a, &all, &err) == 0 && all.count == 2);
    CHECK(strcmp(all.items[0].name, "A_b-9") == 0 && strcmp(all.items[1].name, "hello") == 0);
    workers_done(&all);
    CHECK(worker_list(c, NULL, &all, &err) == 0 && all.count == 3);
    workers_done(&all);
    CHECK(worker_set_subdomain(c, w.id, false, true, &err) == 0);
    CHECK(worker_set_subdomain(c, "x", false, true, &err) == ERR_NOT_FOUND);
    CHECK(worker_find(c, a, "hello", &again, &err) == 0);
    CHECK(!again.is_subdomain_enabled && again.has_previews && again.modified_ms > w.modified_ms);
    worker_done(&again);
    memcpy(old, w.id, ID_SIZE);
    worker_done(&w);
    CHECK(worker_delete(c, b, "A_b-9", &err) == ERR_NOT_FOUND);
    CHECK(worker_delete(c, a, "hello", &err) == 0);
    CHECK(worker_delete(c, a, "hello", &err) == ERR_NOT_FOUND);
    CHECK(worker_find_id(c, old, &again, &err) == ERR_NOT_FOUND);
    again = make_worker(c, a, "hello");
    CHECK(strcmp(old, again.id) != 0);
    worker_done(&again);
    catalog_close_test(c);
}

static void refuses_names_and_numbers(void)
{
    static const char *const BAD[] = {"", ".", "a b", "a/b", "é", "a\n", "a.b",
                                      "1234567890123456789012345678901234567890123456789012345678901234"};
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    struct worker w = {0};
    struct err err = {0};
    char name[32];

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(worker_need(c, a, BAD[i], &w, NULL, &err) == ERR_INVALID);
    CHECK(worker_need(c, "nobody", "a", &w, NULL, &err) == ERR_NOT_FOUND);
    CHECK(catalog_begin(c, &err) == 0);
    for (int i = 0; i < WORKERS_MAX; i++) {
        snprintf(name, sizeof name, "w%d", i);
        CHECK(worker_need(c, a, name, &w, NULL, &err) == 0);
        worker_done(&w);
    }
    CHECK(worker_need(c, a, "more", &w, NULL, &err) == ERR_LIMIT);
    CHECK(worker_need(c, a, "w7", &w, NULL, &err) == 0);
    worker_done(&w);
    catalog_rollback(c);
    catalog_close_test(c);
}

static void patches_settings(void)
{
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w"), now = {0};
    json_t *patch = json("{\"tags\": [\"x\"], \"logpush\": true, \"n\": {\"a\": 1}}"), *big;
    struct err err = {0};
    char *text;

    CHECK(worker_patch_settings(c, w.id, patch, &err) == 0);
    json_decref(patch);
    patch = json("{\"tags\": [], \"logpush\": null, \"never\": null}");
    CHECK(worker_patch_settings(c, w.id, patch, &err) == 0);
    CHECK(worker_find_id(c, w.id, &now, &err) == 0);
    CHECK(is_json(now.settings, "{\"tags\": [], \"n\": {\"a\": 1}}"));
    worker_done(&now);
    CHECK(worker_patch_settings(c, "nobody", patch, &err) == ERR_NOT_FOUND);
    json_decref(patch);
    patch = json("[]");
    CHECK(worker_patch_settings(c, w.id, patch, &err) == ERR_INVALID);
    json_decref(patch);
    patch = json_object();
    text = mem_alloc((1 << 20) + 1);
    memset(text, 'x', 1 << 20);
    big = json_string(text);
    json_object_set_new(patch, "big", big);
    CHECK(worker_patch_settings(c, w.id, patch, &err) == ERR_LIMIT);
    mem_free(text);
    json_decref(patch);
    worker_done(&w);
    catalog_close_test(c);
}

static void a_version_never_changes(void)
{
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w"), now = {0};
    struct version draft = {.source = "wrangler", .author = "laptop", .bundle = HASH, .main = "entry.py"};
    struct version v = {0}, found = {0};
    struct versions all = {0};
    struct err err = {0};

    CHECK(version_latest(c, w.id, &v, &err) == ERR_NOT_FOUND);
    memcpy(draft.worker_id, w.id, ID_SIZE);
    draft.metadata = json("{\"compatibility_date\": \"2024-03-29\"}");
    draft.annotations = json("{\"workers/message\": \"h\u00e9\"}");
    draft.facts = json("{\"startup_ms\": 12}");
    draft.bindings = json("[{\"name\": \"A\", \"type\": \"plain_text\", \"text\": \"x\\u0000y\"}]");
    CHECK(version_create(c, &draft, NULL, &v, &err) == 0);
    CHECK(v.number == 1 && database_is_uuid(v.id) && strcmp(v.worker_id, w.id) == 0);
    CHECK(v.created_ms > 0 && strcmp(v.source, "wrangler") == 0 && strcmp(v.author, "laptop") == 0);
    CHECK(strcmp(v.bundle, HASH) == 0 && strcmp(v.main, "entry.py") == 0);
    CHECK(json_equal(v.metadata, draft.metadata) && json_equal(v.bindings, draft.bindings));
    CHECK(json_equal(v.annotations, draft.annotations) && json_equal(v.facts, draft.facts));
    json_decref(draft.metadata);
    json_decref(draft.annotations);
    json_decref(draft.facts);
    json_decref(draft.bindings);
    CHECK(version_find(c, w.id, v.id, &found, &err) == 0 && found.number == 1);
    version_done(&found);
    CHECK(version_find(c, "other", v.id, &found, &err) == ERR_NOT_FOUND);
    CHECK(strstr(err.text, v.id));
    /* Next to nothing is enough; an id may be known before. */
    draft = (struct version){.created_ms = 5};
    memcpy(draft.worker_id, w.id, ID_SIZE);
    strcpy(draft.id, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee");
    CHECK(version_create(c, &draft, NULL, &found, &err) == 0 && found.number == 2);
    CHECK(strcmp(found.id, draft.id) == 0 && found.created_ms == 5 && !found.bundle[0]);
    CHECK(is_json(found.metadata, "{}") && is_json(found.bindings, "[]"));
    version_done(&found);
    CHECK(version_create(c, &draft, NULL, &found, &err) == ERR_LIMIT);
    strcpy(draft.id, "no uuid");
    CHECK(version_create(c, &draft, NULL, &found, &err) == ERR_INVALID);
    draft.id[0] = '\0';
    draft.bundle = (char *)"../../etc";
    CHECK(version_create(c, &draft, NULL, &found, &err) == ERR_INVALID);
    draft.bundle = NULL;
    draft.metadata = json("[]");
    CHECK(version_create(c, &draft, NULL, &found, &err) == ERR_INVALID);
    json_decref(draft.metadata);
    draft.metadata = NULL;
    strcpy(draft.worker_id, "nobody");
    CHECK(version_create(c, &draft, NULL, &found, &err) == ERR_NOT_FOUND);
    CHECK(version_latest(c, w.id, &found, &err) == 0 && found.number == 2);
    version_done(&found);
    CHECK(version_list(c, w.id, &all, &err) == 0 && all.count == 2);
    CHECK(all.items[0].number == 2 && all.items[1].number == 1);
    versions_done(&all);
    CHECK(worker_find_id(c, w.id, &now, &err) == 0 && now.version_count == 2);
    worker_done(&now);
    version_done(&v);
    worker_done(&w);
    catalog_close_test(c);
}

static void keeps_secrets_from_version_to_version(void)
{
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w"), x = make_worker(c, w.account_id, "x");
    char one[UUID_SIZE], two[UUID_SIZE], three[UUID_SIZE];
    struct version v = {0};
    struct err err = {0};

    CHECK(make_version(c, w.id,
                       "[{\"name\": \"T\", \"type\": \"secret_text\", \"text\": \"hu\\u0000sh\"},"
                       " {\"name\": \"A\", \"type\": \"plain_text\", \"text\": \"x\"},"
                       " {\"name\": \"K\", \"type\": \"secret_key\", \"format\": \"raw\", \"key_base64\": \"aGVsbG8=\"},"
                       " {\"name\": \"J\", \"type\": \"secret_key\", \"key_jwk\": {\"kty\": \"oct\", \"k\": \"aGVsbG8\"}}]",
                       NULL, one, &err) == 0);
    CHECK(secrets_are(c, one, "{\"T\": \"hu\\u0000sh\"}"));
    CHECK(version_find(c, w.id, one, &v, &err) == 0);
    CHECK(is_json(v.bindings, "[{\"name\": \"T\", \"type\": \"secret_text\"},"
                              " {\"name\": \"A\", \"type\": \"plain_text\", \"text\": \"x\"},"
                              " {\"name\": \"K\", \"type\": \"secret_key\", \"format\": \"raw\"},"
                              " {\"name\": \"J\", \"type\": \"secret_key\"}]"));
    version_done(&v);
    /* One is kept, one is new, one is gone. */
    CHECK(make_version(c, w.id,
                       "[{\"name\": \"T\", \"type\": \"secret_text\", \"text\": null},"
                       " {\"name\": \"N\", \"type\": \"secret_text\", \"text\": \"\"},"
                       " {\"name\": \"K\", \"type\": \"secret_key\"}]",
                       one, two, &err) == 0);
    CHECK(secrets_are(c, two, "{\"T\": \"hu\\u0000sh\", \"N\": \"\"}"));
    CHECK(make_version(c, w.id, "[]", two, three, &err) == 0 && secrets_are(c, three, "{}"));
    CHECK(secrets_are(c, one, "{\"T\": \"hu\\u0000sh\"}"));
    /* Nothing to keep: no base, gone in it, another kind, another worker's. */
    CHECK(make_version(c, w.id, "[{\"name\": \"T\", \"type\": \"secret_text\"}]", NULL, NULL, &err) == ERR_INVALID);
    CHECK(strcmp(err.text, "there is no secret 'T' to be kept") == 0);
    CHECK(make_version(c, w.id, "[{\"name\": \"T\", \"type\": \"secret_text\"}]", three, NULL, &err) == ERR_INVALID);
    CHECK(make_version(c, w.id, "[{\"name\": \"T\", \"type\": \"secret_key\"}]", two, NULL, &err) == ERR_INVALID);
    CHECK(make_version(c, x.id, "[{\"name\": \"T\", \"type\": \"secret_text\"}]", two, NULL, &err) == ERR_INVALID);
    /* What was refused has left nothing. */
    CHECK(version_latest(c, w.id, &v, &err) == 0 && v.number == 3);
    version_done(&v);
    CHECK(secrets_are(c, "no version", "{}"));
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

static void refuses_bindings_that_cannot_be(void)
{
    static const char *const BAD[] = {
        "{}",
        "[1]",
        "[{\"name\": \"A\"}]",
        "[{\"type\": \"json\", \"json\": 1}]",
        "[{\"name\": \"\", \"type\": \"json\", \"json\": 1}]",
        "[{\"name\": \"A\", \"type\": \"json\"}]",
        "[{\"name\": \"A\", \"type\": \"plain_text\"}]",
        "[{\"name\": \"A\", \"type\": \"plain_text\", \"text\": 1}]",
        "[{\"name\": \"A\", \"type\": \"d1\"}]",
        "[{\"name\": \"A\", \"type\": \"kv_namespace\"}]",
        "[{\"name\": \"A\", \"type\": \"inherit\"}]",
        "[{\"name\": \"A\", \"type\": \"secret_text\", \"text\": 1}]",
        "[{\"name\": \"A\", \"type\": \"json\", \"json\": 1}, {\"name\": \"A\", \"type\": \"ai\"}]",
    };
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w");
    json_t *many = json_array();
    struct err err = {0};
    char *text, name[32];

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(make_version(c, w.id, BAD[i], NULL, NULL, &err) == ERR_INVALID);
    CHECK(strcmp(err.text, "the binding 'A' is there twice") == 0);
    CHECK(make_version(c, w.id, "[{\"name\": \"A\", \"type\": \"json\", \"json\": null}, {\"name\": \"B\", \"type\": \"ai\"}]",
                       NULL, NULL, &err) == 0);
    for (int i = 0; i <= BINDINGS_MAX; i++) {
        snprintf(name, sizeof name, "B%d", i);
        json_array_append_new(many, json_pack("{s:s, s:s}", "name", name, "type", "ai"));
    }
    text = json_dumps(many, 0);
    CHECK(make_version(c, w.id, text, NULL, NULL, &err) == ERR_LIMIT);
    mem_free(text);
    json_array_remove(many, 0);
    text = json_dumps(many, 0);
    CHECK(make_version(c, w.id, text, NULL, NULL, &err) == 0);
    mem_free(text);
    json_decref(many);
    text = mem_alloc(SECRET_BYTES_MAX + 100);
    snprintf(text, SECRET_BYTES_MAX + 100, "[{\"name\": \"S\", \"type\": \"secret_text\", \"text\": \"%0*d\"}]",
             SECRET_BYTES_MAX + 1, 0);
    CHECK(make_version(c, w.id, text, NULL, NULL, &err) == ERR_LIMIT && strstr(err.text, "'S'"));
    mem_free(text);
    worker_done(&w);
    catalog_close_test(c);
}

static int run_sql(const char *sql)
{
    sqlite3 *db;
    int r = sqlite3_open("data/catalog.sqlite", &db);

    if (r == SQLITE_OK)
        r = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return r;
}

/* In no file, in no form that grep finds; and a row that was copied to another worker does not open. */
static void secrets_are_sealed_to_their_place(void)
{
    static const char PLANTED[] = "planted-8c1f0a-secret";
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w"), x = make_worker(c, w.account_id, "x");
    char one[UUID_SIZE], two[UUID_SIZE], sql[600], *file;
    json_t *secrets = NULL;
    struct err err = {0};
    FILE *f;
    size_t n;

    snprintf(sql, sizeof sql, "[{\"name\": \"S\", \"type\": \"secret_text\", \"text\": \"%s\"}]", PLANTED);
    CHECK(make_version(c, w.id, sql, NULL, one, &err) == 0);
    CHECK(make_version(c, x.id, sql, NULL, two, &err) == 0);
    file = mem_alloc(1 << 20);
    for (int i = 0; i < 2; i++) {
        f = fopen(i ? "data/catalog.sqlite-wal" : "data/catalog.sqlite", "r");
        n = f ? fread(file, 1, 1 << 20, f) : 0;
        CHECK(n > 0 && !memmem(file, n, PLANTED, sizeof PLANTED - 1));
        fclose(f);
    }
    mem_free(file);
    snprintf(sql, sizeof sql, "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE version_id = '%s')"
                              " WHERE version_id = '%s'", one, two);
    CHECK(run_sql(sql) == SQLITE_OK);
    CHECK(version_secrets(c, two, &secrets, &err) == ERR_SYSTEM && strstr(err.text, "'S' cannot be unsealed"));
    CHECK(version_secrets(c, one, &secrets, &err) == 0);
    json_decref(secrets);
    snprintf(sql, sizeof sql, "UPDATE secrets SET name = 'T' WHERE version_id = '%s'", one);
    CHECK(run_sql(sql) == SQLITE_OK);
    CHECK(version_secrets(c, one, &secrets, &err) == ERR_SYSTEM);
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

static void without_a_key_there_are_no_secrets(void)
{
    struct catalog_config config = {.data_folder = "data", .has_no_key = true};
    struct catalog *c = NULL;
    struct worker w;
    struct err err = {0};
    json_t *secrets = NULL;
    char id[UUID_SIZE];

    tree_open();
    CHECK(catalog_open(&config, &c, &err) == 0);
    w = make_worker(c, catalog_account(c, "a"), "w");
    CHECK(make_version(c, w.id, "[{\"name\": \"S\", \"type\": \"secret_text\", \"text\": \"x\"}]", NULL, NULL, &err) ==
          ERR_INVALID);
    CHECK(make_version(c, w.id, "[]", NULL, id, &err) == 0);
    CHECK(version_secrets(c, id, &secrets, &err) == ERR_INVALID);
    worker_done(&w);
    catalog_close_test(c);
}

static void the_newest_deployment_counts(void)
{
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w"), x = make_worker(c, w.account_id, "x");
    struct deployment draft = {.source = "wrangler", .author = "laptop", .share_count = 2}, d = {0};
    static const double BAD[][2] = {{0, 100}, {-1, 101}, {50, 49}, {60, 60}, {100, 1e-9 - 1}, {0.0 / 0.0, 100}};
    char one[UUID_SIZE], two[UUID_SIZE], other[UUID_SIZE];
    struct deployments all = {0};
    struct err err = {0};

    CHECK(make_version(c, w.id, "[]", NULL, one, &err) == 0 && make_version(c, w.id, "[]", NULL, two, &err) == 0);
    CHECK(make_version(c, x.id, "[]", NULL, other, &err) == 0);
    CHECK(deployment_latest(c, w.id, &d, &err) == ERR_NOT_FOUND);
    CHECK(deploy(c, w.id, one, &err) == 0);
    memcpy(draft.worker_id, w.id, ID_SIZE);
    strcpy(draft.shares[0].version_id, one);
    strcpy(draft.shares[1].version_id, two);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        draft.shares[0].percentage = BAD[i][0];
        draft.shares[1].percentage = BAD[i][1];
        CHECK(deployment_create(c, &draft, &d, &err) == ERR_INVALID);
    }
    draft.shares[0].percentage = 100.0 / 3;
    draft.shares[1].percentage = 66.6666667;
    draft.annotations = json("{\"workers/message\": \"half\"}");
    CHECK(deployment_create(c, &draft, &d, &err) == 0);
    CHECK(d.share_count == 2 && database_is_uuid(d.id) && d.created_ms > 0);
    CHECK(strcmp(d.shares[0].version_id, one) == 0 && d.shares[0].percentage == 100.0 / 3);
    CHECK(strcmp(d.source, "wrangler") == 0 && strcmp(d.author, "laptop") == 0);
    CHECK(json_equal(d.annotations, draft.annotations));
    json_decref(draft.annotations);
    draft.annotations = NULL;
    deployment_done(&d);
    strcpy(draft.shares[1].version_id, one);
    CHECK(deployment_create(c, &draft, &d, &err) == ERR_INVALID && strstr(err.text, "twice"));
    strcpy(draft.shares[1].version_id, other);
    CHECK(deployment_create(c, &draft, &d, &err) == ERR_NOT_FOUND && strstr(err.text, other));
    draft.share_count = 0;
    CHECK(deployment_create(c, &draft, &d, &err) == ERR_INVALID);
    CHECK(deploy(c, "nobody\0______________________________", one, &err) == ERR_NOT_FOUND);
    CHECK(deployment_list(c, w.id, &all, &err) == 0 && all.count == 2);
    CHECK(all.items[0].share_count == 2 && all.items[1].share_count == 1);
    deployments_done(&all);
    CHECK(deployment_latest(c, w.id, &d, &err) == 0 && d.share_count == 2);
    deployment_done(&d);
    CHECK(deployment_list(c, x.id, &all, &err) == 0 && all.count == 0);
    worker_done(&x);
    worker_done(&w);
    catalog_close_test(c);
}

/* A version and its deployment: both, or none. */
static void a_deploy_is_one_transaction(void)
{
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w");
    char id[UUID_SIZE];
    struct deployment d = {0};
    struct version v = {0};
    struct err err = {0};

    CHECK(catalog_begin(c, &err) == 0 && make_version(c, w.id, "[]", NULL, id, &err) == 0);
    CHECK(deploy(c, w.id, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", &err) == ERR_NOT_FOUND);
    catalog_rollback(c);
    CHECK(version_latest(c, w.id, &v, &err) == ERR_NOT_FOUND);
    CHECK(catalog_begin(c, &err) == 0 && make_version(c, w.id, "[]", NULL, id, &err) == 0);
    CHECK(deploy(c, w.id, id, &err) == 0 && catalog_commit(c, &err) == 0);
    CHECK(deployment_latest(c, w.id, &d, &err) == 0);
    CHECK(version_find(c, w.id, d.shares[0].version_id, &v, &err) == 0 && v.number == 1);
    version_done(&v);
    deployment_done(&d);
    worker_done(&w);
    catalog_close_test(c);
}

static void forgets_old_versions_and_deployments(void)
{
    enum { DEPLOYMENTS_HOLD = 10, MORE = 30 };
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w");
    char ids[VERSIONS_KEPT + MORE][UUID_SIZE];
    struct deployments deployments = {0};
    struct versions versions = {0};
    struct version v = {0};
    struct err err = {0};

    CHECK(catalog_begin(c, &err) == 0);
    /* Ten are deployed, and many are uploaded after them. */
    for (int i = 0; i < VERSIONS_KEPT + MORE; i++) {
        CHECK(make_version(c, w.id, i == 5 ? "[{\"name\": \"S\", \"type\": \"secret_text\", \"text\": \"s\"}]" : "[]",
                           NULL, ids[i], &err) == 0);
        if (i < DEPLOYMENTS_HOLD)
            CHECK(deploy(c, w.id, ids[i], &err) == 0);
    }
    CHECK(version_list(c, w.id, &versions, &err) == 0);
    CHECK(versions.count == VERSIONS_KEPT + DEPLOYMENTS_HOLD);
    CHECK(versions.items[0].number == VERSIONS_KEPT + MORE);
    versions_done(&versions);
    CHECK(secrets_are(c, ids[5], "{\"S\": \"s\"}"));
    /* One more deployment, and the first of the ten is not held any more. */
    CHECK(deploy(c, w.id, ids[50], &err) == 0);
    CHECK(make_version(c, w.id, "[]", NULL, NULL, &err) == 0);
    CHECK(version_find(c, w.id, ids[0], &v, &err) == ERR_NOT_FOUND);
    CHECK(version_find(c, w.id, ids[1], &v, &err) == 0);
    version_done(&v);
    for (int i = 0; i < DEPLOYMENTS_KEPT; i++)
        CHECK(deploy(c, w.id, ids[60 + i % 20], &err) == 0);
    CHECK(deployment_list(c, w.id, &deployments, &err) == 0 && deployments.count == DEPLOYMENTS_KEPT);
    CHECK(strcmp(deployments.items[0].shares[0].version_id, ids[60 + (DEPLOYMENTS_KEPT - 1) % 20]) == 0);
    deployments_done(&deployments);
    CHECK(make_version(c, w.id, "[]", NULL, NULL, &err) == 0);
    CHECK(version_find(c, w.id, ids[5], &v, &err) == ERR_NOT_FOUND);
    CHECK(secrets_are(c, ids[5], "{}"));
    CHECK(catalog_commit(c, &err) == 0);
    worker_done(&w);
    catalog_close_test(c);
}

static int64_t rows(const char *table)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    char sql[100];
    int64_t n = -1;

    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    if (sqlite3_open("data/catalog.sqlite", &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static void nothing_is_left_of_a_deleted_worker(void)
{
    static const char *const TABLES[] = {"workers", "versions", "secrets", "deployments", "shares",
                                         "routes",  "schedules", "quotas"};
    static const char *const PATTERN[] = {"example.com/*"}, *const ZONE[] = {"example.com"}, *const CRON[] = {"* * * * *"};
    struct catalog *c = catalog_of_test();
    struct worker w = make_worker(c, catalog_account(c, "a"), "w");
    struct quota quota = {5, -1};
    struct usage use[] = {{.day = 20000, .requests = 3, .errors = 1, .cpu_us = 7}, {.day = 20000, .requests = 10}}, *day = NULL;
    char id[UUID_SIZE];
    struct err err = {0};
    size_t count = 0;

    CHECK(make_version(c, w.id, "[{\"name\": \"S\", \"type\": \"secret_text\", \"text\": \"s\"}]", NULL, id, &err) == 0);
    CHECK(deploy(c, w.id, id, &err) == 0);
    CHECK(route_replace(c, w.account_id, w.id, 0, PATTERN, ZONE, 1, &err) == 0);
    CHECK(schedule_replace(c, w.id, CRON, 1, &err) == 0);
    CHECK(quota_set(c, w.account_id, w.id, &quota, &err) == 0);
    for (int i = 0; i < 2; i++) {
        memcpy(use[i].account_id, w.account_id, ID_SIZE);
        memcpy(use[i].worker_id, w.id, ID_SIZE);
    }
    strcpy(use[1].worker_id, "deleted long ago");
    CHECK(usage_add(c, use, 2, &err) == 0);
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
        CHECK(rows(TABLES[i]) == 1);
    CHECK(rows("usage") == 2);
    CHECK(worker_delete(c, w.account_id, "w", &err) == 0);
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
        CHECK(rows(TABLES[i]) == 0);
    /* But the account has used what it has used. */
    CHECK(usage_of_day(c, 20000, &day, &count, &err) == 0 && count == 1);
    CHECK(day[0].worker_id[0] == '\0' && day[0].requests == 13 && day[0].errors == 1 && day[0].cpu_us == 7);
    mem_free(day);
    worker_done(&w);
    catalog_close_test(c);
}

static int walk_version(struct catalog *c, const struct version *draft, const char *base, struct err *err)
{
    struct version made = {0};
    int r = version_create(c, draft, base, &made, err);

    if (r == 0)
        CHECK(json_equal(made.metadata, draft->metadata) && json_array_size(made.bindings) == 3);
    version_done(&made);
    return r;
}

static void runs_out_of_memory_without_a_trace(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    struct worker w = {0}, found = {0};
    struct workers workers = {0};
    struct version draft = {.bundle = HASH};
    struct versions versions = {0};
    struct deployment d = {.share_count = 1, .shares[0].percentage = 100}, made = {0};
    struct deployments deployments = {0};
    json_t *patch = json("{\"a\": {\"b\": [1, 2]}, \"c\": null}"), *secrets = NULL;
    struct err err = {0};
    char base[UUID_SIZE];

    WALK_NOMEM(worker_need(c, a, "w", &w, NULL, &err));
    CHECK(make_version(c, w.id, "[{\"name\": \"S\", \"type\": \"secret_text\", \"text\": \"s\"}]", NULL, base, &err) == 0);
    memcpy(draft.worker_id, w.id, ID_SIZE);
    draft.metadata = json("{\"compatibility_date\": \"2024-03-29\", \"limits\": {\"cpu_ms\": 50}}");
    draft.bindings = json("[{\"name\": \"S\", \"type\": \"secret_text\"}, {\"name\": \"T\", \"type\": \"secret_text\", \"text\": \"t\"},"
                          " {\"name\": \"K\", \"type\": \"secret_key\", \"key_jwk\": {\"kty\": \"oct\"}}]");
    WALK_NOMEM(walk_version(c, &draft, base, &err));
    CHECK(version_list(c, w.id, &versions, &err) == 0 && versions.count == 2);
    versions_done(&versions);
    WALK_NOMEM(version_list(c, w.id, &versions, &err));
    CHECK(versions.count == 2);
    CHECK(secrets_are(c, versions.items[0].id, "{\"S\": \"s\", \"T\": \"t\"}"));
    WALK_NOMEM(version_secrets(c, versions.items[0].id, &secrets, &err));
    CHECK(json_object_size(secrets) == 2);
    json_decref(secrets);
    memcpy(d.worker_id, w.id, ID_SIZE);
    memcpy(d.shares[0].version_id, versions.items[0].id, UUID_SIZE);
    versions_done(&versions);
    WALK_NOMEM(deployment_create(c, &d, &made, &err));
    deployment_done(&made);
    WALK_NOMEM(deployment_list(c, w.id, &deployments, &err));
    CHECK(deployments.count == 1);
    deployments_done(&deployments);
    WALK_NOMEM(worker_patch_settings(c, w.id, patch, &err));
    WALK_NOMEM(worker_find(c, a, "w", &found, &err));
    CHECK(is_json(found.settings, "{\"a\": {\"b\": [1, 2]}}"));
    worker_done(&found);
    WALK_NOMEM(worker_list(c, NULL, &workers, &err));
    workers_done(&workers);
    WALK_NOMEM(worker_delete(c, a, "w", &err));
    json_decref(patch);
    json_decref(draft.metadata);
    json_decref(draft.bindings);
    worker_done(&w);
    catalog_close_test(c);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"makes_finds_and_deletes_workers", makes_finds_and_deletes_workers},
        {"refuses_names_and_numbers", refuses_names_and_numbers},
        {"patches_settings", patches_settings},
        {"a_version_never_changes", a_version_never_changes},
        {"keeps_secrets_from_version_to_version", keeps_secrets_from_version_to_version},
        {"refuses_bindings_that_cannot_be", refuses_bindings_that_cannot_be},
        {"secrets_are_sealed_to_their_place", secrets_are_sealed_to_their_place},
        {"without_a_key_there_are_no_secrets", without_a_key_there_are_no_secrets},
        {"the_newest_deployment_counts", the_newest_deployment_counts},
        {"a_deploy_is_one_transaction", a_deploy_is_one_transaction},
        {"forgets_old_versions_and_deployments", forgets_old_versions_and_deployments},
        {"nothing_is_left_of_a_deleted_worker", nothing_is_left_of_a_deleted_worker},
        {"runs_out_of_memory_without_a_trace", runs_out_of_memory_without_a_trace},
        {0},
    };

    return test_main("catalog_worker", TESTS, argc, argv);
}

/* live_live.c - src/live from its opening to its closing: versions, checks, switches; only the front is played. */
#include "live_node.h"

static void before_it_is_read_it_says_503(void)
{
    CHECK(says("http://first.main.test/", NULL, NULL, 503, "coming up"));
    load();
    CHECK(says("http://first.main.test/", NULL, NULL, 404, "Nothing is deployed"));
}

static void a_worker_answers_and_a_change_switches(void)
{
    char id[ID_SIZE];
    struct heard old, new;

    deploy("first", "one", id);
    CHECK(says("http://first.main.test/", NULL, NULL, 200, "one"));
    CHECK(says("http://FIRST.Main.test.:8080/x?y", NULL, NULL, 200, "one"));
    CHECK(says("http://second.main.test/", NULL, NULL, 404, ""));
    CHECK(says("http://first.other.test/", NULL, NULL, 404, ""));
    CHECK(says("http://first.main.test.evil/", NULL, NULL, 404, ""));
    begin(&old, "http://first.main.test/", NULL, NULL);
    deploy("first", "two", id);
    begin(&new, "http://first.main.test/", NULL, NULL);
    end(&old);
    end(&new);
    CHECK(span_is(buf_span(&old.body), "one") && span_is(buf_span(&new.body), "two"));
    buf_done(&old.body);
    buf_done(&new.body);
    CHECK(live->open_rooms == 1);
}

static void it_comes_up_again_out_of_the_catalog(void)
{
    close_live();
    open_live();
    load();
    CHECK(live->open_rooms == 0);
    CHECK(says("http://first.main.test/", NULL, NULL, 200, "two"));
}

static void changes_that_come_faster_than_they_are_read_are_all_told(void)
{
    enum { TIMES = 8 };
    bool is_done[TIMES] = {false};
    char id[ID_SIZE], versions[TIMES][UUID_SIZE];

    need_worker("first", id);
    for (int i = 0; i < TIMES; i++) {
        char word[8], *code;
        snprintf(word, sizeof word, "n%d", i);
        code = code_for(word);
        make_version(id, code, NULL, versions[i]);
        deploy_two(id, versions[i], 100, NULL);
        live_changed(live, account.id, id, on_done, &is_done[i]);
        mem_free(code);
    }
    for (int i = 0; i < TIMES; i++)
        run_until(&is_done[i]);
    CHECK(says("http://first.main.test/", NULL, NULL, 200, "n7"));
    CHECK(live->open_rooms == 1);
}

static void on_refused(void *self, const struct err *err)
{
    CHECK(err != NULL);
    *(bool *)self = true;
}

static void run_sql(const char *sql)
{
    char path[PATH_MAX];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/catalog.sqlite", root);
    CHECK(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_busy_timeout(db, 20 * 1000) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static void what_cannot_be_read_is_read_again(void)
{
    char id[ID_SIZE], version_id[UUID_SIZE], *code = code_for("n7");
    struct live_worker *worker;
    bool is_done = false;

    need_worker("first", id);
    make_version(id, code, NULL, version_id);
    deploy_two(id, version_id, 100, NULL);
    run_sql("ALTER TABLE schedules RENAME TO schedules_away");
    live_changed(live, account.id, id, on_refused, &is_done);
    run_until(&is_done);
    CHECK(says("http://first.main.test/", NULL, NULL, 200, "n7"));
    run_sql("ALTER TABLE schedules_away RENAME TO schedules");
    worker = live_worker_find_id(live, id);
    while (strcmp(worker->shares[0].version->id, version_id) != 0)
        uv_run(&loop, UV_RUN_ONCE);
    mem_free(code);
}

static void two_versions_share_by_percent_key_and_name(void)
{
    char id[ID_SIZE], a[UUID_SIZE], b[UUID_SIZE], header[128];
    char *one = code_for("A"), *two = code_for("B");
    int hits = 0;

    need_worker("shared", id);
    make_version(id, one, NULL, a);
    make_version(id, two, NULL, b);
    deploy_two(id, a, 30, b);
    change(id);
    struct live_worker *worker = live_worker_find_id(live, id);
    for (int i = 0; i < 2000; i++)
        hits += strcmp(live_choose(worker)->id, a) == 0;
    CHECK(hits > 480 && hits < 720);
    snprintf(header, sizeof header, "other=\"x\", shared=\"%s\"", a);
    for (int i = 0; i < 4; i++)
        CHECK(says("http://shared.main.test/", "Cloudflare-Workers-Version-Overrides", header, 200,
                   "A"));
    snprintf(header, sizeof header, "shared=\"%s\"", b);
    CHECK(says("http://shared.main.test/", "cloudflare-workers-version-overrides", header, 200,
               "B"));
    for (int key = 0; key < 20; key++) {
        struct buf pairs = {0};
        char text[16];
        snprintf(text, sizeof text, "user-%d", key);
        CHECK(pairs_add(&pairs, SPAN("Cloudflare-Workers-Version-Key"), span_of(text)) == 0);
        struct request request = {.headers = {buf_span(&pairs), 1}};
        struct live_version *first = choice_make(worker, &request);
        for (int i = 0; i < 5; i++)
            CHECK(choice_make(worker, &request) == first);
        buf_done(&pairs);
    }
    mem_free(one);
    mem_free(two);
}

static void finds_overrides_in_a_list(void)
{
    CHECK(span_is(choice_override(SPAN("a=\"1\" ,b=\"2\""), "b"), "2"));
    CHECK(span_is(choice_override(SPAN("a=\"1\",b=\"2\""), "a"), "1"));
    CHECK(span_is(choice_override(SPAN("ab=\"1\",,=,\"\""), "b"), ""));
    CHECK(span_is(choice_override(SPAN("b=2"), "b"), ""));
    CHECK(span_is(choice_override(SPAN("b=\""), "b"), ""));
}

struct verdict {
    bool is_told, is_good;
    int startup_ms, code;
    uint32_t handlers;
    char text[4096];
};

static void on_verdict(void *self, struct live_check *check, const struct live_verdict *v)
{
    struct verdict *told = self;

    (void)check;
    told->is_told = true;
    told->is_good = v->is_good;
    told->startup_ms = v->startup_ms;
    told->code = v->code;
    told->handlers = v->handlers;
    snprintf(told->text, sizeof told->text, "%.*s", SPAN_ARG(v->message));
}

/* Takes bindings. */
static struct live_check *check_begin(const char *name, const char *code, json_t *bindings,
                                      const char *version_id, struct verdict *told)
{
    char hash[BUNDLE_HASH_SIZE], *folder = NULL;
    struct err err = {0};
    struct live_check *check = NULL;
    json_t *about = metadata();

    put_bundle(code, hash);
    CHECK(bundles_folder(catalog, hash, &folder, &err) == 0);
    const struct live_candidate candidate = {.account_id = account.id,
                                             .worker_name = name,
                                             .folder = folder,
                                             .main = "entry.py",
                                             .metadata = about,
                                             .bindings = bindings,
                                             .version_id = version_id,
                                             .created_ms = 1000,
                                             .tag = "v1"};
    memset(told, 0, sizeof *told);
    CHECK(live_check(live, &candidate, on_verdict, told, &check, &err) == 0);
    CHECK(!told->is_told);
    json_decref(bindings);
    json_decref(about);
    mem_free(folder);
    return check;
}

static void what_does_not_load_is_told_with_its_traceback(void)
{
    struct verdict told;
    struct live_check *check =
        check_begin("bad", "import nothing_of_this_name\n", json_array(), NULL, &told);

    run_until(&told.is_told);
    CHECK(!told.is_good && told.code == 10021);
    CHECK(strstr(told.text, "Traceback") && strstr(told.text, "nothing_of_this_name"));
    live_dismiss(check);
    check = check_begin("bad", "def f(:\n", json_array(), NULL, &told);
    run_until(&told.is_told);
    CHECK(!told.is_good && strstr(told.text, "SyntaxError"));
    live_dismiss(check);
    /* Given up before anybody knows. */
    check = check_begin("bad", "x = 1\n", json_array(), NULL, &told);
    live_dismiss(check);
    CHECK(live->check_count == 0);
}

static void bindings_that_lead_nowhere_are_refused(void)
{
    struct verdict told;
    struct live_check *check = check_begin(
        "bad", "x = 1\n",
        json_pack("[{s:s,s:s,s:s}]", "name", "KV", "type", "kv_namespace", "namespace_id", "1"),
        NULL, &told);

    run_until(&told.is_told);
    CHECK(!told.is_good && told.code == 10021);
    CHECK(strstr(told.text, "'KV'") && strstr(told.text, "kv_namespace"));
    live_dismiss(check);
    check = check_begin("bad", "x = 1\n",
                        json_pack("[{s:s,s:s,s:s}]", "name", "DB", "type", "d1", "id",
                                  "01234567-89ab-4cde-8f01-23456789abcd"),
                        NULL, &told);
    run_until(&told.is_told);
    CHECK(!told.is_good && told.code == 10181 && strstr(told.text, "'DB'"));
    live_dismiss(check);
}

static void a_candidate_becomes_a_version_with_its_pool(void)
{
    static const char CODE[] = "from workers import Response\n"
                               "def on_fetch(request, env):\n"
                               "    m = env.META\n"
                               "    return Response(f'{m.id} {m.tag} {m.timestamp} {env.TEXT} "
                               "{env.OBJ.a} {env.S}')\n";
    char id[ID_SIZE], version_id[UUID_SIZE], hash[BUNDLE_HASH_SIZE], expected[256];
    struct verdict told;
    struct err err = {0};
    json_t *bindings =
        json_pack("[{s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:{s:i}},{s:s,s:s,s:s}]", "name", "META",
                  "type", "version_metadata", "name", "TEXT", "type", "plain_text", "text",
                  "hello", "name", "OBJ", "type", "json", "json", "a", 5, "name", "S", "type",
                  "secret_text", "text", "hush");
    json_t *secrets = json_pack("{s:s}", "S", "hush"), *about = metadata();
    struct live_check *check = NULL;
    char *folder = NULL;

    need_worker("adopted", id);
    CHECK(database_make_uuid(version_id, &err) == 0);
    put_bundle(CODE, hash);
    CHECK(bundles_folder(catalog, hash, &folder, &err) == 0);
    struct version draft = {.source = (char *)"api",
                            .bundle = hash,
                            .main = (char *)"entry.py",
                            .metadata = about,
                            .bindings = bindings,
                            .created_ms = 1000,
                            .annotations = json_pack("{s:s}", "workers/tag", "v1")},
                   made = {0};
    const struct live_candidate candidate = {account.id, "adopted", folder, "entry.py", about,
                                             bindings, secrets, version_id, 1000, "v1"};
    memset(&told, 0, sizeof told);
    CHECK(live_check(live, &candidate, on_verdict, &told, &check, &err) == 0);
    run_until(&told.is_told);
    CHECK(told.is_good && told.startup_ms > 0 && told.handlers & HANDLER_FETCH);
    memcpy(draft.worker_id, id, ID_SIZE);
    memcpy(draft.id, version_id, UUID_SIZE);
    CHECK(version_create(catalog, &draft, NULL, &made, &err) == 0);
    CHECK(strcmp(made.id, version_id) == 0 && made.created_ms == 1000);
    deploy_two(id, version_id, 100, NULL);
    unsigned rooms = live->open_rooms;
    live_adopt(check, id, version_id);
    CHECK(live->open_rooms == rooms + 1);
    change(id);
    CHECK(live->open_rooms == rooms + 1);
    snprintf(expected, sizeof expected, "%s v1 1970-01-01T00:00:01.000Z hello 5 hush", version_id);
    CHECK(says("http://adopted.main.test/", NULL, NULL, 200, expected));
    /* The same out of the catalog. */
    live_version_retire(live_version_find(live_worker_find_id(live, id), version_id));
    CHECK(says("http://adopted.main.test/", NULL, NULL, 200, expected));
    version_done(&made);
    json_decref(draft.annotations);
    json_decref(bindings);
    json_decref(secrets);
    json_decref(about);
    mem_free(folder);
}

static void only_so_many_are_open_and_the_longest_idle_goes(void)
{
    char id[ID_SIZE], host[64];

    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "many-%d", i);
        deploy(name, name, id);
        CHECK(live->open_rooms <= 4);
    }
    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "many-%d", i);
        snprintf(host, sizeof host, "http://%s.main.test/", name);
        CHECK(says(host, NULL, NULL, 200, name));
        CHECK(live->open_rooms <= 4);
    }
}

static void a_version_that_is_gone_says_500_and_hurts_nobody(void)
{
    char id[ID_SIZE], version_id[UUID_SIZE];

    need_worker("broken", id);
    make_version(id, "import nothing_of_this_name\n", NULL, version_id);
    deploy_two(id, version_id, 100, NULL);
    change(id);
    CHECK(says("http://broken.main.test/", NULL, NULL, 500, "nothing_of_this_name"));
    CHECK(says("http://broken.main.test/", NULL, NULL, 500, "nothing_of_this_name"));
    CHECK(says("http://first.main.test/", NULL, NULL, 200, "n7"));
}

static void what_is_idle_is_closed(void)
{
    live->config.pool_idle_ms = 1;
    RING_EACH(at, &live->recent)
        RING_OF(at, struct live_version, recent)->bad_ms = 0; /* it may be tried again */
    while (live->open_rooms > 0 && uv_run(&loop, UV_RUN_ONCE))
        ;
    while (live_account_find(live, account.id)->herd && uv_run(&loop, UV_RUN_ONCE))
        ;
    live->config.pool_idle_ms = 60000;
    CHECK(says("http://first.main.test/", NULL, NULL, 200, "n7"));
}

static void a_worker_that_is_deleted_is_gone(void)
{
    struct err err = {0};
    struct heard reply;
    char id[ID_SIZE];

    need_worker("first", id);
    begin(&reply, "http://first.main.test/", NULL, NULL);
    CHECK(worker_delete(catalog, account.id, "first", &err) == 0);
    change(id);
    CHECK(says("http://first.main.test/", NULL, NULL, 404, "Nothing"));
    end(&reply);
    CHECK(reply.status == 200);
    buf_done(&reply.body);
    change(id);
    CHECK(live_worker_find_id(live, id) == NULL);
}

static void closing_while_things_start_is_fine(void)
{
    struct heard reply;
    struct verdict told;

    begin(&reply, "http://shared.main.test/", NULL, NULL);
    (void)check_begin("late", "x = 1\n", json_array(), NULL, &told);
    /* The front has gone before. */
    call_abort(reply.call, RESET_CLIENT_GONE);
    reply.is_over = true;
    end(&reply);
    close_live();
    open_live();
    load();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(before_it_is_read_it_says_503),
        T(a_worker_answers_and_a_change_switches),
        T(it_comes_up_again_out_of_the_catalog),
        T(changes_that_come_faster_than_they_are_read_are_all_told),
        T(what_cannot_be_read_is_read_again),
        T(two_versions_share_by_percent_key_and_name),
        T(finds_overrides_in_a_list),
        T(what_does_not_load_is_told_with_its_traceback),
        T(bindings_that_lead_nowhere_are_refused),
        T(a_candidate_becomes_a_version_with_its_pool),
        T(only_so_many_are_open_and_the_longest_idle_goes),
        T(a_version_that_is_gone_says_500_and_hurts_nobody),
        T(what_is_idle_is_closed),
        T(a_worker_that_is_deleted_is_gone),
        T(closing_while_things_start_is_fine),
        {0},
    };

    return live_main("live_live", TESTS, argc, argv);
}

/* store_transaction.c - many calls in one transaction, each with a savepoint of its own; what ends
 * it; positions and bookmarks; what connections share. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "store_database.h"

static const struct engine_config PLAIN = {.sync = ENGINE_SYNC_NORMAL};

static void begin(void)
{
    struct err err = {0};

    CHECK(connection_begin(writer, &err) == 0);
}

static void commit(void)
{
    struct err err = {0};

    CHECK(connection_commit(writer, &err) == 0);
    CHECK(!connection_is_inside(writer));
}

/* One call: what its statement answers, or why it cannot be released. */
static const char *call(const char *sql)
{
    static struct err err;
    const char *text;

    CHECK(connection_mark(writer, &err) == 0);
    text = run_with(writer, span_of(sql), SPAN(""), 0);
    if (text[0] == '!')
        connection_rollback_to_mark(writer);
    else if (connection_release(writer, &err) < 0) {
        connection_rollback_to_mark(writer);
        return err.text;
    }
    return text;
}

static void a_failed_call_leaves_the_others(void)
{
    database_make(&PLAIN);
    IS(put("create table t(a unique)"), "");
    begin();
    IS(call("insert into t values (1)"), "");
    IS(call("insert into t values (2), (1)"),
       "! UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)");
    IS(call("insert into t values (3)"), "");
    IS(ask("select count(*) from t"), "0;");
    CHECK(connection_is_inside(writer));
    commit();
    IS(ask("select a from t"), "1;3;");
    database_remove();
}

static void sql_can_end_it_for_all(void)
{
    database_make(&PLAIN);
    IS(put("create table t(a unique)"), "");
    begin();
    IS(call("insert into t values (1)"), "");
    CHECK(call("insert or rollback into t values (1)")[0] == '!');
    CHECK(!connection_is_inside(writer));
    IS(ask("select count(*) from t"), "0;");
    IS(put("insert into t values (1)"), "");
    database_remove();
}

static void deferred_keys_fail_their_own_call(void)
{
    database_make(&PLAIN);
    IS(put("create table p(a primary key)"), "");
    IS(put("create table c(a references p(a) deferrable initially deferred)"), "");
    IS(put("create table i(a references p(a))"), "");
    begin();
    IS(call("insert into p values (1)"), "");
    IS(call("insert into c values (2)"),
       "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)");
    IS(call("insert into c values (1)"), "");
    /* what one call defers is not deferred for the next */
    IS(call("pragma defer_foreign_keys = on; insert into i values (9); insert into p values (9)"),
       "");
    IS(call("pragma defer_foreign_keys"), "0;");
    CHECK(call("insert into i values (8)")[0] == '!');
    commit();
    IS(ask("select count(*) from c"), "1;");
    IS(ask("select a from i"), "9;");
    database_remove();
}

static void says_what_is_full(void)
{
    const struct engine_config small = {.size_max_bytes = 40 * 4096};

    database_make(&small);
    IS(put("create table t(a)"), "");
    IS(put("insert into t values (zeroblob(1000000))"), "! Exceeded maximum DB size.");
    IS(put("insert into t values (1)"), "");
    IS(put("with recursive c(x) as (select 1 union all select x + 1 from c) insert into t select x "
           "from c"),
       "! Exceeded maximum DB size.");
    IS(ask("select * from t"), "1;");
    IS(put("create table n(a integer primary key autoincrement)"), "");
    IS(put("insert into n values (9223372036854775807)"), "");
    IS(put("insert into n values (null)"), "! database or disk is full: SQLITE_FULL");
    database_remove();
}

/* More than fits into memory is undone from a file. */
static void undoes_much(void)
{
    database_make(&(struct engine_config){.heap_max_bytes = 40 << 20});
    IS(put("create table t(a integer primary key, b)"), "");
    IS(put("with recursive c(x) as (select 1 union all select x + 1 from c where x < 6000) insert "
           "into t select x, zeroblob(6000) from c"),
       "");
    begin();
    IS(call("update t set b = zeroblob(6001)"), "");
    IS(call("update t set b = zeroblob(6002) where a > 0; select nope"),
       "! no such column: nope at offset 7: SQLITE_ERROR");
    IS(call("select count(*), min(length(b)), max(length(b)) from t"), "6000,6001,6001;");
    connection_rollback(writer);
    IS(ask("select count(*), min(length(b)), max(length(b)) from t"), "6000,6000,6000;");
    database_remove();
}

static void bookmark_grows(char last[static ENGINE_BOOKMARK + 1])
{
    char now[ENGINE_BOOKMARK + 1];

    engine_bookmark(now);
    CHECK(engine_is_bookmark(span_of(now)));
    if (strcmp(now, last) <= 0) {
        CHECK(strcmp(now, last) > 0);
        printf("  %s\n  %s\n", last, now);
    }
    memcpy(last, now, sizeof now);
}

static void positions_grow_over_everything(void)
{
    char last[ENGINE_BOOKMARK + 1] = "", same[ENGINE_BOOKMARK + 1];
    uint32_t frames;

    database_make(&PLAIN);
    IS(put("create table t(a)"), "");
    bookmark_grows(last);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 5; i++) {
            IS(put("insert into t values (1)"), "");
            bookmark_grows(last);
        }
        IS(ask("select count(*) from t where a = 2"), "0;");
        engine_bookmark(same);
        IS(same, last);
        frames = engine_wal_frames();
        CHECK(frames > 0);
        connection_checkpoint(reader);
        CHECK(engine_wal_frames() == 0);
        if (round % 2) { /* the WAL begins again, or anew */
            database_close();
            database_open_as(&PLAIN);
            engine_bookmark(same);
            CHECK(strcmp(same, last) >= 0);
        }
    }
    CHECK(strncmp(last + 27, same + 27, 32) == 0);
    CHECK(!engine_is_bookmark(SPAN("first-primary")));
    CHECK(!engine_is_bookmark((struct span){last, ENGINE_BOOKMARK - 1}));
    last[3] = 'G';
    CHECK(!engine_is_bookmark(span_of(last)));
    database_remove();
}

/* Killed, not closed: the WAL is there, and so is what it holds. */
static void positions_grow_over_a_crash(void)
{
    char last[ENGINE_BOOKMARK + 1] = "", line[ENGINE_BOOKMARK + 1] = "";
    int out[2], status;
    pid_t pid;

    database_make(&PLAIN);
    IS(put("create table t(a)"), "");
    bookmark_grows(last);
    database_close();
    for (int round = 0; round < 3; round++) {
        CHECK(pipe(out) == 0);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            database_open_as(&PLAIN);
            put("insert into t values (1)");
            engine_bookmark(line);
            _exit(write(out[1], line, sizeof line) != sizeof line);
        }
        CHECK(read(out[0], line, sizeof line) == sizeof line);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        CHECK(strcmp(line, last) > 0);
        memcpy(last, line, sizeof last);
        close(out[0]);
        close(out[1]);
    }
    database_open_as(&PLAIN);
    engine_bookmark(line);
    IS(line, last);
    IS(ask("select count(*) from t"), "3;");
    database_remove();
}

static void connections_share_settings(void)
{
    database_make(&PLAIN);
    IS(ask("select 'a' like 'A'"), "1;");
    IS(put("pragma case_sensitive_like = on"), "");
    IS(ask("select 'a' like 'A'"), "0;");
    IS(put("pragma recursive_triggers = yes"), "");
    IS(ask("pragma recursive_triggers"), "1;");
    IS(put("pragma recursive_triggers = 0"), "");
    IS(ask("pragma recursive_triggers"), "0;");
    IS(put("pragma foreign_keys = off"), "");
    IS(put("pragma foreign_keys"), "1;");
    database_remove();
}

static int is_read(const char *sql)
{
    struct err err = {0};

    return connection_is_read(reader, span_of(sql), &err);
}

static void knows_what_reads(void)
{
    database_make(&PLAIN);
    IS(put("create table t(a)"), "");
    CHECK(is_read("select * from t") == 1);
    CHECK(is_read("select * from t") == 1);
    CHECK(is_read("pragma table_info(t)") == 1);
    CHECK(is_read("explain select 1") == 1);
    CHECK(is_read("insert into t values (1)") == 0);
    CHECK(is_read("select 1; select 2") == 0);
    CHECK(is_read("select last_insert_rowid()") == 0);
    CHECK(is_read("pragma case_sensitive_like = on") == 0);
    CHECK(is_read("vacuum") == 0);
    CHECK(is_read("select * from nothing") < 0);
    IS(ask("insert into t values (1)"), "! attempt to write a readonly database: SQLITE_READONLY");
    IS(put("insert into t values (5)"), "");
    IS(put("select last_insert_rowid(), changes()"), "1,1;");
    IS(ask("select 1"), "1;");
    CHECK(last_meta.last_row_id == 1 && last_meta.changed_db == 0 && last_meta.size_after > 0);
    database_remove();
}

static int64_t read_by(const char *sql)
{
    CHECK(ask(sql)[0] != '!');
    return last_meta.rows_read;
}

static int64_t written_by(const char *sql)
{
    CHECK(put(sql)[0] != '!');
    return last_meta.rows_written;
}

/* Figures asked of Cloudflare's runtime, statement by statement. */
static void counts_rows_as_cloudflare_does(void)
{
    database_make(&PLAIN);
    CHECK(written_by("create table t(id integer primary key, a text, b)") == 2);
    CHECK(written_by("create index ta on t(a)") == 1);
    CHECK(written_by("insert into t(a, b) values ('x', 1), ('y', 2), ('z', 3)") == 6);
    CHECK(read_by("select 1") == 0);
    CHECK(read_by("select * from t") == 3);
    CHECK(read_by("select * from t where id = 2") == 1);
    CHECK(read_by("select * from t where id = 99") == 1);
    CHECK(read_by("select * from t where a = 'y'") == 2);
    CHECK(read_by("select * from t where a > 'x'") == 2);
    CHECK(read_by("select count(*) from t") == 3);
    CHECK(read_by("select * from t order by b") == 6);
    CHECK(read_by("select * from t limit 1") == 1);
    CHECK(read_by("select * from t t1, t t2") == 12);
    CHECK(read_by("select * from t t1 join t t2 on t1.id = t2.id") == 6);
    CHECK(read_by("select max(id) from t") == 1);
    CHECK(read_by("select max(b) from t") == 3);
    CHECK(written_by("update t set b = 5 where id = 1") == 1);
    CHECK(written_by("update t set a = 'q' where id = 1") == 2);
    CHECK(written_by("update t set a = a || '1'") == 6);
    CHECK(written_by("delete from t where id = 1") == 1);
    CHECK(written_by("insert into t values (9, 'c', 3) on conflict(id) do update set a = 'd'") ==
          2);
    CHECK(written_by("insert into t(a, b) values ('m', 1) returning *") == 2);
    CHECK(written_by("delete from t") == 4);
    CHECK(written_by("create table s(id integer primary key autoincrement)") == 4);
    CHECK(written_by("insert into s values (null)") == 2);
    CHECK(written_by("create table w(k primary key, v) without rowid") > 0);
    CHECK(written_by("insert into w values (1, 2), (3, 4)") == 2);
    CHECK(last_meta.changes == 2 && last_meta.changed_db == 1);
    database_remove();
}

static int ignore(void *self, struct span bytes, struct err *err)
{
    (void)self;
    (void)bytes;
    (void)err;
    return 0;
}

/* Whichever allocation fails, the answer is an error and the next call works. */
static void survives_every_failed_allocation(void)
{
    const struct sink sink = {ignore, NULL};
    int r = -1;

    database_make(&PLAIN);
    IS(put("create table t(a)"), "");
    IS(put("insert into t values (zeroblob(100)), ('x')"), "");
    for (long n = 0; r < 0 && n < 1000; n++) {
        struct connection *c = NULL;
        struct err err = {0};

        mem_fail_after(n);
        r = connection_open(CONNECTION_READ, &c, &err);
        r = r < 0 ? r : connection_is_read(c, SPAN("select a from t"), &err);
        r = r < 0 ? r : connection_run(c, SPAN("select a from t"), SPAN(""), 0, &sink, &err);
        r = r < 0 ? r : connection_run(c, SPAN("select 1; select 2"), SPAN(""), 0, &sink, &err);
        r = r < 0 ? r : connection_dump(c, &(struct dump_options){0}, &sink, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || (r == ERR_NOMEM && err.text[0]));
        if (c)
            CHECK(connection_run(c, SPAN("select a from t"), SPAN(""), 0, &sink, &err) == 0);
        connection_close(c);
    }
    CHECK(r == 0);
    database_remove();
}

static bool is_over(void *self)
{
    (void)self;
    return true;
}

/* A watch that wants the end at once ends statements of strangers, not the transaction around them:
 * what it has made of that would be unknown. */
static void the_watch_leaves_transactions_alone(void)
{
    static const struct engine_watch WATCH = {is_over, NULL};
    struct err err = {0};
    int failed = 0;

    database_make(&(struct engine_config){0});
    IS(put("create table t(a)"), "");
    connection_watch(writer, &WATCH);
    for (int i = 0; i < 3000; i++) {
        failed += connection_begin(writer, &err) < 0;
        failed += connection_mark(writer, &err) < 0;
        connection_rollback_to_mark(writer);
        failed += !connection_is_inside(writer);
        failed += connection_mark(writer, &err) < 0 || connection_release(writer, &err) < 0;
        failed += i % 2 && connection_commit(writer, &err) < 0;
        connection_rollback(writer);
        failed += connection_is_inside(writer);
    }
    CHECK(failed == 0);
    connection_watch(writer, NULL);
    IS(put("insert into t values (1)"), "");
    database_remove();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"a_failed_call_leaves_the_others", a_failed_call_leaves_the_others},
        {"sql_can_end_it_for_all", sql_can_end_it_for_all},
        {"deferred_keys_fail_their_own_call", deferred_keys_fail_their_own_call},
        {"says_what_is_full", says_what_is_full},
        {"undoes_much", undoes_much},
        {"positions_grow_over_everything", positions_grow_over_everything},
        {"positions_grow_over_a_crash", positions_grow_over_a_crash},
        {"connections_share_settings", connections_share_settings},
        {"knows_what_reads", knows_what_reads},
        {"counts_rows_as_cloudflare_does", counts_rows_as_cloudflare_does},
        {"the_watch_leaves_transactions_alone", the_watch_leaves_transactions_alone},
        {"survives_every_failed_allocation", survives_every_failed_allocation},
        {NULL, NULL},
    };

    return test_main("store_transaction", tests, argc, argv);
}

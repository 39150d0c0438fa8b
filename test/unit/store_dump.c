/* store_dump.c - a dump is as wrangler's, and loads into a database that is the same. */
#include "store_database.h"

static const struct engine_config PLAIN = {.sync = ENGINE_SYNC_NORMAL};

static char *dump(const struct dump_options *options)
{
    struct buf out = {0};
    const struct sink sink = {collect, &out};
    struct err err = {0};
    char *text;

    if (connection_dump(reader, options, &sink, &err) < 0)
        CHECK(buf_print(&out, "! %s", err.text) == 0);
    text = buf_detach(&out);
    buf_done(&out);
    return text;
}

static void dump_is(const struct dump_options *options, const char *wanted)
{
    char *text = dump(options);

    IS(text, wanted);
    free(text);
}

static void fill(void)
{
    IS(put("create table \"a b\"(id integer primary key autoincrement, x, r real, t text)"), "");
    IS(put("create table g(a, b as (a + 1) stored, c blob)"), "");
    IS(put("create index i on g(a)"), "");
    IS(put("create view v as select a from g"), "");
    IS(put("create trigger tr after delete on g begin select 1; end"), "");
    IS(put("insert into \"a b\" values (5, 9007199254740993, 2, 'it''s'), (6, 2.0, 1e300, 'a' || "
           "char(10) || 'b' || char(13)), (7, 0.1, 9e999, 'a\\n' || char(10)), (8, null, -1.5, 'a' "
           "|| char(0) || 'b')"),
       "");
    IS(put("insert into g(a, c) values (x'00ff', ''), (-9223372036854775808, x'')"), "");
}

static const char SCHEMA[] = "CREATE TABLE IF NOT EXISTS \"a b\"(id integer primary key "
                             "autoincrement, x, r real, t text);\n";
static const char ROWS[] =
    "INSERT INTO \"a b\" VALUES(5,9007199254740993,2,'it''s');\n"
    "INSERT INTO \"a b\" VALUES(6,2.0,1e+300,replace(replace('a\\nb\\r','\\r',char(13)),'\\n',"
    "char(10)));\n"
    "INSERT INTO \"a b\" VALUES(7,0.1,9e999,replace('a\\n(\\n0)','(\\n0)',char(10)));\n"
    "INSERT INTO \"a b\" VALUES(8,NULL,-1.5,CAST(X'610062' AS TEXT));\n";

static void writes_as_wrangler_does(void)
{
    const struct span one[] = {SPAN("a b")}, other[] = {SPAN("i"), SPAN("g")};
    struct buf all = {0};

    database_make(&PLAIN);
    dump_is(&(struct dump_options){0}, "PRAGMA defer_foreign_keys=TRUE;\n");
    fill();
    CHECK(buf_print(&all,
                    "PRAGMA defer_foreign_keys=TRUE;\n%s%s"
                    "CREATE TABLE g(a, b as (a + 1) stored, c blob);\n"
                    "INSERT INTO \"g\" VALUES(X'00ff','');\n"
                    "INSERT INTO \"g\" VALUES(-9223372036854775808,X'');\n"
                    "DELETE FROM sqlite_sequence;\n"
                    "INSERT INTO \"sqlite_sequence\" VALUES('a b',8);\n"
                    "CREATE INDEX i on g(a);\n"
                    "CREATE TRIGGER tr after delete on g begin select 1; end;\n"
                    "CREATE VIEW v as select a from g;\n",
                    SCHEMA, ROWS) == 0);
    CHECK(buf_append(&all, "", 1) == 0);
    dump_is(&(struct dump_options){0}, buf_data(&all));
    buf_eat(&all, buf_len(&all));
    CHECK(buf_print(&all, "PRAGMA defer_foreign_keys=TRUE;\n%s", SCHEMA) == 0);
    CHECK(buf_append(&all, "", 1) == 0);
    dump_is(&(struct dump_options){.tables = one, .table_count = 1, .has_no_data = true},
            buf_data(&all));
    buf_eat(&all, buf_len(&all));
    CHECK(buf_print(&all, "PRAGMA defer_foreign_keys=TRUE;\n%s", ROWS) == 0);
    CHECK(buf_append(&all, "", 1) == 0);
    dump_is(&(struct dump_options){.tables = one, .table_count = 1, .has_no_schema = true},
            buf_data(&all));
    dump_is(&(struct dump_options){.tables = other, .table_count = 2, .has_no_data = true},
            "PRAGMA defer_foreign_keys=TRUE;\n"
            "CREATE TABLE g(a, b as (a + 1) stored, c blob);\nCREATE INDEX i on g(a);\n");
    IS(put("create virtual table f using fts5(a)"), "");
    dump_is(&(struct dump_options){.has_no_data = true, .has_no_schema = true},
            "! D1 Export error: cannot export databases with Virtual Tables (fts5)");
    buf_done(&all);
    database_remove();
}

/* The sqlite3 shell makes the same of it; so do we. */
static void loads_again(void)
{
    struct span rest;
    char *before, *after, path[64], command[512];
    FILE *file;
    size_t len;
    bool is_empty;

    database_make(&PLAIN);
    fill();
    before = dump(&(struct dump_options){0});
    snprintf(path, sizeof path, "/tmp/corral-store-dump-%d", (int)getpid());
    file = fopen(path, "w");
    CHECK(file && fputs(before, file) >= 0 && fclose(file) == 0);
    snprintf(command, sizeof command,
             "sqlite3 %s.db <%s && test \"$(sqlite3 %s.db \"select hex(group_concat(t,'')) || "
             "count(*) from 'a b'\")\" = 69742773610A620D615C6E0A6100624; r=$?; rm -f %s %s.db; "
             "exit $r",
             path, path, path, path, path);
    CHECK(system(command) == 0);
    database_remove();
    database_make(&PLAIN);
    for (rest = span_of(before); split_next(rest, &len, &is_empty) == 1;
         rest = (struct span){rest.data + len, rest.len - len})
        CHECK(put_span((struct span){rest.data, len})[0] != '!');
    CHECK(rest.len == 1);
    after = dump(&(struct dump_options){0});
    IS(after, before);
    free(before);
    free(after);
    database_remove();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"writes_as_wrangler_does", writes_as_wrangler_does},
        {"loads_again", loads_again},
        {NULL, NULL},
    };

    return test_main("store_dump", tests, argc, argv);
}

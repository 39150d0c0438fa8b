/* store_engine.c - the engine over real files: what is put in is found, also after a restart. */
#include "store_database.h"

static const struct engine_config PLAIN = {.sync = ENGINE_SYNC_NORMAL};

static void keeps_what_was_committed(void)
{
    database_make(&PLAIN);
    IS(put("create table t(id integer primary key, a text)"), "");
    IS(put("insert into t(a) values ('x'), ('\xc3\xa9') returning id"), "1;2;");
    IS(ask("select * from t"), "1,x;2,\xc3\xa9;");
    database_close();
    database_open_as(&PLAIN);
    IS(ask("select * from t"), "1,x;2,\xc3\xa9;");
    IS(ask("pragma journal_mode"), "! not authorized: SQLITE_AUTH");
    database_remove();
}

/* Both connections keep what they have compiled, and the schema. */
static void sees_what_another_has_changed_in_the_schema(void)
{
    database_make(&PLAIN);
    IS(put("create table t(a)"), "");
    IS(put("insert into t values (1)"), "");
    IS(ask("select * from t"), "1;");
    IS(ask("explain query plan select * from t where a = 1"), "2,0,0,SCAN t;");
    IS(put("alter table t add column b default 'x'"), "");
    IS(ask("select * from t"), "1,x;");
    IS(put("create index i on t (a)"), "");
    IS(ask("explain query plan select * from t where a = 1"),
       "3,0,0,SEARCH t USING INDEX i (a=?);");
    IS(ask("pragma index_info(i)"), "0,0,a;");
    IS(put("alter table t rename column a to c"), "");
    IS(ask("pragma index_info(i)"), "0,0,c;");
    IS(put("alter table t drop column b"), "");
    IS(ask("select * from t"), "1;");
    IS(put("drop table t"), "");
    IS(put("create table t(x, y, z)"), "");
    CHECK(connection_is_read(reader, SPAN("insert into t values (1, 2, 3)"), &database_err) == 0);
    IS(put("create trigger r instead of insert on v begin select 1; end"),
       "! no such table: main.v: SQLITE_ERROR");
    IS(put("create view v as select 1 as a"), "");
    IS(put("create trigger r instead of insert on v begin select 1; end"), "");
    CHECK(connection_is_read(reader, SPAN("insert into v values (1)"), &database_err) == 0);
    database_remove();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"keeps_what_was_committed", keeps_what_was_committed},
        {"sees_what_another_has_changed_in_the_schema",
         sees_what_another_has_changed_in_the_schema},
        {NULL, NULL},
    };

    return test_main("store_engine", tests, argc, argv);
}

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

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"keeps_what_was_committed", keeps_what_was_committed},
        {NULL, NULL},
    };

    return test_main("store_engine", tests, argc, argv);
}

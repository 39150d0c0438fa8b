/* store_function.c - our functions of SQL answer what SQLite's own do, or what newer ones would. */
#include <sqlite3.h>

#include "store_database.h"

static const struct engine_config PLAIN = {.sync = ENGINE_SYNC_NORMAL};

static uint32_t seed = 1;

static uint32_t pick(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static const char *own(sqlite3 *db, const char *sql)
{
    static char text[8192];
    sqlite3_stmt *stmt;

    CHECK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    snprintf(text, sizeof text, "! ");
    if (sqlite3_step(stmt) == SQLITE_ROW)
        snprintf(text, sizeof text, "%s,%s;",
                 sqlite3_column_type(stmt, 0) == SQLITE_NULL
                     ? "NULL"
                     : (const char *)sqlite3_column_text(stmt, 0),
                 sqlite3_column_text(stmt, 1));
    sqlite3_finalize(stmt);
    return text;
}

/* Short words of few letters meet often. */
static void put_word(struct buf *out)
{
    static const char *const WORDS[] = {
        "''",
        "'a'",
        "'b'",
        "'aa'",
        "'ab'",
        "'aba'",
        "'abab'",
        "' a '",
        "'\xc3\xa9'",
        "'\xc3\xa8'",
        "'a\xc3\xa9'",
        "'\xe2\x82\xac\xe2\x82\xac'",
        "'\xf0\x9f\x99\x82z'",
        "x'61'",
        "x''",
        "x'c3'",
        "x'c3a9ff'",
        "x'80'",
        "1",
        "-1",
        "11",
        "1.5",
        "NULL",
        "x'6100'",
        "'a' || char(0) || 'b'",
        "'\xc3' || 'a'",
    };

    CHECK(buf_print(out, "%s", WORDS[pick(sizeof WORDS / sizeof *WORDS)]) == 0);
    if (pick(3) == 0)
        CHECK(buf_print(out, " || %s", WORDS[pick(12)]) == 0);
}

static void compare(sqlite3 *db, const char *function, int count)
{
    struct buf sql = {0};

    CHECK(buf_print(&sql, "select hex(x), typeof(x) from (select %s(", function) == 0);
    for (int i = 0; i < count; i++) {
        CHECK(buf_print(&sql, "%s", i > 0 ? ", " : "") == 0);
        put_word(&sql);
    }
    CHECK(buf_print(&sql, ") as x)") == 0);
    CHECK(buf_append(&sql, "", 1) == 0);
    IS(ask(buf_data(&sql)), own(db, buf_data(&sql)));
    if (test_failed_checks > 0)
        printf("  %s\n", buf_data(&sql));
    buf_done(&sql);
}

static void answers_as_sqlite_does(void)
{
    sqlite3 *db;

    database_make(&PLAIN);
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    for (int i = 0; i < 1500 && test_failed_checks == 0; i++) {
        compare(db, "instr", 2);
        compare(db, "replace", 3);
        compare(db, "trim", 1 + (int)pick(2));
        compare(db, "ltrim", 2);
        compare(db, "rtrim", 2);
    }
    sqlite3_close(db);
    database_remove();
}

static void prints_as_sqlite_does(void)
{
    static const char LETTERS[] = "diuoxXpeEfgGcszqQwrn%", FLAGS[] = "-+ #!0,";
    char format[64], sql[256];
    sqlite3 *db;

    database_make(&PLAIN);
    CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
    for (int i = 0; i < 4000 && test_failed_checks == 0; i++) {
        static const char *const VALUES[] = {
            "1",     "-17",     "0",  "9223372036854775807", "1.5",
            "1e300", "'it''s'", "''", "'\xc3\xa9t\xc3\xa9'", "NULL",
            "-0.0",  "x'6162'", "22"};
        int n = snprintf(format, sizeof format, "<%%");

        for (uint32_t k = pick(3); k > 0; k--)
            format[n++] = FLAGS[pick(7)];
        if (pick(2))
            n += snprintf(format + n, 8, "%s", pick(4) ? "12" : "*");
        if (pick(2))
            n += snprintf(format + n, 8, ".%s", pick(4) ? "3" : "*");
        n += snprintf(format + n, 4, "%s", pick(5) ? "" : "ll");
        format[n++] = LETTERS[pick(sizeof LETTERS - 1)];
        snprintf(format + n, sizeof format - (size_t)n, ">%%d%s", pick(9) ? "" : "%");
        snprintf(sql, sizeof sql,
                 "select hex(x), typeof(x) from (select printf('%s', %s, %s) as x)", format,
                 VALUES[pick(13)], VALUES[pick(13)]);
        IS(ask(sql), own(db, sql));
    }
    sqlite3_close(db);
    IS(ask("select length(printf('%.*c', 1000000000, 'x')), length(printf('%1000000000d', 1)), "
           "length(format('%-*s|', -2000000000, 'x'))"),
       "100000,100000,100001;");
    IS(ask("select printf(), printf(NULL), format('%s and %s', 'a')"), "NULL,NULL,a and ;");
    IS(ask("select printf('%q %Q %w %Q', 'it''s', 'it''s', 'a\"b', NULL)"),
       "it''s 'it''s' a\"\"b NULL;");
    database_remove();
}

static void has_what_newer_ones_have(void)
{
    database_make(&PLAIN);
    IS(ask("select concat(1, null, 'a', 2.5), concat(null), concat_ws('-', 1, null, 'b'), "
           "concat_ws(null, 1)"),
       "1a2.5,,1-b,NULL;");
    IS(ask("select octet_length('\xc3\xa9'), octet_length(x'000102'), octet_length(12), "
           "octet_length(null), octet_length('')"),
       "2,3,2,NULL,0;");
    IS(ask("select unhex('4142'), unhex('4G'), unhex('4'), unhex('41-42', '-'), unhex('4-1', '-'), "
           "unhex(''), unhex(null), unhex('41', null), unhex('\xc3\xa9"
           "4a', '\xc3\xa9')"),
       "x4142,NULL,NULL,x4142,NULL,x,NULL,NULL,x4a;");
    IS(ask("select string_agg(x, '-') from (select 1 as x union all select null union all select "
           "'b')"),
       "1-b;");
    IS(ask("select string_agg(x, '-') from (select 1 as x limit 0)"), "NULL;");
    database_remove();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"answers_as_sqlite_does", answers_as_sqlite_does},
        {"prints_as_sqlite_does", prints_as_sqlite_does},
        {"has_what_newer_ones_have", has_what_newer_ones_have},
        {NULL, NULL},
    };

    return test_main("store_function", tests, argc, argv);
}

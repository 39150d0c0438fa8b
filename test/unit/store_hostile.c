/* store_hostile.c - strangers' SQL, in the box that corral-store has: each with what must come of
 * it.
 *
 * The outcome is the start of what the statement answers: its rows, "! " and an
 * error, or "" for anything that leaves the database whole.  Expected texts are
 * those of Cloudflare's runtime where it has one. */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "box/box.h"
#include "store_database.h"

#define AUTH           "! not authorized: SQLITE_AUTH"
#define NO_USE         "! not authorized to use function: "
#define NO_TABLE       "! no such table: "
#define NO_TRANSACTION "! To execute a transaction, please use the state.storage.transaction() or"
#define TOO_BIG        "! string or blob too big: SQLITE_TOOBIG"
#define STOPPED        "! interrupted: SQLITE_INTERRUPT"
#define NOMEM          "! out of memory: SQLITE_NOMEM"
#define HEX2MB         "hex(zeroblob(1000000))"
#define HEX200K        "hex(zeroblob(100000))"

struct attack {
    const char *sql, *wanted;
};

/* ---- the file system, other databases ---- */
static const struct attack FILES[] = {
    {"attach '/etc/passwd' as p", AUTH},
    {"attach ':memory:' as m", AUTH},
    {"attach '' as m", AUTH},
    {"attach database 'file:/db.sqlite?vfs=unix' as x", AUTH},
    {"attach ? as x", AUTH},
    {"ATTACH 'x' AS y; select 1", AUTH},
    {"detach main", AUTH},
    {"detach temp", AUTH},
    {"vacuum", "! cannot VACUUM from within a transaction: SQLITE_ERROR"},
    {"vacuum main", "! cannot VACUUM from within a transaction: SQLITE_ERROR"},
    {"vacuum into '/tmp/stolen.db'", "! cannot VACUUM from within a transaction: SQLITE_ERROR"},
    {"vacuum into 'file:/tmp/x?mode=rwc'", "! cannot VACUUM from within a transaction"},
    {"select load_extension('/tmp/evil.so')", NO_USE "load_extension"},
    {"select load_extension('/tmp/evil.so', 'init')", NO_USE "load_extension"},
    {"select readfile('/etc/passwd')", "! no such function: readfile"},
    {"select writefile('/tmp/x', 'y')", "! no such function: writefile"},
    {"select edit('x')", "! no such function: edit"},
    {"select fts3_tokenizer('simple')", NO_USE "fts3_tokenizer"},
    {"select fts3_tokenizer('simple', x'4141414141414141')", NO_USE "fts3_tokenizer"},
    {"select sqlite_log(1, 'x')", NO_USE "sqlite_log"},
    {"select sqlite_version()", NO_USE "sqlite_version"},
    {"select sqlite_source_id()", NO_USE "sqlite_source_id"},
    {"select sqlite_compileoption_get(0)", NO_USE "sqlite_compileoption_get"},
    {"select sqlite_compileoption_used('x')", NO_USE "sqlite_compileoption_used"},
    {"select * from fsdir('/')", NO_TABLE "fsdir"},
    {"select * from csv('/etc/passwd')", NO_TABLE "csv"},
    {"select * from zipfile('/x')", NO_TABLE "zipfile"},
    {"create virtual table t using csv(filename='/etc/passwd')", AUTH},
    {"create virtual table t using fts3(a)", AUTH},
    {"create virtual table t using fts4(a)", AUTH},
    {"create virtual table t using fts4(content='keep')", AUTH},
    {"create virtual table t using fts3tokenize('simple')", AUTH},
    {"create virtual table t using rtree(a, b, c)", AUTH},
    {"create virtual table t using dbstat", AUTH},
    {"create virtual table t using sqlite_dbpage", AUTH},
    {"create virtual table t using json_each", AUTH},
    {"create virtual table temp.t using fts5(a)", AUTH},
    {"create virtual table t using fts5(a, tokenize='/tmp/evil.so')",
     "! parse error in tokenize directive"},
    {"select * from dbstat", NO_TABLE "dbstat"},
    {"select * from sqlite_dbpage", NO_TABLE "sqlite_dbpage"},
    {"select * from sqlite_stmt", NO_TABLE "sqlite_stmt"},
    {"select * from bytecode('select 1')", NO_TABLE "bytecode"},
    {"select * from fts3tokenize('x')", NO_TABLE "fts3tokenize"},
    {"select * from generate_series(1, 10)", NO_TABLE "generate_series"},
    {"select * from completion('s')", NO_TABLE "completion"},
    {"select rtreecheck('keep')", "! no such function: rtreecheck"},
    {"select rtreenode(2, x'')", "! no such function: rtreenode"},
    {"select rtreedepth(x'0000')", "! no such function: rtreedepth"},
    {"select matchinfo(1)", NO_USE "matchinfo"},
    {"select fts5(1)", NO_USE "fts5"},
    {"select fts5_source_id()", NO_USE "fts5_source_id"},
    {"select subtype(json('1'))", NO_USE "subtype"},
    {"select sqlite_offset(a) from keep", "! no such function: sqlite_offset"},
    {"create temp table t(a)", AUTH},
    {"create temp view t as select 1", AUTH},
    {"create temp trigger t after insert on keep begin select 1; end", AUTH},
    {"create table temp.t(a)", AUTH},
    {"create table nosuch.t(a)", "! unknown database nosuch"},
    {"select * from temp.nowhere", NO_TABLE "temp.nowhere"},
    {"drop table temp.sqlite_master", AUTH},
};

/* ---- the transaction that others share ---- */
static const struct attack TRANSACTIONS[] = {
    {"begin", NO_TRANSACTION},
    {"begin immediate", NO_TRANSACTION},
    {"begin exclusive transaction", NO_TRANSACTION},
    {"commit", NO_TRANSACTION},
    {"COMMIT TRANSACTION", NO_TRANSACTION},
    {"end", NO_TRANSACTION},
    {"rollback", NO_TRANSACTION},
    {"rollback to _cf_call", NO_TRANSACTION},
    {"savepoint s", NO_TRANSACTION},
    {"savepoint _cf_call", NO_TRANSACTION},
    {"release _cf_call", NO_TRANSACTION},
    {"/**/ -- \n rollback", NO_TRANSACTION},
    {"; ; commit", NO_TRANSACTION},
    {"explain commit", NO_TRANSACTION},
    {"select 1; commit", NO_TRANSACTION},
    {"insert into keep values (99, 'x'); rollback; select 1", NO_TRANSACTION},
    {"insert or rollback into keep values (1, 'again')",
     "! UNIQUE constraint failed: keep.a: SQLITE_CONSTRAINT (extended: "
     "SQLITE_CONSTRAINT_PRIMARYKEY)"},
    {"update or rollback keep set a = 1", "! UNIQUE constraint failed: keep.a: SQLITE_CONSTRAINT"},
    {"create trigger bad before delete on keep begin select raise(rollback, 'gone'); end", ""},
    {"delete from keep", "! gone: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_TRIGGER)"},
    {"drop trigger bad", ""},
};

/* ---- PRAGMAs ---- */
static const struct attack PRAGMAS[] = {
    {"pragma writable_schema = 1", AUTH},
    {"PRAGMA WRITABLE_SCHEMA = RESET", AUTH},
    {"pragma main.writable_schema(1)", AUTH},
    {"pragma journal_mode", AUTH},
    {"pragma journal_mode = delete", AUTH},
    {"pragma main.journal_mode = off", AUTH},
    {"pragma journal_mode(memory)", AUTH},
    {"pragma page_size = 512", AUTH},
    {"pragma page_count", AUTH},
    {"pragma max_page_count = 1073741823", AUTH},
    {"pragma locking_mode = exclusive", AUTH},
    {"pragma synchronous = off", AUTH},
    {"pragma wal_checkpoint(truncate)", AUTH},
    {"pragma wal_autocheckpoint = 1", AUTH},
    {"pragma journal_size_limit = 0", AUTH},
    {"pragma temp_store = file", AUTH},
    {"pragma temp_store_directory = '/tmp'", AUTH},
    {"pragma data_store_directory = '/tmp'", AUTH},
    {"pragma mmap_size = 1000000000", AUTH},
    {"pragma cache_size = 1000000000", AUTH},
    {"pragma cache_spill = 0", AUTH},
    {"pragma hard_heap_limit = 0", AUTH},
    {"pragma soft_heap_limit = 1", AUTH},
    {"pragma threads = 8", AUTH},
    {"pragma trusted_schema = 1", AUTH},
    {"pragma query_only = 0", AUTH},
    {"pragma read_uncommitted = 1", AUTH},
    {"pragma secure_delete = 0", AUTH},
    {"pragma cell_size_check = 0", AUTH},
    {"pragma encoding = 'UTF-16'", AUTH},
    {"pragma user_version = 7", AUTH},
    {"pragma application_id = 7", AUTH},
    {"pragma schema_version = 7", AUTH},
    {"pragma auto_vacuum = 2", AUTH},
    {"pragma incremental_vacuum(1000)", AUTH},
    {"pragma database_list", AUTH},
    {"pragma function_list", AUTH},
    {"pragma module_list", AUTH},
    {"pragma pragma_list", AUTH},
    {"pragma compile_options", AUTH},
    {"pragma collation_list", AUTH},
    {"pragma integrity_check", AUTH},
    {"pragma busy_timeout = 1", AUTH},
    {"pragma analysis_limit = 1", AUTH},
    {"pragma shrink_memory", AUTH},
    {"pragma lock_status", AUTH},
    {"pragma vdbe_trace = 1", AUTH},
    {"pragma key = 'x'", AUTH},
    {"pragma table_info(_cf_x)", AUTH},
    {"pragma table_info", AUTH},
    {"pragma temp.table_info(keep)", AUTH},
    {"pragma optimize(keep)", AUTH},
    {"pragma recursive_triggers = 2", AUTH},
    {"pragma data_version = 1", AUTH},
    {"select * from pragma_database_list", AUTH},
    {"select * from pragma_journal_mode", AUTH},
    {"select * from pragma_function_list", AUTH},
    {"select * from pragma_module_list", AUTH},
    {"select * from pragma_compile_options", AUTH},
    {"select * from pragma_page_count", AUTH},
    {"select * from pragma_integrity_check", AUTH},
    {"select * from pragma_table_info('_cf_x')", AUTH},
    {"select * from pragma_table_info('keep', 'temp')", ""},
    {"select name from pragma_table_info('keep')", "a;b;"},
    {"explain pragma journal_mode = delete", AUTH},
};

/* ---- the schema ---- */
static const struct attack SCHEMA[] = {
    {"insert into sqlite_master values ('table', 'x', 'x', 2, 'create table x(a)')",
     "! table sqlite_master may not be modified"},
    {"insert into sqlite_schema values (1, 2, 3, 4, 5)",
     "! table sqlite_master may not be modified"},
    {"update sqlite_master set rootpage = 1", "! table sqlite_master may not be modified"},
    {"delete from sqlite_schema", "! table sqlite_master may not be modified"},
    {"drop table sqlite_master", "! table sqlite_master may not be dropped"},
    {"alter table sqlite_master rename to x", "! table sqlite_master may not be altered"},
    {"create index i on sqlite_master(name)", "! table sqlite_master may not be indexed"},
    {"create trigger x after insert on sqlite_master begin select 1; end",
     "! cannot create trigger on system table"},
    {"create table sqlite_x(a)", "! object name reserved for internal use: sqlite_x"},
    {"create table _cf_x(a)", AUTH},
    {"create view _cf_x as select 1", AUTH},
    {"create index _cf_x on keep(b)", AUTH},
    {"create trigger _cf_x after insert on keep begin select 1; end", AUTH},
    {"create virtual table _cf_x using fts5(a)", AUTH},
    {"analyze _cf_x", NO_TABLE "_cf_x"},
    {"create virtual table f using fts5(a)", ""},
    {"insert into f values ('some words')", ""},
    {"insert into f_data values (1, x'00')", "! table f_data may not be modified"},
    {"update f_data set block = x''", "! table f_data may not be modified"},
    {"delete from f_content", "! table f_content may not be modified"},
    {"drop table f_idx", "! table f_idx may not be dropped"},
    {"alter table f_config rename to g", "! table f_config may not be altered"},
    {"create trigger x after insert on f_data begin select 1; end", ""},
    {"drop trigger x", ""},
    {"create index x on f_data(block)", ""},
    {"drop index x", ""},
    {"insert into f(f, rank) values ('pgsz', 1)", "! SQL logic error"},
    {"insert into f(f, rank) values ('automerge', 99999999)", "! SQL logic error"},
    {"insert into f(f, rank) values ('rank', 'load_extension(''x'')')", ""},
    {"select rank from f where f match 'some' order by rank", "-1e-06;"},
    {"insert into f(f, rank) values ('rank', 'bm25(1.0)')", ""},
    {"insert into f(f) values ('nonsense')", "! SQL logic error"},
    {"insert into f(f) values ('integrity-check')", ""},
    {"insert into f(f) values ('rebuild')", ""},
    {"insert into f(f) values ('delete-all')", "! 'delete-all' may only be used with"},
    {"select * from f where f match 'a NEAR('", "! fts5: syntax error"},
    {"select * from f where f match '\"'", "! unterminated string"},
    {"select * from f where f match 'b : c'", "! no such column: b"},
    {"select highlight(f, 99999, 'a', 'b') from f('some')", ""},
    {"select snippet(f, -1, 'a', 'b', 'c', 1000000) from f('some')", ""},
    {"select bm25(keep) from keep", "! no such column: keep"},
    {"create virtual table g using fts5(a, content='_cf_x')", ""},
    {"select * from g", "! "},
    {"create virtual table h using fts5vocab('main', 'f', 'row')", ""},
    {"create virtual table v using fts5vocab('f', 'row')", ""},
    {"select term from v", "some;words;"},
    {"create table w(a, check (load_extension(a)))", NO_USE "load_extension"},
    {"create table w(a default (load_extension('x')))", ""},
    {"insert into w default values", "! "},
    {"create view evil as select load_extension('x')", ""},
    {"select * from evil", "! "},
    {"create index e on keep(load_extension(b))", "! "},
    {"create trigger e after insert on keep begin select load_extension('x'); end", ""},
    {"insert into keep values (77, 'x')", NO_USE "load_extension"},
    {"drop trigger e", ""},
    {"create table gen(a, b as (sqlite_version()))", NO_USE "sqlite_version"},
    {"select sqlite_rename_table(1,2,3,4,5,6,7)", "! no such function: sqlite_rename_table"},
    {"select sqlite_rename_column(1,2,3,4,5,6,7,8,9)", "! no such function"},
    {"select sqlite_drop_column(1,2,3)", "! no such function: sqlite_drop_column"},
};

/* ---- memory, time, size ---- */
static const struct attack LOADS[] = {
    {"with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c",
     STOPPED},
    {"with recursive c(x) as (select 1 union select (x * 7 + 3) % 100000007 from c) select "
     "count(*) "
     "from c",
     "! "},
    {"with recursive c(x) as (select 1 union all select x + 1 from c) select x from c order by 1",
     "! "},
    {"with recursive c(x) as (select 1 union all select x + 1 from c) insert into keep select x + "
     "1000, 'y' from c",
     "! "},
    {"select count(*) from big a, big b, big c, big d", STOPPED},
    {"select sum(length(a.b || b.b || c.b)) from big a, big b, big c", STOPPED},
    {"update big set b = b where (select count(*) from big x, big y, big z) > 0", STOPPED},
    {"select randomblob(1000000000)", TOO_BIG},
    {"select zeroblob(9223372036854775807)", TOO_BIG},
    {"select hex(zeroblob(2000000))", TOO_BIG},
    {"select quote(zeroblob(2000000))", TOO_BIG},
    {"select replace(" HEX2MB ", '0', '" /* ten times as much */ "0123456789')", TOO_BIG},
    {"select length(printf('%.*c', 1000000000, 'x'))", "100000;"},
    {"select length(printf('%1000000000d', 1))", "100000;"},
    {"select length(printf('%.1000000f', 1e300)) > 100", ""},
    {"select length(format('%*.*s', 2000000000, 2000000000, 'x'))", "100000;"},
    {"select group_concat(" HEX2MB ") from big", TOO_BIG},
    {"select string_agg(" HEX2MB ", 'x') from big", TOO_BIG},
    {"select concat(" HEX2MB ", " HEX2MB ")", TOO_BIG},
    {"select concat_ws(" HEX2MB ", 1, 2, 3)", TOO_BIG},
    {"select " HEX2MB " || " HEX2MB, TOO_BIG},
    {"select json_group_array(" HEX2MB ") from big", "! "},
    {"select json_array(" HEX2MB ", " HEX2MB ")", TOO_BIG},
    {"select json_object('a', " HEX2MB ", 'b', " HEX2MB ")", TOO_BIG},
    {"select length(upper(" HEX2MB "))", "2000000;"},
    {"select instr(" HEX2MB ", substr(" HEX2MB ", 1, 1000000) || '1')", "0;"},
    {"select length(replace(" HEX2MB ", substr(" HEX2MB ", 1, 1000000) || '1', 'x'))", "2000000;"},
    {"select length(trim(" HEX200K ", " HEX200K "))", "0;"},
    {"select length(trim(" HEX200K ", replace(" HEX200K ", '0', '1')))", "200000;"},
    {"select length(rtrim(replace(" HEX200K ", '00', char(233)), replace(" HEX200K ", '00', "
     "char(234))))",
     "100000;"},
    {"select " HEX2MB " like '%0%0%0%0%0%0%0%0%0%0%0%0%1'", "0;"},
    {"select " HEX2MB " like '_%_%_%_%_%_%_%_%_%_%_%_%_%_%1'", "0;"},
    {"select " HEX2MB " glob '*[0]*[0]*[0]*[0]*[0]*[0]*[0]*1'", "0;"},
    {"select 'x' like '%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
     "! LIKE or GLOB pattern too complex"},
    {"select json('{')", "! malformed JSON"},
    {"select json_extract('[1]', '$[99999999999999999999]')", ""},
    {"select json_extract('[1]', '$[#-99999999999]')", ""},
    {"select json_set('{}', '$.a[1000000000]', 1)", "{"},
    {"select json_valid(" HEX2MB ")", "0;"},
    {"select count(*) from json_each('[' || substr(replace(" HEX2MB ", '00', '1,'), 1, 100000) || "
     "'1]')",
     "50001;"},
    {"select abs(-9223372036854775807 - 1)", "! integer overflow"},
    {"select -9223372036854775808 / -1, -9223372036854775808 % -1", "9.22337203685478e+18"},
    {"select 1 << 9223372036854775807, 1 >> -9223372036854775807", "0,0;"},
    {"select substr('abc', -9223372036854775808, 9223372036854775807)", ""},
    {"select substr('abc', 9223372036854775807, -9223372036854775808)", ""},
    {"select round(1e308, 1000000000), round(-1e-308, -5)", ""},
    {"select char(1114112, -1, 55296, 0)", ""},
    {"select unicode(x'ff'), unicode(''), length(x'')", ""},
    {"select strftime('%Y %J %s', 1e308)", "NULL;"},
    {"select date('now', '+9223372036854775807 years')", "NULL;"},
    {"select datetime(-99999999999999999)", "NULL;"},
    {"select count(*) over (rows between 9223372036854775807 preceding and current row) from keep",
     ""},
    {"select ntile(0) over () from keep", "! argument of ntile must be a positive integer"},
    {"select nth_value(a, 0) over () from keep", "! second argument to nth_value must be"},
    {"select * from keep limit -9223372036854775808 offset 9223372036854775807", ""},
    {"insert into big select a + 100000, randomblob(1000000) from big", "! "},
    {"create table copy as select a.b x, b.b y from big a, big b, big c", "! "},
    {"select ?101", "! variable number must be between ?1 and ?100"},
    {"select ?0", "! variable number must be between ?1 and ?100"},
    {"select 1 as x'", "! unrecognized token"},
    {"select \xff\xfe", "! "},
    {"select 'a\xc3' || x'ff' || char(0) || 'b'", ""},
    {"create table many(a unique, b unique, c unique, d unique, e unique, f unique)", ""},
    {"create trigger loop after insert on many begin insert into many(a) values (new.a + 1); end",
     ""},
    {"insert into many(a) values (1)", ""},
    {"pragma recursive_triggers = on", ""},
    {"insert into many(a) values (100)", "! too many levels of trigger recursion"},
    {"pragma recursive_triggers = off", ""},
    {"create view v0 as select * from v0", ""},
    {"select * from v0", "! view v0 is circularly defined"},
    {"with a as (select * from b), b as (select * from a) select * from a", "! circular reference"},
    {"create table fk(a primary key references fk(a) on delete cascade)", ""},
    {"delete from fk", ""},
};

static unsigned looks_left;

static bool look(void *self)
{
    (void)self;
    return looks_left-- == 0;
}

static const char *run_stranger(struct span sql)
{
    static const struct engine_watch WATCH = {look, NULL};
    const char *text;
    struct err err = {0};

    looks_left = 100;
    connection_watch(reader, &WATCH);
    connection_watch(writer, &WATCH);
    if (connection_is_read(reader, sql, &err) == 1)
        text = run_with(reader, sql, SPAN(""), 0);
    else
        text = put_span(sql);
    connection_watch(reader, NULL);
    connection_watch(writer, NULL);
    return text;
}

static void attack_is(const char *sql, const char *text, const char *wanted)
{
    if (strncmp(text, wanted, strlen(wanted)) == 0)
        return;
    test_failed_checks++;
    printf("  %.100s\n    is     %.200s\n    wanted %s\n", sql, text, wanted);
}

static void attack_all(const struct attack *attacks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        attack_is(attacks[i].sql, run_stranger(span_of(attacks[i].sql)), attacks[i].wanted);
}
#define ATTACK(list) attack_all(list, sizeof list / sizeof *list)

/* `times` times the middle. */
static void attack_made(const char *head, const char *middle, const char *tail, int times,
                        const char *wanted)
{
    struct buf sql = {0};

    CHECK(buf_print(&sql, "%s", head) == 0);
    for (int i = 0; i < times; i++)
        CHECK(buf_print(&sql, "%s", middle) == 0);
    CHECK(buf_print(&sql, "%s", tail) == 0);
    attack_is(head, run_stranger(buf_span(&sql)), wanted);
    buf_done(&sql);
}

static void attack_with_size(void)
{
    attack_made("select 1", "+1", "", 99, "100;");
    attack_made("select 1", "+1", "", 100, "! Expression tree is too large (maximum depth 100)");
    attack_made("select ", "(", "", 45000, "! ");
    attack_made("select ", "(", "1", 90, "! ");
    attack_made("select ", "not ", "1", 20000, "! ");
    attack_made("select ", "-", "1", 49000, "! ");
    attack_made("select 1", " union all select 1", "", 4, "1;1;1;1;1;");
    attack_made("select 1", " union all select 1", "", 5, "! too many terms in compound SELECT");
    attack_made("select 1", ",1", "", 100, "! too many columns in result set");
    attack_made("select max(1", ",1", ")", 127, "! too many arguments on function max");
    attack_made("select 1 from keep", ", keep", "", 70, "! at most 64 tables in a join");
    attack_made("select 1 in (1", ",1", ")", 30000, NOMEM);
    attack_made("insert into keep(a) values (1)", ",(1)", "", 20000, NOMEM);
    attack_made("select ", "?,", "1", 101, "! too many SQL variables");
    attack_made("select '", "x", "'", 99990, "xxx");
    attack_made("select '", "x", "'", 100001, "! statement too long: SQLITE_TOOBIG");
    attack_made("select json('", "[", "')", 50000, "! ");
    attack_made("select json('", "{\"a\":", "')", 15000, "! ");
    attack_made("select case ", "when 1 then 1 ", "end", 6000, "1;");
    attack_made("with ", "a as (select 1), ", "b as (select 2) select 1", 3000, "! ");
    attack_made("select ", "(select ", "1", 5000, "! ");
    attack_made("select * from ", "(select * from ", "keep", 5000, "! ");
    attack_made("create table wide(a", ", a int", ")", 200, "! ");
    attack_made("select * from f where f match '", "a OR ", "b'", 15000, "");
    attack_made("select * from f where f match '", "(", "b'", 15000, "! ");
    attack_made("select * from f where f match '", "NOT ", "b'", 15000, "! ");
    attack_made("select 1 /* ", "/* ", "", 30000, "1;");
    attack_made(";", ";", "select 1", 90000, "1;");
    attack_made("select 1", ";select 1", "", 90, "1;");
    attack_made("select 1", ";select 1", "", 10000, STOPPED);
}

/* A NUL, and bytes that are no text at all. */
static void attack_with_bytes(void)
{
    char bytes[256];

    attack_is("NUL", run_stranger(SPAN("select 1\0commit")),
              "! SQL code did not contain a statement.");
    attack_is("NUL", run_stranger(SPAN("\0")), "! SQL code did not contain a statement.");
    attack_is("empty", run_stranger(SPAN("")), "! SQL code did not contain a statement.");
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    attack_is("bytes", run_stranger((struct span){bytes, sizeof bytes}), "! ");
    attack_is("bytes", run_stranger((struct span){bytes + 1, sizeof bytes - 1}), "! ");
}

static void fill(void)
{
    IS(put("create table keep(a integer primary key, b text)"), "");
    IS(put("insert into keep values (1, 'one'), (2, 'two')"), "");
    IS(put("create table big(a integer primary key, b)"), "");
    IS(put("with recursive c(x) as (select 1 union all select x + 1 from c where x < 200) insert "
           "into big select x, 'some text for it' from c"),
       "");
}

static void is_whole(void)
{
    IS(ask("select * from keep"), "1,one;2,two;");
    IS(ask("select count(*), min(b), max(a) from big"), "200,some text for it,200;");
    IS(put("pragma quick_check"), "ok;");
    CHECK(!connection_is_inside(writer) && !connection_is_inside(reader));
}

static void attack_everything(void)
{
    ATTACK(FILES);
    ATTACK(TRANSACTIONS);
    ATTACK(PRAGMAS);
    is_whole();
    ATTACK(SCHEMA);
    is_whole();
    ATTACK(LOADS);
    is_whole();
    attack_with_size();
    attack_with_bytes();
    is_whole();
}

/* In a process of its own, as nobody leaves the box again. */
static int in_box(void)
{
    const struct engine_config config = {
        .size_max_bytes = 8 << 20, .heap_max_bytes = 48 << 20, .sync = ENGINE_SYNC_NORMAL};
    struct engine_config c = config;
    struct box_filter filter;
    struct err err = {0};

    if (engine_files_open(database_path, &c.files, &err) < 0 ||
        box_filter_init(&filter, BOX_STORE, &err) < 0 || box_filter_enter(&filter, &err) < 0 ||
        engine_init(&c, &err) < 0 || connection_open(CONNECTION_WRITE, &writer, &err) < 0 ||
        connection_open(CONNECTION_READ, &reader, &err) < 0) {
        printf("  %s\n", err.text);
        test_failed_checks++;
    } else {
        fill();
        attack_everything();
        database_close();
    }
    fflush(stdout);
    return test_failed_checks > 0;
}

static int count_files(void)
{
    DIR *folder = opendir(database_path);
    struct dirent *entry;
    int n = 0;

    CHECK(folder != NULL);
    while (folder && (entry = readdir(folder)))
        n += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return n;
}

static void stays_whole_under_every_attack(void)
{
    char path[96], head[20] = {0};
    int status = -1;
    FILE *file;
    pid_t pid;

    snprintf(database_path, sizeof database_path, "/tmp/corral-store-XXXXXX");
    CHECK(mkdtemp(database_path) != NULL);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(in_box());
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(count_files() == 5); /* the database, its WAL, -shm, lock, epoch */
    snprintf(path, sizeof path, "%s/db.sqlite", database_path);
    file = fopen(path, "r");
    CHECK(file && fread(head, 1, sizeof head, file) == sizeof head && fclose(file) == 0);
    CHECK(head[16] == 0x10 && head[17] == 0); /* pages of 4096 bytes */
    CHECK(head[18] == 2 && head[19] == 2);    /* WAL */
    database_open_as(&(struct engine_config){0});
    is_whole();
    database_remove();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"stays_whole_under_every_attack", stays_whole_under_every_attack},
        {NULL, NULL},
    };

    return test_main("store_hostile", tests, argc, argv);
}

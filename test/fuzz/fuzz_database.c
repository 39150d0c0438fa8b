/* fuzz_database.c - files of a database that are damaged, or forged.
 *
 * The input is a list of changes to a whole database: one byte for the file (db.sqlite, its WAL,
 * epoch, a journal; or its length), four for the place, one that is put there.  Whatever the files
 * hold, they are opened or refused with words, read, written, dumped and checked; nothing crashes
 * or goes on for ever. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOOKS = 30, CHANGE = 6, FILES = 4 };

static const char *const NAMES[FILES] = {"db.sqlite", "db.sqlite-wal", "epoch",
                                         "db.sqlite-journal"};
static char folder[64];
static unsigned looks;
static struct buf whole[FILES]; /* as they are undamaged */

static const char *const MAKE[] = {
    "create table t(a integer primary key, b text, c, unique(b))",
    "create table w(a text, b, primary key(a, b)) without rowid",
    "create index ti on t(c, b) where c > 3",
    "create index te on t(lower(b))",
    "create virtual table f using fts5(x, y)",
    "create virtual table fv using fts5vocab(f, row)",
    "create view v as select t.a, w.b from t left join w on w.a = t.b",
    "create table g(a, b as (a + 1), c as (a || 'x') stored, check(a > 0))",
    "create table k(a references t(a) on delete cascade, j check(json_valid(j)))",
    "create trigger r after insert on t begin update w set b = new.a where a = new.b; end",
    "create table q(a integer primary key autoincrement, b)",
    ("with recursive n(x) as (select 1 union all select x + 1 from n where x < 300) insert into t "
     "select x, 'text ' || x, x % 7 from n"),
    "insert into w select b, a from t",
    "insert into f select b, b || ' more of it ' || a from t",
    "insert into g(a) select a from t limit 20",
    "insert into k select a, '[1]' from t limit 20",
    "insert into q(b) values (zeroblob(30000)), (randomblob(9000))",
    "create table gone(a)",
    "insert into gone select zeroblob(9000) from t limit 5",
    "drop table gone",
    "analyze",
};

/* On what may be damaged. */
static const char *const READ[] = {
    "select * from t order by b desc",
    "select count(*), max(c) from t indexed by ti where c > 3",
    "select * from t where lower(b) = 'text 7'",
    "select * from w where a > 'text 2'",
    "select * from v",
    "select * from f where f match 'more AND text'",
    "select highlight(f, 0, 'a', 'b'), bm25(f) from f where f match 't*'",
    "select * from fv",
    "select * from g, k, q",
    "select * from sqlite_stat1",
    "select * from sqlite_schema",
    "select * from pragma_table_list",
    "pragma table_info(t)",
    "pragma quick_check",
    "pragma foreign_key_check",
    "pragma foreign_key_list(k)",
};
static const char *const WRITE[] = {
    "insert into t values (1000, 'new', 5)",
    "update t set c = c + 1, b = b || 'x'",
    "insert into f(f) values ('integrity-check')",
    "insert into f select 'a', 'b' from t",
    "insert into f(f) values ('optimize')",
    "delete from f where rowid < 10",
    "delete from t where a % 2",
    "update w set b = b || 'y'",
    "insert into q(b) select zeroblob(6000) from t limit 10",
    "alter table t add column d default 5",
    "alter table t rename column c to cc",
    "reindex",
    "analyze",
    "drop table w",
    "drop table f",
    "create table n(a primary key)",
    "pragma optimize",
};

static bool look(void *self)
{
    (void)self;
    return ++looks > LOOKS;
}

static int drop_bytes(void *self, struct span bytes, struct err *err)
{
    (void)bytes;
    (void)err;
    (void)self;
    return 0;
}

static const struct sink NOWHERE = {drop_bytes, NULL};

static int read_one(struct connection *c, const char *sql)
{
    struct err err = {0};
    int r;

    looks = 0;
    r = connection_is_read(c, span_of(sql), &err);
    if (r == 1)
        r = connection_run(c, span_of(sql), SPAN(""), 0, &NOWHERE, &err);
    assert(r >= 0 || err.text[0]);
    return r;
}

static int write_one(struct connection *c, const char *sql)
{
    struct err err = {0};
    int r;

    looks = 0;
    r = connection_begin(c, &err);
    assert(r == 0 || err.text[0]);
    if (r < 0)
        return r;
    r = connection_mark(c, &err);
    r = r < 0 ? r : connection_run(c, span_of(sql), SPAN(""), 0, &NOWHERE, &err);
    r = r < 0 ? r : connection_release(c, &err);
    assert(r >= 0 || err.text[0]);
    if (r < 0)
        connection_rollback_to_mark(c);
    if (connection_is_inside(c) && connection_commit(c, &err) < 0)
        connection_rollback(c);
    return r;
}

static void path_of(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", folder, name);
}

static void load(int which)
{
    char path[128], bytes[4096];
    ssize_t n;
    int fd;

    path_of(path, sizeof path, NAMES[which]);
    fd = open(path, O_RDONLY);
    while (fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0)
        assert(buf_append(&whole[which], bytes, (size_t)n) == 0);
    if (fd >= 0)
        close(fd);
}

static void save(const char *name, struct span bytes)
{
    char path[128];
    int fd;

    path_of(path, sizeof path, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

static void folder_end(void)
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert(system(command) == 0);
}

static int open_all(struct connection **writer, struct connection **reader)
{
    static const struct engine_watch WATCH = {look, NULL};
    struct engine_config config = {.size_max_bytes = 4 << 20, .heap_max_bytes = 32 << 20};
    struct err err = {0};
    int r = engine_files_open(folder, &config.files, &err);

    looks = 0;
    *writer = *reader = NULL;
    r = r < 0 ? r : engine_init(&config, &err);
    assert(r == 0 || err.text[0]);
    if (r < 0)
        return r;
    r = connection_open(CONNECTION_WRITE, writer, &err);
    r = r < 0 ? r : connection_open(CONNECTION_READ, reader, &err);
    assert(r == 0 || err.text[0]);
    if (r == 0) {
        connection_watch(*reader, &WATCH);
        connection_watch(*writer, &WATCH);
    }
    return 0;
}

static void make(void)
{
    struct connection *writer, *reader;

    snprintf(folder, sizeof folder, "%s/corral-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert(mkdtemp(folder));
    atexit(folder_end);
    assert(open_all(&writer, &reader) == 0);
    for (size_t i = 0; i < sizeof MAKE / sizeof *MAKE; i++) {
        assert(write_one(writer, MAKE[i]) >= 0);
        if (i == 14)
            connection_checkpoint(reader); /* so that both the file and the WAL hold some of it */
    }
    /* As a power cut would leave them. */
    for (int i = 0; i < FILES; i++)
        load(i);
    /* The head of a journal: one that is hot is played back. */
    assert(buf_append(&whole[3],
                      "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\0\0\0\1\1\2\3\4\0\0\0\4\0\0\2\0\0\0\x10\0",
                      28) == 0);
    assert(buf_append(&whole[3], whole[0].mem, 8192) == 0);
    connection_close(reader);
    connection_close(writer);
    engine_done();
}

static void damage(const uint8_t *data, size_t size)
{
    struct buf files[FILES] = {{0}};
    bool has_journal = false;
    char path[128];

    for (int i = 0; i < FILES; i++)
        assert(buf_append(&files[i], buf_data(&whole[i]), buf_len(&whole[i])) == 0);
    for (; size >= CHANGE; data += CHANGE, size -= CHANGE) {
        struct buf *file = &files[data[0] % FILES];
        size_t at = (size_t)data[1] << 24 | (size_t)data[2] << 16 | (size_t)data[3] << 8 | data[4];

        has_journal |= data[0] % FILES == 3;
        if (buf_len(file) == 0)
            continue;
        if (data[0] >= 240)
            buf_eat(file, at % buf_len(file)); /* another beginning */
        else if (data[0] >= 224)
            file->tail = file->head + at % buf_len(file); /* cut off */
        else
            file->mem[file->head + at % buf_len(file)] = (char)data[5];
    }
    for (int i = 0; i < FILES; i++) {
        if (i < 3 || has_journal)
            save(NAMES[i], buf_span(&files[i]));
        buf_done(&files[i]);
    }
    path_of(path, sizeof path, "db.sqlite-shm");
    unlink(path);
    path_of(path, sizeof path, NAMES[3]);
    if (!has_journal)
        unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct connection *writer, *reader;
    struct dump_options dump = {0};
    struct err err = {0};

    if (!folder[0])
        make();
    damage(data, size);
    if (open_all(&writer, &reader) < 0)
        return 0;
    if (writer && reader) {
        for (size_t i = 0; i < sizeof READ / sizeof *READ; i++)
            (void)read_one(reader, READ[i]);
        looks = 0;
        if (connection_dump(reader, &dump, &NOWHERE, &err) < 0)
            assert(err.text[0]);
        for (size_t i = 0; i < sizeof WRITE / sizeof *WRITE; i++) {
            (void)write_one(writer, WRITE[i]);
            (void)read_one(reader, READ[i % (sizeof READ / sizeof *READ)]);
        }
        connection_checkpoint(reader);
        assert(!connection_is_inside(reader) && !connection_is_inside(writer));
    }
    connection_close(reader);
    connection_close(writer);
    engine_done();
    return 0;
}

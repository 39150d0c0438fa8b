/* fuzz_sql.c - any SQL, on a database in memory-backed files, under small limits.
 *
 * The first byte says how many parameters are bound, the next ones which; the rest is SQL.  The
 * database stays as the input before has left it, and is made anew now and then; whatever came, it
 * can be read and written afterwards and nobody has left the transaction open. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RUNS_EACH = 500, LOOKS = 30 };

static char folder[64];
static struct connection *reader, *writer;
static unsigned runs, looks;

static bool look(void *self)
{
    (void)self;
    return ++looks > LOOKS;
}

static int count_bytes(void *self, struct span bytes, struct err *err)
{
    (void)err;
    *(size_t *)self += bytes.len;
    return *(size_t *)self > (8u << 20) ? err_set(err, ERR_GONE, "enough") : 0;
}

static void database_end(void)
{
    char command[96];

    if (!writer)
        return;
    connection_close(reader);
    connection_close(writer);
    engine_done();
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert(system(command) == 0);
    writer = reader = NULL;
}

static void database_begin(void)
{
    static const struct engine_watch WATCH = {look, NULL};
    struct engine_config config = {.size_max_bytes = 2 << 20, .heap_max_bytes = 32 << 20};
    struct err err = {0};

    snprintf(folder, sizeof folder, "%s/corral-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert(mkdtemp(folder));
    assert(engine_files_open(folder, &config.files, &err) == 0);
    assert(engine_init(&config, &err) == 0);
    assert(connection_open(CONNECTION_WRITE, &writer, &err) == 0);
    assert(connection_open(CONNECTION_READ, &reader, &err) == 0);
    connection_watch(reader, &WATCH);
    connection_watch(writer, &WATCH);
}

static int run(struct connection *c, struct span sql, struct span values, uint32_t count)
{
    size_t bytes = 0;
    const struct sink sink = {count_bytes, &bytes};
    struct err err = {0};
    int r;

    looks = 0;
    r = connection_run(c, sql, values, count, &sink, &err);
    assert(r == 0 || err.text[0]);
    return r;
}

static int write_one(struct span sql, struct span values, uint32_t count)
{
    struct err err = {0};
    int r;

    assert(connection_begin(writer, &err) == 0);
    assert(connection_mark(writer, &err) == 0);
    r = run(writer, sql, values, count);
    if (r < 0 || connection_release(writer, &err) < 0)
        connection_rollback_to_mark(writer);
    if (connection_is_inside(writer))
        assert(connection_commit(writer, &err) == 0);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct row_value VALUES[] = {
        {.tag = ROW_NULL},
        {.tag = ROW_INT, .integer = INT64_MIN},
        {.tag = ROW_REAL, .real = 1.5},
        {.tag = ROW_TEXT, .bytes = {"a\0\xff", 3}},
        {.tag = ROW_BLOB, .bytes = {"[1,{\"a\":2}]", 11}},
    };
    struct buf values = {0};
    uint32_t count = size > 0 ? data[0] % 4 : 0;
    struct err err = {0};
    struct span sql;

    if (size < 1 + count)
        return 0;
    if (runs++ % RUNS_EACH == 0) {
        if (runs == 1)
            atexit(database_end);
        database_end();
        database_begin();
    }
    for (uint32_t i = 0; i < count; i++)
        assert(row_put_value(&values, &VALUES[data[1 + i] % 5]) == 0);
    sql = (struct span){(const char *)data + 1 + count, size - 1 - count};
    looks = 0;
    if (connection_is_read(reader, sql, &err) == 1)
        (void)run(reader, sql, buf_span(&values), count);
    else
        (void)write_one(sql, buf_span(&values), count);
    buf_done(&values);
    assert(!connection_is_inside(reader) && !connection_is_inside(writer));
    assert(run(reader, SPAN("select count(*) from sqlite_schema"), SPAN(""), 0) == 0);
    if (runs % 50 == 0)
        connection_checkpoint(reader);
    return 0;
}

/* store_database.h - a database of its own for each test, and what a statement answers, as text. */
#ifndef CORRAL_STORE_DATABASE_H
#define CORRAL_STORE_DATABASE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/engine.h"
#include "test.h"

static char database_path[64];
static struct connection *writer, *reader;
static struct err database_err;

static void database_open_as(const struct engine_config *like)
{
    struct engine_config config = *like;

    if (engine_files_open(database_path, &config.files, &database_err) < 0 ||
        engine_init(&config, &database_err) < 0 ||
        connection_open(CONNECTION_WRITE, &writer, &database_err) < 0 ||
        connection_open(CONNECTION_READ, &reader, &database_err) < 0) {
        printf("  %s\n", database_err.text);
        exit(1);
    }
}

__attribute__((unused)) static void database_make(const struct engine_config *config)
{
    snprintf(database_path, sizeof database_path, "/tmp/corral-store-XXXXXX");
    CHECK(mkdtemp(database_path) != NULL);
    database_open_as(config);
}

static void database_close(void)
{
    connection_close(reader);
    connection_close(writer);
    reader = writer = NULL;
    engine_done();
}

__attribute__((unused)) static void database_remove(void)
{
    char command[128];

    database_close();
    snprintf(command, sizeof command, "rm -rf %s", database_path);
    CHECK(system(command) == 0);
}

/* ---- answers ---- */

static struct row_meta last_meta;

__attribute__((unused)) static int collect(void *self, struct span bytes, struct err *err)
{
    return buf_append(self, bytes.data, bytes.len) < 0 ? err_nomem(err) : 0;
}

static int print_value(struct buf *out, const struct row_value *v)
{
    switch (v->tag) {
    case ROW_NULL:
        return buf_print(out, "NULL");
    case ROW_INT:
        return buf_print(out, "%" PRId64, v->integer);
    case ROW_REAL:
        return buf_print(
            out, "%.15g%s", v->real,
            v->real > -1e15 && v->real < 1e15 && v->real == (double)(int64_t)v->real ? ".0" : "");
    case ROW_TEXT:
        return buf_append(out, v->bytes.data, v->bytes.len);
    case ROW_BLOB:
        break;
    }
    CHECK(buf_append(out, "x", 1) == 0);
    for (size_t i = 0; i < v->bytes.len; i++)
        CHECK(buf_print(out, "%02x", (unsigned char)v->bytes.data[i]) == 0);
    return 0;
}

static void print_rows(struct buf *out, struct span bytes, uint32_t columns)
{
    uint32_t rows = 0;
    struct row_value v;

    CHECK(row_get_u32(&bytes, &rows) == 0);
    while (rows-- > 0) {
        for (uint32_t i = 0; i < columns; i++) {
            CHECK(row_get_value(&bytes, &v) == 0);
            CHECK(buf_append(out, ",", i > 0) == 0);
            CHECK(print_value(out, &v) == 0);
        }
        CHECK(buf_append(out, ";", 1) == 0);
    }
    CHECK(bytes.len == 0);
}

/* "1,x;2,y;" */
__attribute__((unused)) static void print_records(struct buf *out, struct span in)
{
    enum row_record type;
    uint32_t columns = 0;
    struct span bytes;
    size_t used;
    int stage = 0;

    while (in.len > 0 && row_next(in, &type, &bytes, &used) == 1) {
        in.data += used;
        in.len -= used;
        if (type == ROW_RECORD_COLUMNS) {
            CHECK(stage == 0 && row_get_u32(&bytes, &columns) == 0);
            stage = 1;
        } else if (type == ROW_RECORD_ROWS) {
            CHECK(stage == 1);
            print_rows(out, bytes, columns);
        } else {
            CHECK(stage == 1 && type == ROW_RECORD_DONE);
            CHECK(row_get_meta(bytes, &last_meta) == 0);
            stage = 2;
        }
    }
    CHECK(in.len == 0 && stage == 2);
}

/* Rows, or "! " and the error; overwritten by the next but three. */
__attribute__((unused)) static const char *run_with(struct connection *c, struct span sql,
                                                    struct span values, uint32_t count)
{
    static char *texts[4];
    static int turn;
    struct buf records = {0}, out = {0};
    const struct sink sink = {collect, &records};
    struct err err = {0};

    if (connection_run(c, sql, values, count, &sink, &err) < 0)
        CHECK(buf_print(&out, "! %s", err.text) == 0);
    else
        print_records(&out, buf_span(&records));
    buf_done(&records);
    turn = (turn + 1) % 4;
    free(texts[turn]);
    texts[turn] = buf_detach(&out);
    buf_done(&out);
    return texts[turn];
}

__attribute__((unused)) static const char *ask(const char *sql)
{
    return run_with(reader, span_of(sql), SPAN(""), 0);
}

/* In a transaction of its own. */
__attribute__((unused)) static const char *put_span(struct span sql)
{
    struct err err = {0};
    const char *text;

    CHECK(connection_begin(writer, &err) == 0);
    CHECK(connection_mark(writer, &err) == 0);
    text = run_with(writer, sql, SPAN(""), 0);
    if (text[0] == '!' || connection_release(writer, &err) < 0)
        connection_rollback_to_mark(writer);
    if (connection_is_inside(writer))
        CHECK(connection_commit(writer, &err) == 0);
    return text;
}

__attribute__((unused)) static const char *put(const char *sql)
{
    return put_span(span_of(sql));
}

#define IS(actual, wanted) is_text(__FILE__, __LINE__, actual, wanted)

__attribute__((unused)) static void is_text(const char *file, int line, const char *actual,
                                            const char *wanted)
{
    if (strcmp(actual, wanted) == 0)
        return;
    test_failed_checks++;
    printf("  %s:%d: is     %s\n  %*swanted %s\n", file, line, actual,
           (int)strlen(file) + (line > 99 ? 6 : 5), "", wanted);
}

#endif

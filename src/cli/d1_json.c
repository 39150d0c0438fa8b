/* d1_json.c - walk over the records once, a row at a time. */
#include "cli/d1_json.h"

#include "service/shape.h"
#include "text/number.h"
#include "text/quote.h"

static int put_value(const struct row_value *value, struct buf *text, struct buf *out)
{
    int r;

    if (value->tag == ROW_TEXT)
        return quote_json(out, value->bytes);
    if (value->tag != ROW_BLOB)
        return shape_text(value, out);
    buf_eat(text, buf_len(text));
    r = shape_text(value, text);
    return r < 0 ? r : quote_json(out, buf_span(text));
}

struct json {
    FILE *out;
    struct shape shape;
    struct buf text; /* of one blob */
    struct buf line; /* of one row */
    uint64_t statements, rows;
    bool is_inside; /* of a statement */
};

static int put_row(struct json *j, struct err *err)
{
    struct buf *line = &j->line;
    int r = buf_print(line, "%s      {\n", j->rows++ > 0 ? ",\n" : "\n");

    for (uint32_t i = 0; i < j->shape.count && r == 0; i++) {
        r = buf_print(line, "%s        ", i > 0 ? ",\n" : "");
        if (r == 0)
            r = quote_json(line, j->shape.names[i]);
        if (r == 0)
            r = buf_append(line, ": ", 2);
        if (r == 0)
            r = put_value(&j->shape.row[j->shape.places[i]], &j->text, line);
    }
    if (r == 0)
        r = buf_append(line, "\n      }", 8);
    if (r < 0)
        return err_nomem(err);
    fwrite(buf_data(line), 1, buf_len(line), j->out);
    buf_eat(line, buf_len(line));
    return 0;
}

static void open_statement(struct json *j)
{
    fprintf(j->out, "%s  {\n    \"results\": [", j->statements++ > 0 ? ",\n" : "\n");
    j->rows = 0;
    j->is_inside = true;
}

static int close_statement(struct json *j, struct span bytes, struct err *err)
{
    struct row_meta meta;
    char duration[NUMBER_MAX];

    if (row_get_meta(bytes, &meta) < 0)
        return err_set(err, ERR_INVALID, "the database's process sent a malformed result");
    (void)number_put((double)(int64_t)(meta.duration_ms * 10000 + 0.5) / 10000, duration);
    fprintf(j->out,
            "%s],\n    \"success\": true,\n    \"meta\": {\n      \"duration\": %s\n    }\n  }",
            j->rows > 0 ? "\n    " : "", duration);
    j->is_inside = false;
    return 0;
}

static int put_rows(struct json *j, struct span bytes, struct err *err)
{
    uint32_t count;
    int r = 0;

    if (row_get_u32(&bytes, &count) < 0 || j->shape.width == 0)
        return err_set(err, ERR_INVALID, "the database's process sent malformed rows");
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = shape_row(&j->shape, &bytes, err);
        r = r < 0 ? r : put_row(j, err);
    }
    return r;
}

int d1_json_print(struct records *records, FILE *out, struct err *err)
{
    struct records_walk walk = {.records = records};
    struct json j = {.out = out};
    enum row_record type;
    struct span bytes;
    int r;

    fputc('[', out);
    while ((r = records_next(&walk, &type, &bytes, err)) > 0) {
        if (!j.is_inside)
            open_statement(&j);
        if (type == ROW_RECORD_COLUMNS)
            r = shape_read(&j.shape, bytes, err);
        else if (type == ROW_RECORD_ROWS)
            r = put_rows(&j, bytes, err);
        else
            r = close_statement(&j, bytes, err);
        if (r < 0)
            break;
    }
    fputs(j.statements > 0 ? "\n]\n" : "]\n", out);
    records_walk_done(&walk);
    shape_done(&j.shape);
    buf_done(&j.text);
    buf_done(&j.line);
    return r;
}

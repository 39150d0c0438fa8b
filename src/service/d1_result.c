/* d1_result.c - walk over the records once, a row at a time. */
#include "service/d1_result.h"

#include <inttypes.h>

#include "service/shape.h"
#include "text/number.h"
#include "text/quote.h"

struct printer {
    FILE *out;
    enum d1_layout layout;
    struct shape shape;
    struct buf line; /* of one row */
    uint64_t statements, rows;
    bool is_inside; /* of a statement */
};

static int refuse(struct err *err)
{
    return err_set(err, ERR_INVALID, "the database's process sent an answer that makes no sense");
}

static int flush(struct printer *p)
{
    fwrite(buf_data(&p->line), 1, buf_len(&p->line), p->out);
    buf_eat(&p->line, buf_len(&p->line));
    return 0;
}

/* ---- rows ---- */

static int put_value(const struct row_value *value, struct buf *out)
{
    return value->tag == ROW_TEXT ? quote_json(out, value->bytes) : shape_text(value, out);
}

static int put_object(struct printer *p)
{
    struct buf *line = &p->line;
    int r = buf_append(line, "{", 1);

    for (uint32_t i = 0; i < p->shape.count && r == 0; i++) {
        r = i > 0 ? buf_append(line, ",", 1) : 0;
        r = r < 0 ? r : quote_json(line, p->shape.names[i]);
        r = r < 0 ? r : buf_append(line, ":", 1);
        r = r < 0 ? r : put_value(&p->shape.row[p->shape.places[i]], line);
    }
    return r < 0 ? r : buf_append(line, "}", 1);
}

static int put_array(struct printer *p)
{
    struct buf *line = &p->line;
    int r = buf_append(line, "[", 1);

    for (uint32_t i = 0; i < p->shape.width && r == 0; i++) {
        r = i > 0 ? buf_append(line, ",", 1) : 0;
        r = r < 0 ? r : put_value(&p->shape.row[i], line);
    }
    return r < 0 ? r : buf_append(line, "]", 1);
}

static int put_rows(struct printer *p, struct span bytes, struct err *err)
{
    uint32_t count;
    int r = 0;

    if (row_get_u32(&bytes, &count) < 0 || p->shape.width == 0)
        return refuse(err);
    for (uint32_t i = 0; i < count; i++) {
        if (shape_row(&p->shape, &bytes, err) < 0)
            return err->code;
        r = p->rows++ > 0 ? buf_append(&p->line, ",", 1) : 0;
        r = r < 0 ? r : p->layout == D1_OBJECTS ? put_object(p) : put_array(p);
        r = r < 0 ? r : flush(p);
        if (r < 0)
            return err_nomem(err);
    }
    return 0;
}

/* ---- statements ---- */

/* All of them, twins too, in the order of the values. */
static int put_names(struct printer *p, struct span columns)
{
    struct span name;
    uint32_t count;
    int r = buf_append(&p->line, "[", 1);

    if (r < 0 || row_get_u32(&columns, &count) < 0)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        if (row_get_bytes(&columns, &name) < 0)
            return ERR_NOMEM;
        r = i > 0 ? buf_append(&p->line, ",", 1) : 0;
        r = r < 0 ? r : quote_json(&p->line, name);
    }
    return r < 0 ? r : buf_append(&p->line, "]", 1);
}

static int begin(struct printer *p, struct span columns, struct err *err)
{
    int r;

    if (p->is_inside)
        return refuse(err);
    p->is_inside = true;
    p->rows = 0;
    if (shape_read(&p->shape, columns, err) < 0)
        return err->code;
    r = buf_print(&p->line, "%s{\"results\":%s", p->statements++ > 0 ? "," : "",
                  p->layout == D1_OBJECTS ? "[" : "{\"columns\":");
    if (r == 0 && p->layout == D1_ARRAYS) {
        r = put_names(p, columns);
        r = r < 0 ? r : buf_print(&p->line, ",\"rows\":[");
    }
    return r < 0 ? err_nomem(err) : flush(p);
}

static int end(struct printer *p, struct span done, struct err *err)
{
    struct row_meta meta;
    int r;

    if (!p->is_inside || row_get_meta(done, &meta) < 0)
        return refuse(err);
    p->is_inside = false;
    r = buf_print(&p->line, "%s,\"success\":true,\"meta\":", p->layout == D1_OBJECTS ? "]" : "]}");
    r = r < 0 ? r : d1_result_meta(&meta, &p->line);
    r = r < 0 ? r : buf_append(&p->line, "}", 1);
    return r < 0 ? err_nomem(err) : flush(p);
}

int d1_result_print(struct records *records, enum d1_layout layout, FILE *out, struct err *err)
{
    struct records_walk walk = {.records = records};
    struct printer p = {.out = out, .layout = layout};
    enum row_record type;
    struct span bytes;
    int r;

    fputc('[', out);
    while ((r = records_next(&walk, &type, &bytes, err)) > 0) {
        if (type == ROW_RECORD_COLUMNS)
            r = begin(&p, bytes, err);
        else if (type == ROW_RECORD_ROWS)
            r = p.is_inside ? put_rows(&p, bytes, err) : refuse(err);
        else
            r = end(&p, bytes, err);
        if (r < 0)
            break;
    }
    fputc(']', out);
    records_walk_done(&walk);
    shape_done(&p.shape);
    buf_done(&p.line);
    return r;
}

/* ---- meta ---- */

/* As sdk/js/d1_rows.js gives it to workers. */
int d1_result_meta(const struct row_meta *meta, struct buf *out)
{
    char duration[NUMBER_MAX];

    (void)number_put((double)(int64_t)(meta->duration_ms * 10000 + 0.5) / 10000, duration);
    return buf_print(
        out,
        "{\"served_by\":\"corral-store\",\"served_by_region\":\"LOCAL\",\"served_by_primary\":true,"
        "\"served_by_colo\":\"LOCAL\",\"timings\":{\"sql_duration_ms\":%s},\"duration\":%s,"
        "\"changes\":%" PRId64 ",\"last_row_id\":%" PRId64
        ",\"changed_db\":%s,\"size_after\":%" PRId64 ",\"rows_read\":%" PRId64
        ",\"rows_written\":%" PRId64 ",\"total_attempts\":1}",
        duration, duration, meta->changes, meta->last_row_id, meta->changed_db ? "true" : "false",
        meta->size_after, meta->rows_read, meta->rows_written);
}

/* d1_table.c - each statement's rows are walked over twice: to measure, and to draw. */
#include "cli/d1_table.h"

#include "service/shape.h"

struct drawing {
    FILE *out;
    enum table_look look;
    struct table table;
    struct shape shape;
    struct buf text;  /* of one value */
    struct buf lines; /* of one row */
    uint64_t rows;    /* of the statement */
};

enum pass { MEASURE, DRAW };

static int fill_head(struct drawing *d)
{
    int r = 0;

    for (uint32_t i = 0; i < d->shape.count && r == 0; i++)
        r = table_set(&d->table, i, d->shape.names[i]);
    return r;
}

static int fill_row(struct drawing *d)
{
    int r = 0;

    for (uint32_t i = 0; i < d->shape.count && r == 0; i++) {
        buf_eat(&d->text, buf_len(&d->text));
        r = shape_text(&d->shape.row[d->shape.places[i]], &d->text);
        if (r == 0)
            r = table_set(&d->table, i, buf_span(&d->text));
    }
    return r;
}

static void flush(struct drawing *d)
{
    fwrite(buf_data(&d->lines), 1, buf_len(&d->lines), d->out);
    buf_eat(&d->lines, buf_len(&d->lines));
}

static int see_rows(struct drawing *d, enum pass pass, struct span bytes, struct err *err)
{
    uint32_t count;

    if (row_get_u32(&bytes, &count) < 0 || d->shape.width == 0)
        return err_set(err, ERR_INVALID, "the database's process sent malformed rows");
    for (uint32_t i = 0; i < count; i++) {
        if (shape_row(&d->shape, &bytes, err) < 0)
            return err->code;
        if (fill_row(d) < 0 || (pass == DRAW && table_put_row(&d->table, &d->lines) < 0))
            return err_nomem(err);
        if (pass == MEASURE)
            table_measure(&d->table);
        flush(d);
    }
    d->rows += count;
    return 0;
}

/* Up to the statement's DONE: 1; 0: there is no statement any more. */
static int see_statement(struct drawing *d, enum pass pass, struct records_walk *walk,
                         struct err *err)
{
    enum row_record type;
    struct span bytes;
    int r;

    while ((r = records_next(walk, &type, &bytes, err)) > 0 && type != ROW_RECORD_DONE) {
        if (type == ROW_RECORD_ROWS)
            r = see_rows(d, pass, bytes, err);
        if (r < 0)
            break;
    }
    return r;
}

/* 1, or 0: there is no statement any more. */
static int open_statement(struct drawing *d, struct records_walk *walk, struct err *err)
{
    enum row_record type;
    struct span bytes;
    int r = records_next(walk, &type, &bytes, err);

    if (r <= 0)
        return r;
    if (type != ROW_RECORD_COLUMNS)
        return err_set(err, ERR_INVALID, "the database's process sent rows without columns");
    if (shape_read(&d->shape, bytes, err) < 0)
        return err->code;
    if (table_init(&d->table, d->shape.count, d->look) < 0 || fill_head(d) < 0)
        return err_nomem(err);
    table_measure(&d->table);
    d->rows = 0;
    return 1;
}

static int draw_statement(struct drawing *d, struct records_walk *walk, uint64_t start,
                          struct err *err)
{
    enum row_record type;
    struct span bytes;
    int r;

    records_seek(walk, start);
    r = records_next(walk, &type, &bytes, err); /* the COLUMNS, again */
    if (r < 0)
        return r;
    if (fill_head(d) < 0 || table_put_head(&d->table, &d->lines) < 0)
        return err_nomem(err);
    r = see_statement(d, DRAW, walk, err);
    if (r > 0 && table_put_end(&d->table, &d->lines) < 0)
        return err_nomem(err);
    flush(d);
    return r;
}

int d1_table_print(struct records *records, enum table_look look, FILE *out, struct err *err)
{
    struct records_walk walk = {.records = records};
    struct drawing d = {.out = out, .look = look};
    int r;

    while ((r = open_statement(&d, &walk, err)) > 0) {
        uint64_t start = walk.at;
        r = see_statement(&d, MEASURE, &walk, err);
        if (r > 0 && d.rows > 0)
            r = draw_statement(&d, &walk, start, err);
        table_done(&d.table);
        if (r <= 0)
            break;
    }
    table_done(&d.table);
    shape_done(&d.shape);
    buf_done(&d.text);
    buf_done(&d.lines);
    records_walk_done(&walk);
    return r;
}

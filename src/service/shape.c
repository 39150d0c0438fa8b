/* shape.c - names in the order of an object's keys, values as text. */
#include "service/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/number.h"

enum { INDEX_DIGITS = 10 }; /* of the largest index of an array, 2^32 - 2 */

void shape_done(struct shape *s)
{
    mem_free(s->places);
    mem_free(s->names);
    mem_free(s->row);
    buf_done(&s->text);
    *s = (struct shape){0};
}

/* The number that a name is, as the keys of arrays are; -1: none. */
static int64_t index_of(struct span name)
{
    int64_t index = 0;

    if (name.len == 0 || name.len > INDEX_DIGITS || (name.len > 1 && name.data[0] == '0'))
        return -1;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return -1;
        index = index * 10 + (name.data[i] - '0');
    }
    return index < UINT32_MAX ? index : -1;
}

/* Where among those that are shown already: *ret_is_same when it is there. */
static uint32_t place_of(const struct shape *s, struct span name, bool *ret_is_same)
{
    int64_t index = index_of(name);
    uint32_t at = s->count;

    *ret_is_same = false;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->names[i].len == name.len && memcmp(s->names[i].data, name.data, name.len) == 0) {
            *ret_is_same = true;
            return i;
        }
        if (at == s->count && index >= 0) {
            int64_t other = index_of(s->names[i]);
            if (other < 0 || other > index)
                at = i;
        }
    }
    return at;
}

static void show(struct shape *s, struct span name, uint32_t place)
{
    bool is_same;
    uint32_t at = place_of(s, name, &is_same);

    if (!is_same) {
        memmove(s->names + at + 1, s->names + at, (s->count - at) * sizeof *s->names);
        memmove(s->places + at + 1, s->places + at, (s->count - at) * sizeof *s->places);
        s->names[at] = name;
        s->count++;
    }
    s->places[at] = place;
}

static int refuse(struct err *err)
{
    return err_set(err, ERR_INVALID, "the database's process sent rows that make no sense");
}

int shape_read(struct shape *s, struct span columns, struct err *err)
{
    struct span in, name;
    uint32_t width;

    shape_done(s);
    if (buf_append(&s->text, columns.data, columns.len) < 0)
        return err_nomem(err);
    in = buf_span(&s->text);
    if (row_get_u32(&in, &width) < 0 || width > in.len / 4)
        return refuse(err);
    s->places = mem_alloc((width + 1) * sizeof *s->places);
    s->names = mem_alloc((width + 1) * sizeof *s->names);
    s->row = mem_alloc((width + 1) * sizeof *s->row);
    if (!s->places || !s->names || !s->row)
        return err_nomem(err);
    for (s->width = 0; s->width < width; s->width++) {
        if (row_get_bytes(&in, &name) < 0)
            return refuse(err);
        show(s, name, s->width);
    }
    return in.len > 0 ? refuse(err) : 0;
}

int shape_row(struct shape *s, struct span *rows, struct err *err)
{
    for (uint32_t i = 0; i < s->width; i++)
        if (row_get_value(rows, &s->row[i]) < 0)
            return refuse(err);
    return 0;
}

bool shape_is_null(const struct row_value *value)
{
    return value->tag == ROW_NULL || (value->tag == ROW_REAL && !isfinite(value->real));
}

static int blob_text(struct span bytes, struct buf *out)
{
    int r = buf_append(out, "[", 1);

    for (size_t i = 0; i < bytes.len && r == 0; i++)
        r = buf_print(out, "%s%u", i > 0 ? ", " : "", (unsigned char)bytes.data[i]);
    return r < 0 ? r : buf_append(out, "]", 1);
}

int shape_text(const struct row_value *value, struct buf *out)
{
    char number[NUMBER_MAX];

    if (value->tag == ROW_TEXT)
        return buf_append(out, value->bytes.data, value->bytes.len);
    if (value->tag == ROW_BLOB)
        return blob_text(value->bytes, out);
    if (shape_is_null(value))
        return buf_append(out, "null", 4);
    return buf_append(
        out, number,
        number_put(value->tag == ROW_INT ? (double)value->integer : value->real, number));
}

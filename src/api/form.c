/* form.c - the parts of a body of multipart/form-data. */
#include <string.h>

#include "api/call.h"
#include "base/mem.h"
#include "text/mime.h"
#include "text/multipart.h"

static int boundary_of(const char *content_type, struct buf *ret, struct err *err)
{
    struct buf type = {0};
    int r = mime_extract(span_of(content_type), &type);

    if (r == 0 && !span_is(mime_essence(buf_span(&type)), "multipart/form-data"))
        r = err_set(err, ERR_INVALID, "The request body must be multipart/form-data, not '%.100s'",
                    content_type);
    else if (r == 0)
        r = mime_param(buf_span(&type), SPAN("boundary"), ret);
    if (r == 0)
        r = err_set(err, ERR_INVALID, "multipart/form-data comes without a boundary");
    buf_done(&type);
    return r == ERR_NOMEM ? err_nomem(err) : r < 0 ? r : 0;
}

/* Text without a NUL in it, which would end it early. */
static int text_of(struct span in, char **ret, struct err *err)
{
    if (memchr(in.data ? in.data : "", 0, in.len))
        return err_set(err, ERR_INVALID, "A part of the form has a NUL in its name or type");
    *ret = mem_copy(in.data ? in.data : "", in.len);
    return *ret ? 0 : err_nomem(err);
}

static int add(struct api_part **parts, size_t *count, size_t *room,
               const struct multipart_part *part, struct err *err)
{
    struct api_part *grown = *parts, *one;
    int r;

    if (*count == *room) {
        *room = *room ? *room * 2 : 16;
        grown = mem_resize(*parts, *room * sizeof *grown);
        if (!grown)
            return err_nomem(err);
        *parts = grown;
    }
    one = &grown[*count];
    *one = (struct api_part){.bytes = part->content};
    *count += 1;
    r = text_of(buf_span(&part->name), &one->name, err);
    if (r == 0)
        r = text_of(part->has_filename ? buf_span(&part->filename) : SPAN(""), &one->filename, err);
    if (r == 0)
        r = text_of(part->type, &one->type, err);
    return r;
}

int api_parts(struct api_call *call, struct api_part **ret_parts, size_t *ret_count,
              struct err *err)
{
    struct multipart_part part = {0};
    struct api_part *parts = NULL;
    struct buf boundary = {0};
    size_t count = 0, room = 0;
    struct multipart m;
    int r;

    r = boundary_of(call->content_type, &boundary, err);
    if (r == 0)
        r = multipart_init(&m, buf_span(&boundary), call->bytes, err);
    while (r >= 0 && (r = multipart_next(&m, &part, err)) == MULTIPART_PART) {
        r = add(&parts, &count, &room, &part, err);
        if (r < 0)
            break;
    }
    multipart_part_done(&part);
    buf_done(&boundary);
    if (r < 0) {
        api_parts_done(parts, count);
        return r;
    }
    *ret_parts = parts;
    *ret_count = count;
    return 0;
}

void api_parts_done(struct api_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mem_free(parts[i].name);
        mem_free(parts[i].filename);
        mem_free(parts[i].type);
    }
    mem_free(parts);
}

/* form.c - the C half of formdata.js: MIME types, and the parts of a multipart body. */
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"
#include "text/mime.h"
#include "text/multipart.h"

static JSValueRef out_of_memory(JSValueRef *ret_thrown)
{
    return engine_throw(ret_thrown, "RangeError", "out of memory");
}

/* mimeType(header) -> the type serialised, "" when there is no valid one */
static JSValueRef mime_type(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct buf header = {0}, type = {0};
    JSValueRef value = engine.undefined;

    (void)js, (void)function, (void)self, (void)count;
    if (text_append_value(&header, arguments[0], ret_thrown) == 0 &&
        mime_extract(buf_span(&header), &type) == 0)
        value = text_value(buf_span(&type));
    else if (!*ret_thrown)
        out_of_memory(ret_thrown);
    buf_done(&header);
    buf_done(&type);
    return value;
}

/* add(name, filename or null, type or null, start, end); false when it threw */
static bool add_part(const struct multipart_part *part, struct span body, JSObjectRef add,
                     JSValueRef *ret_thrown)
{
    JSValueRef null = JSValueMakeNull(engine.context);
    size_t start = (size_t)(part->content.data - body.data);
    JSValueRef arguments[5] = {
        text_value(buf_span(&part->name)),
        part->has_filename ? text_value(buf_span(&part->filename)) : null,
        part->type.data ? text_value(part->type) : null,
        engine_number((double)start),
        engine_number((double)(start + part->content.len)),
    };

    engine_call(add, 5, arguments, ret_thrown);
    return !*ret_thrown;
}

static void read_parts(struct span boundary, struct span body, JSObjectRef add,
                       JSValueRef *ret_thrown)
{
    struct multipart m;
    struct multipart_part part = {0};
    struct err err = {0};
    int r = multipart_init(&m, boundary, body, &err);

    while (r >= 0) {
        r = multipart_next(&m, &part, &err);
        if (r != MULTIPART_PART || !add_part(&part, body, add, ret_thrown))
            break;
    }
    if (r < 0)
        engine_throw(ret_thrown, r == ERR_INVALID ? "TypeError" : "RangeError",
                     "The body is no valid multipart/form-data: %s", err.text);
    multipart_part_done(&part);
}

/* multipart(type, bytes, add): add() for each part.  The bytes must be out of
 * the tenant's reach, and add must not run its code. */
static JSValueRef multipart(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct buf type = {0}, boundary = {0};
    struct span body = {0};
    int r;

    (void)js, (void)function, (void)self, (void)count;
    if (text_append_value(&type, arguments[0], ret_thrown) < 0) {
        buf_done(&type);
        return *ret_thrown ? engine.undefined : out_of_memory(ret_thrown);
    }
    engine_lock();
    r = mime_param(buf_span(&type), SPAN("boundary"), &boundary);
    if (r < 0)
        out_of_memory(ret_thrown);
    else if (r == 0)
        engine_throw(ret_thrown, "TypeError", "No boundary string in Content-Type header.");
    else if (web_bytes(arguments[1], &body))
        read_parts(buf_span(&boundary), body, (JSObjectRef)arguments[2], ret_thrown);
    engine_unlock();
    buf_done(&type);
    buf_done(&boundary);
    return engine.undefined;
}

void web_define_form(void)
{
    engine_native("mimeType", mime_type);
    engine_native("multipart", multipart);
}

/* d1.c - the C half of d1.js: calls on databases.
 *
 * A call is put together in one buffer, statement by statement, straight from
 * JavaScript's values, and leaves as the body of an outcall.  What comes back
 * is decoded where it arrives (d1_words.c) and never gathered.
 *
 *   d1Send --END or ERROR, last byte--> over
 *      +-- failed, malformed, request over ---> over, having told JavaScript why */
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/outcall.h"
#include "realm/web/d1_words.h"
#include "realm/web/web.h"
#include "row/row.h"

enum { BINDINGS_MAX = 1000 };

struct call {
    struct outcall *outcall; /* NULL: it is over */
    struct d1_answer answer;
    JSObjectRef js; /* class Answer of d1_rows.js */
    unsigned holds; /* code of ours is inside */
    bool is_told;   /* JavaScript has heard the end */
};

static struct {
    char *names[BINDINGS_MAX];
    unsigned count;
} bindings;
static JSObjectRef take_block, fail_call;

/* Of the call that is put together; JavaScript does nothing else meanwhile. */
static struct buf draft;
static uint32_t draft_count;

/* ---- answers ---- */

static void release(struct call *c)
{
    if (--c->holds > 0 || c->outcall)
        return;
    d1_answer_done(&c->answer);
    engine_drop(c->js);
    mem_free(c);
}

static void tell_failure(struct call *c, JSValueRef error)
{
    JSValueRef arguments[] = {c->js, error};

    if (c->is_told)
        return;
    c->is_told = true;
    if (!fail_call)
        fail_call = engine_internal("d1Fail");
    engine_run(fail_call, 2, arguments);
}

static void on_failed(void *self, JSValueRef error)
{
    struct call *c = self;

    c->holds++;
    c->outcall = NULL;
    tell_failure(c, error);
    release(c);
}

static int on_block(void *self, const struct d1_block *block)
{
    struct call *c = self;
    JSValueRef arguments[] = {c->js, engine_number((double)block->count), block->text, block->longs,
                              block->bytes},
               thrown = NULL;

    if (c->is_told)
        return ERR_GONE;
    if (!take_block)
        take_block = engine_internal("d1Take");
    engine_call(take_block, 5, arguments, &thrown);
    if (thrown) {
        tell_failure(c, thrown);
        return ERR_GONE;
    }
    c->is_told |= c->answer.is_over;
    return c->outcall ? 0 : ERR_GONE;
}

static JSValueRef error_of(int code)
{
    JSValueRef error = NULL;

    if (code == ERR_LIMIT)
        engine_throw(&error, "RangeError",
                     "The result is too large for this worker's memory: select fewer rows or "
                     "columns, or page through them with LIMIT");
    else if (code == ERR_NOMEM)
        engine_throw(&error, "RangeError", "There is no memory left for this result");
    else
        engine_throw(&error, "TypeError", "The database's answer was cut off or is malformed");
    return error;
}

static void on_bytes(void *self, struct span bytes, bool is_end)
{
    struct call *c = self;
    struct outcall *o = c->outcall;
    int r;

    c->holds++;
    r = d1_answer_eat(&c->answer, bytes, on_block, c);
    if (is_end)
        c->outcall = NULL;
    if (r == 0 && is_end && !c->answer.is_over)
        r = ERR_INVALID;
    if (r < 0 && r != ERR_GONE)
        tell_failure(c, error_of(r));
    if (r < 0 && c->outcall)
        outcall_cancel(o, engine.undefined);
    release(c);
}

static void on_reply(void *self, const struct realm_reply *reply)
{
    struct call *c = self;
    JSValueRef error = NULL;

    if (reply->status == 200)
        return;
    engine_throw(&error, "Error", "The database answered with status %u", reply->status);
    outcall_cancel(c->outcall, error);
}

static const struct outcall_ear EAR = {
    .reply = on_reply, .bytes = on_bytes, .failed = on_failed};

/* ---- calls ---- */

/* d1Binding(name) -> the number that it has here */
static JSValueRef binding(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct buf name = {0};
    char *text = NULL;
    unsigned i = 0;

    (void)js, (void)function, (void)self, (void)count;
    if (text_append_value(&name, arguments[0], ret_thrown) == 0)
        text = buf_detach(&name);
    buf_done(&name);
    while (text && i < bindings.count && strcmp(bindings.names[i], text) != 0)
        i++;
    if (!text || i == BINDINGS_MAX) {
        mem_free(text);
        return engine_throw(ret_thrown, "RangeError", "too many databases");
    }
    if (i == bindings.count)
        bindings.names[bindings.count++] = text;
    else
        mem_free(text);
    return engine_number(i);
}

/* As JSON sees it: what is no number for it is null, and -0 is 0. */
static int put_number(double number)
{
    struct row_value value = {.tag = ROW_REAL, .real = number + 0.0};

    if (number - number != 0)
        value.tag = ROW_NULL;
    return row_put_value(&draft, &value);
}

static void set_u32(size_t at, uint32_t value)
{
    unsigned char *p = (unsigned char *)draft.mem + draft.head + at;

    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(value >> (8 * i));
}

/* u32 length, UTF-8 */
static int put_text(JSValueRef text, JSValueRef *ret_thrown)
{
    size_t at = buf_len(&draft);
    int r = row_put_u32(&draft, 0);

    if (r == 0)
        r = text_append_value(&draft, text, ret_thrown);
    if (r == 0)
        set_u32(at, (uint32_t)(buf_len(&draft) - at - 4));
    return r;
}

static int put_parameter(JSContextRef js, JSValueRef value, JSValueRef *ret_thrown)
{
    static const char text_tag = ROW_TEXT;
    struct row_value put = {.tag = ROW_BLOB};

    switch (JSValueGetType(js, value)) {
    case kJSTypeNumber:
        return put_number(engine_number_of(value));
    case kJSTypeString:
        return buf_append(&draft, &text_tag, 1) < 0 ? ERR_NOMEM : put_text(value, ret_thrown);
    case kJSTypeNull:
        put.tag = ROW_NULL;
        return row_put_value(&draft, &put);
    default:
        if (web_bytes(value, &put.bytes))
            return row_put_value(&draft, &put);
        engine_throw(ret_thrown, "TypeError", "what is bound is no number, string, null or bytes");
        return ERR_INVALID;
    }
}

/* d1Put(index, sql, ...parameters): statement number `index` of the call; 0 begins a new one */
static JSValueRef put(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                      const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    int r = 0;

    (void)function, (void)self;
    if (engine_number_of(arguments[0]) == 0) {
        buf_eat(&draft, buf_len(&draft));
        draft_count = 0;
        r = row_put_u32(&draft, 0);
    }
    if (r == 0)
        r = put_text(arguments[1], ret_thrown);
    if (r == 0)
        r = row_put_u32(&draft, (uint32_t)(count - 2));
    for (size_t i = 2; i < count && r == 0; i++)
        r = put_parameter(js, arguments[i], ret_thrown);
    if (r == 0 && buf_len(&draft) > ROW_CALL_MAX)
        r = ERR_LIMIT;
    if (r == 0)
        draft_count++;
    else if (!*ret_thrown && r == ERR_LIMIT)
        engine_throw(ret_thrown, "RangeError",
                     "a call may have at most %d bytes of SQL and parameters", ROW_CALL_MAX);
    else if (!*ret_thrown)
        engine_throw(ret_thrown, "RangeError", "There is no memory left for this call");
    if (r < 0)
        buf_eat(&draft, buf_len(&draft));
    return engine.undefined;
}
ENGINE_LOCKED(put)

static struct call *call_new(JSValueRef js, enum d1_rows wants)
{
    struct call *c = mem_alloc(sizeof *c);

    if (c)
        *c = (struct call){.answer = {.wants = wants}, .js = (JSObjectRef)engine_keep(js)};
    return c;
}

static void open_call(struct host_outcall *head, struct span body, JSValueRef js,
                      enum d1_rows wants, JSValueRef *ret_thrown)
{
    struct call *c = call_new(js, wants);

    if (!c) {
        engine_throw(ret_thrown, "RangeError", "There is no memory left for this call");
        return;
    }
    head->body_length = (int64_t)body.len;
    c->outcall = outcall_open_heard(head, &EAR, c, ret_thrown);
    if (c->outcall) {
        outflow_write_whole(&c->outcall->out, body);
        return;
    }
    c->holds++;
    release(c);
}

/* d1Send(binding, request, answer, wants, bookmark or undefined, sql or undefined): sql, an exec's,
 * or the statements that were put */
static JSValueRef send(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct host_pair pair = {.name = SPAN("bookmark")};
    bool is_exec = !JSValueIsUndefined(js, arguments[5]);
    struct host_outcall head = {
        .request = (uint32_t)engine_number_of(arguments[1]),
        .binding = span_of(bindings.names[(unsigned)engine_number_of(arguments[0])]),
        .method = is_exec ? SPAN("exec") : SPAN("query"),
        .arguments = &pair};
    enum d1_rows wants = (enum d1_rows)(int)engine_number_of(arguments[3]);
    struct buf text = {0};
    int r = 0;

    (void)function, (void)self, (void)count;
    if (!JSValueIsUndefined(js, arguments[4])) {
        r = text_append_value(&text, arguments[4], ret_thrown);
        pair.value = buf_span(&text);
        head.argument_count = 1;
    }
    if (is_exec) {
        buf_eat(&draft, buf_len(&draft));
        r = r < 0 ? r : text_append_value(&draft, arguments[5], ret_thrown);
    } else {
        set_u32(0, draft_count);
    }
    if (r == 0)
        open_call(&head, buf_span(&draft), arguments[2], wants, ret_thrown);
    else if (!*ret_thrown)
        engine_throw(ret_thrown, "RangeError", "There is no memory left for this call");
    buf_eat(&draft, buf_len(&draft));
    buf_done(&text);
    return engine.undefined;
}
ENGINE_LOCKED(send)

void web_define_d1(void)
{
    engine_native("d1Binding", binding);
    engine_native("d1Put", put_locked);
    engine_native("d1Send", send_locked);
}

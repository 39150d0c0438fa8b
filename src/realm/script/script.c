/* script.c - a worker in JavaScript: its linked form evaluated once, its handlers called for every
 * request.
 *
 * sdk/js/entry.js finds the handlers, calls them and words every failure; here are the files, the
 * turns of the loop while top-level code waits, and the holds:
 *
 *   call -> serve(id, head) in JavaScript -> answers at once, or when its promise settles
 *        -> handlerEnded(id): the handler's hold ends
 *
 * A handler whose script was ended by its limit of time never gets there: on_ended does it then. */
#include "realm/script/script.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/overtime.h"
#include "realm/web/web.h"

enum {
    INTERNAL = 5, /* FAILURE_INTERNAL of the wire */
    TURNS_MAX = 1000,
    FILE_MAX = 512 << 20,
    ENDING_MAX = 64, /* handlers that end in one turn behind its microtasks */
};

static const char TOO_LONG[] =
    "CpuLimitExceeded: the request has used up its processor time (limits.cpu_ms)";

static bool is_on;
static char *folder; /* of the linked form; kept for ever */
static JSObjectRef serve, warm, occur;

bool script_is_on(void)
{
    return is_on;
}

bool script_is_wanted(const struct realm_bundle *bundle)
{
    size_t len = strlen(bundle->main);

    return len < 3 || strcmp(bundle->main + len - 3, ".py") != 0;
}

/* ---- files of the linked form ---- */

static int read_whole(int fd, char **ret_bytes, size_t *ret_len)
{
    struct stat st;
    char *bytes;
    size_t len = 0;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
        return ERR_INVALID;
    bytes = mem_alloc((size_t)st.st_size + 1);
    if (!bytes)
        return ERR_NOMEM;
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, bytes + len, (size_t)st.st_size - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

static int read_file(const char *name, char **ret_bytes, size_t *ret_len)
{
    char path[4096];
    int fd, r;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return ERR_INVALID;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return ERR_NOT_FOUND;
    r = read_whole(fd, ret_bytes, ret_len);
    close(fd);
    return r;
}

/* readLinked(path) -> Uint8Array, or undefined when there is no such file */
static JSValueRef read_linked(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct buf name = {0};
    JSValueRef value = engine.undefined;
    char *bytes;
    size_t len;

    (void)js, (void)function, (void)self, (void)count;
    if (text_append_value(&name, arguments[0], ret_thrown) == 0 && buf_append(&name, "", 1) == 0 &&
        !strstr(buf_data(&name), "..") && read_file(buf_data(&name), &bytes, &len) == 0)
        value = web_take_bytes(bytes, len);
    buf_done(&name);
    return value;
}

/* ---- answers ---- */

static void end_handler(struct exchange *x)
{
    if (!x->is_called)
        return;
    x->is_called = false;
    exchange_release(x);
}

/* What is rejected with nobody to hear it is known when all microtasks have run, and belongs to the
 * request, too: its handler ends behind them. */
static uint32_t ending[ENDING_MAX];
static size_t ending_count;

static void end_later(struct exchange *x)
{
    if (ending_count == ENDING_MAX)
        end_handler(x);
    else
        ending[ending_count++] = x->stream;
}

bool script_has_ended(void)
{
    return ending_count > 0;
}

void script_end_handlers(void)
{
    while (ending_count > 0) {
        struct exchange *x = exchange_find(ending[--ending_count]);
        if (x)
            end_handler(x);
    }
}

#define HUNG                                                                                       \
    "Error: The Workers runtime canceled this request because it detected that your Workers' "     \
    "code had hung and would never generate a response."

/* The code that it runs waits for nothing but promises. */
static bool is_unanswered(const struct exchange *x)
{
    return x->is_called && !x->is_answered && !x->out.is_over && !x->event && !x->on_quiet;
}

static bool can_go_on(const struct exchange *x)
{
    return x->outcalls > 0 || x->socket || x->on_abort || !x->in.has_all ||
           !(x->out.is_over || is_unanswered(x));
}

void script_end_hung(void)
{
    struct exchange *x;

    if (exchange_count() == 0 || exchange_pick(can_go_on))
        return;
    while ((x = exchange_pick(is_unanswered))) {
        exchange_hold(x);
        exchange_fail(x, HOST_EXCEPTION, SPAN(HUNG));
        end_handler(x);
        exchange_release(x);
    }
}

static struct exchange *exchange_of(JSValueRef id)
{
    return exchange_find((uint32_t)engine_number_of(id));
}

static void fail(struct exchange *x, enum host_failure why, struct span text)
{
    if (x->on_quiet)
        web_fail_event(x, text);
    else
        exchange_fail(x, why, text);
}

/* handlerEnded(id): it has answered */
static JSValueRef handler_ended(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x)
        end_later(x);
    return engine.undefined;
}

/* handlerFailed(id, isResult, text): it has thrown, or what it gave is no Response */
static JSValueRef handler_failed(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(arguments[0]);
    struct buf text = {0};

    (void)function, (void)self, (void)count;
    if (x) {
        if (text_append_value(&text, arguments[2], ret_thrown) < 0)
            fail(x, HOST_EXCEPTION, SPAN("out of memory"));
        else
            fail(x, JSValueToBoolean(js, arguments[1]) ? HOST_BAD_RESULT : HOST_EXCEPTION,
                 buf_span(&text));
        x = exchange_of(arguments[0]);
    }
    if (x)
        end_later(x);
    buf_done(&text);
    return engine.undefined;
}

ENGINE_LOCKED(handler_ended)
ENGINE_LOCKED(handler_failed)

void script_define(void)
{
    engine_native("readLinked", read_linked);
    engine_native("handlerEnded", handler_ended_locked);
    engine_native("handlerFailed", handler_failed_locked);
}

/* A script that nothing waits for was ended: so it goes for the handler, which may have waited for
 * it. */
static void on_ended(uint32_t stream)
{
    struct exchange *x = exchange_find(stream);

    if (x)
        end_handler(x);
}

/* serve and its like throw nothing; but the engine may end them. */
static void call(struct exchange *x, JSObjectRef function, size_t count,
                 const JSValueRef *arguments)
{
    uint32_t stream = x->stream;
    JSValueRef thrown = NULL;

    JSValueRef value;

    x->is_called = true;
    web_timers_owner(stream);
    value = engine_call(function, count, arguments, &thrown);
    web_timers_owner(0);
    if (value)
        return;
    x = exchange_find(stream);
    if (!x)
        return;
    if (engine_was_ended(thrown)) {
        fail(x, HOST_EXCEPTION, SPAN(TOO_LONG));
    } else {
        char *what = engine_describe(thrown);
        fail(x, HOST_EXCEPTION, what ? span_of(what) : SPAN("out of memory"));
        mem_free(what);
    }
    x = exchange_find(stream);
    if (x)
        end_handler(x);
}

static void call_with_head(struct exchange *x, JSObjectRef function)
{
    const JSValueRef arguments[] = {engine_number(x->stream), web_head_handle(x->head)};

    call(x, function, 2, arguments);
}

void script_fetch(struct exchange *x)
{
    call_with_head(x, serve);
}

void script_warm(struct exchange *x)
{
    call_with_head(x, warm);
}

void script_event(struct exchange *x, const struct realm_event *event)
{
    uint32_t stream = x->stream;
    JSValueRef thrown = NULL, object = web_open_event(x, event->kind, event->payload, &thrown);
    JSValueRef arguments[] = {engine_number(stream), NULL, NULL, object};

    if (!object) {
        char *what = engine_describe(thrown);
        x->is_called = true;
        fail(x, HOST_EXCEPTION, what ? span_of(what) : SPAN("out of memory"));
        mem_free(what);
        x = exchange_find(stream);
        if (x)
            end_handler(x);
        return;
    }
    arguments[1] = text_value(event->kind);
    arguments[2] = text_value(event->entrypoint);
    call(x, occur, 4, arguments);
}

/* As on Cloudflare: while it is loaded it may. */
void script_settle(void)
{
    engine_forbid_eval("Code generation from strings disallowed for this context");
}

/* ---- loading ---- */

static char *text_at(JSObjectRef list, unsigned i)
{
    JSValueRef thrown = NULL, value = JSObjectGetPropertyAtIndex(engine.context, list, i, &thrown);
    struct buf text = {0};

    if (thrown || text_append_value(&text, value, &thrown) < 0 || buf_append(&text, "", 1) < 0) {
        buf_done(&text);
        return mem_strdup("");
    }
    return buf_detach(&text);
}

static int number_at(JSObjectRef list, unsigned i)
{
    JSValueRef value = JSObjectGetPropertyAtIndex(engine.context, list, i, NULL);

    return value ? (int)JSValueToNumber(engine.context, value, NULL) : 0;
}

/* list: [kind, text, hint, traceback, file, module, line, column] */
static int fill_failure(JSObjectRef list, struct realm_failure *ret)
{
    ret->kind = number_at(list, 0);
    ret->text = text_at(list, 1);
    ret->hint = text_at(list, 2);
    ret->traceback = text_at(list, 3);
    ret->file = text_at(list, 4);
    ret->module = text_at(list, 5);
    ret->line = number_at(list, 6);
    ret->column = number_at(list, 7);
    return ERR_INVALID;
}

static int fail_internally(struct realm_failure *ret, const char *why, JSValueRef thrown)
{
    char *what = thrown ? engine_describe(thrown) : NULL;

    ret->kind = INTERNAL;
    ret->text = mem_strdup(why);
    ret->hint = mem_strdup("");
    ret->traceback = what ? what : mem_strdup("");
    ret->file = mem_strdup("");
    ret->module = mem_strdup("");
    return ERR_INVALID;
}

static int open_script(const struct realm_bundle *b, JSValueRef *ret_thrown)
{
    const JSValueRef values[] = {text_value(b->env.len ? b->env : SPAN("{}")),
                                 text_value(b->bindings.len ? b->bindings : SPAN("{}"))};
    JSValueRef env = engine_call(engine_internal("makeEnv"), 2, values, ret_thrown);
    JSValueRef given[] = {text_value(span_of(b->name)), text_value(span_of(b->main)),
                          text_value(span_of(b->compatibility_date)),
                          text_value(span_of(b->compatibility_flags)), env};

    return env && engine_call(engine_internal("openScript"), 5, given, ret_thrown) ? 0 : -1;
}

/* Its value, the function; or NULL with what it has thrown. */
static JSValueRef evaluate(struct span source, JSValueRef *ret_thrown)
{
    JSStringRef text = text_new(source), name = JSStringCreateWithUTF8CString("worker.js");
    JSValueRef value = NULL;

    if (text)
        value = JSEvaluateScript(engine.context, text, NULL, name, 1, ret_thrown);
    JSStringRelease(name);
    if (text)
        JSStringRelease(text);
    return value;
}

static bool is_settled(void)
{
    return JSValueToBoolean(engine.context,
                            engine_run(engine_internal("isScriptSettled"), 0, NULL));
}

/* Until the promise of top-level code is settled, or nothing is left that could settle it. */
static void run_loop(void)
{
    for (int i = 0; i < TURNS_MAX && !is_settled(); i++) {
        int due_ms;
        engine_unlock();
        due_ms = engine_turn();
        engine_lock();
        if (due_ms < 0 && i > 1)
            break;
    }
}

static int judge(uint32_t *ret_handlers, struct realm_failure *ret_failure)
{
    JSValueRef thrown = NULL, found = engine_call(engine_internal("closeScript"), 0, NULL, &thrown);

    if (!found)
        return fail_internally(ret_failure, "the worker could not be loaded", thrown);
    if (JSValueIsObject(engine.context, found))
        return fill_failure((JSObjectRef)found, ret_failure);
    *ret_handlers = (uint32_t)engine_number_of(found);
    return 0;
}

int script_load(const struct realm_bundle *bundle, uint32_t *ret_handlers,
                struct realm_failure *ret_failure)
{
    JSValueRef thrown = NULL, arguments[2];
    char *source;
    size_t len;

    is_on = true;
    folder = mem_strdup(bundle->folder);
    exchange_set_current(overtime_running);
    overtime_wake_by(on_ended);
    serve = engine_internal("serve");
    warm = engine_internal("serveWarm");
    occur = engine_internal("occur");
    if (!folder || open_script(bundle, &thrown) < 0)
        return fail_internally(ret_failure, "the worker could not be loaded: Corral itself failed",
                               thrown);
    if (read_file("worker.js", &source, &len) < 0)
        return fail_internally(
            ret_failure, "the worker could not be loaded: its linked form is not there", NULL);
    arguments[0] = evaluate((struct span){source, len}, &thrown);
    mem_free(source);
    arguments[1] = thrown ? thrown : engine.undefined;
    if (!arguments[0])
        arguments[0] = engine.undefined;
    engine_call(engine_internal("runScript"), 2, arguments, &thrown);
    run_loop();
    return judge(ret_handlers, ret_failure);
}

/* engine.c - JavaScriptCore: one context, its run loop, its lock, its death and rebirth at a fork.
 *
 * What a fork of a live JavaScriptCore needs (found by 2,250 forks; hangs
 * without any of it):
 *   1. no concurrent collector, one marker, no concurrent JIT: set in the
 *      environment before the process starts, checked by engine_open;
 *   2. a GMainContext of our own, pushed while the VM is made: async
 *      WebAssembly and FinalizationRegistry come back only through it;
 *   3. no thread of the allocator's scavenger at any fork: it is suspended from
 *      before the VM is made until engine_rest.  (Suspending around each fork
 *      costs up to ten seconds, the scavenger's longest sleep.)  Nor is its
 *      work done by hand: each page that it gives back in a template splits a
 *      mapping, which every fork copies, and every instance takes pages anew;
 *   4. WTF's main thread initialised on that context: the collector's idle timer
 *      asks the main run loop, which the C API alone never makes, and dies;
 *   5. a wake-up descriptor per child (engine_start): the inherited eventfd is
 *      one object shared with all relatives, so it is replaced in place, under
 *      the number that GLib remembers.
 *
 * Called by realm.c; natives come from web/ and bridge/. */
#include "realm/js/engine.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <jsc/jsc.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "realm/exchange.h"
#include "realm/js/text.h"
#include "realm/sdk.h"

/* Exported by the library, in no public header. */
extern void JSLock(JSContextRef context);
extern void JSUnlock(JSContextRef context);
extern JSStringRef JSContextCreateBacktrace(JSContextRef context, unsigned max_frames);
extern void JSSynchronousGarbageCollectForDebugging(JSContextRef context);
extern void JSGlobalContextSetUnhandledRejectionCallback(JSGlobalContextRef context,
                                                         JSObjectRef function, JSValueRef *thrown);
extern void
JSGlobalContextSetIncludesNativeCallStackWhenReportingExceptions(JSGlobalContextRef context,
                                                                 bool includes);
extern void JSContextGroupSetExecutionTimeLimit(JSContextGroupRef group, double seconds,
                                                bool (*ends)(JSContextRef context, void *self),
                                                void *self);
extern void JSGlobalContextSetEvalEnabled(JSGlobalContextRef context, bool is_enabled,
                                          JSStringRef message);
extern void pas_scavenger_suspend(void);
extern void pas_scavenger_resume(void);
extern void wtf_initialize_main_thread(void) __asm__("_ZN3WTF20initializeMainThreadEv");
extern void jsc_drain_microtasks(const struct OpaqueJSContextGroup *vm) __asm__(
    "_ZN3JSC2VM15drainMicrotasksEv");
/* Throw, as if what runs did: its next check finds it. */
extern void *
jsc_throw(const struct OpaqueJSContextGroup *vm, JSContextRef context,
          JSValueRef value) __asm__("_ZN3JSC2VM14throwExceptionEPNS_14JSGlobalObjectENS_7JSValueE");
/* In the place of WTF::CPUTime::forCurrentThread, for the engine's watchdog.  It reads that at each
 * way into the engine, three times for a request, and the clock of a thread is a system call: half
 * a microsecond. A time that
 * stands still, so far away that a few milliseconds more are the same number, leaves the decision
 * to the wall's, which it compares as well. */
__attribute__((visibility("default"), used)) double
wtf_thread_seconds(void) __asm__("_ZN3WTF7CPUTime16forCurrentThreadEv");

/* In the place of the constructor of the engine's helper threads, those that compile WebAssembly
 * among them: they idle for ten seconds before they end, and for so long no template could fork. */
#define HELPER_THREAD                                                                              \
    "_ZN3WTF15AutomaticThreadC2ERKNS_14AbstractLockerENS_3BoxINS_4LockEEEONS_3RefINS_"             \
    "24AutomaticThreadConditionENS_12RawPtrTraitsIS8_EENS_21DefaultRefDerefTraitsIS8_EEEENS_10"    \
    "ThreadTypeENS_7SecondsE"
typedef void helper_thread_fn(void *self, const void *locker, void *lock, void *condition,
                              unsigned char type, double idle_s);
__attribute__((visibility("default"), used))
helper_thread_fn engine_helper_thread __asm__(HELPER_THREAD);

enum { RUN_LOOP_FDS = 8 };
/* Of a script's own time between two questions whether it is over. */
static const double WATCH_S = 0.02, FAR_S = 1e18;
static const double OTHERS_S = 0.1; /* processor time of what waits behind a script that ends */
static const double IDLE_S = 0.02;  /* of a helper thread */

struct engine engine;
static GMainContext *run_loop;
static int wake_fd = -1;
static bool is_woken = true;        /* wake_fd was readable, or may have been */
static _Thread_local bool has_loop; /* this thread owns run_loop */
_Thread_local struct engine_place engine_place;

/* What scripts use of the language, taken before any worker could put something else in its place.
 */
#define LANGUAGE                                                                                   \
    "const { Array, ArrayBuffer, BigInt, Boolean, DataView, Date, Error, Function, JSON, Map, "    \
    "Math, Number, Object, Promise, Proxy, RangeError, Reflect, RegExp, Set, String, Symbol, "     \
    "SyntaxError, TypeError, Uint8Array, WeakMap, WeakRef } = internals.language ?? globalThis; "

static const char *const error_names[] = {"Error", "TypeError", "RangeError"};
static JSObjectRef error_makers[3];

/* Each file is the body of a function (native, internals); earlier ones serve later ones. */
static const char *const scripts[] = {
    "js/error_stack.js",
    "js/language.js", /* takes what it is from globalThis, gives it to the others */
    "js/errors.js",
    "js/source_map.js",
    "js/convert.js",
    "js/layout.js",
    "js/inspect.js",
    "js/console.js",
    "js/random.js",
    "js/timers.js",
    "js/exception.js",
    "js/events.js",
    "js/abort.js",
    "js/platform.js",
    "js/clone.js",
    "js/performance.js",
    "js/encoding.js",
    "js/url.js",
    "js/url_pattern_parse.js",
    "js/url_pattern.js",
    "js/streams/base.js",
    "js/streams/strategies.js",
    "js/streams/readable.js",
    "js/streams/bytes.js",
    "js/streams/writable.js",
    "js/streams/pipe.js",
    "js/streams/tee.js",
    "js/streams/transform.js",
    "js/streams/native.js",
    "js/streams/text.js",
    "js/streams/compression.js",
    "js/headers.js",
    "js/blob.js",
    "js/formdata.js",
    "js/body.js",
    "js/crypto.js",
    "js/subtle_der.js",
    "js/subtle_secret.js",
    "js/subtle_pair.js",
    "js/digest_stream.js",
    "js/websocket.js",
    "js/messaging.js",
    "js/request.js",
    "js/response.js",
    "js/html_rewriter.js",
    "js/outcall.js",
    "js/data_url.js",
    "js/fetch.js",
    "js/event_source.js",
    "js/cache.js",
    "js/context.js",
    "js/node_keys.js",
    "js/node.js",
    "js/loopback.js",
    "js/modules.js",
    "js/values.js",
    "js/d1_rows.js",
    "js/d1.js",
    "js/occasions.js",
    "js/wasm.js",
    "js/entry.js",
    "js/scope.js",
    "js/jsproxy.js",
    "js/bridge.js",
    "js/pybuffer.js",
    "js/pyproxy_traps.js",
    "js/pyproxy.js",
    "js/pack.js",
};

static int check_environment(struct err *err)
{
    static const char *const wanted[][2] = {
        {"JSC_useConcurrentGC", "0"}, {"JSC_numberOfGCMarkers", "1"}, {"JSC_useConcurrentJIT", "0"},
        {"JSC_usePollingTraps", "1"}, /* engine_watch: else it ends one loop of optimised code alone
                                       */
        {"GIGACAGE_ENABLED", "0"},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *is = getenv(wanted[i][0]);
        if (!is || strcmp(is, wanted[i][1]) != 0)
            return err_set(err, ERR_INVALID,
                           "start JavaScriptCore: %s=%s is not in the environment", wanted[i][0],
                           wanted[i][1]);
    }
    return 0;
}

static int find_wake_fd(void)
{
    GPollFD fds[RUN_LOOP_FDS];
    int priority, timeout_ms, n;

    if (!g_main_context_acquire(run_loop))
        return -1;
    g_main_context_prepare(run_loop, &priority);
    n = g_main_context_query(run_loop, priority, &timeout_ms, fds, RUN_LOOP_FDS);
    g_main_context_check(run_loop, priority, fds, n < RUN_LOOP_FDS ? n : RUN_LOOP_FDS);
    g_main_context_release(run_loop);
    return n > 0 ? fds[0].fd : -1;
}

/* The allocator prints that the gigacage is off, to whoever listens on 2. */
static JSGlobalContextRef make_context_quietly(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC), saved = dup(2);
    JSGlobalContextRef context;

    if (null >= 0 && saved >= 0)
        dup2(null, 2);
    wtf_initialize_main_thread();
    context = JSGlobalContextCreate(NULL);
    if (saved >= 0) {
        dup2(saved, 2);
        close(saved);
    }
    if (null >= 0)
        close(null);
    return context;
}

static void keep_error_makers(void)
{
    for (size_t i = 0; i < sizeof error_names / sizeof *error_names; i++) {
        JSStringRef name = JSStringCreateWithUTF8CString(error_names[i]);
        error_makers[i] = (JSObjectRef)engine_keep(
            JSObjectGetProperty(engine.context, engine.global, name, NULL));
        JSStringRelease(name);
    }
}

/* Whether this build of the engine keeps numbers as engine_number_of reads them. */
static bool numbers_are_inside(void)
{
    static const double numbers[] = {0,   -0.0, 1,     -1,     INT32_MAX, INT32_MIN,
                                     0.5, -2.5, 1e300, 5e-324, INFINITY,  NAN};

    engine.numbers_are_inside = true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        JSValueRef value = JSValueMakeNumber(engine.context, numbers[i]);
        double read = engine_number_of(value),
               wanted = JSValueToNumber(engine.context, value, NULL);
        if (memcmp(&read, &wanted, sizeof read) != 0)
            return false;
    }
    return true;
}

int engine_open(struct err *err)
{
    if (check_environment(err) < 0)
        return err->code;
    pas_scavenger_suspend();
    run_loop = g_main_context_new();
    g_main_context_push_thread_default(run_loop);
    engine.context = make_context_quietly();
    if (!engine.context)
        return err_set(err, ERR_SYSTEM, "start JavaScriptCore: no context");
    /* Nobody inspects us, and it would look up every frame of C at every exception. */
    JSGlobalContextSetIncludesNativeCallStackWhenReportingExceptions(engine.context, false);
    engine.global = JSContextGetGlobalObject(engine.context);
    engine.undefined = JSValueMakeUndefined(engine.context);
    engine.numbers_are_inside = numbers_are_inside();
    keep_error_makers();
    engine.native = JSObjectMake(engine.context, NULL, NULL);
    engine_keep(engine.native);
    engine.internals = JSObjectMake(engine.context, NULL, NULL);
    engine_keep(engine.internals);
    /* The VM knows it by now; as this thread's default it could be nobody else's. */
    g_main_context_pop_thread_default(run_loop);
    wake_fd = find_wake_fd();
    if (wake_fd < 0)
        return err_set(err, ERR_SYSTEM, "start JavaScriptCore: its run loop has no descriptor");
    return 0;
}

static const struct sdk_file *find_script(const char *name)
{
    for (const struct sdk_file *f = sdk_files; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static int run_script(const struct sdk_file *file, struct err *err)
{
    static const char before[] = "(function (native, internals) { 'use strict'; " LANGUAGE "{ ";
    static const char after[] = "\n}})";
    char url[128];
    struct buf source = {0};
    JSStringRef text, name;
    JSValueRef thrown = NULL, function, arguments[2] = {engine.native, engine.internals};

    if (buf_append(&source, before, sizeof before - 1) < 0 ||
        buf_append(&source, file->data, file->len) < 0 ||
        buf_append(&source, after, sizeof after - 1) < 0) {
        buf_done(&source);
        return err_nomem(err);
    }
    snprintf(url, sizeof url, "corral:%s", file->name);
    text = text_new(buf_span(&source));
    buf_done(&source);
    if (!text)
        return err_nomem(err);
    name = JSStringCreateWithUTF8CString(url);
    function = JSEvaluateScript(engine.context, text, NULL, name, 1, &thrown);
    JSStringRelease(text);
    JSStringRelease(name);
    if (!thrown)
        engine_call((JSObjectRef)function, 2, arguments, &thrown);
    if (thrown) {
        char *what = engine_describe(thrown);
        err_set(err, ERR_SYSTEM, "sdk/%s: %s", file->name, what ? what : "out of memory");
        mem_free(what);
        return err->code;
    }
    return 0;
}

static JSObjectRef on_rest;

/* atRest(function): called whenever all reactions have run. */
static JSValueRef at_rest(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)ret_thrown;
    if (count > 0 && !on_rest && JSValueIsObject(engine.context, arguments[0]))
        on_rest = (JSObjectRef)engine_keep(arguments[0]);
    return engine.undefined;
}

int engine_boot(struct err *err)
{
    JSValueRef thrown = NULL;

    engine_native("atRest", at_rest);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const struct sdk_file *file = find_script(scripts[i]);
        if (!file)
            return err_set(err, ERR_SYSTEM, "sdk/%s was not built into this program", scripts[i]);
        if (run_script(file, err) < 0)
            return err->code;
    }
    JSGlobalContextSetUnhandledRejectionCallback(engine.context, engine_internal("onRejection"),
                                                 &thrown);
    return 0;
}

const char *engine_version(void)
{
    static char version[64];

    snprintf(version, sizeof version, "JavaScriptCore %u.%u.%u", jsc_get_major_version(),
             jsc_get_minor_version(), jsc_get_micro_version());
    return version;
}

double wtf_thread_seconds(void)
{
    return FAR_S;
}

void engine_helper_thread(void *self, const void *locker, void *lock, void *condition,
                          unsigned char type, double idle_s)
{
    static helper_thread_fn *made;

    if (!made)
        *(void **)&made = dlsym(RTLD_NEXT, HELPER_THREAD);
    made(self, locker, lock, condition, type, idle_s < IDLE_S ? idle_s : IDLE_S);
}

static const struct engine_watch *watch;
static JSValueRef end_of_script; /* thrown where scripts are not terminated */

static void ask_again(void);

/* The thread's own time at which those that run before a script ends are ended, too; 0: none run. */
static double others_end_s;

static double own_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The engine drops the reactions behind one that is terminated, so they run first: from the middle
 * of it, which finds nothing half done but what is to end.  Its own next reaction may be among
 * them, and queue the one after it, so this has an end. */
static void run_others(void)
{
    double before = others_end_s;

    watch->orphaned();
    others_end_s = own_seconds() + OTHERS_S;
    jsc_drain_microtasks(JSContextGetGroup(engine.context));
    others_end_s = before;
}

static bool ends_script(JSContextRef context, void *self)
{
    bool is_over = watch->is_over();
    bool is_chain = !is_over && others_end_s > 0 && own_seconds() > others_end_s;

    (void)context, (void)self;
    ask_again(); /* it asks once, unless it is told again */
    if (!is_over && !is_chain)
        return false;
    /* A termination would end all scripts on this stack, and Corral's own code between them would
     * find an engine that runs nothing. */
    if (engine_place.depth > 0) {
        jsc_throw(JSContextGetGroup(engine.context), engine.context, end_of_script);
        return false;
    }
    if (is_over && (engine.is_draining || engine_place.held == 0))
        run_others();
    engine.has_ended = true;
    return true;
}

static void ask_again(void)
{
    JSContextGroupSetExecutionTimeLimit(JSContextGetGroup(engine.context), WATCH_S, ends_script,
                                        NULL);
}

void engine_watch(const struct engine_watch *given)
{
    JSValueRef text = text_value(span_of(given->text));

    watch = given;
    end_of_script = engine_keep(JSObjectMakeError(engine.context, 1, &text, NULL));
    ask_again();
}

bool engine_was_ended(JSValueRef thrown)
{
    static const char says[] = "JavaScript execution terminated.";
    bool is_it = thrown && thrown == end_of_script;

    if (!is_it && engine.has_ended && thrown && JSValueIsString(engine.context, thrown)) {
        JSStringRef text = JSValueToStringCopy(engine.context, thrown, NULL); /* new */
        is_it = text && JSStringIsEqualToUTF8CString(text, says);
        if (text)
            JSStringRelease(text);
    }
    return is_it;
}

/* The engine leaves what ended a reaction where the next call would meet it. */
static void forget_end(void)
{
    JSStringRef nothing = JSStringCreateWithUTF8CString(""); /* new */
    JSValueRef thrown = NULL;

    engine.has_ended = false;
    JSEvaluateScript(engine.context, nothing, NULL, NULL, 1, &thrown);
    JSStringRelease(nothing);
}

void engine_lock(void)
{
    JSLock(engine.context);
    engine_place.held++;
}

void engine_unlock(void)
{
    bool is_last = --engine_place.held == 0 && engine_place.depth == 0;

    engine.is_draining |= is_last;
    JSUnlock(engine.context);
    if (!is_last)
        return;
    while (engine.has_ended)
        forget_end();
    if (on_rest)
        JSObjectCallAsFunction(engine.context, on_rest, NULL, 0, NULL, NULL);
    engine.is_draining = false;
}

struct engine_place engine_leave(void)
{
    struct engine_place place = engine_place;

    place.had_loop = has_loop;
    while (engine_place.held > 0)
        engine_unlock();
    engine_give_loop();
    return place;
}

void engine_come_back(struct engine_place place)
{
    engine_place = (struct engine_place){place.depth, 0, false};
    if (place.had_loop)
        engine_take_loop();
    while (engine_place.held < place.held)
        engine_lock();
}

bool engine_has_frames(void)
{
    JSStringRef line = JSContextCreateBacktrace(engine.context, 1); /* new */
    bool has = JSStringGetLength(line) > 0;

    JSStringRelease(line);
    return has;
}

void engine_take_loop(void)
{
    if (!has_loop)
        has_loop = g_main_context_acquire(run_loop);
}

void engine_give_loop(void)
{
    if (has_loop)
        g_main_context_release(run_loop);
    has_loop = false;
}

void engine_native(const char *name, JSObjectCallAsFunctionCallback function)
{
    JSStringRef text = JSStringCreateWithUTF8CString(name);
    JSObjectRef f = JSObjectMakeFunctionWithCallback(engine.context, text, function);

    JSObjectSetProperty(engine.context, engine.native, text, f, kJSPropertyAttributeNone, NULL);
    JSStringRelease(text);
}

JSClassRef engine_class(const char *name, JSObjectFinalizeCallback finalize)
{
    JSClassDefinition definition = kJSClassDefinitionEmpty;

    definition.className = name;
    definition.finalize = finalize;
    return JSClassCreate(&definition);
}

JSObjectRef engine_internal(const char *name)
{
    JSStringRef text = JSStringCreateWithUTF8CString(name);
    JSValueRef value = JSObjectGetProperty(engine.context, engine.internals, text, NULL);

    JSStringRelease(text);
    if (!value || !JSValueIsObject(engine.context, value)) {
        fprintf(stderr, "sdk/js defines no internals.%s\n", name);
        abort();
    }
    return (JSObjectRef)engine_keep(value);
}

JSValueRef engine_call(JSObjectRef function, size_t count, const JSValueRef *arguments,
                       JSValueRef *ret_thrown)
{
    return JSObjectCallAsFunction(engine.context, function, NULL, count, arguments, ret_thrown);
}

JSValueRef engine_run(JSObjectRef function, size_t count, const JSValueRef *arguments)
{
    JSValueRef thrown = NULL;
    JSValueRef value = engine_call(function, count, arguments, &thrown);

    if (engine_was_ended(thrown)) {
        if (engine_place.depth == 0)
            watch->orphaned();
        return engine.undefined;
    }
    if (thrown) {
        char *what = engine_describe(thrown);
        exchange_log(LOG_ERROR, what ? span_of(what) : SPAN("JavaScript error, out of memory"));
        mem_free(what);
        return engine.undefined;
    }
    return value;
}

JSValueRef engine_keep(JSValueRef value)
{
    JSValueProtect(engine.context, value);
    return value;
}

void engine_drop(JSValueRef value)
{
    if (value)
        JSValueUnprotect(engine.context, value);
}

JSValueRef engine_throw(JSValueRef *ret_thrown, const char *kind, const char *fmt, ...)
{
    char text[512];
    JSObjectRef maker = error_makers[0];
    JSValueRef message;
    va_list ap;

    for (size_t i = 0; i < sizeof error_names / sizeof *error_names; i++)
        if (strcmp(error_names[i], kind) == 0)
            maker = error_makers[i];
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    message = text_value(span_of(text));
    if (ret_thrown)
        *ret_thrown = JSObjectCallAsConstructor(engine.context, maker, 1, &message, NULL);
    return engine.undefined;
}

char *engine_describe(JSValueRef thrown)
{
    static JSObjectRef describe;
    struct buf text = {0};
    JSValueRef again = NULL, value = thrown;

    if (!describe && JSObjectHasProperty(engine.context, engine.internals,
                                         JSStringCreateWithUTF8CString("describeError")))
        describe = engine_internal("describeError");
    if (describe)
        value = engine_call(describe, 1, &thrown, &again);
    if (again || text_append_value(&text, value, &again) < 0) {
        buf_done(&text);
        return mem_strdup("an exception that cannot be shown");
    }
    return buf_detach(&text);
}

void engine_woken(void)
{
    is_woken = true;
}

int engine_turn(void)
{
    GPollFD fds[RUN_LOOP_FDS];
    int priority, timeout_ms = -1, n;

    if (!g_main_context_acquire(run_loop))
        return -1;
    g_main_context_prepare(run_loop, &priority);
    n = g_main_context_query(run_loop, priority, &timeout_ms, fds, RUN_LOOP_FDS);
    if (!is_woken && timeout_ms != 0) {
        /* Nothing is due and nobody has called: spare the system call. */
        g_main_context_release(run_loop);
        return timeout_ms;
    }
    is_woken = false;
    if (n > RUN_LOOP_FDS)
        n = RUN_LOOP_FDS;
    poll((struct pollfd *)fds, (nfds_t)n, 0); /* GPollFD is a struct pollfd on Linux */
    if (g_main_context_check(run_loop, priority, fds, n)) {
        g_main_context_dispatch(run_loop);
        while (engine.has_ended)
            forget_end();
        timeout_ms = 0;
    }
    g_main_context_release(run_loop);
    return timeout_ms;
}

int engine_wake_fd(void)
{
    return wake_fd;
}

int engine_start(struct err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return err_errno(err, errno, "make a wake-up descriptor");
    if (dup3(fd, wake_fd, O_CLOEXEC) < 0) {
        err_errno(err, errno, "replace the wake-up descriptor");
        close(fd);
        return err->code;
    }
    close(fd);
    is_woken = true;
    return 0;
}

void engine_rest(void)
{
    static bool has_thread;

    if (!has_thread)
        pas_scavenger_resume();
    has_thread = true;
}

void engine_forbid_eval(const char *text)
{
    JSStringRef message = JSStringCreateWithUTF8CString(text);

    JSGlobalContextSetEvalEnabled(engine.context, false, message);
    JSStringRelease(message);
}

void engine_collect(void)
{
    JSSynchronousGarbageCollectForDebugging(engine.context);
}

/* engine.h - JavaScriptCore: one context, its run loop, its lock, its death and rebirth at a fork.
 *
 * There is one engine per process.  Every JSValueRef kept past a call is
 * protected (engine_keep) and released in the matching done (engine_drop).
 *
 * The lock: engine_lock holds JavaScriptCore's own lock, so that the calls
 * under it take it for nothing; the outermost engine_unlock runs the pending
 * microtasks.  Inside a C function that JavaScript called, locking is allowed
 * (and worth it before three or more calls), but runs no microtasks.
 *
 * Thread: the realm's.  Errors: engine_open ERR_SYSTEM, ERR_INVALID. */
#ifndef CORRAL_REALM_JS_ENGINE_H
#define CORRAL_REALM_JS_ENGINE_H

#include <JavaScriptCore/JavaScript.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct engine {
    JSGlobalContextRef context;
    JSObjectRef global;
    JSObjectRef native;    /* C functions that sdk/js calls */
    JSObjectRef internals; /* what sdk/js shares with C: functions, prototypes */
    JSValueRef undefined;
    bool numbers_are_inside; /* see engine_number_of */
    bool is_draining;        /* the reactions of promises run, for nobody in particular */
    bool has_ended;          /* a script was terminated, since the lock was taken */
};
extern struct engine engine;

/* Create the context.  Then define natives, then engine_boot. */
int engine_open(struct err *err) MUST_CHECK;
/* Evaluate the embedded sdk/js files, in their order. */
int engine_boot(struct err *err) MUST_CHECK;
const char *engine_version(void);

void engine_lock(void);
void engine_unlock(void);

/* Where this thread stands between the languages. */
struct engine_place {
    unsigned depth; /* of calls from JavaScript that count themselves: all that may run Python */
    unsigned held;  /* times that it locked since the innermost of them */
    bool had_loop;  /* when it left */
};
extern _Thread_local struct engine_place engine_place;

/* First statement of a C function that JavaScript calls and that may run Python without a frame of
 * JavaScript between (properties, which the C API asks for, too): what is in the engine's hands
 * must not wait on this stack. */
#define ENGINE_CALLED()                                                                            \
    __attribute__((cleanup(engine_returns))) struct engine_place place_before = engine_place;      \
    engine_place = (struct engine_place)                                                           \
    {                                                                                              \
        place_before.depth + 1, 0, false                                                           \
    }
static inline void engine_returns(const struct engine_place *before)
{
    engine_place = *before;
}

/* Let other threads use the engine and take it back: all of this thread's locks and, when it has
 * it, the run loop. */
struct engine_place engine_leave(void);
void engine_come_back(struct engine_place place);
/* Whether JavaScript stands further down on this stack, waiting for what runs now. */
bool engine_has_frames(void);
/* This thread is the one that calls engine_turn; engine_leave ends that. */
void engine_take_loop(void);
void engine_give_loop(void);

/* f_locked: the function f for engine_native, with the lock held.  A C function that JavaScript
 * calls has had the lock taken from it; taking and giving it costs 40 ns at each call of the API.
 */
#define ENGINE_LOCKED(f)                                                                           \
    static JSValueRef f##_locked(JSContextRef js, JSObjectRef function, JSObjectRef self,          \
                                 size_t count, const JSValueRef *arguments,                        \
                                 JSValueRef *ret_thrown)                                           \
    {                                                                                              \
        JSValueRef value;                                                                          \
        ENGINE_CALLED();                                                                           \
        engine_lock();                                                                             \
        value = f(js, function, self, count, arguments, ret_thrown);                               \
        engine_unlock();                                                                           \
        return value;                                                                              \
    }

/* A C function as property `name` of engine.native. */
void engine_native(const char *name, JSObjectCallAsFunctionCallback function);
/* A class of objects that hold something of C's as their private data.  finalize runs inside the
 * collector: it frees memory of ours and calls nothing. */
JSClassRef engine_class(const char *name, JSObjectFinalizeCallback finalize);
/* internals[name]: a function of sdk/js, kept for ever; aborts when there is none (our bug). */
JSObjectRef engine_internal(const char *name);

/* Call with `this` undefined.  NULL with *ret_thrown when it threw. */
JSValueRef engine_call(JSObjectRef function, size_t count, const JSValueRef *arguments,
                       JSValueRef *ret_thrown);
/* As engine_call, for functions that do not throw: what they throw is logged. */
JSValueRef engine_run(JSObjectRef function, size_t count, const JSValueRef *arguments);

JSValueRef engine_keep(JSValueRef value);
void engine_drop(JSValueRef value);
static inline JSValueRef engine_number(double n)
{
    return JSValueMakeNumber(engine.context, n);
}
/* The number that value is (it must be one).  The engine keeps numbers in the reference itself:
 * integers of 32 bits under a tag, doubles with 2**49 added to their bits.  engine_open makes sure
 * of that; asking the engine takes its lock, which costs as much as finding a property. */
static inline double engine_number_of(JSValueRef value)
{
    const uint64_t tag = 0xFFFE000000000000, offset = 0x0002000000000000;
    uint64_t bits = (uint64_t)(uintptr_t)value;
    double number;

    if (!engine.numbers_are_inside)
        return JSValueToNumber(engine.context, value, NULL);
    if ((bits & tag) == tag)
        return (int32_t)bits;
    bits -= offset;
    memcpy(&number, &bits, sizeof number);
    return number;
}
/* Make *ret_thrown a TypeError (or RangeError, Error) with this text; returns undefined. */
JSValueRef engine_throw(JSValueRef *ret_thrown, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "TypeError: text\n  at ..." for logs; mem_free it.  NULL when out of memory. */
char *engine_describe(JSValueRef thrown);

/* What wants to run in the engine's own run loop (async WebAssembly, collected
 * objects, its timers).  Returns the milliseconds until more is due, or -1. */
int engine_turn(void);
/* engine_wake_fd() was readable: the next turn looks closer. */
void engine_woken(void);
int engine_wake_fd(void);

/* In an instance, which forks no more: its own wake-up descriptor in the place
 * of the inherited one. */
int engine_start(struct err *err) MUST_CHECK;
/* After engine_start, when there is time: from the first call on the allocator gives memory back by
 * itself, on a thread of its own. */
void engine_rest(void);
struct engine_watch {
    /* Asked every few milliseconds while JavaScript runs on and on, on its thread and in the middle of
     * it, so it calls nothing of the engine; true: the script ends as by an exception that it cannot
     * catch.  One beneath other scripts gets an exception that it can catch; it is asked about again then. */
    bool (*is_over)(void);
    /* A script is ended that nothing waits for which could hear of it: a reaction, a timer. */
    void (*orphaned)(void);
    const char *text;   /* of that exception */
};
/* After engine_start.  Loops of WebAssembly are not asked about, and those that await every few
 * microseconds only sometimes: each reaction is a new way in, which puts the question off. */
void engine_watch(const struct engine_watch *watch);
/* What a call has thrown says that its script was ended. */
bool engine_was_ended(JSValueRef thrown);
/* eval() and new Function() throw an EvalError with this text from now on. */
void engine_forbid_eval(const char *text);
/* A full, synchronous collection; before engine_start. */
void engine_collect(void);

#endif

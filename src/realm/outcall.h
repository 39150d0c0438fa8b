/* outcall.h - what the worker's code asks of the node, between JavaScript and the host.
 *
 * An outcall lives from outcall_open until the node has said its last word and
 * nobody needs what is left of the reply's body.  JavaScript names it by its
 * stream number and must expect that it is gone.  It ends at the latest with
 * the request that it was made for (outcall_end_of).
 *
 * Thread: the realm's. */
#ifndef CORRAL_REALM_OUTCALL_H
#define CORRAL_REALM_OUTCALL_H

#include <JavaScriptCore/JavaScript.h>

#include "realm/flow.h"
#include "realm/host.h"
#include "realm/realm.h"

/* C that takes a reply itself, and its body as it comes. */
struct outcall_ear {
    void (*reply)(void *self, const struct realm_reply *reply);
    /* is_end: the last call. */
    void (*bytes)(void *self, struct span bytes, bool is_end);
    /* There is no (more) reply: the last call. */
    void (*failed)(void *self, JSValueRef error);
    /* NULL: failed() also hears of what the node says. */
    void (*told)(void *self, struct span text);
    /* The server is reached.  NULL: nobody waits for that. */
    void (*connected)(void *self);
    /* More of `out` may be written.  NULL: it was written whole. */
    void (*room)(void *self);
    bool has_credit; /* gives it by outcall_credit; else all bytes are consumed when `bytes` returns
                      */
};

struct outcall {
    uint32_t stream;
    uint32_t request;     /* the exchange it belongs to, 0: none */
    struct outcall *next; /* of all */
    struct inflow in;     /* the reply's body */
    struct outflow out;   /* its own body */
    JSObjectRef settle; /* called once: (undefined, status, results, headers, length) or (error) */
    JSObjectRef over;   /* called once when it is freed, or NULL */
    const struct outcall_ear *ear; /* who hears the rest of it, or NULL; then `in` is not used */
    void *ear_self;
    bool is_heard;  /* had an ear from the start */
    bool is_open;   /* the node has not said its last word, nor have we cancelled */
    unsigned holds; /* C code of ours is inside */
    struct socket *socket; /* it was answered with 101, and this reads it (socket.h) */
};

void outcall_set_host(const struct host *host);
struct outcall *outcall_find(uint32_t stream);
/* How many more may be opened now. */
unsigned outcall_room(void);

/* settle is called once, never from inside.  body_length: -1 when not known; 0: `out` is over.
 * NULL with *ret_thrown when it cannot be made now.  call->request is filled in. */
struct outcall *outcall_open(struct host_outcall *call, JSObjectRef settle, JSValueRef *ret_thrown);
/* The same with an ear, which hears nothing from inside. */
struct outcall *outcall_open_heard(struct host_outcall *call, const struct outcall_ear *ear,
                                   void *self, JSValueRef *ret_thrown);
/* So many bytes that its ear has heard are consumed. */
void outcall_credit(struct outcall *o, size_t bytes);
/* Without a word to its ear, which is to hear nothing more. */
void outcall_drop(struct outcall *o);
/* Its socket keeps it. */
void outcall_hold(struct outcall *o);
void outcall_release(struct outcall *o); /* may free it */
/* It belongs to no request any more: it goes on when that one ends. */
void outcall_detach(struct outcall *o);
/* over() is called when nothing is left of it. */
void outcall_on_over(struct outcall *o, JSObjectRef over);
/* Nobody waits for the rest; whoever reads it sees error. */
void outcall_cancel(struct outcall *o, JSValueRef error);
/* Call this once when the next one is over.  Only for who has seen outcall_room() be 0. */
void outcall_wait_room(JSObjectRef wake);

/* ---- from the host ---- */
void outcall_reply(struct outcall *o, const struct realm_reply *reply);
void outcall_body(struct outcall *o, struct span bytes, bool is_end);
void outcall_failed(struct outcall *o, struct span text);
void outcall_credited(struct outcall *o, uint32_t bytes); /* 0: the server is reached */

/* From exchange.c: the request has ended, and with it all that was called for it. */
void outcall_end_of(uint32_t request);

#endif

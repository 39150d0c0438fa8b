/* flow.h - the bytes of one body on their way in or out, between the host and either language.
 *
 * An inflow is a body that comes from the host (a request's, a reply's); an
 * outflow is one that goes there (an answer's, an outcall's).  An inflow that
 * is relayed into an outflow needs neither language.
 *
 * Flow control: an inflow is never credited before its bytes are consumed; an
 * outflow's bytes beyond the peer's credit wait in `out`, and a writer that
 * sees FLOW_WAIT stops until its wake function is called.
 *
 * Embedded in their owners; `ops` say what the owner does about them.  Calls
 * marked "may end it" can make the owner free the flow: do not touch it behind
 * them.  Thread: the realm's. */
#ifndef CORRAL_REALM_FLOW_H
#define CORRAL_REALM_FLOW_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "realm/unpack.h"

enum inflow_use {                   /* who takes it: the first to ask wins */
                  INFLOW_UNTOUCHED, /* nobody yet: it waits in `in` */
                  INFLOW_READ,      /* a ReadableStream pulls it */
                  INFLOW_COLLECTED, /* text() and its like gather it whole */
                  INFLOW_RELAYED,   /* it goes straight into an outflow */
                  INFLOW_TAPPED,    /* C reads its bytes in `in` */
                  INFLOW_DROPPED,   /* nobody any more */
};

struct inflow;
struct outflow;

struct inflow_ops {
    void (*credit)(struct inflow *f, size_t bytes); /* so many were consumed */
    void (*unwanted)(struct inflow *f);             /* the rest need not come */
    /* Its last byte was taken, or nobody takes it: the last call in a function that may end it. */
    void (*over)(struct inflow *f);
};

struct inflow {
    const struct inflow_ops *ops;
    uint32_t stream;
    enum inflow_use use;
    bool has_all;          /* the last byte is here */
    bool is_cut;           /* it will never be */
    bool is_over;          /* ops->over was called */
    bool is_decoded;       /* `unpack` works on what leaves `in` */
    int64_t length;        /* bytes; -1: not known */
    struct buf in, whole;  /* whole: COLLECTED and decoded */
    struct unpack *unpack; /* of its Content-Encoding, or NULL */
    struct outflow *to;    /* RELAYED */
    /* TAPPED: there are more bytes, or the end, or it was cut.  May end it. */
    void (*tap)(struct inflow *f);
    uint32_t owed;         /* TAPPED: bytes eaten and not credited yet */
    JSObjectRef wake;      /* READ: more is here.  COLLECTED: (bytes or undefined, error) => */
    JSValueRef error;      /* why it is cut, for readers; NULL: the usual words */
};

enum flow_room { /* after a write: may more be written? */
                 FLOW_MORE = 0,
                 FLOW_WAIT = 1, /* when the wake function is called */
                 FLOW_GONE = 2, /* nobody takes it */
};

struct outflow_ops {
    void (*send)(struct outflow *f, struct span bytes, bool is_end);
    void (*over)(struct outflow *f); /* the last byte is sent; may free it */
    /* It can never be whole: what it is relayed from was cut.  May free it. */
    void (*broken)(struct outflow *f, struct span text);
    /* What waited is sent: for who writes in C.  May be NULL. */
    void (*room)(struct outflow *f);
};

struct outflow {
    const struct outflow_ops *ops;
    uint32_t stream;
    uint32_t credit;   /* bytes the peer still takes */
    bool is_finishing; /* the last byte is in `out` */
    bool is_over;      /* sent, or nobody takes it */
    struct buf out;
    struct inflow *from; /* what is relayed into it */
    JSObjectRef wake;    /* there is room again */
};

void inflow_init(struct inflow *f, const struct inflow_ops *ops, uint32_t stream, int64_t length);
void inflow_done(struct inflow *f);
/* From the host: more bytes.  May end it. */
void inflow_arrive(struct inflow *f, struct span bytes, bool is_end);
/* It will never be whole; error is what its readers see, NULL: the usual.  May end it. */
void inflow_cut(struct inflow *f, JSValueRef error);
/* Nobody wants the rest.  May end it. */
void inflow_drop(struct inflow *f);
/* Up to max bytes for READ into room.  > 0: bytes; 0: none now; ERR_GONE: the
 * end (call inflow_finish); ERR_INVALID: they cannot be decoded. */
long inflow_take(struct inflow *f, char *room, size_t max);
/* The reader has seen the end.  May end it. */
void inflow_finish(struct inflow *f);
/* TAPPED: these bytes at the front of `in` are dealt with. */
void inflow_eat(struct inflow *f, size_t bytes);
/* How much inflow_take had better have room for. */
size_t inflow_room(const struct inflow *f, size_t max);
void inflow_wait(struct inflow *f, JSObjectRef wake);
/* Gather all; take(ArrayBuffer), or take(undefined, error).  May end it. */
void inflow_collect(struct inflow *f, JSObjectRef take);
/* The rest of it is all of `to`.  May end both. */
enum flow_decoding { FLOW_AS_IT_IS, FLOW_DECODED };
void inflow_relay(struct inflow *f, struct outflow *to, enum flow_decoding decoding);

void outflow_init(struct outflow *f, const struct outflow_ops *ops, uint32_t stream, size_t credit);
/* Over for everybody: frees what waits, wakes who writes. */
void outflow_close(struct outflow *f);
/* FLOW_GONE also when memory is short, behind ops->broken. */
enum flow_room outflow_write(struct outflow *f, struct span bytes);
/* A write and the finish in one, so that the last bytes carry the end.  May end it. */
void outflow_write_whole(struct outflow *f, struct span bytes);
void outflow_finish(struct outflow *f); /* may end it */
enum flow_room outflow_room(const struct outflow *f);
void outflow_wait(struct outflow *f, JSObjectRef wake);
void outflow_credit(struct outflow *f, uint32_t bytes); /* may end it */

/* A kept function is called once, and dropped before: it may ask for another. */
void flow_keep(JSObjectRef *kept, JSObjectRef function);
void flow_wake(JSObjectRef *kept, size_t count, const JSValueRef *arguments);

#endif

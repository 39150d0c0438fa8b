/* inside.h - the inside of struct keeper, for keeper.c and store.c. */
#ifndef CORRAL_KEEPER_INSIDE_H
#define CORRAL_KEEPER_INSIDE_H

#include "keeper/store.h"

struct keeper {
    struct keeper_config config; /* program is owned */
    char *program;
    struct turn turn;
    struct ring stores; /* the one used last is first */
    struct ring hungry; /* stores that wait for a place, oldest first */
    unsigned places;    /* taken: stores that have a process */
    unsigned hungers;   /* stores in `hungry` */
    unsigned leaving;   /* stores that give up their place */
    bool is_closing;
    void (*closed)(void *self);
    void *self;
};

/* A place for its process, or later: store_wake says when to ask again. */
bool keeper_take_place(struct keeper *keeper, struct store *store);
void keeper_give_place(struct keeper *keeper);
/* It needs no place any more. */
void keeper_leave_line(struct keeper *keeper, struct store *store);
/* Does an idle store have to go, so that another can start? */
bool keeper_is_crowded(const struct keeper *keeper);
/* This one, which is idle?  It is, if those idle for longer are too few for all who wait. */
bool keeper_wants_place_of(const struct keeper *keeper, const struct store *store);
/* Those see in their tick that they have to go. */
void keeper_wake_idlest(const struct keeper *keeper);
/* It is gone for good. */
void keeper_forget(struct keeper *keeper, struct store *store);
/* A line about a database, to whoever wants to read it. */
void keeper_say(const struct keeper *keeper, const struct store *store, enum log_level level,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

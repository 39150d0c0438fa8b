/* read.h - what live needs to know, out of the catalog, in one job of the desk.
 *
 * Jobs run in the order they were given, so of two readings of one worker the later one knows more, and
 * takes effect later.  Inside live/ only. */
#ifndef CORRAL_LIVE_READ_H
#define CORRAL_LIVE_READ_H

#include "live/inside.h"

struct account_record {
    struct account account;
    struct quota quota;
    struct routes routes;
};

struct worker_record {
    char account_id[ID_SIZE], worker_id[ID_SIZE];
    bool is_there;
    struct worker worker;
    bool has_deployment;
    struct deployment deployment;
    char (*previews)[UUID_SIZE];
    size_t preview_count;
    struct quota quota;
    struct schedules schedules;
};

struct survey {
    struct desk_job job;
    struct live *live;
    bool is_all;
    char account_id[ID_SIZE], worker_id[ID_SIZE]; /* worker "": the account alone */
    struct account_record *accounts;
    struct worker_record *workers;
    size_t account_count, worker_count;
    int r;
    struct err err;
    unsigned skipped;      /* workers that could not be read */
    struct err skipped_err;
    struct live_waiter {   /* who wants to know */
        struct ring ring;
        void (*done)(void *self, const struct err *err);
        void *self;
    } waiter;
};

/* In the desk's thread: fills the lists. */
void survey_work(struct desk_job *job, struct catalog *catalog);
/* The lists. */
void survey_done(struct survey *survey);

#endif

/* template.h - the node's side of one template: orders to load and to fork, its output.
 *
 * A kin (kin.h: up, ended, gone mean the same here) that forks instances.
 * Which answer is allowed when is the pool's to know; this file only reads and
 * writes.  The memory goes when `gone` returns.  Loop thread only. */
#ifndef CORRAL_HERD_TEMPLATE_H
#define CORRAL_HERD_TEMPLATE_H

#include "kin/kin.h"
#include "base/limit.h"
#include "herd/lines.h"

struct template_events {
    void (*up)(void *self);
    /* These five return an error when they make no sense now: the template lies. */
    int (*evaluated)(void *self, struct err *err);
    int (*loaded)(void *self, const struct loaded *loaded, struct err *err);
    int (*refused)(void *self, const struct failed *why, struct err *err);
    int (*spawned)(void *self, const struct spawned *spawned, struct err *err);
    int (*spawn_failed)(void *self, const struct spawn_failed *failed, struct err *err);
    void (*exited)(void *self, const struct exited *exited);
    /* Its code has met one of LIMITS_INSIDE: once each. */
    void (*met)(void *self, enum limit limit);
    void (*log)(void *self, enum log_level level, struct span text);
    void (*ended)(void *self, enum kin_end how, const char *why);
    void (*gone)(void *self);
};

struct template {
    struct kin kin;
    uv_poll_t output;           /* what it and its instances write to stdout and stderr */
    struct fair fair;           /* of reading that */
    struct turn_item rest;      /* it is not read until the next beat */
    int output_fd;
    struct lines lines;
    const struct template_events *events;
    void *self;
    uint32_t id;                /* of the SPAWN that made it */
    uint32_t pid_hint;          /* as the zygote calls it: to find its EXITED */
    unsigned met;               /* bit set of enum limit */
    bool is_kin_gone, is_output_gone;
};

/* take_fd from peer_pair, take_output_fd the read end of its output pipe. */
int template_open(struct turn *turn, int take_fd, int take_output_fd, pid_t zygote, uint32_t id,
                  const struct template_events *events, void *self, struct template **ret,
                  struct err *err) MUST_CHECK;
int template_load(struct template *template, const struct load *load, struct err *err) MUST_CHECK;
int template_fork(struct template *template, const struct spawn *spawn, const int *take_fds,
                  unsigned count, struct err *err) MUST_CHECK;

#endif

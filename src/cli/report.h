/* report.h - what `corral doctor` finds: one JSON object, made section by section, and printed at
 * the end.
 *
 *   programs.c -> "programs", "package_sets"   hosting.c -> "host", "kernel", "cgroup", "limits"
 *   boxing.c   -> "box"                        holding.c -> "data"
 *
 * docs/doctor.md has the object's shape.  Text for people is printed from it, so that both say the
 * same.
 *
 * Thread: the main one. */
#ifndef CORRAL_CLI_REPORT_H
#define CORRAL_CLI_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "box/tier.h"

enum report_severity {
    REPORT_ADVICE,  /* it works; it could be better */
    REPORT_PROBLEM, /* it wants hands: the exit code is 1 */
};

/* What kind of place a process runs in; the advice goes by it. */
enum report_place {
    PLACE_MACHINE,
    PLACE_SERVICE, /* of systemd */
    PLACE_DOCKER,  /* or Podman */
    PLACE_KUBERNETES,
    PLACE_CONTAINER, /* of another kind */
    PLACE_CHROOT,
    PLACES
};

struct report {
    json_t *json; /* owned */
    struct box_tier tier;
    enum report_place place;
    unsigned problems; /* of REPORT_PROBLEM */
    bool is_short;     /* memory has ended: there is no report */
};

int report_init(struct report *report, struct err *err) MUST_CHECK;
void report_done(struct report *report);
/* Of bytes that somebody else chose: what is no ASCII becomes '?' when it is no UTF-8. */
json_t *report_text(const char *text);
/* json[key] = value. */
void report_set(struct report *report, const char *key, json_t *take_value);
/* json[section][key] = value. */
void report_set_in(struct report *report, const char *section, const char *key, json_t *take_value);
/* hint: what to do; "" when nothing can be done. */
void report_complain(struct report *report, enum report_severity severity, const char *text,
                     const char *hint);
/* As report_complain, of an error. */
void report_complain_of(struct report *report, enum report_severity severity,
                        const struct err *err);

/* Sections.  Each asks the machine, sets its keys and complains of what it does not like. */
void report_programs(struct report *report);
void report_host(struct report *report); /* first: sets `place` */
void report_box(struct report *report);  /* behind report_host */
/* box.uids of the node's configuration, or NULL: behind report_box. */
void report_uids(struct report *report, const char *uids);
/* folder NULL: there is no such section.  accept: what --accept-box or corral.toml says; NULL:
 * nothing. */
void report_data(struct report *report, const char *folder, const char *accept);

/* For people, on stdout. */
void report_print(const struct report *report);

const char *report_place_name(enum report_place place);

#endif

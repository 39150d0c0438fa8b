/* report.c - the object that the sections fill. */
#include "cli/report.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "text/value.h"

static const char *const NAMES[PLACES] = {
    [PLACE_MACHINE] = "machine",       [PLACE_SERVICE] = "service",     [PLACE_DOCKER] = "docker",
    [PLACE_KUBERNETES] = "kubernetes", [PLACE_CONTAINER] = "container", [PLACE_CHROOT] = "chroot",
};

const char *report_place_name(enum report_place place)
{
    return NAMES[place];
}

int report_init(struct report *report, struct err *err)
{
    value_init();
    *report = (struct report){0};
    report->json = json_pack("{s:s, s:b, s:[], s:[], s:[], s:{}, s:{}, s:{}, s:{}, s:{}, s:n}",
                             "corral", CORRAL_VERSION, "ok", 0, "problems", "programs",
                             "package_sets", "host", "kernel", "cgroup", "limits", "box", "data");
    return report->json ? 0 : err_nomem(err);
}

void report_done(struct report *report)
{
    json_decref(report->json);
    *report = (struct report){0};
}

void report_set(struct report *report, const char *key, json_t *take_value)
{
    if (json_object_set_new(report->json, key, take_value) < 0)
        report->is_short = true;
}

void report_set_in(struct report *report, const char *section, const char *key, json_t *take_value)
{
    if (json_object_set_new(json_object_get(report->json, section), key, take_value) < 0)
        report->is_short = true;
}

json_t *report_text(const char *text)
{
    json_t *value = json_string(text);
    char *copy = value ? NULL : mem_strdup(text);

    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = copy ? json_string(copy) : value;
    mem_free(copy);
    return value;
}

void report_complain(struct report *report, enum report_severity severity, const char *text,
                     const char *hint)
{
    json_t *one =
        json_pack("{s:s, s:o, s:o}", "severity", severity == REPORT_PROBLEM ? "problem" : "advice",
                  "text", report_text(text), "hint", report_text(hint));

    if (json_array_append_new(json_object_get(report->json, "problems"), one) < 0)
        report->is_short = true;
    report->problems += severity == REPORT_PROBLEM;
}

void report_complain_of(struct report *report, enum report_severity severity, const struct err *err)
{
    report_complain(report, severity, err->text, err->hint);
}

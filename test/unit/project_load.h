/* project_load.h - load the project in tree_path, and look at what came of it: for tests of project/. */
#ifndef CORRAL_TEST_PROJECT_LOAD_H
#define CORRAL_TEST_PROJECT_LOAD_H

#include "base/mem.h"
#include "project/project.h"
#include "project_tree.h"
#include "test.h"

struct outcome {
    int result;
    struct project p;
    struct diagnostics d;
    struct err err;
    char *said; /* all diagnostics, printed */
};

static inline void load(const struct project_options *options, struct outcome *o)
{
    struct project_options with = *options;
    struct buf out = {0};

    *o = (struct outcome){0};
    if (!with.worker_program)
        with.worker_program = tree_worker();
    o->result = project_load(&with, &o->p, &o->d, &o->err);
    CHECK(diagnostics_print(&o->d, &out) == 0);
    o->said = buf_detach(&out);
}

static inline void outcome_done(struct outcome *o)
{
    project_done(&o->p);
    diagnostics_done(&o->d);
    mem_free(o->said);
}

static inline void expect(const char *what, const char *got, const char *wanted)
{
    if (got && strcmp(got, wanted) == 0)
        return;
    test_failed_checks++;
    printf("  %s\n    got:    <<%s>>\n    wanted: <<%s>>\n", what, got ? got : "NULL", wanted);
}

/* A configuration and what is said about it. */
struct config_case {
    const char *file, *text;
    int result;
    const char *said;
};

#define HEAD "{\"name\": \"w\", \"main\": \"src/entry.py\", \"compatibility_date\": \"2026-03-01\""
#define DATE "compatibility_date = \"2026-03-01\"\n"

#endif

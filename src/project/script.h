/* script.h - what the configuration and the command line say about bundling JavaScript, and about a custom build.
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_SCRIPT_H
#define CORRAL_PROJECT_SCRIPT_H

#include "project/config.h"
#include "project/project.h"

/* Is a file of this name JavaScript: .js, .mjs, .cjs, .jsx, .ts, .mts, .cts, .tsx? */
bool script_is(const char *name);

/* c: NULL without a configuration.  Fills p->build. */
int script_read_build(const struct config *c, struct project *p, struct diagnostics *d,
                      struct err *err) MUST_CHECK;
/* Fills p->script; p->main is set, or NULL when it is wrong. */
int script_read(const struct config *c, const struct project_options *options, struct project *p,
                struct diagnostics *d, struct err *err) MUST_CHECK;
void script_done(struct project *p);

/* One more word, printed; ERR_NOMEM. */
int words_add(struct project_words *words, const char *fmt, ...) MUST_CHECK
    __attribute__((format(printf, 2, 3)));
void words_done(struct project_words *words);

/* Run p->build.command.  ERR_INVALID: it failed, d says so; ERR_CANCELLED; ERR_SYSTEM, ERR_NOMEM. */
int build_run(const struct project_options *options, const struct project *p,
              struct diagnostics *d, struct err *err) MUST_CHECK;

#endif

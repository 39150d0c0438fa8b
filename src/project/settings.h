/* settings.h - name, main, compatibility date and flags of the chosen environment.
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_SETTINGS_H
#define CORRAL_PROJECT_SETTINGS_H

#include "project/config.h"
#include "project/project.h"

struct settings {
    const char *main;           /* as written; lives as long as the config; NULL: none or wrong */
    struct place main_place;
    bool has_main;
};

/* c: NULL without a configuration.  What the options say wins.  p->folder and p->env are set; fills p->name,
 * compatibility_date, compatibility_flags.  Mistakes become diagnostics. */
int settings_read(const struct config *c, const struct project_options *options,
                  struct project *p, struct settings *ret, struct diagnostics *d,
                  struct err *err) MUST_CHECK;

#endif

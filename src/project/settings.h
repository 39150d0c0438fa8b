/* settings.h - name, main, compatibility date and flags of the chosen environment.
 *
 * And how any key is found that environments inherit.
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_SETTINGS_H
#define CORRAL_PROJECT_SETTINGS_H

#include "project/config.h"
#include "project/project.h"

/* A key that was looked for. */
struct setting {
    json_t *value;       /* borrowed; NULL: not given */
    const char *path[6]; /* room for what is inside the value */
    size_t depth;
};
/* The value of a key: the environment's own, else the top level's. */
struct setting settings_pick(const struct config *c, const char *env, const char *key);
/* Where the value stands that path[0 .. depth) leads to. */
struct place settings_place(const struct config *c, const struct setting *f);

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

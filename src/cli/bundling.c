/* bundling.c - see bundling.h. */
#include "cli/bundling.h"

#include <string.h>

const struct option BUNDLING_OPTIONS[BUNDLING_COUNT] = {
    {"--minify", NULL, NULL, "JavaScript: make the bundle small"},
    {"--alias", NULL, "FROM:TO", "JavaScript: import TO where FROM is said; may be repeated"},
    {"--define", NULL, "NAME:TEXT", "JavaScript: put TEXT in place of NAME; may be repeated"},
    {"--tsconfig", NULL, "FILE", "JavaScript: the tsconfig.json"},
    {"--jsx-factory", NULL, "NAME", "JavaScript: what makes elements (React.createElement)"},
    {"--jsx-fragment", NULL, "NAME", "JavaScript: what a fragment is (React.Fragment)"},
    {"--bundle", NULL, NULL, NULL},
    {"--upload-source-maps", NULL, NULL, NULL},
    {"--metafile", NULL, "FILE", NULL},
};

const char *const BUNDLING_LISTS[] = {"--alias", "--define", NULL};

static int add(const char **items, size_t *count, const char *name, const char *value,
               struct err *err)
{
    if (*count == BUNDLING_LIST_MAX)
        return err_set(err, ERR_LIMIT, "more than %d %s", BUNDLING_LIST_MAX, name);
    items[(*count)++] = value;
    return 1;
}

int bundling_take(struct bundling *b, struct project_bundling *to, const struct option *option,
                  const char *value, struct err *err)
{
    const struct {
        const char *name, **to;
    } TEXTS[] = {{"--tsconfig", &to->tsconfig},
                 {"--jsx-factory", &to->jsx_factory},
                 {"--jsx-fragment", &to->jsx_fragment},
                 {"--metafile", &to->metafile}};
    const struct {
        const char *name;
        enum project_wish *to;
    } SWITCHES[] = {{"--minify", &to->minifies},
                    {"--bundle", &to->bundles},
                    {"--upload-source-maps", &to->uploads_maps}};

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (strcmp(option->name, TEXTS[i].name) == 0)
            return *TEXTS[i].to = value, 1;
    for (size_t i = 0; i < sizeof SWITCHES / sizeof *SWITCHES; i++)
        if (strcmp(option->name, SWITCHES[i].name) == 0)
            return *SWITCHES[i].to = option_is_on(value) ? PROJECT_YES : PROJECT_NO, 1;
    if (strcmp(option->name, "--alias") == 0) {
        to->aliases = b->aliases;
        return add(b->aliases, &to->alias_count, option->name, value, err);
    }
    if (strcmp(option->name, "--define") == 0) {
        to->defines = b->defines;
        return add(b->defines, &to->define_count, option->name, value, err);
    }
    return 0;
}

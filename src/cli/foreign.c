/* foreign.c - see foreign.h. */
#include "cli/foreign.h"

#include <string.h>

#include "base/log.h"

const struct foreign FOREIGN_SHARED[] = {
    {{"--latest", NULL, NULL, NULL}, FOREIGN_QUIET, NULL},
    {{"--legacy-env", NULL, NULL, NULL}, FOREIGN_QUIET, NULL},
    {{"--experimental-json-config", "-j", NULL, NULL}, FOREIGN_QUIET, NULL},
    {{"--node-compat", NULL, NULL, NULL},
     FOREIGN_WARN,
     "nodejs_compat in compatibility_flags brings modules of Node.js"},
    {{"--assets", NULL, "FOLDER", NULL}, FOREIGN_WARN, FOREIGN_ASSETS},
    {{"--site", NULL, "FOLDER", NULL}, FOREIGN_WARN, FOREIGN_ASSETS},
    {{"--site-include", NULL, "PATTERN", NULL}, FOREIGN_WARN, FOREIGN_ASSETS},
    {{"--site-exclude", NULL, "PATTERN", NULL}, FOREIGN_WARN, FOREIGN_ASSETS},
    {{"--experimental-provision", "--x-provision", NULL, NULL}, FOREIGN_WARN, FOREIGN_BINDING},
    {{"--experimental-auto-create", "--x-auto-create", NULL, NULL}, FOREIGN_WARN, FOREIGN_BINDING},
    {{"--experimental-new-config", NULL, NULL, NULL},
     FOREIGN_WARN,
     "there is one kind of configuration"},
    {{"--experimental-versions", "--x-versions", NULL, NULL}, FOREIGN_QUIET, NULL},
    {{"--install-skills", NULL, NULL, NULL}, FOREIGN_QUIET, NULL},
};
_Static_assert(sizeof FOREIGN_SHARED / sizeof *FOREIGN_SHARED == FOREIGN_SHARED_COUNT, "all");

size_t foreign_options(const struct foreign *foreign, size_t count, struct option *table)
{
    for (size_t i = 0; i < count; i++)
        table[i] = foreign[i].option;
    return count;
}

int foreign_take(const struct foreign *foreign, size_t count, const struct option *option,
                 const char *value, struct err *err)
{
    for (const struct foreign *f = foreign; f < foreign + count; f++) {
        if (strcmp(option->name, f->option.name) != 0)
            continue;
        if (value && !f->option.argument && strcmp(value, "false") == 0)
            return 1; /* --remote=false, --no-remote: so it is */
        if (f->verdict == FOREIGN_REFUSE)
            return err_set(err, ERR_INVALID, "%s: %s", f->option.name, f->text);
        if (f->verdict == FOREIGN_WARN)
            log_warn("%s has no effect: %s", f->option.name, f->text);
        return 1;
    }
    return 0;
}

/* access.c - a table in the shape of wrangler's: Binding, Resource, Mode.
 *
 * Variables are not in it: what of them is secret is not known here. */
#include "cli/access.h"

#include <string.h>

enum { GAP = 6 }; /* blanks between two columns */

#define RESOURCE "D1 Database"

/* What stands in brackets behind the binding; "" when it adds nothing. */
static const char *shown_name(const struct project_database *d)
{
    return strcmp(d->name, d->binding) == 0 ? "" : d->name;
}

static int longest(const struct project *p)
{
    size_t most = strlen("Binding"), len;

    for (size_t i = 0; i < p->database_count; i++) {
        const struct project_database *d = &p->databases[i];
        len = strlen("env. ()") + strlen(d->binding) + strlen(shown_name(d));
        most = len > most ? len : most;
    }
    return (int)most;
}

int access_print(const struct project *p, struct buf *out)
{
    int width = longest(p) + GAP, r;

    if (p->database_count == 0)
        return 0;
    r = buf_print(out, "Your Worker has access to the following bindings:\n%-*s%-*s%s", width,
                  "Binding", (int)strlen(RESOURCE) + GAP, "Resource", "Mode");
    for (size_t i = 0; i < p->database_count && r == 0; i++) {
        const struct project_database *d = &p->databases[i];
        const char *name = shown_name(d);
        int used = (int)(strlen("env.") + strlen(d->binding));
        if (name[0])
            used += (int)(strlen(" ()") + strlen(name));
        r = buf_print(out, "\nenv.%s%s%s%s%*s%s%*s%s", d->binding, name[0] ? " (" : "", name,
                      name[0] ? ")" : "", width - used, "", RESOURCE, GAP, "", "local");
    }
    return r;
}

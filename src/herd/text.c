/* text.c - what a pool is to run, copied. */
#include "herd/pool.h"

#include <string.h>

#include "base/mem.h"

void pool_text_done(struct pool_text *t)
{
    char *all[] = {t->name,
                   t->folder,
                   t->main,
                   t->compatibility_date,
                   t->compatibility_flags,
                   t->env_json,
                   t->bindings_json,
                   t->packages_json,
                   t->read_paths};

    if (t->env_json)
        explicit_bzero(t->env_json, strlen(t->env_json));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
}

int pool_text_copy(struct pool_text *text, const struct pool_spec *spec)
{
    const struct {
        char **to;
        const char *from;
    } PAIRS[] = {{&text->name, spec->name},
                 {&text->folder, spec->folder},
                 {&text->main, spec->main},
                 {&text->compatibility_date, spec->compatibility_date},
                 {&text->compatibility_flags, spec->compatibility_flags},
                 {&text->env_json, spec->env_json},
                 {&text->bindings_json, spec->bindings_json},
                 {&text->packages_json, spec->packages_json},
                 {&text->read_paths, spec->read_paths}};
    bool is_whole = true;

    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        *PAIRS[i].to = mem_strdup(PAIRS[i].from ? PAIRS[i].from : "");
        is_whole = is_whole && *PAIRS[i].to;
    }
    if (is_whole)
        return 0;
    pool_text_done(text);
    return ERR_NOMEM;
}

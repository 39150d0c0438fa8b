/* script.c - see script.h.  Called by: bundler.c. */
#include "link/script.h"

#include <string.h>

enum { GLOBALS_MAX = 100 * 1024 /* bytes of one argument of a program */ };

int script_globals(const struct bundling *b, struct buf *out, struct err *err)
{
    static const struct {
        const char *type, *call;
    } KINDS[] = {{"wasm_module", "wasm"}, {"text_blob", "text"}, {"data_blob", "data"}};
    json_t *binding;
    size_t i;
    int r = 0;

    json_array_foreach(b->ask->bindings, i, binding)
    {
        const char *type = json_string_value(json_object_get(binding, "type"));
        const char *name = json_string_value(json_object_get(binding, "name"));
        const char *part = json_string_value(json_object_get(binding, "part"));
        const struct module *m = NULL;
        struct buf wanted = {0};
        for (size_t k = 0; type && name && part && k < sizeof KINDS / sizeof *KINDS; k++) {
            if (strcmp(type, KINDS[k].type) != 0)
                continue;
            r = module_name(part, &wanted, err);
            m = r == 0 ? modules_find(b->modules, buf_data(&wanted)) : NULL;
            if (r == 0 && (!m || m->number < 0))
                r = err_set(err, ERR_INVALID,
                            "the binding %.100s names the part \"%.200s\", and there is none", name,
                            part);
            if (r == 0 && (bundling_quote(out, name) < 0 ||
                           buf_print(out, ":__corral.%s(\"m/%d\"),", KINDS[k].call, m->number) < 0))
                r = err_nomem(err);
        }
        buf_done(&wanted);
        if (r < 0)
            return r;
    }
    if (buf_len(out) > GLOBALS_MAX)
        return err_set(err, ERR_LIMIT, "a worker without modules has too many blobs");
    return 0;
}

/* The bundler writes each import on a line of its own. */
bool script_imports(struct span linked)
{
    const char *at = linked.data, *end = at + linked.len;

    while (at && at < end) {
        if ((size_t)(end - at) > 7 && memcmp(at, "import", 6) == 0 && strchr(" \"{*", at[6]))
            return true;
        at = memchr(at, '\n', (size_t)(end - at));
        at += !!at;
    }
    return false;
}

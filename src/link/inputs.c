/* inputs.c - see inputs.h. */
#include "link/inputs.h"

#include <string.h>

#include "link/modules.h"
#include "text/value.h"

#define RUNTIME "<runtime>" /* the bundler's own helpers */

/* Below the stage: "/in/.corral/a.js"; NULL: it is elsewhere. */
static const char *place_of(const char *path, const char *stage)
{
    const char *at = strstr(path, stage);

    return at ? at + strlen(stage) : NULL;
}

static int refuse(const char *name, const char *importer, struct buf *detail, struct err *err)
{
    static const char IN[] = "/in/";

    if (importer && strncmp(importer, IN, sizeof IN - 1) == 0)
        importer += sizeof IN - 1;
    if (importer && buf_print(detail, "  imported from \"%s\"", module_of_place(importer)) < 0)
        return err_nomem(err);
    return err_set(err, ERR_INVALID, "Uncaught Error: No such module \"%.300s\".", name);
}

/* What newer bundlers make of import("./" + name): all files of a pattern, each an input of its own. */
static bool is_pattern(const char *path)
{
    return path[0] == '.' && strchr(path, '*') != NULL;
}

/* An address is left for the one who runs it, and nobody would: imports that happen late fail
 * then. */
static int check_imports(const json_t *imports, const char *importer, const char *stage,
                         struct buf *detail, struct err *err)
{
    const json_t *one;
    size_t i;

    json_array_foreach(imports, i, one)
    {
        const char *path = json_string_value(json_object_get(one, "path"));
        const char *name = json_string_value(json_object_get(one, "original"));
        const char *kind = json_string_value(json_object_get(one, "kind"));
        const bool is_external = json_is_true(json_object_get(one, "external"));
        if (!path || strcmp(path, RUNTIME) == 0 || (is_external && is_pattern(path)) ||
            (is_external && (!kind || strcmp(kind, "import-statement") != 0)))
            continue;
        if (is_external || !place_of(path, stage))
            return refuse(name ? name : path, importer, detail, err);
    }
    return 0;
}

int inputs_check(struct span meta, const char *stage, const char *place, bool *ret_has,
                 struct buf *detail, struct err *err)
{
    json_t *all = NULL, *inputs, *one;
    json_error_t where;
    const char *path;
    int r = value_parse(meta, &all, &where);

    *ret_has = false;
    if (r == ERR_NOMEM)
        return err_nomem(err);
    inputs = json_object_get(all, "inputs");
    if (r < 0 || !json_is_object(inputs))
        r = err_set(err, ERR_SYSTEM, "the bundler does not say what it read");
    json_object_foreach(inputs, path, one)
    {
        const char *at = place_of(path, stage);
        if (r == 0 && at)
            r = check_imports(json_object_get(one, "imports"), at, stage, detail, err);
        *ret_has |= at && strcmp(at, place) == 0;
    }
    json_object_foreach(inputs, path, one)
    {
        const char *plain = path;
        while (strncmp(plain, "../", 3) == 0)
            plain += 3;
        if (r == 0 && !place_of(path, stage))
            r = refuse(plain, NULL, detail, err);
    }
    json_decref(all);
    return r;
}

/* request_cf.c - read and check that object. */
#include "cli/request_cf.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int request_cf_read(const char *path, char **ret_json, struct err *err)
{
    json_error_t wrong;
    json_t *object;
    char *text;
    int r = 0;

    *ret_json = path ? NULL : mem_strdup("");
    if (!path)
        return *ret_json ? 0 : err_nomem(err);
    object = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong);
    if (!object && wrong.line < 1)
        return err_set(err, ERR_SYSTEM, "request_cf '%s': %s", path, wrong.text);
    if (!object)
        return err_set(err, ERR_INVALID, "request_cf %s:%d:%d: %s", path, wrong.line, wrong.column,
                       wrong.text);
    text = json_is_object(object) ? json_dumps(object, JSON_COMPACT) : NULL;
    if (!json_is_object(object))
        r = err_set(err, ERR_INVALID, "request_cf '%s': it must be an object, {\"colo\": ...}",
                    path);
    else if (!text)
        r = err_nomem(err);
    else if (strlen(text) > REQUEST_CF_MAX)
        r = err_set(err, ERR_INVALID, "request_cf '%s' is longer than %d bytes", path,
                    REQUEST_CF_MAX);
    else if (!(*ret_json = mem_strdup(text)))
        r = err_nomem(err);
    free(text);
    json_decref(object);
    return r;
}

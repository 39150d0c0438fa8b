/* outlets.c - a list of a few names. */
#include "service/outlets.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/database.h"

static void outlet_done(struct outlet *o)
{
    mem_free(o->binding);
    mem_free(o->data_folder);
    mem_free(o->database);
    mem_free(o->uuid);
    mem_free(o->folder);
    mem_free(o->seen_ms);
}

void outlets_done(struct outlets *o)
{
    for (size_t i = 0; i < o->count; i++)
        outlet_done(&o->items[i]);
    mem_free(o->items);
    *o = (struct outlets){0};
}

int outlets_add_d1(struct outlets *o, const char *binding, const char *data_folder,
                   const char *database, const char *uuid, struct err *err)
{
    struct outlet *more = mem_resize(o->items, (o->count + 1) * sizeof *more);
    struct outlet fresh = {.kind = OUTLET_D1};
    int r;

    if (!more)
        return err_nomem(err);
    o->items = more;
    r = database_folder(data_folder, database, &fresh.folder, err);
    if (r < 0)
        return r;
    fresh.binding = mem_strdup(binding);
    fresh.data_folder = mem_strdup(data_folder);
    fresh.database = mem_strdup(database);
    fresh.uuid = mem_strdup(database_is_uuid(uuid) ? uuid : "");
    if (!fresh.binding || !fresh.data_folder || !fresh.database || !fresh.uuid) {
        outlet_done(&fresh);
        return err_nomem(err);
    }
    o->items[o->count++] = fresh;
    return 0;
}

int outlets_bind_d1(struct outlets *o, const char *binding, const char *data_folder,
                    const char *database, const char *uuid, struct err *err)
{
    int64_t *seen_ms = mem_alloc(sizeof *seen_ms);
    int r = seen_ms ? 0 : err_nomem(err);

    r = r < 0 ? r : outlets_add_d1(o, binding, data_folder, database, uuid, err);
    if (r < 0)
        mem_free(seen_ms);
    else
        o->items[o->count - 1].seen_ms = seen_ms;
    return r;
}

const struct outlet *outlets_find(const struct outlets *o, struct span binding)
{
    for (size_t i = 0; i < o->count; i++)
        if (span_is(binding, o->items[i].binding))
            return &o->items[i];
    return NULL;
}

char *outlets_json(const struct outlets *o)
{
    json_t *all = json_object();
    char *text = NULL, *copy = NULL;
    bool is_whole = all != NULL;

    for (size_t i = 0; i < o->count && is_whole; i++)
        is_whole =
            json_object_set_new(all, o->items[i].binding, json_pack("{s:s}", "type", "d1")) == 0;
    if (is_whole)
        text = json_dumps(all, JSON_COMPACT);
    if (text)
        copy = mem_strdup(text);
    free(text);
    json_decref(all);
    return copy;
}

bool outlets_is_same(const struct outlets *a, const struct outlets *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct outlet *x = &a->items[i], *y = &b->items[i];
        if (x->kind != y->kind || strcmp(x->binding, y->binding) != 0 ||
            strcmp(x->folder, y->folder) != 0 || strcmp(x->uuid, y->uuid) != 0 ||
            !x->seen_ms != !y->seen_ms)
            return false;
    }
    return true;
}

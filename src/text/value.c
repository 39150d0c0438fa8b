/* value.c - see value.h. */
#include "text/value.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/mem.h"

static _Thread_local bool is_short; /* an allocation has failed since value_parse began */

static void *allocate(size_t n)
{
    void *p = mem_alloc(n);

    is_short |= !p;
    return p;
}

static void init(void)
{
    json_set_alloc_funcs(allocate, mem_free);
}

void value_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init);
}

int value_parse(struct span text, json_t **ret_value, json_error_t *ret_error)
{
    json_t *value;

    value_init();
    is_short = false;
    value = json_loadb(text.data ? text.data : "", text.len, JSON_ALLOW_NUL, ret_error);
    if (value && !is_short) {
        *ret_value = value;
        return 0;
    }
    json_decref(value);
    return is_short ? ERR_NOMEM : ERR_INVALID;
}

char *value_dump(const json_t *value, size_t flags)
{
    char *text;

    value_init();
    is_short = false;
    text = json_dumps(value, flags);
    if (!is_short)
        return text;
    mem_free(text);
    return NULL;
}

int value_set_string(json_t *object, struct span name, struct span text)
{
    char *key = mem_copy(name.data, name.len);
    json_t *string;
    int r;

    if (!key)
        return ERR_NOMEM;
    is_short = false;
    string = json_stringn(text.data ? text.data : "", text.len);
    r = string ? json_object_set(object, key, string) : -1;
    json_decref(string);
    mem_free(key);
    if (r == 0)
        return 0;
    return is_short ? ERR_NOMEM : ERR_INVALID;
}

/* names.c - a table from texts to pointers: linear probing, at most half full, no gravestones. */
#include "live/names.h"

#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

enum { SIZE_MIN = 16 };

static uint64_t hash_of(const struct names *names, struct span key)
{
    uint64_t h = names->seed[0] ^ key.len;

    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char)key.data[i]) * (names->seed[1] | 1);
        h ^= h >> 29;
    }
    return h ^ h >> 32;
}

/* Where it is, or the free place where it would be. */
static struct name *find(const struct names *names, struct span key, uint64_t hash)
{
    size_t at = hash & (names->size - 1);

    for (;;) {
        struct name *n = &names->items[at];
        if (!n->key ||
            (n->hash == hash && n->len == key.len && memcmp(n->key, key.data, key.len) == 0))
            return n;
        at = (at + 1) & (names->size - 1);
    }
}

static int grow(struct names *names)
{
    size_t size = names->size ? 2 * names->size : SIZE_MIN;
    struct names wider = {.size = size, .count = names->count};

    if (names->size == 0 && getrandom(names->seed, sizeof names->seed, 0) != sizeof names->seed)
        names->seed[0] = names->seed[1] = (uint64_t)(uintptr_t)names * 0x9e3779b97f4a7c15;
    wider.items = mem_alloc(size * sizeof *wider.items);
    if (!wider.items)
        return ERR_NOMEM;
    for (size_t i = 0; i < names->size; i++) {
        const struct name *n = &names->items[i];
        if (n->key)
            *find(&wider, (struct span){n->key, n->len}, n->hash) = *n;
    }
    mem_free(names->items);
    names->items = wider.items;
    names->size = size;
    return 0;
}

void names_done(struct names *names)
{
    for (size_t i = 0; i < names->size; i++)
        mem_free(names->items[i].key);
    mem_free(names->items);
    *names = (struct names){0};
}

void *names_get(const struct names *names, struct span key)
{
    const struct name *n = names->size > 0 ? find(names, key, hash_of(names, key)) : NULL;

    return n && n->key ? n->value : NULL;
}

int names_put(struct names *names, struct span key, void *value, struct err *err)
{
    struct name *n;
    uint64_t hash;
    char *copy;

    if (2 * (names->count + 1) > names->size && grow(names) < 0)
        return err_nomem(err);
    hash = hash_of(names, key);
    n = find(names, key, hash);
    if (!n->key) {
        copy = mem_copy(key.data, key.len);
        if (!copy)
            return err_nomem(err);
        *n = (struct name){.key = copy, .len = key.len, .hash = hash};
        names->count++;
    }
    n->value = value;
    return 0;
}

void names_drop(struct names *names, struct span key)
{
    struct name *n = names->size > 0 ? find(names, key, hash_of(names, key)) : NULL;
    size_t hole, at;

    if (!n || !n->key)
        return;
    mem_free(n->key);
    *n = (struct name){0};
    names->count--;
    /* Whoever stands behind it and would rather stand in the hole moves up. */
    hole = (size_t)(n - names->items);
    for (at = (hole + 1) & (names->size - 1); names->items[at].key;
         at = (at + 1) & (names->size - 1)) {
        size_t home = names->items[at].hash & (names->size - 1);
        if (((at - home) & (names->size - 1)) < ((at - hole) & (names->size - 1)))
            continue;
        names->items[hole] = names->items[at];
        names->items[at] = (struct name){0};
        hole = at;
    }
}

/* keys.c - the list of paths behind keys.h.
 *
 * A path is its segments, each followed by the byte 0x1f, which no sane key
 * holds.  Searches are linear: they happen only when a message is written. */
#include "text/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define SEPARATOR '\x1f'

void keys_init(struct keys *k) { *k = (struct keys){0}; }

void keys_done(struct keys *k)
{
    mem_free(k->items);
    buf_done(&k->paths);
    buf_done(&k->path);
    *k = (struct keys){0};
}

int keys_push(struct keys *k, size_t prefix_len, struct span segment)
{
    char *room;
    int r;

    k->path.tail = k->path.head + prefix_len;
    r = buf_reserve(&k->path, segment.len + 1, &room);
    if (r < 0)
        return r;
    if (segment.len > 0)
        memcpy(room, segment.data, segment.len);
    room[segment.len] = SEPARATOR;
    buf_commit(&k->path, segment.len + 1);
    return 0;
}

int keys_push_index(struct keys *k, size_t prefix_len, unsigned index)
{
    char text[16];

    snprintf(text, sizeof text, "%u", index);
    return keys_push(k, prefix_len, span_of(text));
}

int keys_note(struct keys *k, size_t key_at, size_t value_at)
{
    size_t cap = k->cap ? k->cap * 2 : 32;
    struct key *items;
    int r;

    if (k->count == KEYS_MAX)
        return 0;
    if (k->count == k->cap) {
        items = mem_resize(k->items, cap * sizeof *items);
        if (!items)
            return ERR_NOMEM;
        k->items = items;
        k->cap = cap;
    }
    r = buf_append(&k->paths, buf_data(&k->path), buf_len(&k->path));
    if (r < 0)
        return r;
    k->items[k->count++] = (struct key){buf_len(&k->paths) - buf_len(&k->path),
                                        buf_len(&k->path), key_at, value_at};
    return 0;
}

/* Does this stored path hold exactly these segments? */
static bool is_path(struct span stored, const char *const *path, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        size_t n = strlen(path[i]);
        if (stored.len < n + 1 || memcmp(stored.data, path[i], n) != 0 ||
            stored.data[n] != SEPARATOR)
            return false;
        stored = (struct span){stored.data + n + 1, stored.len - n - 1};
    }
    return stored.len == 0;
}

const struct key *keys_find(const struct keys *k, const char *const *path, size_t depth)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct key *key = &k->items[i];
        if (is_path((struct span){buf_data(&k->paths) + key->path_at, key->path_len}, path, depth))
            return key;
    }
    return NULL;
}

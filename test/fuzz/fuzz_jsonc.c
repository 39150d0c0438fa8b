/* fuzz_jsonc.c - any bytes as JSON with comments: blanking keeps length and
 * lines, leaves plain JSON alone; the key scan stays
 * inside the text, and finds every key of a JSON that jansson accepts. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/jsonc.h"
#include "text/keys.h"
#include "text/position.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

/* Every member of an object can be found, unless its name has escapes. */
static void check_found(const struct keys *k, json_t *value, const char **path, size_t depth)
{
    const char *name;
    json_t *inner;

    if (!json_is_object(value) || depth == KEYS_DEPTH_MAX)
        return;
    json_object_foreach(value, name, inner) {
        path[depth] = name;
        if (strpbrk(name, "\\\"/\b\f\n\r\t\x1f"))
            continue;
        must(keys_find(k, path, depth + 1) != NULL);
        check_found(k, inner, path, depth + 1);
    }
}

static void check_keys(struct span text)
{
    const char *path[KEYS_DEPTH_MAX + 1];
    struct keys k = {0};
    json_t *root;
    int r = keys_scan_json(&k, text);

    for (size_t i = 0; i < k.count; i++)
        must(k.items[i].key_at < text.len && k.items[i].value_at < text.len);
    if (r == ERR_LIMIT)
        must(k.deep_at < text.len && position_of(text, k.deep_at).line > 0);
    root = r == 0 ? json_loadb(text.data, text.len, 0, NULL) : NULL;
    /* An escaped name is kept as written: then nothing is promised. */
    if (root && k.count < 200 && !memchr(text.data, '\\', text.len))
        check_found(&k, root, path, 0);
    json_decref(root);
    keys_done(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = mem_copy((const char *)data, len);
    json_t *plain;

    must(text != NULL);
    jsonc_blank(text, len);
    for (size_t i = 0; i < len; i++)
        must((text[i] == '\n') == (data[i] == '\n') && (text[i] == (char)data[i] || text[i] == ' '));
    plain = json_loadb((const char *)data, len, 0, NULL);
    must(!plain || memcmp(text, data, len) == 0);
    json_decref(plain);
    if (len > 0)
        check_keys((struct span){text, len});
    mem_free(text);
    return 0;
}

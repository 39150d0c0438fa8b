/* fuzz_patch.c - any bytes as a configuration that gets one more database: what
 * is made of them holds all of them, in their order. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "project/patch_inside.h"
#include "text/jsonc.h"
#include "text/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct patch_database DB = {"B", "a \"name\"", "id"};

/* NULL: no object. */
static json_t *read_json(struct span text)
{
    char *plain = mem_copy(text.data, text.len);
    json_error_t ignored;
    json_t *root = NULL;

    jsonc_blank(plain, text.len);
    if (value_parse((struct span){plain, text.len}, &root, &ignored) == 0 &&
        !json_is_object(root)) {
        json_decref(root);
        root = NULL;
    }
    mem_free(plain);
    return root;
}

/* Are all bytes of `part` in `whole`, in their order? */
static void check_kept(struct span part, struct span whole)
{
    size_t at = 0;

    for (size_t i = 0; i < whole.len && at < part.len; i++)
        at += whole.data[i] == part.data[at];
    if (at < part.len)
        abort();
}

static void try_format(struct config *c, enum config_format format, const char *env)
{
    struct span text = {c->text, c->len};
    struct buf out = {0};
    int r = 0;

    c->format = format;
    for (int try = 0; r == 0 || r == ERR_INVALID; try++) {
        buf_eat(&out, buf_len(&out));
        r = format == CONFIG_JSON ? patch_json(c, env, &DB, try, &out)
                                  : patch_toml(c, env, &DB, try, &out);
        if (r == 0)
            check_kept(text, buf_span(&out));
        if (try > 2)
            abort();
    }
    if (r != ERR_NOT_FOUND)
        abort();
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct config c = {.shown = "x"};
    int r;

    if (len == 0)
        return 0;
    c.text = mem_copy((const char *)data, len);
    c.len = len;
    c.root = read_json((struct span){c.text, len});
    r = keys_scan_json(&c.keys, (struct span){c.text, len});
    if (r == 0) {
        try_format(&c, CONFIG_JSON, "");
        try_format(&c, CONFIG_JSON, "x");
    }
    keys_done(&c.keys);
    r = keys_scan_toml(&c.keys, (struct span){c.text, len});
    if (r == 0) {
        try_format(&c, CONFIG_TOML, "");
        try_format(&c, CONFIG_TOML, "x");
    }
    config_done(&c);
    return 0;
}

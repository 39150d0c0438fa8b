/* fuzz_toml_keys.c - any bytes as TOML: the key scan ends, stays inside the
 * text, and keeps its limits. */
#include <stdint.h>
#include <stdlib.h>

#include "text/keys.h"
#include "text/position.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span text = {(const char *)data, len};
    const char *path[] = {"a", "0", "b"};
    struct keys k = {0};
    struct position p;
    int r;

    if (len == 0)
        return 0;
    r = keys_scan_toml(&k, text);
    if (r != 0 && r != ERR_LIMIT)
        abort();
    for (size_t i = 0; i < k.count; i++)
        if (k.items[i].key_at > len || k.items[i].value_at > len)
            abort();
    if (k.count > 0) {
        p = position_of(text, k.items[k.count - 1].key_at);
        if (position_offset(text, p.line, p.column) > len)
            abort();
    }
    keys_find(&k, path, 3);
    keys_done(&k);
    return 0;
}

/* fuzz_split.c - any script: statements are found within it, and more bytes change nothing behind a
 * ';'. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    size_t len = 0, again = 0;
    bool is_empty = false, is_empty_too = false;

    while (rest.len > 0 && split_next(rest, &len, &is_empty) == 1) {
        assert(len > 0 && len <= rest.len && rest.data[len - 1] == ';');
        /* the statement alone ends there as well, and not before */
        assert(split_next((struct span){rest.data, len}, &again, &is_empty_too) == 1);
        assert(again == len && is_empty_too == is_empty);
        assert(split_next((struct span){rest.data, len - 1}, &again, &is_empty_too) == 0);
        rest.data += len;
        rest.len -= len;
    }
    return 0;
}

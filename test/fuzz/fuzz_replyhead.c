/* fuzz_replyhead.c - any bytes as the head of a server's answer: read or refuse, never crash;
 * what was read is what may be passed on. */
#include <stdlib.h>

#include "http/token.h"
#include "service/replyhead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_head(const uint8_t *data, size_t len, bool is_upgrade)
{
    struct span rest = {(const char *)data, len}, name, value;
    struct replyhead h = {.is_upgrade = is_upgrade};
    struct pairs pairs;
    struct err err = {0};
    size_t at = 0;
    int r = 0;

    while (rest.len > 0 && r >= 0) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t n = end ? (size_t)(end - rest.data) + 1 : rest.len;
        r = replyhead_line(&h, (struct span){rest.data, n}, &err);
        rest.data += n;
        rest.len -= n;
    }
    pairs = (struct pairs){buf_span(&h.fields), h.count};
    for (uint32_t i = 0; i < h.count; i++)
        if (!pairs_next(&pairs, &at, &name, &value) || !token_all(name, TOKEN_NAME) ||
            !token_all(value, TOKEN_VALUE))
            abort();
    replyhead_done(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    read_head(data, len, false);
    read_head(data, len, true);
    return 0;
}

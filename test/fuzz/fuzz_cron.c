/* fuzz_cron.c - any bytes as a cron expression: what is understood comes, at whole minutes, one behind the
 * other, and what is refused says why. */
#include <stdint.h>
#include <stdlib.h>

#include "text/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cron cron;
    struct err err = {0};
    int64_t t, next;

    if (cron_parse((struct span){(const char *)data, len}, &cron, &err) < 0) {
        must(err.code == ERR_INVALID && err.text[0]);
        return 0;
    }
    t = (int64_t)(len * 7919 % 50000) * 86400000 + 12345;
    for (int i = 0; i < 20; i++, t = next) {
        next = cron_next(&cron, t);
        must(next > t && next % 60000 == 0);
    }
    return 0;
}

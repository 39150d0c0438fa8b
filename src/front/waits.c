/* waits.c - find the deadline that has passed. */
#include "front/waits.h"

int waits_due(const struct waits *w, int64_t now)
{
    for (uint32_t set = w->set; set != 0; set &= set - 1) {
        int kind = __builtin_ctz(set);
        if (w->at[kind] <= now)
            return kind;
    }
    return -1;
}

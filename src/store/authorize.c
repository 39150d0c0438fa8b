/* authorize.c - what SQL may do, decided while it is compiled. */
#include <string.h>
#include <strings.h>

#include "store/inside.h"

int authorize(void *self, int action, const char *a, const char *b, const char *database,
              const char *trigger)
{
    struct connection *c = self;

    (void)a;
    (void)b;
    (void)database;
    (void)trigger;
    if (c->is_own)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA:
        return SQLITE_DENY;
    }
    return SQLITE_OK;
}

/* inside.h - the catalog's inside, for this room. */
#ifndef CORRAL_CATALOG_INSIDE_H
#define CORRAL_CATALOG_INSIDE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/span.h"
#include "catalog/catalog.h"
#include "catalog/seal.h"

enum { CATALOG_BUSY_MS = 20000 };

#define CATALOG_FILE "catalog.sqlite"

struct catalog {
    sqlite3 *db;
    char *folder; /* absolute */
    int held;     /* catalog.lock, shared: there is somebody who may write */
    bool is_in_transaction;
    bool has_key;
    struct seal_key key;
};

/* schema.c: make the tables, or bring them up to date, in one transaction. */
int schema_update(struct catalog *catalog, struct err *err) MUST_CHECK;

/* 40 for 20 bytes: lower-case digits and a NUL. */
void hex_write(const unsigned char *bytes, size_t n, char *out);
bool hex_is(const char *text, size_t digits);

#endif

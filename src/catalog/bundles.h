/* bundles.h - the files of versions, by their content.
 *
 *   DATA/bundles/HASH/files/...     as their worker sees them; never changed
 *   DATA/bundles/HASH/parts.json    [{"name", "type", "path"}]: in their order, with the types they came
 * with; "path" is where a file lies whose name is no path ("./a.js", "../b.wasm")
 *
 * HASH is the SHA-256 of names, types and contents, 64 hexadecimal digits: what is there already is
 * not written again.  A bundle is written beside its place, synced, and put there in one step: one
 * that is there is whole.  What no version names is swept when nobody has held it for an hour. */
#ifndef CORRAL_CATALOG_BUNDLES_H
#define CORRAL_CATALOG_BUNDLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "catalog/catalog.h"

enum {
    BUNDLE_HASH_SIZE = 65,
    BUNDLE_PARTS_MAX = 20000,
    BUNDLE_PATH_MAX = 1024, /* bytes of a name; of a type, too */
    BUNDLE_DEPTH_MAX = 32,  /* folders below each other */
    BUNDLE_KEPT_S = 3600,   /* what no version names */
};
#define BUNDLE_PARTS_BYTES_MAX (256ull << 20)

struct bundle_part {
    struct span
        name; /* "src/entry.py": relative, '/' between parts, no "..", no empty part, UTF-8 */
    struct span type; /* Content-Type as it came, or "" */
    struct span bytes;
    struct span path; /* of a name that is none: as names are otherwise; or "" */
};
/* ERR_INVALID: a name that cannot be a path, or twice the same, or a file where another one needs a
 * folder; ERR_LIMIT. */
int bundles_put(struct catalog *catalog, const struct bundle_part *parts, size_t count,
                char ret_hash[BUNDLE_HASH_SIZE], uint64_t *ret_bytes, struct err *err) MUST_CHECK;
/* DATA/bundles/HASH/files, to be freed; ERR_NOT_FOUND. */
int bundles_folder(struct catalog *catalog, const char *hash, char **ret_folder,
                   struct err *err) MUST_CHECK;

struct bundle_file { /* owned */
    char *name, *type, *bytes;
    size_t len;
};
struct bundle_files {
    struct bundle_file *items; /* in the order they came */
    size_t count;
};
int bundles_read(struct catalog *catalog, const char *hash, struct bundle_files *ret,
                 struct err *err) MUST_CHECK;
void bundle_files_done(struct bundle_files *files);
/* Somebody lets go of it now: it stays for another hour.  HASH "" or one that is not there is fine.
 */
void bundles_touch(struct catalog *catalog, const char *hash);
/* Delete what no version names, and what was half written, when it is older than an hour. */
int bundles_sweep(struct catalog *catalog, struct err *err) MUST_CHECK;

#endif

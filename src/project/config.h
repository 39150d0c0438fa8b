/* config.h - one configuration file: its text, its values, where its keys stand.
 *
 * Embedded: config_read fills it (from zeroes), config_done frees it, also
 * after a failure.  What is wrong with the file becomes diagnostics.
 *
 * Errors: ERR_INVALID: the text is no JSON or TOML, diagnostics say where;
 * ERR_NOT_FOUND: no such file (no diagnostic); ERR_LIMIT, ERR_SYSTEM, ERR_NOMEM.
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_CONFIG_H
#define CORRAL_PROJECT_CONFIG_H

#include <jansson.h>

#include "base/err.h"
#include "project/diagnostic.h"
#include "text/keys.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

enum config_format { CONFIG_JSON, CONFIG_TOML };

struct config {
    const char *shown;      /* borrowed: what messages call the file */
    enum config_format format;
    char *text;
    size_t len;
    json_t *root;           /* an object */
    struct keys keys;
};

int config_read(const char *path, const char *shown, const char *worker_program,
                struct config *ret, struct diagnostics *d, struct err *err) MUST_CHECK;
void config_done(struct config *c);

/* Where the key (or its value) with this path stands; only the file when not known. */
struct place config_key_place(const struct config *c, const char *const *path, size_t depth);
struct place config_value_place(const struct config *c, const char *const *path, size_t depth);

/* A small file as text with a NUL behind it.  ERR_NOT_FOUND, ERR_LIMIT (over
 * limit_bytes), ERR_SYSTEM, ERR_NOMEM. */
int config_read_file(const char *path, const char *shown, size_t limit_bytes, char **ret_text,
                     size_t *ret_len, struct err *err) MUST_CHECK;

#endif

/* rules.h - which files are modules of which kind: `rules` of the configuration, and those of wrangler behind them.
 *
 * A rule is a kind and a glob: "**" and a slash stand for any folders, "*" for any part of a name, all else for itself ("?"
 * too: a part behind it is a query).  The first rule that fits counts.  A rule of the configuration hides the later
 * ones of its kind unless it falls through.
 *
 * Embedded: zeroes, rules_done.  Inside project/ only; pure. */
#ifndef CORRAL_PROJECT_RULES_H
#define CORRAL_PROJECT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum module_kind { MODULE_ES, MODULE_COMMONJS, MODULE_TEXT, MODULE_DATA, MODULE_WASM };
enum { MODULE_KINDS = MODULE_WASM + 1 };

struct rule {
    enum module_kind kind;
    char *glob; /* owned */
};

struct rules {
    struct rule *items;
    size_t count, cap;
};

/* "ESModule" ...; false: there is no such kind. */
bool rules_kind(const char *word, enum module_kind *ret_kind);
const char *rules_word(enum module_kind kind);
/* What an upload calls it: "application/wasm" ... */
const char *rules_type(enum module_kind kind);

/* ERR_NOMEM. */
int rules_add(struct rules *rules, enum module_kind kind, const char *glob) MUST_CHECK;
/* Those of wrangler, of every kind that is not hidden. */
int rules_add_defaults(struct rules *rules, const bool is_hidden[MODULE_KINDS]) MUST_CHECK;
/* What is the file with this path ("src/a.txt")?  false: no rule says. */
bool rules_find(const struct rules *rules, const char *path, enum module_kind *ret_kind);
bool rules_fits(const char *glob, const char *path);
/* The end of names that a glob asks for: ".txt" of "src/" and a star and ".txt", without a query.  false: it asks for more. */
bool rules_extension(const char *glob, char *ret, size_t size);
void rules_done(struct rules *rules);

#endif

/* authorize.c - what SQL may do, decided while it is compiled.
 *
 * The rules are those of Cloudflare's runtime, asked of it statement by
 * statement (test/unit/store_authorize.c): one database, no transactions by
 * hand, a list of functions and of PRAGMAs, no virtual tables but FTS5's, no
 * names that begin with _cf_.
 *
 * Three things on top, because we have several connections where it has one:
 *  - a PRAGMA that sets something wants the writer (it works already while it
 *    is compiled), and what it sets is told to all others;
 *  - so does a function that asks what the connection wrote last;
 *  - defer_foreign_keys ends with its call, see connection.c. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/inside.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char NO_TRANSACTIONS[] =
    "To execute a transaction, please use the state.storage.transaction() or "
    "state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT "
    "statements. The JavaScript API is safer because it will automatically roll back on "
    "exceptions, and because it interacts correctly with Durable Objects' automatic atomic write "
    "coalescing. With D1, use batch(): it runs its statements as one transaction.";

/* Sorted; names as SQLite registers them. */
static const char *const FUNCTIONS[] = {
    "->",
    "->>",
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "avg",
    "bm25",
    "ceil",
    "changes",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "cos",
    "cosh",
    "count",
    "cume_dist",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "degrees",
    "dense_rank",
    "exp",
    "first_value",
    "floor",
    "format",
    "glob",
    "group_concat",
    "hex",
    "highlight",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_each",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_tree",
    "json_type",
    "json_valid",
    "julianday",
    "lag",
    "last_insert_rowid",
    "last_value",
    "lead",
    "length",
    "like",
    "likelihood",
    "likely",
    "ln",
    "log",
    "log2",
    "lower",
    "ltrim",
    "match",
    "max",
    "min",
    "mod",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "pi",
    "pow",
    "printf",
    "quote",
    "radians",
    "random",
    "randomblob",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "sin",
    "sinh",
    "snippet",
    "soundex",
    "sqlite_drop_column",
    "sqlite_rename_column",
    "sqlite_rename_quotefix",
    "sqlite_rename_table",
    "sqlite_rename_test",
    "sqrt",
    "strftime",
    "string_agg",
    "substr",
    "substring",
    "sum",
    "tan",
    "tanh",
    "time",
    "timediff",
    "total",
    "total_changes",
    "trim",
    "trunc",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
    "zeroblob",
};

enum takes { TAKES_NOTHING, TAKES_SWITCH, TAKES_NAME, TAKES_NAME_OR_NOTHING, TAKES_NUMBER };

static const struct {
    const char *name;
    enum takes takes;
} PRAGMAS[] = {
    {"case_sensitive_like", TAKES_SWITCH},
    {"data_version", TAKES_NOTHING},
    {"defer_foreign_keys", TAKES_SWITCH},
    {"foreign_key_check", TAKES_NAME_OR_NOTHING},
    {"foreign_key_list", TAKES_NAME},
    {"foreign_keys", TAKES_SWITCH},
    {"ignore_check_constraints", TAKES_SWITCH},
    {"index_info", TAKES_NAME},
    {"index_list", TAKES_NAME},
    {"index_xinfo", TAKES_NAME},
    {"legacy_alter_table", TAKES_SWITCH},
    {"optimize", TAKES_NUMBER},
    {"quick_check", TAKES_NAME_OR_NOTHING},
    {"recursive_triggers", TAKES_SWITCH},
    {"reverse_unordered_selects", TAKES_SWITCH},
    {"table_info", TAKES_NAME},
    {"table_list", TAKES_NAME_OR_NOTHING},
    {"table_xinfo", TAKES_NAME},
};

static bool is_allowed_name(const char *name)
{
    return !name || strncmp(name, "_cf_", 4) != 0;
}

static bool begins_with(struct span text, const char *word)
{
    size_t len = strlen(word);

    return text.len >= len && strncasecmp(text.data, word, len) == 0;
}

/* 1, 0, or -1: no switch. */
static int switch_of(const char *arg)
{
    static const char *const ON[] = {"true", "yes", "on", "1"};
    static const char *const OFF[] = {"false", "no", "off", "0"};
    struct span s = span_of(arg);

    if (s.len >= 2 && (s.data[0] == '\'' || s.data[0] == '"') && s.data[s.len - 1] == s.data[0])
        s = (struct span){s.data + 1, s.len - 2};
    for (size_t i = 0; i < COUNT(ON); i++) {
        if (begins_with(s, ON[i]))
            return s.len == strlen(ON[i]) || ON[i][0] == '1';
        if (begins_with(s, OFF[i]))
            return 0;
    }
    return -1;
}

/* SQLite sets it as soon as the statement is compiled: so only where it shall be set. */
static int set_switch(struct connection *c, const char *name, const char *arg)
{
    int on = switch_of(arg);

    if (on < 0)
        return SQLITE_DENY;
    if (c->is_asked || c->kind == CONNECTION_READ) {
        c->wants_writer = true;
        return SQLITE_DENY;
    }
    if (strcmp(name, "defer_foreign_keys") == 0)
        c->has_deferred = true;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        if (strcmp(name, SETTING_NAMES[i]) == 0) {
            c->settings = on ? c->settings | 1u << i : c->settings & ~(1u << i);
            atomic_store_explicit(&engine.settings, c->settings, memory_order_release);
        }
    return SQLITE_OK;
}

static bool is_number(const char *text)
{
    char *end;

    if (text[0] == '\0')
        return false;
    strtol(text, &end, 0);
    return *end == '\0';
}

static int allow_pragma(struct connection *c, const char *name, const char *arg)
{
    c->is_once = true;
    for (size_t i = 0; i < COUNT(PRAGMAS); i++) {
        if (strcmp(name, PRAGMAS[i].name) != 0)
            continue;
        switch (PRAGMAS[i].takes) {
        case TAKES_NOTHING:
            return arg ? SQLITE_DENY : SQLITE_OK;
        case TAKES_SWITCH:
            return arg ? set_switch(c, name, arg) : SQLITE_OK;
        case TAKES_NAME:
            return arg && is_allowed_name(arg) ? SQLITE_OK : SQLITE_DENY;
        case TAKES_NAME_OR_NOTHING:
            return is_allowed_name(arg) ? SQLITE_OK : SQLITE_DENY;
        case TAKES_NUMBER:
            c->wants_writer = true;
            return !arg || is_number(arg) ? SQLITE_OK : SQLITE_DENY;
        }
    }
    return SQLITE_DENY;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

static int allow_function(struct connection *c, const char *name)
{
    static const char *const OF_WRITER[] = {"changes", "last_insert_rowid", "total_changes"};

    for (size_t i = 0; i < COUNT(OF_WRITER); i++)
        if (strcmp(name, OF_WRITER[i]) == 0)
            c->wants_writer = true;
    return bsearch(name, FUNCTIONS, COUNT(FUNCTIONS), sizeof *FUNCTIONS, compare_names)
               ? SQLITE_OK
               : SQLITE_DENY;
}

static int allow_module(const char *module)
{
    return module && (strcmp(module, "fts5") == 0 || strcmp(module, "fts5vocab") == 0)
               ? SQLITE_OK
               : SQLITE_DENY;
}

int authorize(void *self, int action, const char *a, const char *b, const char *database,
              const char *trigger)
{
    struct connection *c = self;
    bool is_main = !database || strcmp(database, "main") == 0;

    (void)trigger;
    if (c->is_own)
        return SQLITE_OK;
    /* of DROP COLUMN it is the column */
    if (!is_main && action != SQLITE_READ && action != SQLITE_UPDATE &&
        action != SQLITE_ALTER_TABLE)
        return SQLITE_DENY;
    if (action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE)
        c->is_dml |= strncmp(a, "sqlite_", 7) != 0;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
    case SQLITE_UPDATE:
    case SQLITE_INSERT:
    case SQLITE_DELETE:
    case SQLITE_CREATE_TABLE:
    case SQLITE_DROP_TABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_VIEW:
    case SQLITE_ANALYZE:
    case SQLITE_REINDEX:
        return is_allowed_name(a) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TRIGGER:
        return is_allowed_name(a) && is_allowed_name(b) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_ALTER_TABLE:
        return strcmp(a, "main") == 0 && is_allowed_name(b) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE:
        return is_allowed_name(a) ? allow_module(b) : SQLITE_DENY;
    case SQLITE_PRAGMA:
        return allow_pragma(c, a, b);
    case SQLITE_FUNCTION:
        return allow_function(c, b);
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        c->refusal = NO_TRANSACTIONS;
        return SQLITE_DENY;
    }
    return SQLITE_DENY; /* ATTACH, DETACH, everything temporary, and what is new */
}

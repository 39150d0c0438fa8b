/* token.c - `corral token create|list|revoke`: who may use a node's API. */
#include "catalog/token.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/account.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/ledger.h"
#include "cli/strangers.h"
#include "text/nearest.h"

enum { COLUMNS = 6, DAYS_MAX = 36500 };

#define DAY_MS INT64_C(86400000)

/* ---- create ---- */

static int read_scope(const char *text, enum scope *ret, struct err *err)
{
    struct nearest near;
    int scope;

    if (!text) {
        err_set(err, ERR_INVALID, "--scope is missing: what may the token be used for?");
        return err_hint(err, "read (look), deploy (change workers and databases) or admin (all)");
    }
    scope = scope_parse(text);
    if (scope >= 0) {
        *ret = (enum scope)scope;
        return 0;
    }
    err_set(err, ERR_INVALID, "--scope is read, deploy or admin, not '%.64s'", text);
    nearest_init(&near, text);
    for (int i = 0; i < SCOPES; i++)
        nearest_try(&near, scope_name((enum scope)i));
    return near.best ? err_hint(err, "Did you mean %s?", near.best) : ERR_INVALID;
}

static int read_days(const char *text, int64_t *ret_expires_ms, struct err *err)
{
    long days;

    *ret_expires_ms = 0;
    if (!text)
        return 0;
    if (option_number("--expires", text, 1, DAYS_MAX, &days, err) < 0)
        return err->code;
    *ret_expires_ms = clock_wall_ms() + days * DAY_MS;
    return 0;
}

/* The account at its first use, and the token: both or none. */
static int create(struct catalog *catalog, const char *account, const char *accept,
                  enum scope scope, const char *name, int64_t expires_ms, char ret_text[TOKEN_SIZE], struct err *err)
{
    struct account a = {0};
    struct token t = {0};
    int r = strangers_check_new(catalog, account, accept, err);

    r = r < 0 ? r : catalog_begin(catalog, err);
    if (r < 0)
        return r;
    r = account_find(catalog, account, &a, err);
    if (r == ERR_NOT_FOUND)
        r = account_need(catalog, account, &a, err);
    if (r == 0)
        r = token_create(catalog, a.id, scope, name, expires_ms, ret_text, &t, err);
    token_done(&t);
    account_done(&a);
    if (r == 0)
        return catalog_commit(catalog, err);
    catalog_rollback(catalog);
    return r;
}

static int create_command(char **args)
{
    static const struct option OPTIONS[] = {
        {"--account", "-a", "NAME", "whose token it is; made when it is not there (required)"},
        {"--scope", "-s", "SCOPE", "read, deploy or admin (required)"},
        {"--name", "-n", "TEXT", "what to call it in lists"},
        {"--expires", NULL, "DAYS", "it is good for so many days (for ever)"},
        {"--accept-box", NULL, "GRADE", "as `corral serve` takes it, when it makes an account"},
        {0},
    };
    static const struct ledger_spec SPEC = {
        .usage = "token create",
        .about = "Make a token for the API, and print it.  It is shown this once: only a hash of "
                 "it is kept.\n"
                 "read: look at everything but secrets; deploy: change workers, databases and "
                 "values, too;\nadmin: tokens, the subdomain and quotas, too.\n",
        .may_make = true,
        .options = OPTIONS,
    };
    char text[TOKEN_SIZE] = "";
    enum scope scope = SCOPE_READ;
    int64_t expires_ms = 0;
    struct err err = {0};
    struct catalog *catalog = NULL;
    struct ledger l;
    int code = ledger_begin(&SPEC, args, &l), r = 0;

    if (code != LEDGER_GO)
        return code;
    if (!l.values[0])
        r = err_set(&err, ERR_INVALID, "--account is missing: whose token is it?");
    if (r == 0)
        r = read_scope(l.values[1], &scope, &err);
    if (r == 0)
        r = read_days(l.values[3], &expires_ms, &err);
    if (r < 0)
        return cli_fail(&err, 2);
    r = ledger_open(&l, &catalog, &err);
    if (r == 0)
        r = create(catalog, l.values[0], l.values[4], scope, l.values[2], expires_ms, text, &err);
    catalog_close(catalog);
    if (r < 0)
        return cli_fail(&err, r == ERR_INVALID ? 2 : 1);
    printf("%s\n", text);
    return 0;
}

/* ---- list ---- */

struct row { /* of a token, with its account's name */
    struct token token;
    char *account;
};

struct rows {
    struct row *items;
    size_t count;
};

static void rows_done(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        token_done(&rows->items[i].token);
        mem_free(rows->items[i].account);
    }
    mem_free(rows->items);
}

static int add_tokens(struct catalog *catalog, const struct account *account, struct rows *rows,
                      struct err *err)
{
    struct tokens tokens = {0};
    struct row *items;
    int r = token_list(catalog, account->id, &tokens, err);

    if (r < 0)
        return r;
    items = mem_resize(rows->items, (rows->count + tokens.count + 1) * sizeof *items);
    if (items)
        rows->items = items;
    for (size_t i = 0; items && i < tokens.count; i++) {
        struct row *row = &items[rows->count];
        *row = (struct row){tokens.items[i], mem_strdup(account->name)};
        tokens.items[i] = (struct token){0};
        rows->count++;
        if (!row->account)
            items = NULL;
    }
    tokens_done(&tokens);
    return items ? 0 : err_nomem(err);
}

/* Of one account, or of all. */
static int collect(struct catalog *catalog, const char *name, struct rows *rows, struct err *err)
{
    struct accounts all = {0};
    struct account one = {0};
    int r;

    if (name) {
        r = account_find(catalog, name, &one, err);
        if (r == 0)
            r = add_tokens(catalog, &one, rows, err);
        account_done(&one);
        return r;
    }
    r = account_list(catalog, &all, err);
    for (size_t i = 0; r == 0 && i < all.count; i++)
        r = add_tokens(catalog, &all.items[i], rows, err);
    accounts_done(&all);
    return r;
}

static bool has_expired(const struct token *t)
{
    return t->expires_ms && t->expires_ms <= clock_wall_ms();
}

static int print_json(const struct rows *rows, struct err *err)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < rows->count; i++) {
        const struct token *t = &rows->items[i].token;
        json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id", t->id, "account",
                                rows->items[i].account, "account_id", t->account_id, "scope",
                                scope_name(t->scope), "name", t->name, "created_ms",
                                (json_int_t)t->created_ms, "expires_ms", (json_int_t)t->expires_ms);
        if (json_array_append_new(list, one) == 0)
            continue;
        json_decref(list);
        list = NULL;
    }
    return cli_print_json(list, err);
}

static int print_table(const struct rows *rows, struct err *err)
{
    static const char *const HEAD[COLUMNS] = {"id",   "account",       "scope",
                                              "name", "created (UTC)", "expires (UTC)"};
    struct span *cells = mem_alloc((rows->count + 1) * COLUMNS * sizeof *cells);
    char(*times)[2][LEDGER_TIME] = mem_alloc((rows->count + 1) * sizeof *times);
    int r = cells && times ? 0 : err_nomem(err);

    for (size_t i = 0; r == 0 && i < COLUMNS; i++)
        cells[i] = span_of(HEAD[i]);
    for (size_t i = 0; r == 0 && i < rows->count; i++) {
        const struct token *t = &rows->items[i].token;
        struct span *row = cells + (i + 1) * COLUMNS;
        ledger_time(t->created_ms, times[i][0]);
        ledger_time(t->expires_ms, times[i][1]);
        row[0] = span_of(t->id);
        row[1] = span_of(rows->items[i].account);
        row[2] = span_of(scope_name(t->scope));
        row[3] = span_of(t->name);
        row[4] = span_of(times[i][0]);
        row[5] = span_of(!t->expires_ms ? "never" : has_expired(t) ? "has expired" : times[i][1]);
    }
    if (r == 0)
        r = ledger_table(cells, COLUMNS, rows->count + 1, err);
    mem_free(times);
    mem_free(cells);
    return r;
}

static int list_command(char **args)
{
    static const struct option OPTIONS[] = {
        {"--account", "-a", "NAME", "only those of this account"},
        {0},
    };
    static const struct ledger_spec SPEC = {
        .usage = "token list",
        .about = "Show the tokens of a data folder, without their texts: nobody has those.\n",
        .has_json = true,
        .options = OPTIONS,
    };
    struct rows rows = {0};
    struct err err = {0};
    struct catalog *catalog = NULL;
    struct ledger l;
    int code = ledger_begin(&SPEC, args, &l), r;

    if (code != LEDGER_GO)
        return code;
    r = ledger_open(&l, &catalog, &err);
    if (r == 0)
        r = collect(catalog, l.values[0], &rows, &err);
    if (r == 0 && l.is_json)
        r = print_json(&rows, &err);
    else if (r == 0 && rows.count > 0)
        r = print_table(&rows, &err);
    else if (r == 0)
        printf("There are no tokens yet: `corral token create` makes one.\n");
    rows_done(&rows);
    catalog_close(catalog);
    return r < 0 ? cli_fail(&err, 1) : 0;
}

/* ---- revoke ---- */

/* By its id; or by its text, which somebody may have found somewhere. */
static int revoke(struct catalog *catalog, const char *word, struct err *err)
{
    struct rows rows = {0};
    struct token t = {0};
    int r = token_verify(catalog, span_of(word), &t, err);

    if (r == 0) {
        r = token_revoke(catalog, t.account_id, t.id, err);
        token_done(&t);
        return r;
    }
    if (r == ERR_NOT_FOUND)
        r = collect(catalog, NULL, &rows, err);
    for (size_t i = 0; r == 0 && i < rows.count; i++) {
        if (strcmp(rows.items[i].token.id, word) != 0)
            continue;
        r = token_revoke(catalog, rows.items[i].token.account_id, word, err);
        rows_done(&rows);
        return r;
    }
    rows_done(&rows);
    if (r < 0)
        return r;
    err_set(err, ERR_NOT_FOUND, "there is no token with this id or text");
    return err_hint(err, "`corral token list` shows the ids.");
}

static int revoke_command(char **args)
{
    static const struct ledger_spec SPEC = {
        .usage = "token revoke ID",
        .about = "Make a token worthless, at once.  ID: as `corral token list` shows it, or the "
                 "token itself.\n",
        .word = "ID",
    };
    struct err err = {0};
    struct catalog *catalog = NULL;
    struct ledger l;
    int code = ledger_begin(&SPEC, args, &l), r;

    if (code != LEDGER_GO)
        return code;
    r = ledger_open(&l, &catalog, &err);
    if (r == 0)
        r = revoke(catalog, l.word, &err);
    catalog_close(catalog);
    if (r < 0)
        return cli_fail(&err, 1);
    printf("The token is revoked.\n");
    return 0;
}

int token_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"create", "create", "make one, and print it", create_command},
        {"list", "list", "show those that there are", list_command},
        {"revoke", "revoke ID", "make one worthless", revoke_command},
        {0},
    };
    static const struct commands ALL = {
        "corral token", "Tokens for a node's API: who may do what in which account.", COMMANDS};

    return commands_run(&ALL, args);
}

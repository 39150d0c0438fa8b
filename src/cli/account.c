/* account.c - `corral account list|create`: who deploys to a node. */
#include "catalog/account.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/ledger.h"
#include "cli/strangers.h"

enum { COLUMNS = 4 };

static json_t *as_json(const struct account *a)
{
    return json_pack("{s:s, s:s, s:s}", "id", a->id, "name", a->name, "subdomain", a->subdomain);
}

static int print_json(const struct accounts *all, struct err *err)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < all->count; i++) {
        if (json_array_append_new(list, as_json(&all->items[i])) == 0)
            continue;
        json_decref(list);
        list = NULL;
    }
    return cli_print_json(list, err);
}

static int print_table(const struct accounts *all, struct err *err)
{
    static const char *const HEAD[COLUMNS] = {"id", "name", "subdomain", "created (UTC)"};
    struct span *cells = mem_alloc((all->count + 1) * COLUMNS * sizeof *cells);
    char(*times)[LEDGER_TIME] = mem_alloc((all->count + 1) * sizeof *times);
    int r = cells && times ? 0 : err_nomem(err);

    for (size_t i = 0; r == 0 && i < COLUMNS; i++)
        cells[i] = span_of(HEAD[i]);
    for (size_t i = 0; r == 0 && i < all->count; i++) {
        const struct account *a = &all->items[i];
        struct span *row = cells + (i + 1) * COLUMNS;
        ledger_time(a->created_ms, times[i]);
        row[0] = span_of(a->id);
        row[1] = span_of(a->name);
        row[2] = span_of(a->subdomain);
        row[3] = span_of(times[i]);
    }
    if (r == 0)
        r = ledger_table(cells, COLUMNS, all->count + 1, err);
    mem_free(times);
    mem_free(cells);
    return r;
}

static int list_command(char **args)
{
    static const struct ledger_spec SPEC = {
        .usage = "account list",
        .about = "Show the accounts of a data folder: their ids, names and subdomains.\n",
        .has_json = true,
    };
    struct accounts all = {0};
    struct err err = {0};
    struct catalog *catalog = NULL;
    struct ledger l;
    int code = ledger_begin(&SPEC, args, &l), r;

    if (code != LEDGER_GO)
        return code;
    r = ledger_open(&l, &catalog, &err);
    if (r == 0)
        r = account_list(catalog, &all, &err);
    if (r == 0 && l.is_json)
        r = print_json(&all, &err);
    else if (r == 0 && all.count > 0)
        r = print_table(&all, &err);
    else if (r == 0)
        printf("There are no accounts yet: `corral account create NAME` makes one.\n");
    accounts_done(&all);
    catalog_close(catalog);
    return r < 0 ? cli_fail(&err, 1) : 0;
}

/* In one transaction: a subdomain that cannot be leaves no account. */
static int create(struct catalog *catalog, const char *name, const char *subdomain,
                  struct account *ret, struct err *err)
{
    struct account found = {0};
    int r = catalog_begin(catalog, err);

    if (r < 0)
        return r;
    r = account_find(catalog, name, &found, err);
    if (r == 0)
        r = err_set(err, ERR_LIMIT, "there is an account '%s' already", name);
    else if (r == ERR_NOT_FOUND)
        r = account_need(catalog, name, &found, err);
    if (r == 0 && subdomain)
        r = account_set_subdomain(catalog, found.id, subdomain, err);
    if (r == 0)
        r = account_find(catalog, found.id, ret, err);
    account_done(&found);
    if (r < 0) {
        catalog_rollback(catalog);
        return r;
    }
    r = catalog_commit(catalog, err);
    if (r < 0)
        account_done(ret);
    return r;
}

static int create_command(char **args)
{
    static const struct option OPTIONS[] = {
        {"--subdomain", NULL, "LABEL", "its workers are at NAME.LABEL.DOMAIN (made from the name)"},
        {"--accept-box", NULL, "GRADE", "as `corral serve` takes it"},
        {0},
    };
    static const struct ledger_spec SPEC = {
        .usage = "account create NAME",
        .about = "Make an account.  (`corral token create` makes one at its first use, too.)\n",
        .word = "NAME",
        .has_json = true,
        .may_make = true,
        .options = OPTIONS,
    };
    struct account made = {0};
    struct err err = {0};
    struct catalog *catalog = NULL;
    struct ledger l;
    int code = ledger_begin(&SPEC, args, &l), r;

    if (code != LEDGER_GO)
        return code;
    r = ledger_open(&l, &catalog, &err);
    r = r < 0 ? r : strangers_check_new(catalog, l.word, l.values[1], &err);
    if (r == 0)
        r = create(catalog, l.word, l.values[0], &made, &err);
    if (r == 0 && l.is_json)
        r = cli_print_json(as_json(&made), &err);
    else if (r == 0)
        printf("Account '%s' is there: id %s, subdomain %s\n", made.name, made.id, made.subdomain);
    account_done(&made);
    catalog_close(catalog);
    return r < 0 ? cli_fail(&err, r == ERR_INVALID ? 2 : 1) : 0;
}

int account_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"list", "list", "show the accounts that there are", list_command},
        {"create", "create NAME", "make one", create_command},
        {0},
    };
    static const struct commands ALL = {
        "corral account", "Accounts of a node: whose workers, databases and tokens.", COMMANDS};

    return commands_run(&ALL, args);
}

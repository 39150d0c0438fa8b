/* account.c - see account.h. */
#include "catalog/account.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/inside.h"
#include "catalog/name.h"
#include "catalog/query.h"

enum { ACCOUNT_NAME_MAX = 64, LABEL_MAX = 63, LABEL_TRIES = 100000 };

#define COLUMNS "id, name, subdomain, created_ms"

void account_done(struct account *account)
{
    mem_free(account->name);
    mem_free(account->subdomain);
    *account = (struct account){0};
}

void accounts_done(struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->count; i++)
        account_done(&accounts->items[i]);
    mem_free(accounts->items);
    *accounts = (struct accounts){0};
}

static int take(struct query *q, void *item, struct err *err)
{
    struct account *ret = item;
    struct account a = {.created_ms = query_i64(q, 3)};
    int r;

    query_put(q, 0, a.id, sizeof a.id);
    r = query_copy(q, 1, &a.name, err);
    if (r == 0)
        r = query_copy(q, 2, &a.subdomain, err);
    if (r == 0)
        *ret = a;
    else
        account_done(&a);
    return r;
}

int account_find(struct catalog *catalog, const char *id_or_name, struct account *ret,
                 struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM accounts WHERE id = ?1 OR name = ?1"
                       " ORDER BY id = ?1 DESC LIMIT 1",
                       "t", id_or_name);

    if (r == 0)
        r = query_next(&q, err);
    if (r > 0)
        r = take(&q, ret, err);
    else if (r == 0) {
        r = err_set(err, ERR_NOT_FOUND, "there is no account '%.64s'", id_or_name);
        err_hint(err, "`corral account list` shows those there are.");
    }
    query_done(&q);
    return r;
}

int account_list(struct catalog *catalog, struct accounts *ret, struct err *err)
{
    struct accounts list;
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err, "SELECT " COLUMNS " FROM accounts ORDER BY name", "");

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct accounts){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        accounts_done(&list);
    return r;
}

/* ---- subdomains ---- */

static bool is_label(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && n <= LABEL_MAX &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' && text[0] != '-' &&
           text[n - 1] != '-';
}

/* "Café Ten" -> "caf-ten" */
static void make_label(const char *name, char out[LABEL_MAX + 1])
{
    size_t n = 0;

    for (; *name && n < LABEL_MAX; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x80 && isalnum(c))
            out[n++] = (char)tolower(c);
        else if (n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    if (n == 0)
        strcpy(out, "account");
}

static int is_taken(struct catalog *catalog, const char *label, struct err *err)
{
    int64_t one;
    int r =
        query_number(catalog, &one, err, "SELECT 1 FROM accounts WHERE subdomain = ?", "t", label);

    return r == 0 ? 1 : r == ERR_NOT_FOUND ? 0 : r;
}

/* One that is free: "team", "team-2", "team-3" ... */
static int free_label(struct catalog *catalog, const char *name, char out[LABEL_MAX + 1],
                      struct err *err)
{
    char label[LABEL_MAX + 1], tail[16] = "";

    make_label(name, label);
    for (int i = 2; i < LABEL_TRIES; i++) {
        size_t room = LABEL_MAX - strlen(tail);
        int r;
        while (room > 0 && room <= strlen(label) && label[room - 1] == '-')
            room--;
        snprintf(out, LABEL_MAX + 1, "%.*s%s", (int)room, label, tail);
        r = is_taken(catalog, out, err);
        if (r <= 0)
            return r;
        snprintf(tail, sizeof tail, "-%d", i);
    }
    return err_set(err, ERR_LIMIT, "every subdomain like '%s' is taken", label);
}

int account_set_subdomain(struct catalog *catalog, const char *id, const char *subdomain,
                          struct err *err)
{
    bool is_own;
    int64_t other;
    int r, changes = 0;

    if (!is_label(subdomain)) {
        err_set(err, ERR_INVALID, "'%.80s' is no subdomain", subdomain);
        return err_hint(err, "1 to 63 of a-z, 0-9 and '-', neither beginning nor ending with '-'");
    }
    r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = query_number(catalog, &other, err, "SELECT 1 FROM accounts WHERE subdomain = ? AND id <> ?",
                     "tt", subdomain, id);
    if (r == 0)
        r = err_set(err, ERR_LIMIT, "the subdomain '%s' is another account's", subdomain);
    else if (r == ERR_NOT_FOUND)
        r = query_run(catalog, &changes, err, "UPDATE accounts SET subdomain = ? WHERE id = ?",
                      "tt", subdomain, id);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no account '%.64s'", id);
    return change_end(catalog, is_own, r, err);
}

/* ---- making one ---- */

static int check_name(const char *name, struct err *err)
{
    int r = name_check("the name of an account", name, ACCOUNT_NAME_MAX, err);

    if (r < 0 || !hex_is(name, ID_SIZE - 1))
        return r;
    err_set(err, ERR_INVALID, "'%s' looks like an id, and no account has it", name);
    return err_hint(err, "`corral account list` shows the ids.");
}

static int create(struct catalog *catalog, const char *name, struct err *err)
{
    char id[ID_SIZE], label[LABEL_MAX + 1];
    int r = catalog_make_id(id, err);

    if (r == 0)
        r = free_label(catalog, name, label, err);
    if (r == 0)
        r = query_run(catalog, NULL, err, "INSERT INTO accounts (" COLUMNS ") VALUES (?, ?, ?, ?)",
                      "ttti", id, name, label, clock_wall_ms());
    return r;
}

int account_need(struct catalog *catalog, const char *name, struct account *ret, struct err *err)
{
    struct account found = {0};
    int64_t one;
    bool is_own;
    int r = check_name(name, err);

    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = query_number(catalog, &one, err, "SELECT 1 FROM accounts WHERE name = ?", "t", name);
    if (r == ERR_NOT_FOUND)
        r = create(catalog, name, err);
    if (r == 0)
        r = account_find(catalog, name, &found, err);
    r = change_end(catalog, is_own, r, err);
    if (r == 0)
        *ret = found;
    else
        account_done(&found);
    return r;
}

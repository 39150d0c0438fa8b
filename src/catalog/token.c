/* token.c - see token.h. */
#include "catalog/token.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/name.h"
#include "catalog/query.h"
#include "catalog/record.h"

enum { HASH = 32, TOKEN_NAME_MAX = 100, RANDOM = TOKEN_SIZE - 1 - 4 };

#define PREFIX  "crl_"
#define COLUMNS "id, account_id, scope, name, created_ms, expires_ms"

static const char *const SCOPE_NAMES[SCOPES] = {"read", "deploy", "admin"};

int scope_parse(const char *name)
{
    for (int i = 0; i < SCOPES; i++)
        if (strcmp(name, SCOPE_NAMES[i]) == 0)
            return i;
    return -1;
}

const char *scope_name(enum scope scope)
{
    return SCOPE_NAMES[scope];
}

void token_done(struct token *token)
{
    mem_free(token->name);
    *token = (struct token){0};
}

void tokens_done(struct tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++)
        token_done(&tokens->items[i]);
    mem_free(tokens->items);
    *tokens = (struct tokens){0};
}

static int take(struct query *q, void *item, struct err *err)
{
    struct token *ret = item;
    int scope = scope_parse(query_text(q, 2)), r;
    struct token t = {
        .scope = scope < 0 ? SCOPE_READ : (enum scope)scope,
        .created_ms = query_i64(q, 4),
        .expires_ms = query_i64(q, 5),
    };

    query_put(q, 0, t.id, sizeof t.id);
    query_put(q, 1, t.account_id, sizeof t.account_id);
    r = query_copy(q, 3, &t.name, err);
    if (r == 0)
        *ret = t;
    return r;
}

static int digest(struct span text, unsigned char out[HASH], struct err *err)
{
    if (EVP_Digest(text.data, text.len, out, NULL, EVP_sha256(), NULL) == 1)
        return 0;
    return err_set(err, ERR_SYSTEM, "OpenSSL cannot compute SHA-256");
}

static int make_text(char out[TOKEN_SIZE], struct err *err)
{
    static const char LETTERS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { COUNT = sizeof LETTERS - 1, FAIR = 256 - 256 % COUNT };
    unsigned char bytes[64];
    size_t n = 0;

    memcpy(out, PREFIX, 4);
    while (n < RANDOM) {
        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
            return err_errno(err, errno, "make a token");
        for (size_t i = 0; i < sizeof bytes && n < RANDOM; i++)
            if (bytes[i] < FAIR)
                out[4 + n++] = LETTERS[bytes[i] % COUNT];
    }
    out[4 + n] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return 0;
}

/* ---- making one ---- */

static int check_new(struct catalog *catalog, const char *account_id, struct err *err)
{
    int64_t count;
    int r = record_need_account(catalog, account_id, err);

    if (r == 0)
        r = query_number(catalog, &count, err, "SELECT count(*) FROM tokens WHERE account_id = ?",
                         "t", account_id);
    if (r == 0 && count >= TOKENS_MAX) {
        err_set(err, ERR_LIMIT, "the account has %d tokens already", TOKENS_MAX);
        r = err_hint(err, "`corral token revoke ID` removes those that nobody needs.");
    }
    return r;
}

static int insert(struct catalog *catalog, const struct token *t, struct span text, struct err *err)
{
    unsigned char hash[HASH];
    bool is_own;
    int r = digest(text, hash, err);

    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = check_new(catalog, t->account_id, err);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "INSERT INTO tokens (" COLUMNS ", hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
                      "ttttiib", t->id, t->account_id, scope_name(t->scope), t->name, t->created_ms,
                      t->expires_ms, (struct span){(const char *)hash, HASH});
    return change_end(catalog, is_own, r, err);
}

int token_create(struct catalog *catalog, const char *account_id, enum scope scope,
                 const char *name, int64_t expires_ms, char ret_text[TOKEN_SIZE], struct token *ret,
                 struct err *err)
{
    struct token t = {.scope = scope, .created_ms = clock_wall_ms(), .expires_ms = expires_ms};
    char text[TOKEN_SIZE];
    int r = 0;

    if (name && name[0])
        r = name_check("the name of a token", name, TOKEN_NAME_MAX, err);
    if (r == 0 && (expires_ms < 0 || (expires_ms && expires_ms <= t.created_ms)))
        r = err_set(err, ERR_INVALID, "the token would have expired already");
    if (r == 0 && (int)scope >= SCOPES)
        r = err_set(err, ERR_INVALID, "a token's scope is read, deploy or admin");
    if (r == 0 && strlen(account_id) >= sizeof t.account_id)
        r = err_set(err, ERR_NOT_FOUND, "there is no account '%.64s'", account_id);
    if (r == 0)
        r = catalog_make_id(t.id, err);
    if (r == 0)
        r = make_text(text, err);
    if (r < 0)
        return r;
    strcpy(t.account_id, account_id);
    t.name = mem_strdup(name ? name : "");
    r = t.name ? insert(catalog, &t, (struct span){text, TOKEN_SIZE - 1}, err) : err_nomem(err);
    if (r == 0) {
        memcpy(ret_text, text, TOKEN_SIZE);
        *ret = t;
    } else {
        token_done(&t);
    }
    explicit_bzero(text, sizeof text);
    return r;
}

/* ---- asking ---- */

int token_verify(struct catalog *catalog, struct span text, struct token *ret, struct err *err)
{
    unsigned char hash[HASH];
    struct query q = {0};
    int r = 0;

    if (text.len == TOKEN_SIZE - 1 && memcmp(text.data, PREFIX, 4) == 0) {
        r = digest(text, hash, err);
        if (r == 0)
            r = query_open(&q, catalog, err,
                           "SELECT " COLUMNS " FROM tokens"
                           " WHERE hash = ? AND (expires_ms = 0 OR expires_ms > ?)",
                           "bi", (struct span){(const char *)hash, HASH}, clock_wall_ms());
        if (r == 0)
            r = query_next(&q, err);
    }
    if (r > 0)
        r = take(&q, ret, err);
    else if (r == 0)
        r = err_set(err, ERR_NOT_FOUND, "the token is unknown, or has expired");
    query_done(&q);
    return r;
}

int token_list(struct catalog *catalog, const char *account_id, struct tokens *ret, struct err *err)
{
    struct tokens list;
    struct rows rows;
    struct query q;
    int r =
        query_open(&q, catalog, err,
                   "SELECT " COLUMNS " FROM tokens WHERE account_id = ? ORDER BY created_ms, rowid",
                   "t", account_id);

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct tokens){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        tokens_done(&list);
    return r;
}

int token_revoke(struct catalog *catalog, const char *account_id, const char *token_id,
                 struct err *err)
{
    bool is_own;
    int changes = 0, r = change_begin(catalog, &is_own, err);

    if (r < 0)
        return r;
    r = query_run(catalog, &changes, err, "DELETE FROM tokens WHERE id = ? AND account_id = ?",
                  "tt", token_id, account_id);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no token '%.64s'", token_id);
    return change_end(catalog, is_own, r, err);
}

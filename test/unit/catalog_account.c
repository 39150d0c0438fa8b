/* catalog_account.c - src/catalog/{account,token}.c: who may do what. */
#include "catalog/account.h"

#include "catalog/token.h"
#include "catalog_open.h"

static void makes_subdomains_of_names(void)
{
    static const char *const NAMES[][2] = {
        {"Home", "home"},
        {"home", "home-2"},
        {"HOME", "home-3"},
        {"  A.b_C  ", "a-b-c"},
        {"本棚", "account"},
        {"-", "account-2"},
        {"--x--", "x"},
        {"home-2", "home-2-2"},
        {"1234567890123456789012345678901234567890123456789012345678901-34",
         "1234567890123456789012345678901234567890123456789012345678901-3"},
        {"1234567890123456789012345678901234567890123456789012345678901-35",
         "1234567890123456789012345678901234567890123456789012345678901-2"},
        {"1234567890123456789012345678901234567890123456789012345678901-36",
         "1234567890123456789012345678901234567890123456789012345678901-4"},
    };
    struct catalog *c = catalog_of_test();
    struct account a = {0}, again = {0};
    struct accounts all = {0};
    struct err err = {0};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        CHECK(account_need(c, NAMES[i][0], &a, &err) == 0);
        CHECK(strcmp(a.name, NAMES[i][0]) == 0);
        if (i < 10)
            CHECK(strcmp(a.subdomain, NAMES[i][1]) == 0);
        CHECK(strlen(a.subdomain) <= 63 && a.created_ms > 0);
        CHECK(account_need(c, NAMES[i][0], &again, &err) == 0 && strcmp(again.id, a.id) == 0);
        account_done(&again);
        CHECK(account_find(c, a.id, &again, &err) == 0 && strcmp(again.name, a.name) == 0);
        account_done(&again);
        account_done(&a);
    }
    CHECK(account_list(c, &all, &err) == 0 && all.count == sizeof NAMES / sizeof *NAMES);
    for (size_t i = 1; i < all.count; i++)
        CHECK(strcmp(all.items[i - 1].name, all.items[i].name) < 0);
    accounts_done(&all);
    catalog_close_test(c);
}

static void refuses_names_and_subdomains(void)
{
    static const char *const NAMES[] = {"", "a\nb", "\xff", "\x7f", "0123456789abcdef0123456789abcdef",
                                        "12345678901234567890123456789012345678901234567890123456789012345"};
    static const char *const LABELS[] = {"", "-", "-a", "a-", "A", "a.b", "é", "a b",
                                         "1234567890123456789012345678901234567890123456789012345678901234"};
    struct catalog *c = catalog_of_test();
    const char *id = catalog_account(c, "a");
    struct account a = {0};
    struct err err = {0};

    catalog_account(c, "b");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        CHECK(account_need(c, NAMES[i], &a, &err) == ERR_INVALID);
    for (size_t i = 0; i < sizeof LABELS / sizeof *LABELS; i++)
        CHECK(account_set_subdomain(c, id, LABELS[i], &err) == ERR_INVALID);
    CHECK(account_set_subdomain(c, id, "b", &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "the subdomain 'b' is another account's") == 0);
    CHECK(account_set_subdomain(c, id, "a", &err) == 0); /* it is its own */
    CHECK(account_set_subdomain(c, id, "9-z", &err) == 0);
    CHECK(account_set_subdomain(c, "nobody", "free", &err) == ERR_NOT_FOUND);
    CHECK(account_find(c, "a", &a, &err) == 0 && strcmp(a.subdomain, "9-z") == 0);
    account_done(&a);
    CHECK(account_find(c, "c", &a, &err) == ERR_NOT_FOUND && strstr(err.hint, "account list"));
    catalog_close_test(c);
}

static void a_token_is_known_by_its_hash(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a"), *b = catalog_account(c, "b");
    char text[TOKEN_SIZE], second[TOKEN_SIZE], *file;
    struct token made = {0}, t = {0};
    struct tokens all = {0};
    struct err err = {0};
    FILE *f;
    size_t n;

    CHECK(token_create(c, a, SCOPE_DEPLOY, "laptop", 0, text, &made, &err) == 0);
    CHECK(strlen(text) == 44 && memcmp(text, "crl_", 4) == 0);
    CHECK(strspn(text + 4, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == 40);
    CHECK(token_verify(c, span_of(text), &t, &err) == 0);
    CHECK(strcmp(t.id, made.id) == 0 && strcmp(t.account_id, a) == 0 && t.scope == SCOPE_DEPLOY);
    CHECK(strcmp(t.name, "laptop") == 0 && t.created_ms == made.created_ms && t.expires_ms == 0);
    token_done(&t);
    CHECK(token_create(c, a, SCOPE_READ, NULL, 0, second, &t, &err) == 0 && !t.name[0]);
    CHECK(strcmp(text, second) != 0 && strcmp(t.id, made.id) != 0);
    token_done(&t);
    for (int i = 0; i < TOKEN_SIZE - 1; i++) {
        text[i] ^= 1;
        CHECK(token_verify(c, span_of(text), &t, &err) == ERR_NOT_FOUND);
        text[i] ^= 1;
    }
    CHECK(token_verify(c, (struct span){text, 43}, &t, &err) == ERR_NOT_FOUND);
    CHECK(token_verify(c, SPAN(""), &t, &err) == ERR_NOT_FOUND);
    CHECK(token_verify(c, SPAN("crl_' OR 1=1; --________________________________"), &t, &err) == ERR_NOT_FOUND);
    CHECK(token_verify(c, (struct span){NULL, 0}, &t, &err) == ERR_NOT_FOUND);
    file = mem_alloc(1 << 20);
    f = fopen("data/catalog.sqlite-wal", "r");
    n = f ? fread(file, 1, 1 << 20, f) : 0;
    CHECK(n > 0 && memmem(file, n, "laptop", 6) && !memmem(file, n, text + 4, 40));
    fclose(f);
    mem_free(file);
    CHECK(token_list(c, b, &all, &err) == 0 && all.count == 0);
    CHECK(token_list(c, a, &all, &err) == 0 && all.count == 2 && strcmp(all.items[0].id, made.id) == 0);
    tokens_done(&all);
    CHECK(token_revoke(c, b, made.id, &err) == ERR_NOT_FOUND);
    CHECK(token_revoke(c, a, made.id, &err) == 0 && token_revoke(c, a, made.id, &err) == ERR_NOT_FOUND);
    CHECK(token_verify(c, span_of(text), &t, &err) == ERR_NOT_FOUND);
    CHECK(token_verify(c, span_of(second), &t, &err) == 0 && t.scope == SCOPE_READ);
    token_done(&t);
    token_done(&made);
    catalog_close_test(c);
}

static void tokens_expire(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    char text[TOKEN_SIZE];
    struct token t = {0};
    struct err err = {0};

    clock_fake(1000000);
    CHECK(token_create(c, a, SCOPE_ADMIN, "", 1000000, text, &t, &err) == ERR_INVALID);
    CHECK(token_create(c, a, SCOPE_ADMIN, "", -5, text, &t, &err) == ERR_INVALID);
    CHECK(token_create(c, a, SCOPE_ADMIN, "", 1000100, text, &t, &err) == 0);
    token_done(&t);
    clock_fake(1000099);
    CHECK(token_verify(c, span_of(text), &t, &err) == 0 && t.expires_ms == 1000100);
    token_done(&t);
    clock_fake(1000100);
    CHECK(token_verify(c, span_of(text), &t, &err) == ERR_NOT_FOUND);
    clock_fake(-1);
    catalog_close_test(c);
}

static void refuses_tokens_that_cannot_be(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    char text[TOKEN_SIZE], name[102];
    struct token t = {0};
    struct err err = {0};

    CHECK(scope_parse("read") == SCOPE_READ && scope_parse("deploy") == SCOPE_DEPLOY);
    CHECK(scope_parse("admin") == SCOPE_ADMIN && scope_parse("Admin") == -1 && scope_parse("") == -1);
    CHECK(strcmp(scope_name(SCOPE_DEPLOY), "deploy") == 0 && SCOPE_READ < SCOPE_DEPLOY && SCOPE_DEPLOY < SCOPE_ADMIN);
    memset(name, 'x', sizeof name);
    name[101] = '\0';
    CHECK(token_create(c, a, SCOPE_READ, name, 0, text, &t, &err) == ERR_INVALID);
    CHECK(token_create(c, a, SCOPE_READ, "a\tb", 0, text, &t, &err) == ERR_INVALID);
    CHECK(token_create(c, "nobody", SCOPE_READ, "", 0, text, &t, &err) == ERR_NOT_FOUND);
    CHECK(token_create(c, name, SCOPE_READ, "", 0, text, &t, &err) == ERR_NOT_FOUND);
    CHECK(token_create(c, a, SCOPES, "", 0, text, &t, &err) == ERR_INVALID);
    CHECK(catalog_begin(c, &err) == 0);
    for (int i = 0; i < TOKENS_MAX; i++) {
        CHECK(token_create(c, a, SCOPE_READ, "", 0, text, &t, &err) == 0);
        token_done(&t);
    }
    CHECK(token_create(c, a, SCOPE_READ, "", 0, text, &t, &err) == ERR_LIMIT);
    catalog_rollback(c);
    catalog_close_test(c);
}

static int walk_token(struct catalog *c, const char *account, char *text, struct err *err)
{
    struct token t = {0};
    int r = token_create(c, account, SCOPE_READ, "name", 0, text, &t, err);

    token_done(&t);
    return r;
}

static int walk_account(struct catalog *c, struct err *err)
{
    struct account a = {0};
    int r = account_need(c, "walk", &a, err);

    account_done(&a);
    return r;
}

static void runs_out_of_memory_without_a_trace(void)
{
    struct catalog *c = catalog_of_test();
    const char *a = catalog_account(c, "a");
    char text[TOKEN_SIZE];
    struct accounts accounts = {0};
    struct tokens tokens = {0};
    struct token t = {0};
    struct err err = {0};

    WALK_NOMEM(walk_account(c, &err));
    WALK_NOMEM(account_list(c, &accounts, &err));
    CHECK(accounts.count == 2);
    accounts_done(&accounts);
    WALK_NOMEM(account_set_subdomain(c, a, "x", &err));
    WALK_NOMEM(walk_token(c, a, text, &err));
    WALK_NOMEM(token_verify(c, span_of(text), &t, &err));
    token_done(&t);
    WALK_NOMEM(token_list(c, a, &tokens, &err));
    CHECK(tokens.count == 1);
    tokens_done(&tokens);
    catalog_close_test(c);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"makes_subdomains_of_names", makes_subdomains_of_names},
        {"refuses_names_and_subdomains", refuses_names_and_subdomains},
        {"a_token_is_known_by_its_hash", a_token_is_known_by_its_hash},
        {"tokens_expire", tokens_expire},
        {"refuses_tokens_that_cannot_be", refuses_tokens_that_cannot_be},
        {"runs_out_of_memory_without_a_trace", runs_out_of_memory_without_a_trace},
        {0},
    };

    return test_main("catalog_account", TESTS, argc, argv);
}

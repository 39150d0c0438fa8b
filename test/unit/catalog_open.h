/* catalog_open.h - a catalog in a temporary folder, for tests of catalog/. */
#ifndef CORRAL_TEST_CATALOG_OPEN_H
#define CORRAL_TEST_CATALOG_OPEN_H

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/account.h"
#include "catalog/catalog.h"
#include "project_tree.h"
#include "test.h"

static inline struct catalog *catalog_again(void)
{
    struct catalog_config config = {.data_folder = "data"};
    struct catalog *c = NULL;
    struct err err = {0};

    if (catalog_open(&config, &c, &err) < 0) {
        printf("  %s\n", err.text);
        exit(2);
    }
    return c;
}

static inline struct catalog *catalog_of_test(void)
{
    tree_open();
    unsetenv("CORRAL_SECRETS_KEY");
    return catalog_again();
}

static inline void catalog_close_test(struct catalog *c)
{
    catalog_close(c);
    tree_close();
}

/* An account, and its id. */
static inline const char *catalog_account(struct catalog *c, const char *name)
{
    static char ids[4][ID_SIZE];
    static int next;
    char *id = ids[next++ % 4];
    struct account a = {0};
    struct err err = {0};

    CHECK(account_need(c, name, &a, &err) == 0);
    memcpy(id, a.id, ID_SIZE);
    account_done(&a);
    return id;
}

/* `call`, an int, with each of its allocations failing in turn: ERR_NOMEM until it succeeds.
 * `err` is its struct err. */
#define WALK_NOMEM(call)                                                                           \
    do {                                                                                           \
        int walk_r = ERR_NOMEM;                                                                    \
        for (long walk_n = 0; walk_n < 10000 && walk_r < 0; walk_n++) {                            \
            mem_fail_after(walk_n);                                                                \
            walk_r = (call);                                                                       \
            mem_fail_after(-1);                                                                    \
            CHECK(walk_r == 0 || walk_r == ERR_NOMEM);                                             \
            if (walk_r < 0 && walk_r != ERR_NOMEM)                                                 \
                printf("  allocation %ld: %s\n", walk_n, err.text);                                \
            if (walk_r < 0 && walk_r != ERR_NOMEM)                                                 \
                break;                                                                             \
        }                                                                                          \
        CHECK(walk_r == 0);                                                                        \
    } while (0)

#endif

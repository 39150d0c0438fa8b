/* service_kv.c - src/service/kv_changes.c: changes as calls on a store; src/catalog/namespace.c. */
#include "service/kv_inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "catalog/namespace.h"
#include "catalog_open.h"
#include "row/row.h"

/* How many statements of a whole call begin so. */
static int count_of(struct span call, const char *start)
{
    struct row_value value;
    uint32_t statements, count;
    struct span sql;
    struct err err;
    int found = 0;

    CHECK(row_check_call(call, &err) == 0);
    CHECK(row_get_u32(&call, &statements) == 0);
    for (uint32_t i = 0; i < statements; i++) {
        CHECK(row_get_statement(&call, &sql, &count) == 0);
        found += sql.len >= strlen(start) && memcmp(sql.data, start, strlen(start)) == 0;
        for (uint32_t k = 0; k < count; k++)
            CHECK(row_get_value(&call, &value) == 0);
    }
    return found;
}

static int put(struct kv_changes *changes, const char *key, size_t bytes, struct err *err)
{
    char *value = calloc(1, bytes + 1);
    const struct kv_pair pair = {.key = span_of(key), .value = {value, bytes}};
    int r = kv_changes_put(changes, &pair, err);

    free(value);
    return r;
}

static void many_pairs_share_a_statement(void)
{
    struct kv_changes changes = {.now_s = 1000};
    struct err err;
    char key[16];

    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK(put(&changes, key, 10, &err) == 0);
    }
    CHECK(kv_changes_close(&changes, &err) == 0);
    CHECK(count_of(buf_span(&changes.body), "INSERT INTO entry") == 3);
    CHECK(count_of(buf_span(&changes.body), "INSERT INTO piece") == 0);
    kv_changes_done(&changes);
}

static void a_long_value_comes_in_pieces(void)
{
    struct kv_changes changes = {.now_s = 1000};
    struct err err;

    CHECK(put(&changes, "a", 1, &err) == 0);
    CHECK(put(&changes, "long", 2 * KV_PIECE + 1, &err) == 0);
    CHECK(kv_changes_delete(&changes, SPAN("a"), &err) == 0);
    CHECK(kv_changes_close(&changes, &err) == 0);
    CHECK(count_of(buf_span(&changes.body), "INSERT INTO entry") == 1);
    CHECK(count_of(buf_span(&changes.body), "INSERT INTO piece") == 2);
    CHECK(count_of(buf_span(&changes.body), "DELETE FROM entry WHERE key") == 1);
    CHECK(count_of(buf_span(&changes.body), "DELETE FROM entry WHERE id") == 1); /* what has expired */
    kv_changes_done(&changes);
}

static void refuses_what_is_too_much(void)
{
    struct kv_changes changes = {.now_s = 1000};
    char key[KV_KEY_MAX + 2];
    struct kv_pair pair = {.key = SPAN("k"), .value = SPAN("v")};
    struct err err;

    memset(key, 'x', sizeof key);
    key[KV_KEY_MAX + 1] = '\0';
    CHECK(put(&changes, key, 1, &err) == ERR_INVALID);
    CHECK(put(&changes, "", 1, &err) == ERR_INVALID && put(&changes, "..", 1, &err) == ERR_INVALID);
    CHECK(put(&changes, "k", KV_VALUE_MAX + 1, &err) == ERR_INVALID);
    pair.metadata = (struct span){key, KV_METADATA_MAX + 1};
    CHECK(kv_check_pair(&pair, &err) == ERR_INVALID);
    for (int i = 0; i < 3; i++)
        CHECK(put(&changes, "k", KV_VALUE_MAX, &err) == 0);
    CHECK(put(&changes, "k", KV_VALUE_MAX, &err) == ERR_LIMIT);
    kv_changes_done(&changes);
    for (int i = 0; i < KV_CHANGES_MAX; i++)
        CHECK(kv_changes_delete(&changes, SPAN("k"), &err) == 0);
    CHECK(kv_changes_delete(&changes, SPAN("k"), &err) == ERR_LIMIT);
    kv_changes_done(&changes);
}

static void survives_failing_allocations(void)
{
    struct err err;
    int r = ERR_NOMEM;

    for (long n = 0; r < 0; n++) {
        struct kv_changes changes = {.now_s = 1000};
        mem_fail_after(n);
        r = put(&changes, "a", 2 * KV_PIECE, &err);
        r = r < 0 ? r : kv_changes_delete(&changes, SPAN("b"), &err);
        r = r < 0 ? r : kv_changes_close(&changes, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        kv_changes_done(&changes);
    }
}

static void keeps_namespaces_apart_by_account(void)
{
    struct catalog *c = catalog_of_test();
    struct namespaces list = {0};
    struct namespace ns, other;
    struct account a, b;
    char *folder = NULL;
    struct stat st;
    struct err err;

    CHECK(account_need(c, "a", &a, &err) == 0 && account_need(c, "b", &b, &err) == 0);
    CHECK(namespace_create(c, a.id, "one", &ns, &err) == 0);
    CHECK(namespace_create(c, a.id, "one", &other, &err) == ERR_LIMIT);
    CHECK(namespace_create(c, a.id, "a\nb", &other, &err) == ERR_INVALID);
    CHECK(namespace_create(c, a.id, "\xff", &other, &err) == ERR_INVALID);
    CHECK(namespace_create(c, b.id, "one", &other, &err) == 0);
    CHECK(namespace_find(c, b.id, ns.id, &other, &err) == ERR_NOT_FOUND);
    CHECK(namespace_delete(c, b.id, ns.id, &err) == ERR_NOT_FOUND);
    CHECK(namespace_rename(c, b.id, ns.id, "x", &err) == ERR_NOT_FOUND);
    CHECK(namespace_folder(c, a.id, ns.id, &folder, &err) == 0 && stat(folder, &st) == 0);
    CHECK(namespace_rename(c, a.id, ns.id, "two", &err) == 0);
    catalog_close(c);
    c = catalog_again();
    CHECK(namespace_list(c, a.id, &list, &err) == 0 && list.count == 1);
    CHECK(strcmp(list.items[0].title, "two") == 0);
    namespaces_done(&list);
    CHECK(namespace_delete(c, a.id, ns.id, &err) == 0 && stat(folder, &st) < 0);
    CHECK(namespace_delete(c, a.id, ns.id, &err) == ERR_NOT_FOUND);
    CHECK(namespace_delete(c, a.id, "../x", &err) == ERR_NOT_FOUND);
    mem_free(folder);
    namespace_done(&ns);
    namespace_done(&other);
    account_done(&a);
    account_done(&b);
    catalog_close_test(c);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"many_pairs_share_a_statement", many_pairs_share_a_statement},
        {"a_long_value_comes_in_pieces", a_long_value_comes_in_pieces},
        {"refuses_what_is_too_much", refuses_what_is_too_much},
        {"survives_failing_allocations", survives_failing_allocations},
        {"keeps_namespaces_apart_by_account", keeps_namespaces_apart_by_account},
        {0},
    };

    return test_main("service_kv", TESTS, argc, argv);
}

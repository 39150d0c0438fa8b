/* cli_migrations.c - src/cli/migrations.c: names and numbers of migrations. */
#include "cli/migrations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "test.h"

static char folder[64];
static const char *const NAMES[] = {"10_c.sql",   "9_b.sql",    "zz.sql",
                                    "0001_a.sql", "readme.txt", ".sql"};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static void path_of(const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", folder, name);
}

static void make_folder(void)
{
    char path[160];

    snprintf(folder, sizeof folder, "/tmp/corral-migrations-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        path_of(NAMES[i], path, sizeof path);
        FILE *f = fopen(path, "w");
        CHECK(f != NULL);
        if (f)
            fclose(f);
    }
}

static void drop_folder(void)
{
    char path[160];

    for (size_t i = 0; i < NAME_COUNT; i++) {
        path_of(NAMES[i], path, sizeof path);
        unlink(path);
    }
    rmdir(folder);
}

static void expect(const struct migrations *m, const char *wanted)
{
    char got[256] = "";

    for (size_t i = 0; i < m->count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", m->items[i].name);
    if (strcmp(got, wanted) != 0)
        printf("  %s\n", got);
    CHECK(strcmp(got, wanted) == 0);
}

static void lists_by_name_and_applies_by_number(void)
{
    struct migrations m;
    struct err err = {0};

    make_folder();
    CHECK(migrations_read(folder, &m, &err) == 0);
    expect(&m, "0001_a.sql 10_c.sql 9_b.sql zz.sql ");
    CHECK(migrations_next(&m) == 11);
    migrations_mark(&m, SPAN("9_b.sql"));
    migrations_mark(&m, SPAN("9_b.sq"));
    migrations_mark(&m, SPAN("10_c.sqlx"));
    migrations_mark(&m, SPAN(""));
    migrations_keep_new(&m);
    expect(&m, "0001_a.sql 10_c.sql zz.sql ");
    migrations_done(&m);
    CHECK(migrations_read(folder, &m, &err) == 0);
    migrations_sort(&m);
    expect(&m, "0001_a.sql 9_b.sql 10_c.sql zz.sql ");
    migrations_done(&m);
    drop_folder();
    CHECK(migrations_read(folder, &m, &err) == ERR_NOT_FOUND);
    migrations_mark(&m, SPAN("x"));
    migrations_sort(&m);
    CHECK(m.count == 0 && migrations_next(&m) == 1);
}

static void names_new_ones(void)
{
    static char message[300];
    struct err err = {0};
    char name[256];

    CHECK(migrations_name(2, "add the books", name, sizeof name, &err) == 0);
    CHECK(strcmp(name, "0002_add_the_books.sql") == 0);
    CHECK(migrations_name(12345, "本", name, sizeof name, &err) == 0);
    CHECK(strcmp(name, "12345_本.sql") == 0);
    CHECK(migrations_name(1, "../x", name, sizeof name, &err) == ERR_INVALID);
    memset(message, 'x', sizeof message - 1);
    CHECK(migrations_name(1, message, name, sizeof name, &err) == ERR_INVALID);
    message[246] = '\0'; /* 255 bytes with the rest of the name: the longest there is */
    CHECK(migrations_name(1, message, name, sizeof name, &err) == 0);
}

static void writes_the_first_line_and_nothing_over_it(void)
{
    struct err err = {0};
    char path[160], text[128] = "";
    FILE *f;

    make_folder();
    clock_fake(1795331339007);
    CHECK(migrations_write(folder, "0007_x.sql", 7, &err) == 0);
    CHECK(migrations_write(folder, "0007_x.sql", 7, &err) == ERR_LIMIT);
    clock_fake(-1);
    path_of("0007_x.sql", path, sizeof path);
    f = fopen(path, "r");
    CHECK(f && fread(text, 1, sizeof text - 1, f) > 0);
    if (f)
        fclose(f);
    CHECK(strcmp(text, "-- Migration number: 0007 \t 2026-11-22T07:08:59.007Z\n") == 0);
    unlink(path);
    drop_folder();
    CHECK(migrations_write(folder, "0007_x.sql", 7, &err) == ERR_SYSTEM);
}

static void copes_without_memory(void)
{
    int r = ERR_NOMEM;

    make_folder();
    for (int n = 0; n < 50 && r != 0; n++) {
        struct err err = {0};
        struct migrations m;
        mem_fail_after(n);
        r = migrations_read(folder, &m, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        migrations_done(&m);
    }
    CHECK(r == 0);
    drop_folder();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"lists_by_name_and_applies_by_number", lists_by_name_and_applies_by_number},
        {"names_new_ones", names_new_ones},
        {"writes_the_first_line_and_nothing_over_it", writes_the_first_line_and_nothing_over_it},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("cli_migrations", TESTS, argc, argv);
}

/* catalog_database.c - src/catalog/database.c: folders of databases, whatever
 * their names, whoever else makes and deletes them. */
#include "catalog/database.h"

#include <dirent.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/name.h"
#include "project_tree.h"
#include "test.h"

static const char UUID[] = "AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee";

static const char *data(void)
{
    static char path[PATH_MAX + 8];

    snprintf(path, sizeof path, "%s/data", tree_path);
    return path;
}

static bool is_there(const char *inside)
{
    struct stat st;

    return lstat(inside, &st) == 0;
}

/* Entries of data/d1, whatever they are called. */
static int entries(void)
{
    DIR *dir = opendir("data/d1");
    int n = -2;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static void makes_finds_lists_and_deletes(void)
{
    struct database d = {0}, found = {0};
    struct databases all;
    struct err err;
    char path[PATH_MAX + 64];

    tree_open();
    CHECK(database_list(data(), &all, &err) == 0 && all.count == 0);
    CHECK(database_find(data(), "books", &found, &err) == ERR_NOT_FOUND);
    CHECK(strcmp(err.text, "there is no database 'books'") == 0);
    CHECK(database_delete(data(), "books", &err) == ERR_NOT_FOUND);
    CHECK(!is_there("data"));
    clock_fake(1763795339007);
    CHECK(database_create(data(), "books", UUID, &d, &err) == 0);
    clock_fake(-1);
    snprintf(path, sizeof path, "%s/d1/books", data());
    CHECK(strcmp(d.folder, path) == 0 && strcmp(d.name, "books") == 0 && d.size_bytes == 0);
    CHECK(strcmp(d.uuid, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee") == 0);
    CHECK(strcmp(d.created_at, "2025-11-22T07:08:59.007Z") == 0);
    tree_put("data/d1/books/db.sqlite", "12345");
    tree_put("data/d1/books/db.sqlite-wal", "123");
    CHECK(database_find(data(), "books", &found, &err) == 0);
    CHECK(strcmp(found.uuid, d.uuid) == 0 && strcmp(found.created_at, d.created_at) == 0);
    CHECK(strcmp(found.folder, d.folder) == 0 && found.size_bytes == 8);
    database_done(&found);
    CHECK(database_find(data(), UUID, &found, &err) == 0 && strcmp(found.name, "books") == 0);
    database_done(&found);
    database_done(&d);
    CHECK(database_create(data(), "books", NULL, &d, &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "there is a database 'books' already") == 0);
    CHECK(database_create(data(), "apples", NULL, &d, &err) == 0);
    CHECK(strlen(d.uuid) == 36 && d.uuid[14] == '4');
    database_done(&d);
    CHECK(database_list(data(), &all, &err) == 0 && all.count == 2);
    CHECK(strcmp(all.items[0].name, "apples") == 0 && strcmp(all.items[1].name, "books") == 0);
    databases_done(&all);
    CHECK(database_delete(data(), "books", &err) == 0);
    CHECK(entries() == 1 && is_there("data/d1/apples"));
    CHECK(database_find(data(), UUID, &found, &err) == ERR_NOT_FOUND);
    tree_close();
}

static void copes_with_hostile_names(void)
{
    static const struct {
        const char *name, *folder; /* folder NULL: refused */
    } NAMES[] = {
        {"", NULL},
        {".", "%2E"},
        {"..", "%2E%2E"},
        {"../../etc", "%2E%2E%2F%2E%2E%2Fetc"},
        {"/etc/passwd", "%2Fetc%2Fpasswd"},
        {"a b%41", "a%20b%2541"},
        {"本棚", "%E6%9C%AC%E6%A3%9A"},
        {"\xff", NULL},
        {"\xc0\xaf", NULL},
        {"\xed\xa0\x80", NULL},
        {"a\xe6\x9c", NULL},
        {"new\nline", NULL},
        {"\x7f", NULL},
        {"\xc2\x9b", NULL},
        {"\xef\xbf\xbd", "%EF%BF%BD"},
        {"quo\"te\\", "quo%22te%5C"},
        {"1234567890123456789012345678901234567890123456789012345678901234", NULL},
        {"12345678901234567890123456789012345678901234567890123456789012345", NULL},
    };
    struct database d, found;
    struct databases all;
    size_t made = 0;
    struct err err;
    char *folder, path[PATH_MAX + 300];

    tree_open();
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *wanted = strlen(NAMES[i].name) == 64 ? NAMES[i].name : NAMES[i].folder;
        int r = database_create(data(), NAMES[i].name, NULL, &d, &err);
        CHECK(r == (wanted ? 0 : ERR_INVALID));
        if (r == 0) {
            snprintf(path, sizeof path, "%s/d1/%s", data(), wanted);
            CHECK(strcmp(d.folder, path) == 0);
            CHECK(database_folder(data(), NAMES[i].name, &folder, &err) == 0);
            CHECK(strcmp(folder, path) == 0);
            mem_free(folder);
            CHECK(database_find(data(), NAMES[i].name, &found, &err) == 0);
            CHECK(strcmp(found.name, NAMES[i].name) == 0 && strcmp(found.uuid, d.uuid) == 0);
            database_done(&found);
            database_done(&d);
            made++;
        } else {
            CHECK(database_find(data(), NAMES[i].name, &found, &err) == ERR_INVALID);
            CHECK(database_folder(data(), NAMES[i].name, &folder, &err) == ERR_INVALID);
            CHECK(database_delete(data(), NAMES[i].name, &err) == ERR_INVALID);
        }
    }
    /* What others have put there is none of ours. */
    tree_put("data/d1/file", "");
    mkdir("data/d1/%41", 0755); /* "A", but not as we write it */
    mkdir("data/d1/%2e", 0755);
    mkdir("data/d1/a b", 0755);
    mkdir("data/d1/%FF", 0755);
    mkdir("data/d1/%00", 0755);
    mkdir("data/d1/%", 0755);
    CHECK(database_list(data(), &all, &err) == 0 && all.count == made);
    for (size_t i = 0; i < all.count; i++)
        CHECK(database_delete(data(), all.items[i].name, &err) == 0);
    databases_done(&all);
    CHECK(entries() == 7);
    CHECK(database_create(data(), "x", "not-a-uuid", &d, &err) == ERR_INVALID);
    tree_close();
}

static void follows_no_link(void)
{
    struct database d;
    struct databases all;
    struct err err;

    tree_open();
    tree_put("outside/db.sqlite", "mine");
    tree_put("outside/deep/er", "mine too");
    CHECK(database_create(data(), "a", NULL, &d, &err) == 0);
    database_done(&d);
    CHECK(symlink("../../outside", "data/d1/b") == 0);
    CHECK(database_find(data(), "b", &d, &err) == ERR_INVALID);
    CHECK(database_delete(data(), "b", &err) == ERR_INVALID);
    CHECK(database_create(data(), "b", NULL, &d, &err) == ERR_LIMIT);
    CHECK(database_list(data(), &all, &err) == 0 && all.count == 1);
    databases_done(&all);
    /* links inside a database go, what they lead to stays */
    CHECK(symlink("../../../outside", "data/d1/a/folder") == 0);
    CHECK(symlink("../../../outside/db.sqlite", "data/d1/a/db.sqlite") == 0);
    tree_put("data/d1/a/sub/sub/file", "");
    CHECK(database_find(data(), "a", &d, &err) == 0 && d.size_bytes == 0);
    database_done(&d);
    CHECK(database_delete(data(), "a", &err) == 0);
    CHECK(!is_there("data/d1/a") && is_there("outside/db.sqlite") && is_there("outside/deep/er"));
    /* a lock or an about.json that leads elsewhere */
    CHECK(database_create(data(), "c", NULL, &d, &err) == 0);
    database_done(&d);
    CHECK(symlink("../../../outside/lock", "data/d1/c/lock") == 0);
    CHECK(database_delete(data(), "c", &err) == ERR_SYSTEM);
    CHECK(!is_there("outside/lock") && is_there("data/d1/c"));
    tree_close();
}

static void mends_a_broken_about(void)
{
    static const char *const TEXTS[] = {
        NULL,
        "",
        "{",
        "[]",
        "{\"uuid\": \"x\", \"name\": \"a\", \"created_at\": \"2025-11-22T07:08:59.007Z\"}",
        "{\"uuid\": \"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\", \"name\": \"b\", \"created_at\": "
        "\"2025-11-22T07:08:59.007Z\"}", /* a copy of another */
        "{\"uuid\": \"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\", \"name\": \"a\", \"created_at\": "
        "\"2025-11-22T07:08:59.007\\n\"}",
        "{\"uuid\": 7, \"name\": 7, \"created_at\": 7}",
    };
    struct database d, again;
    struct err err;
    char huge[8192];

    for (size_t i = 0; i <= sizeof TEXTS / sizeof *TEXTS + 1; i++) {
        tree_open();
        tree_put("data/d1/a/db.sqlite", "12");
        memset(huge, ' ', sizeof huge);
        if (i < sizeof TEXTS / sizeof *TEXTS && TEXTS[i])
            tree_put("data/d1/a/about.json", TEXTS[i]);
        else if (i == sizeof TEXTS / sizeof *TEXTS)
            tree_put_bytes("data/d1/a/about.json", huge, sizeof huge);
        else if (i > sizeof TEXTS / sizeof *TEXTS)
            CHECK(symlink("nowhere", "data/d1/a/about.json") == 0);
        CHECK(database_find(data(), "a", &d, &err) == 0);
        CHECK(strlen(d.uuid) == 36 && strncmp(d.uuid, "aaaaaaaa", 8) != 0);
        CHECK(strlen(d.created_at) == 24 && d.created_at[23] == 'Z' && d.size_bytes == 2);
        CHECK(database_find(data(), "a", &again, &err) == 0 && strcmp(d.uuid, again.uuid) == 0);
        CHECK(strcmp(d.created_at, again.created_at) == 0);
        database_done(&again);
        database_done(&d);
        tree_close();
    }
}

/* Many at once create, list and delete: each database is made by exactly one. */
static void lets_one_of_many_creators_win(void)
{
    enum { CREATORS = 8, ROUNDS = 20 };
    struct database d;
    struct databases all;
    struct err err;
    char name[16];
    int won = 0, go[2], status;

    tree_open();
    CHECK(pipe(go) == 0);
    for (int i = 0; i < CREATORS; i++) {
        if (fork() != 0)
            continue;
        close(go[1]);
        won = read(go[0], name, 1) != 0 ? 200 : 0; /* all begin when the pipe closes */
        for (int n = 0; n < ROUNDS; n++) {
            snprintf(name, sizeof name, "db%d", n);
            int r = database_create(data(), name, NULL, &d, &err);
            won += r == 0 ? 1 : r == ERR_LIMIT ? 0 : 200;
            r = database_list(data(), &all, &err);
            won += r == 0 ? 0 : 200;
            for (size_t k = 0; k < all.count; k++)
                won += strlen(all.items[k].uuid) == 36 ? 0 : 200;
        }
        _exit(won > 200 ? 200 : won);
    }
    close(go[0]);
    close(go[1]);
    while (wait(&status) > 0)
        won += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    CHECK(won == ROUNDS);
    CHECK(entries() == ROUNDS);
    tree_close();
}

static void keeps_what_is_in_use(void)
{
    struct database d;
    struct err err;
    int fd;

    tree_open();
    CHECK(database_create(data(), "a", NULL, &d, &err) == 0);
    database_done(&d);
    fd = open("data/d1/a/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && flock(fd, LOCK_SH) == 0);
    CHECK(database_delete(data(), "a", &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "the database 'a' is in use") == 0);
    CHECK(is_there("data/d1/a/about.json"));
    CHECK(database_drop(data(), "a", &err) == 0); /* but not from a node that wants it so */
    CHECK(!is_there("data/d1/a") && entries() == 0);
    close(fd);
    CHECK(database_create(data(), "a", NULL, &d, &err) == 0);
    CHECK(database_drop(data(), d.uuid, &err) == 0);
    CHECK(database_drop(data(), d.uuid, &err) == ERR_NOT_FOUND);
    database_done(&d);
    CHECK(database_create(data(), "a", NULL, &d, &err) == 0);
    database_done(&d);
    CHECK(database_delete(data(), "a", &err) == 0);
    tree_close();
}

static void clears_away_what_crashes_left(void)
{
    struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct database d;
    struct err err;

    tree_open();
    tree_put("data/d1/.gone-1/db.sqlite", "");
    tree_put("data/d1/.new-1/about.json", "");
    tree_put("data/d1/.new-2/about.json", "");
    CHECK(utimensat(AT_FDCWD, "data/d1/.new-1", old, 0) == 0);
    CHECK(database_create(data(), "a", NULL, &d, &err) == 0);
    database_done(&d);
    CHECK(!is_there("data/d1/.gone-1") && !is_there("data/d1/.new-1"));
    CHECK(is_there("data/d1/.new-2")); /* somebody may be at it */
    tree_close();
}

static void says_what_the_disk_says(void)
{
    struct database d;
    struct databases all;
    struct err err;

    tree_open();
    tree_put("data", "a file");
    CHECK(database_create(data(), "a", NULL, &d, &err) == ERR_SYSTEM);
    CHECK(strstr(err.text, "data") != NULL);
    CHECK(database_list(data(), &all, &err) == ERR_SYSTEM);
    CHECK(database_find(data(), "a", &d, &err) == ERR_SYSTEM);
    tree_close();
}

static void copes_without_memory(void)
{
    struct database d;
    struct databases all;
    struct err err;
    int r = ERR_NOMEM, n;

    tree_open();
    for (n = 0; n < 500 && r != 0; n++) {
        mem_fail_after(n);
        r = database_create(data(), "a", NULL, &d, &err);
        if (r == 0)
            database_done(&d);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        CHECK(r == 0 || !is_there("data/d1/a"));
    }
    CHECK(r == 0 && n > 5);
    for (n = 0, r = ERR_NOMEM; n < 500 && r != 0; n++) {
        mem_fail_after(n);
        r = database_find(data(), UUID, &d, &err);
        mem_fail_after(-1);
        CHECK(r == ERR_NOT_FOUND || r == ERR_NOMEM);
        if (r == ERR_NOT_FOUND)
            r = 0;
    }
    CHECK(n > 5);
    for (n = 0, r = ERR_NOMEM; n < 500 && r != 0; n++) {
        mem_fail_after(n);
        r = database_list(data(), &all, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        if (r == 0)
            databases_done(&all);
    }
    CHECK(n > 5);
    for (n = 0, r = ERR_NOMEM; n < 500 && r != 0; n++) {
        mem_fail_after(n);
        r = database_delete(data(), "a", &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
    }
    CHECK(r == 0);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"makes_finds_lists_and_deletes", makes_finds_lists_and_deletes},
        {"copes_with_hostile_names", copes_with_hostile_names},
        {"follows_no_link", follows_no_link},
        {"mends_a_broken_about", mends_a_broken_about},
        {"lets_one_of_many_creators_win", lets_one_of_many_creators_win},
        {"keeps_what_is_in_use", keeps_what_is_in_use},
        {"clears_away_what_crashes_left", clears_away_what_crashes_left},
        {"says_what_the_disk_says", says_what_the_disk_says},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("catalog_database", TESTS, argc, argv);
}

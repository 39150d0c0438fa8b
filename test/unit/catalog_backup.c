/* catalog_backup.c - src/catalog/backup.c: a copy of a data folder that somebody writes to. */
#include "catalog/backup.h"

#include <dirent.h>
#include <sqlite3.h>
#include <sys/file.h>

#include "catalog/bundles.h"
#include "catalog/database.h"
#include "catalog/worker.h"
#include "catalog_open.h"

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;

    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static int64_t number(const char *path, const char *sql)
{
    sqlite3 *db = open_db(path);
    sqlite3_stmt *s = NULL;
    int64_t n = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* A worker with a secret and a bundle; ret: the bundle's hash. */
static void deploy(struct catalog *c, const char *account, char hash[BUNDLE_HASH_SIZE])
{
    struct bundle_part part = {SPAN("src/.env"), SPAN(""), SPAN("x = 1"), SPAN("")};
    struct version draft = {.bundle = hash}, made = {0};
    struct worker w = {0};
    struct err err = {0};

    CHECK(worker_need(c, account, "w", &w, NULL, &err) == 0);
    CHECK(bundles_put(c, &part, 1, hash, NULL, &err) == 0);
    memcpy(draft.worker_id, w.id, ID_SIZE);
    draft.bindings = json_pack("[{s:s, s:s, s:s}]", "name", "S", "type", "secret_text", "text", "hush");
    CHECK(version_create(c, &draft, NULL, &made, &err) == 0);
    json_decref(draft.bindings);
    version_done(&made);
    worker_done(&w);
}

static void what_comes_out_can_be_started_from(void)
{
    struct catalog_config config = {.data_folder = "backup", .key_file = "data/secrets.key"};
    struct catalog *c = catalog_of_test(), *copy = NULL;
    const char *account = catalog_account(c, "a");
    char hash[BUNDLE_HASH_SIZE], path[PATH_MAX + 100], *folder = NULL;
    struct bundle_files files = {0};
    struct database d = {0}, again = {0};
    struct worker w = {0};
    struct version v = {0};
    struct backup b = {0};
    json_t *secrets = NULL;
    struct err err = {0};
    sqlite3 *db;
    struct stat st;
    int lock;

    deploy(c, account, hash);
    CHECK(catalog_account_folder(c, account, &folder, &err) == 0);
    CHECK(database_create(folder, "books", NULL, &d, &err) == 0);
    snprintf(path, sizeof path, "%s/kv/fedcba/db.sqlite", folder);
    tree_put(path, "");
    snprintf(path, sizeof path, "%s/d1/.gone-1/db.sqlite", folder);
    tree_put(path, "rubbish");
    tree_put("data/bundles/.new-1/x", "rubbish");
    /* The store has it open, with its last commits in the WAL, and is writing. */
    snprintf(path, sizeof path, "%s/lock", d.folder);
    lock = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(flock(lock, LOCK_SH) == 0);
    snprintf(path, sizeof path, "%s/db.sqlite", d.folder);
    db = open_db(path);
    run(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    run(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES (3)");
    CHECK(backup_make(c, "backup/", &b, &err) == 0);
    CHECK(b.bundles == 1 && b.databases == 2 && b.bytes > 1000);
    run(db, "COMMIT; INSERT INTO t VALUES (4)"); /* into the same WAL as before */
    sqlite3_close(db);
    CHECK(number(path, "SELECT count(*) FROM t") == 4);
    close(lock);

    CHECK(stat("backup", &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(stat("backup/catalog.sqlite", &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(!is_there("backup/secrets.key") && !is_there("backup/bundles/.new-1"));
    CHECK(catalog_open(&config, &copy, &err) == 0);
    CHECK(worker_find(copy, account, "w", &w, &err) == 0 && version_latest(copy, w.id, &v, &err) == 0);
    CHECK(version_secrets(copy, v.id, &secrets, &err) == 0);
    CHECK(strcmp(json_string_value(json_object_get(secrets, "S")), "hush") == 0);
    CHECK(bundles_read(copy, v.bundle, &files, &err) == 0 && strcmp(files.items[0].bytes, "x = 1") == 0);
    mem_free(folder);
    CHECK(catalog_account_folder(copy, account, &folder, &err) == 0);
    CHECK(database_find(folder, "books", &again, &err) == 0 && strcmp(again.uuid, d.uuid) == 0);
    snprintf(path, sizeof path, "%s/d1/books/db.sqlite", folder);
    CHECK(number(path, "SELECT count(*) FROM t") == 2);
    CHECK(number(path, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1);
    snprintf(path, sizeof path, "%s/d1/.gone-1", folder);
    CHECK(!is_there(path));
    bundle_files_done(&files);
    json_decref(secrets);
    version_done(&v);
    worker_done(&w);
    database_done(&again);
    database_done(&d);
    catalog_close(copy);
    mem_free(folder);
    catalog_close_test(c);
}

/* Entries of the folder of this test. */
static int entries(void)
{
    DIR *dir = opendir(".");
    int n = -2;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static void what_cannot_be_copied_leaves_nothing(void)
{
    struct catalog *c = catalog_of_test();
    char hash[BUNDLE_HASH_SIZE], path[200];
    struct backup b = {0};
    struct err err = {0};

    deploy(c, catalog_account(c, "a"), hash);
    CHECK(backup_make(c, "data", &b, &err) == ERR_LIMIT && strstr(err.text, "already"));
    CHECK(backup_make(c, "", &b, &err) == ERR_INVALID);
    CHECK(backup_make(c, "no/such/folder", &b, &err) == ERR_SYSTEM);
    WALK_NOMEM((b = (struct backup){0}, backup_make(c, "walked", &b, &err)));
    CHECK(b.bundles == 1 && entries() == 2);
    snprintf(path, sizeof path, "data/bundles/%s", hash);
    CHECK(rename(path, "elsewhere") == 0);
    CHECK(backup_make(c, "backup", &b, &err) == ERR_SYSTEM && strstr(err.text, hash));
    tree_put("data/accounts/0123/d1/broken/db.sqlite", "this is not a database, and long enough to be looked at: "
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    CHECK(rename("elsewhere", path) == 0);
    tree_put("data/accounts/0123/d1/broken/lock", "");
    CHECK(backup_make(c, "backup", &b, &err) == ERR_SYSTEM && strstr(err.text, "d1/broken/db.sqlite"));
    CHECK(entries() == 2);
    catalog_close_test(c);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"what_comes_out_can_be_started_from", what_comes_out_can_be_started_from},
        {"what_cannot_be_copied_leaves_nothing", what_cannot_be_copied_leaves_nothing},
        {0},
    };

    return test_main("catalog_backup", TESTS, argc, argv);
}

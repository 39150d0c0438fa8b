/* catalog_catalog.c - src/catalog/{catalog,schema,query,key,seal}.c: opening a data folder, transactions,
 * the key that seals secrets. */
#include "catalog/catalog.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "catalog/account.h"
#include "catalog/seal.h"
#include "catalog/token.h"
#include "catalog/worker.h"
#include "catalog_open.h"

static int mode_of(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? -1 : (int)(st.st_mode & 07777);
}

static int try_open(const char *folder, const char *key_file, struct err *err)
{
    struct catalog_config config = {.data_folder = folder, .key_file = key_file};
    struct catalog *c = NULL;
    int r = catalog_open(&config, &c, err);

    CHECK((r == 0) == (c != NULL));
    catalog_close(c);
    return r;
}

static int run_sql(const char *sql)
{
    sqlite3 *db;
    int r = sqlite3_open("data/catalog.sqlite", &db);

    if (r == SQLITE_OK)
        r = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return r;
}

static void makes_a_folder_that_nobody_else_may_read(void)
{
    struct catalog_config config = {.data_folder = "a/b/../c/data/"};
    struct catalog *c = NULL;
    struct err err = {0};
    char path[PATH_MAX + 300], *folder = NULL;

    tree_open();
    unsetenv("CORRAL_SECRETS_KEY");
    umask(0);
    mkdir("a", 0755);
    mkdir("a/b", 0755);
    CHECK(catalog_open(&config, &c, &err) == 0);
    umask(022);
    snprintf(path, sizeof path, "%s/a/c/data", tree_path);
    CHECK(strcmp(catalog_folder(c), path) == 0);
    CHECK(catalog_account_folder(c, "0123456789abcdef0123456789abcdef", &folder, &err) == 0);
    snprintf(path, sizeof path, "%s/a/c/data/accounts/0123456789abcdef0123456789abcdef", tree_path);
    CHECK(strcmp(folder, path) == 0);
    mem_free(folder);
    CHECK(catalog_account_folder(c, "../../etc", &folder, &err) == ERR_INVALID);
    catalog_account(c, "a");
    CHECK(mode_of("a/c") == 0700 && mode_of("a/c/data") == 0700);
    CHECK(mode_of("a/c/data/catalog.sqlite") == 0600 && mode_of("a/c/data/secrets.key") == 0600);
    CHECK(mode_of("a/c/data/catalog.sqlite-wal") == 0600);
    CHECK(mode_of("a/c/data/catalog.sqlite-shm") == 0600);
    catalog_close(c);
    CHECK(mode_of("a/c/data/catalog.sqlite-wal") < 0);
    CHECK(try_open("", NULL, &err) == ERR_INVALID);
    tree_put("file", "");
    CHECK(try_open("file", NULL, &err) == ERR_SYSTEM);
    tree_close();
    catalog_close(NULL);
}

static void one_transaction_is_all_or_nothing(void)
{
    struct catalog *c = catalog_of_test(), *beside = catalog_again();
    struct accounts all = {0};
    struct err err = {0};

    CHECK(catalog_begin(c, &err) == 0);
    CHECK(catalog_begin(c, &err) == ERR_INVALID);
    catalog_account(c, "a");
    catalog_account(c, "b");
    CHECK(account_list(beside, &all, &err) == 0 && all.count == 0);
    accounts_done(&all);
    catalog_rollback(c);
    CHECK(account_list(c, &all, &err) == 0 && all.count == 0);
    accounts_done(&all);
    CHECK(catalog_begin(c, &err) == 0);
    catalog_account(c, "a");
    catalog_account(c, "b");
    CHECK(catalog_commit(c, &err) == 0);
    CHECK(account_list(beside, &all, &err) == 0 && all.count == 2);
    accounts_done(&all);
    CHECK(catalog_commit(c, &err) == ERR_SYSTEM); /* none is open */
    catalog_rollback(c);
    catalog_account(c, "c");
    catalog_close(beside);
    catalog_close_test(c);
}

/* What was there at version 1 stays, and what has come since is added. */
static void brings_an_older_catalog_up_to_date(void)
{
    struct catalog *c = catalog_of_test();
    struct accounts all = {0};
    struct err err = {0};

    catalog_account(c, "a");
    catalog_close(c);
    CHECK(run_sql("DROP TABLE namespaces; PRAGMA user_version = 1") == SQLITE_OK);
    c = catalog_again();
    CHECK(account_list(c, &all, &err) == 0 && all.count == 1);
    accounts_done(&all);
    CHECK(run_sql("SELECT * FROM namespaces") == SQLITE_OK);
    catalog_close_test(c);
}

static void refuses_catalogs_that_are_none(void)
{
    struct err err = {0};

    catalog_close(catalog_of_test());
    CHECK(run_sql("PRAGMA user_version = 77") == SQLITE_OK);
    CHECK(try_open("data", NULL, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "is of a newer Corral (77; this one knows "));
    CHECK(strstr(err.hint, "Use that Corral"));
    CHECK(run_sql("PRAGMA application_id = 1") == SQLITE_OK);
    CHECK(try_open("data", NULL, &err) == ERR_INVALID && strstr(err.text, "is not a catalog"));
    tree_put("data/catalog.sqlite", "something else");
    CHECK(try_open("data", NULL, &err) == ERR_SYSTEM && strstr(err.text, "damaged"));
    tree_close();
}

/* Pages in the middle are overwritten, and the last process did not close: that is looked for. */
static void notices_damage_after_a_crash(void)
{
    struct catalog *c = catalog_of_test();
    struct err err = {0};
    char junk[4096];
    FILE *f;
    pid_t pid;

    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "account %d", i);
        catalog_account(c, name);
    }
    catalog_close(c);
    pid = fork();
    if (pid == 0) {
        c = catalog_again();
        catalog_account(c, "more");
        raise(SIGKILL);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(mode_of("data/catalog.sqlite-wal") == 0600);
    memset(junk, 0x5a, sizeof junk);
    f = fopen("data/catalog.sqlite", "r+");
    CHECK(f && fseek(f, 4096, SEEK_SET) == 0);
    for (int i = 0; i < 20; i++) /* some of them are in the WAL, too */
        CHECK(fwrite(junk, 1, sizeof junk, f) == sizeof junk);
    fclose(f);
    CHECK(try_open("data", NULL, &err) == ERR_SYSTEM);
    CHECK(strstr(err.text, "is damaged") && strstr(err.hint, "backup"));
    tree_close();
}

static const char KEY_1[] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
static const char KEY_2[] = "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

static void says_that_a_key_is_the_wrong_one(void)
{
    struct catalog_config blind = {.data_folder = "data", .has_no_key = true};
    struct catalog *c = NULL;
    struct err err = {0};

    catalog_close(catalog_of_test());
    tree_put("kept", "");
    CHECK(rename("data/secrets.key", "kept") == 0);
    CHECK(try_open("data", NULL, &err) == ERR_NOT_FOUND);
    CHECK(strstr(err.text, "data/secrets.key' is not there") && strstr(err.hint, "restore it"));
    CHECK(mode_of("data/secrets.key") < 0); /* not another one in its place */
    setenv("CORRAL_SECRETS_KEY", KEY_1, 1);
    CHECK(try_open("data", NULL, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "the environment's CORRAL_SECRETS_KEY is not the key that the secrets"));
    unsetenv("CORRAL_SECRETS_KEY");
    CHECK(try_open("data", "kept", &err) == 0);
    tree_put("wrong", KEY_2);
    CHECK(try_open("data", "wrong", &err) == ERR_INVALID && strstr(err.text, "mode 0644"));
    CHECK(strstr(err.hint, "chmod 600"));
    CHECK(chmod("wrong", 0600) == 0);
    CHECK(try_open("data", "wrong", &err) == ERR_INVALID && strstr(err.text, "the key 'wrong' is not"));
    CHECK(try_open("data", "nowhere", &err) == ERR_NOT_FOUND);
    CHECK(try_open("data", "data", &err) == ERR_INVALID);
    /* Who has nothing to do with secrets needs none. */
    CHECK(catalog_open(&blind, &c, &err) == 0);
    catalog_account(c, "a");
    catalog_close(c);
    tree_close();
}

static void reads_keys_strictly(void)
{
    static const char *const BAD[] = {
        "", "MDEyMzQ1", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEy",
        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MD==", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MD*=",
        "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=x"};
    struct seal_key key;
    struct err err = {0};

    tree_open();
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        setenv("CORRAL_SECRETS_KEY", BAD[i], 1);
        CHECK(seal_key_load(".", NULL, SEAL_MAKE, &key, &err) == ERR_INVALID);
        CHECK(!strstr(err.text, "MDE") && strstr(err.hint, "openssl rand"));
    }
    setenv("CORRAL_SECRETS_KEY", " \n MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\r\n", 1);
    CHECK(seal_key_load(".", NULL, SEAL_MAKE, &key, &err) == 0);
    CHECK(memcmp(key.bytes, "01234567890123456789012345678901", 32) == 0);
    unsetenv("CORRAL_SECRETS_KEY");
    CHECK(mode_of("secrets.key") < 0);
    CHECK(seal_key_load(".", NULL, SEAL_MAKE, &key, &err) == 0 && mode_of("secrets.key") == 0600);
    seal_key_done(&key);
    tree_close();
}

static void what_is_sealed_opens_only_where_it_belongs(void)
{
    struct seal_key key = {{1, 2, 3}}, other = {{1, 2, 4}};
    struct buf sealed = {0}, again = {0};
    struct err err = {0};
    char *text = NULL, *bytes;
    size_t len = 0;

    CHECK(seal_close(&key, SPAN("a/b/NAME"), SPAN("hush\0hush"), &sealed, &err) == 0);
    CHECK(seal_close(&key, SPAN("a/b/NAME"), SPAN("hush\0hush"), &again, &err) == 0);
    CHECK(buf_len(&sealed) == SEAL_EXTRA_BYTES + 9);
    CHECK(memcmp(buf_data(&sealed), buf_data(&again), buf_len(&sealed)) != 0);
    CHECK(!memmem(buf_data(&sealed), buf_len(&sealed), "hush", 4));
    CHECK(seal_open(&key, SPAN("a/b/NAME"), buf_span(&sealed), &text, &len, &err) == 0);
    CHECK(len == 9 && memcmp(text, "hush\0hush", 10) == 0);
    seal_wipe(text, len);
    CHECK(seal_open(&other, SPAN("a/b/NAME"), buf_span(&sealed), &text, &len, &err) == ERR_INVALID);
    CHECK(seal_open(&key, SPAN("a/c/NAME"), buf_span(&sealed), &text, &len, &err) == ERR_INVALID);
    for (size_t n = 0; n < buf_len(&sealed); n++) {
        struct span cut = {buf_data(&sealed), n};
        CHECK(seal_open(&key, SPAN("a/b/NAME"), cut, &text, &len, &err) == ERR_INVALID);
        bytes = mem_copy(buf_data(&sealed), buf_len(&sealed));
        bytes[n] ^= 1;
        CHECK(seal_open(&key, SPAN("a/b/NAME"), (struct span){bytes, buf_len(&sealed)}, &text, &len,
                        &err) == ERR_INVALID);
        mem_free(bytes);
    }
    buf_done(&again);
    CHECK(seal_close(&key, SPAN(""), SPAN(""), &again, &err) == 0);
    CHECK(seal_open(&key, SPAN(""), buf_span(&again), &text, &len, &err) == 0 && len == 0);
    seal_wipe(text, len);
    seal_wipe(NULL, 0);
    WALK_NOMEM((buf_done(&sealed), seal_close(&key, SPAN("c"), SPAN("text"), &sealed, &err)));
    WALK_NOMEM(seal_open(&key, SPAN("c"), buf_span(&sealed), &text, &len, &err));
    seal_wipe(text, len);
    buf_done(&sealed);
    buf_done(&again);
}

static void runs_out_of_memory_without_a_trace(void)
{
    struct err err = {0};

    catalog_close(catalog_of_test());
    WALK_NOMEM(try_open("data", NULL, &err));
    WALK_NOMEM(try_open("other", NULL, &err));
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"makes_a_folder_that_nobody_else_may_read", makes_a_folder_that_nobody_else_may_read},
        {"one_transaction_is_all_or_nothing", one_transaction_is_all_or_nothing},
        {"brings_an_older_catalog_up_to_date", brings_an_older_catalog_up_to_date},
        {"refuses_catalogs_that_are_none", refuses_catalogs_that_are_none},
        {"notices_damage_after_a_crash", notices_damage_after_a_crash},
        {"says_that_a_key_is_the_wrong_one", says_that_a_key_is_the_wrong_one},
        {"reads_keys_strictly", reads_keys_strictly},
        {"what_is_sealed_opens_only_where_it_belongs", what_is_sealed_opens_only_where_it_belongs},
        {"runs_out_of_memory_without_a_trace", runs_out_of_memory_without_a_trace},
        {0},
    };

    return test_main("catalog_catalog", TESTS, argc, argv);
}

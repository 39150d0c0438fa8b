/* catalog_crash.c - the catalog is killed at any moment, again and again: what it has said is there.
 *
 * A child deploys: bundle, version with a secret, deployment, and says through a pipe that it is done.
 * It is killed in the middle, the folder is opened again and looked through, and the next child goes on. */
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "catalog/bundles.h"
#include "catalog/worker.h"
#include "catalog_open.h"

enum { ROUNDS = 30, KILL_AFTER_US = 60000 };

/* One deploy, as the node makes it.  The bundle's file, the secret and the message say the same. */
static int deploy(struct catalog *c, const char *account, int64_t stamp)
{
    struct version draft = {0}, v = {0};
    struct deployment d = {.share_count = 1, .shares[0].percentage = 100}, made = {0};
    char text[32], hash[BUNDLE_HASH_SIZE];
    struct bundle_part parts[2] = {{SPAN("src/entry.py"), SPAN("text/x-python"), {0}, {0}}, {SPAN("x/y/z"), SPAN(""), SPAN("z"), {0}}};
    struct worker w = {0};
    struct err err = {0};
    int r;

    snprintf(text, sizeof text, "stamp %lld", (long long)stamp);
    parts[0].bytes = span_of(text);
    r = worker_need(c, account, stamp % 2 ? "odd" : "even", &w, NULL, &err);
    if (r == 0)
        r = bundles_put(c, parts, 2, hash, NULL, &err);
    draft.bundle = hash;
    draft.bindings = json_pack("[{s:s, s:s, s:s}]", "name", "STAMP", "type", "secret_text", "text", text);
    draft.annotations = json_pack("{s:s}", "stamp", text);
    memcpy(draft.worker_id, w.id, ID_SIZE);
    memcpy(d.worker_id, w.id, ID_SIZE);
    if (r == 0)
        r = catalog_begin(c, &err);
    if (r == 0)
        r = version_create(c, &draft, NULL, &v, &err);
    memcpy(d.shares[0].version_id, v.id, UUID_SIZE);
    if (r == 0)
        r = deployment_create(c, &d, &made, &err);
    if (r == 0)
        r = catalog_commit(c, &err);
    if (r == 0 && stamp % 5 == 0)
        r = bundles_sweep(c, &err);
    if (r < 0)
        printf("  %s\n", err.text);
    json_decref(draft.bindings);
    json_decref(draft.annotations);
    version_done(&v);
    deployment_done(&made);
    worker_done(&w);
    return r;
}

static void child(int out, int64_t stamp)
{
    struct catalog *c = catalog_again();
    const char *account = catalog_account(c, "a");

    for (;; stamp++) {
        if (deploy(c, account, stamp) < 0 || write(out, &stamp, sizeof stamp) != sizeof stamp)
            _exit(1);
    }
}

/* The version that serves: all of it, and one stamp in all of it. */
static int64_t check_worker(struct catalog *c, const struct worker *w)
{
    struct deployment d = {0};
    struct version v = {0};
    struct bundle_files files = {0};
    json_t *secrets = NULL;
    const char *stamp;
    struct err err = {0};
    int64_t n = -1;

    if (w->version_count == 0) /* made, and then killed */
        return -1;
    CHECK(deployment_latest(c, w->id, &d, &err) == 0);
    CHECK(version_find(c, w->id, d.shares[0].version_id, &v, &err) == 0);
    CHECK(v.number == w->version_count);
    stamp = json_string_value(json_object_get(v.annotations, "stamp"));
    CHECK(stamp && version_secrets(c, v.id, &secrets, &err) == 0);
    CHECK(stamp && strcmp(stamp, json_string_value(json_object_get(secrets, "STAMP"))) == 0);
    CHECK(bundles_read(c, v.bundle, &files, &err) == 0 && files.count == 2);
    CHECK(stamp && files.count == 2 && strcmp(files.items[0].bytes, stamp) == 0);
    if (stamp)
        n = strtoll(stamp + strlen("stamp "), NULL, 10);
    bundle_files_done(&files);
    json_decref(secrets);
    version_done(&v);
    deployment_done(&d);
    return n;
}

static void check_database(void)
{
    sqlite3 *db;
    sqlite3_stmt *s = NULL;

    CHECK(sqlite3_open("data/catalog.sqlite", &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(s) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0);
    sqlite3_finalize(s);
    CHECK(sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &s, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(s) == SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* The newest stamp that is there. */
static int64_t check(void)
{
    struct catalog *c = catalog_again();
    struct workers all = {0};
    int64_t newest = -1, n;
    struct err err = {0};

    CHECK(worker_list(c, NULL, &all, &err) == 0);
    for (size_t i = 0; i < all.count; i++) {
        n = check_worker(c, &all.items[i]);
        newest = n > newest ? n : newest;
    }
    workers_done(&all);
    catalog_close(c);
    check_database();
    return newest;
}

static pid_t start(int64_t stamp, int *ret_in)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) < 0 || fflush(stdout) != 0 || (pid = fork()) < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0)
        child(ends[1], stamp);
    close(ends[1]);
    *ret_in = ends[0];
    return pid;
}

static void what_was_said_is_there(void)
{
    int64_t newest = -1, said, before, all = 0;
    unsigned char random[ROUNDS * 2];
    int in, status;

    catalog_close(catalog_of_test());
    CHECK(getrandom(random, sizeof random, 0) == sizeof random);
    for (int i = 0; i < ROUNDS; i++) {
        int after = (random[2 * i] << 8 | random[2 * i + 1]) % KILL_AFTER_US;
        pid_t pid = start(newest + 1, &in);
        said = before = newest;
        /* Some at a moment of their first deploy, which opens a catalog that was not closed, too. */
        if (i % 3 != 0 && read(in, &said, sizeof said) != sizeof said)
            CHECK(!"nothing was said");
        nanosleep(&(struct timespec){.tv_nsec = after * 1000}, NULL);
        CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
        while (read(in, &said, sizeof said) == sizeof said)
            ;
        close(in);
        newest = check();
        /* What was said, or the one that it was about to say. */
        CHECK(newest == said || newest == said + 1);
        all += newest - before;
    }
    CHECK(all >= ROUNDS / 2);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"what_was_said_is_there", what_was_said_is_there},
        {0},
    };

    return test_main("catalog_crash", TESTS, argc, argv);
}

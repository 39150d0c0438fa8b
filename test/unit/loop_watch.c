/* loop_watch.c - src/loop/watch.c: real folders, the ways editors and tools change them. */
#include "loop/watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

enum { LONG_MS = 20 * 1000, SHORT_MS = 60 };

static uv_loop_t loop;
static uv_timer_t limit;
static struct watch *watch;
static char root[64];
static int changes;
static bool is_closed, is_late;
static char last[256];

static const char *at(const char *below)
{
    static char room[4][256];
    static int turn;
    char *path = room[turn++ % 4];

    snprintf(path, sizeof room[0], "%s/%s", root, below);
    return path;
}

static void put(const char *below, const char *text)
{
    int fd = open(at(below), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static bool is_ignored(void *self, const char *path, const char *name)
{
    (void)self;
    (void)path;
    return strcmp(name, ".git") == 0;
}

static void on_changed(void *self, const char *path)
{
    (void)self;
    changes++;
    snprintf(last, sizeof last, "%s", path);
}

static void on_limit(uv_timer_t *timer)
{
    (void)timer;
    is_late = true;
}

static void on_closed(void *self)
{
    (void)self;
    is_closed = true;
}

/* Run the loop until there were `n` changes in all, or the time is over. */
static int run(int n, int ms)
{
    is_late = false;
    uv_update_time(&loop); /* what was done since may have taken longer than this */
    uv_timer_start(&limit, on_limit, (uint64_t)ms, 0);
    while (changes < n && !is_late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_timer_stop(&limit);
    return changes;
}

static void open_root(void)
{
    static const struct watch_events EVENTS = {is_ignored, on_changed};
    struct err err = {0};

    changes = 0;
    strcpy(root, "/tmp/watch-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &limit);
    CHECK(watch_open(&loop, &EVENTS, NULL, &watch, &err) == 0);
    CHECK(watch_add(watch, root, &err) == 0);
}

static void close_root(void)
{
    char command[128];

    is_closed = false;
    watch_close(watch, on_closed);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
    snprintf(command, sizeof command, "rm -rf %s", root);
    CHECK(system(command) == 0);
}

static void reports_a_written_file(void)
{
    open_root();
    put("a.py", "1");
    CHECK(run(1, LONG_MS) == 1);
    CHECK(strcmp(last, at("a.py")) == 0);
    CHECK(run(2, SHORT_MS) == 1);
    close_root();
}

static void reports_a_rename_over_a_file_once(void)
{
    open_root();
    put("a.py", "1");
    CHECK(run(1, LONG_MS) == 1);
    put(".a.py.swp", "2");
    CHECK(rename(at(".a.py.swp"), at("a.py")) == 0);
    CHECK(run(2, LONG_MS) == 2);
    CHECK(run(3, SHORT_MS) == 2);
    close_root();
}

static void reports_removals_and_links(void)
{
    open_root();
    put("a.py", "1");
    CHECK(run(1, LONG_MS) == 1);
    CHECK(symlink("a.py", at("b.py")) == 0);
    CHECK(run(2, LONG_MS) == 2);
    CHECK(unlink(at("a.py")) == 0);
    CHECK(run(3, LONG_MS) == 3);
    close_root();
}

static void a_burst_is_one_change(void)
{
    char name[32];

    open_root();
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "f%d", i);
        put(name, "x");
    }
    CHECK(run(1, LONG_MS) == 1);
    CHECK(run(2, SHORT_MS) == 1);
    close_root();
}

static void an_endless_burst_does_not_starve(void)
{
    open_root();
    is_late = false;
    uv_timer_start(&limit, on_limit, LONG_MS, 0);
    while (changes == 0 && !is_late) {
        put("busy", "x");
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    CHECK(changes == 1 && !is_late);
    uv_timer_stop(&limit);
    close_root();
}

static void follows_new_folders(void)
{
    open_root();
    CHECK(mkdir(at("one"), 0700) == 0 && mkdir(at("one/two"), 0700) == 0);
    put("one/two/early.py", "1");
    CHECK(run(1, LONG_MS) == 1);
    CHECK(watch_folders(watch) == 3);
    put("one/two/late.py", "1");
    CHECK(run(2, LONG_MS) == 2);
    close_root();
}

static void forgets_folders_that_go(void)
{
    char moved[80];

    open_root();
    snprintf(moved, sizeof moved, "%s-moved", root);
    CHECK(mkdir(at("one"), 0700) == 0 && mkdir(at("one/two"), 0700) == 0);
    CHECK(run(1, LONG_MS) == 1);
    CHECK(rename(at("one"), moved) == 0);
    CHECK(run(2, LONG_MS) == 2);
    CHECK(watch_folders(watch) == 1);
    CHECK(rename(moved, at("uno")) == 0);
    CHECK(run(3, LONG_MS) == 3);
    CHECK(watch_folders(watch) == 3);
    put("uno/two/a.py", "1");
    CHECK(run(4, LONG_MS) == 4);
    CHECK(strcmp(last, at("uno/two/a.py")) == 0);
    CHECK(rmdir(at("uno/two")) < 0);
    CHECK(unlink(at("uno/two/a.py")) == 0 && rmdir(at("uno/two")) == 0);
    CHECK(run(5, LONG_MS) == 5);
    CHECK(watch_folders(watch) == 2);
    close_root();
}

static void ignores_what_it_is_told_to(void)
{
    open_root();
    CHECK(mkdir(at(".git"), 0700) == 0);
    put(".git/index", "1");
    CHECK(run(1, SHORT_MS) == 0);
    CHECK(watch_folders(watch) == 1);
    close_root();
}

static void reports_a_writer_that_does_not_close(void)
{
    int fd;

    open_root();
    fd = open(at("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(write(fd, "x", 1) == 1);
    CHECK(run(1, LONG_MS) == 1);
    close(fd);
    close_root();
}

static void finds_a_root_that_comes_back(void)
{
    open_root();
    CHECK(rmdir(root) == 0);
    CHECK(run(1, LONG_MS) == 1);
    CHECK(watch_folders(watch) == 0);
    CHECK(mkdir(root, 0700) == 0);
    CHECK(run(2, LONG_MS) == 2);
    put("a.py", "1");
    CHECK(run(3, LONG_MS) == 3);
    close_root();
}

static void survives_lost_events(void)
{
    static const char *const NAMES[] = {"x", "y"};

    open_root();
    /* More than fs.inotify.max_queued_events (16,384); equal neighbours would be merged. */
    for (int i = 0; i < 6000; i++) {
        put(NAMES[i % 2], "x");
        CHECK(unlink(at(NAMES[i % 2])) == 0);
    }
    CHECK(mkdir(at("unseen"), 0700) == 0);
    CHECK(run(1, LONG_MS) >= 1);
    is_late = false;
    uv_timer_start(&limit, on_limit, LONG_MS, 0);
    while (watch_folders(watch) < 2 && !is_late)
        uv_run(&loop, UV_RUN_ONCE);
    run(99, SHORT_MS);
    CHECK(watch_folders(watch) == 2);
    changes = 0;
    put("unseen/a.py", "1");
    CHECK(run(1, LONG_MS) == 1);
    close_root();
}

static void says_which_folder_is_missing(void)
{
    struct err err = {0};

    open_root();
    CHECK(watch_add(watch, "/nowhere/at/all", &err) == ERR_NOT_FOUND);
    CHECK(strcmp(err.text, "no folder '/nowhere/at/all'") == 0);
    close_root();
}

static void copes_without_memory(void)
{
    static const struct watch_events EVENTS = {is_ignored, on_changed};
    struct err err = {0};
    int r = ERR_NOMEM;

    strcpy(root, "/tmp/watch-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    for (int n = 0; r == ERR_NOMEM && n < 20; n++) {
        uv_loop_init(&loop);
        watch = NULL;
        mem_fail_after(n);
        r = watch_open(&loop, &EVENTS, NULL, &watch, &err);
        if (r == 0)
            r = watch_add(watch, root, &err);
        mem_fail_after(-1);
        if (watch)
            watch_close(watch, on_closed);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK(uv_loop_close(&loop) == 0);
    }
    CHECK(r == 0);
    CHECK(rmdir(root) == 0);
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(reports_a_written_file),
        T(reports_a_rename_over_a_file_once),
        T(reports_removals_and_links),
        T(a_burst_is_one_change),
        T(an_endless_burst_does_not_starve),
        T(follows_new_folders),
        T(forgets_folders_that_go),
        T(ignores_what_it_is_told_to),
        T(reports_a_writer_that_does_not_close),
        T(finds_a_root_that_comes_back),
        T(survives_lost_events),
        T(says_which_folder_is_missing),
        T(copes_without_memory),
        {0},
    };

    return test_main("loop_watch", TESTS, argc, argv);
}

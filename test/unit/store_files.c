/* store_files.c - src/store/files.c: what is opened is the database of that name, also while
 * others delete it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/inside.h"
#include "test.h"

enum { ROUNDS = 1000 };

static char home[64], folder[128], gone[128];

/* As `corral d1 delete` does it (catalog/database.c). */
static void delete_once(void)
{
    static const char *const FILES[] = {"lock", "db.sqlite", "db.sqlite-wal", "db.sqlite-shm",
                                        "epoch"};
    char path[256];
    int lock;

    snprintf(path, sizeof path, "%s/lock", folder);
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 && rename(folder, gone) == 0) {
        for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
            snprintf(path, sizeof path, "%s/%s", gone, FILES[i]);
            unlink(path);
        }
        rmdir(gone);
    }
    if (lock >= 0)
        close(lock);
}

static void never_opens_what_is_deleted(void)
{
    struct engine_files files;
    struct stat by_name, by_hand;
    int opened = 0, lost = 0;
    struct err err;
    pid_t child;

    snprintf(home, sizeof home, "/tmp/corral-test-XXXXXX");
    CHECK(mkdtemp(home) != NULL);
    snprintf(folder, sizeof folder, "%s/d", home);
    snprintf(gone, sizeof gone, "%s/.gone", home);
    child = fork();
    while (child == 0)
        delete_once();
    for (int i = 0; i < ROUNDS; i++) {
        if (engine_files_open(folder, &files, &err) < 0)
            continue;
        opened++;
        if (fstat(files.folder, &by_hand) < 0 || stat(folder, &by_name) < 0 ||
            by_hand.st_ino != by_name.st_ino)
            lost++;
        engine_files_close(&files);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(opened > 0);
    CHECK(lost == 0);
    if (lost > 0)
        printf("  %d of %d\n", lost, opened);
    snprintf(gone, sizeof gone, "rm -rf '%s'", home);
    CHECK(system(gone) == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"never_opens_what_is_deleted", never_opens_what_is_deleted},
        {0},
    };

    return test_main("store_files", TESTS, argc, argv);
}

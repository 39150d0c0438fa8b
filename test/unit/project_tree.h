/* project_tree.h - a temporary folder full of files, for tests of project/. */
#ifndef CORRAL_TEST_PROJECT_TREE_H
#define CORRAL_TEST_PROJECT_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree_path[PATH_MAX];

static inline int tree_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

/* A new empty folder, which becomes the current one. */
static inline void tree_open(void)
{
    char path[] = "/tmp/corral-test-XXXXXX";

    if (!mkdtemp(path) || chdir(path) < 0 || !realpath(".", tree_path)) {
        perror(path);
        exit(2);
    }
}

static inline void tree_close(void)
{
    if (chdir("/") < 0 || nftw(tree_path, tree_remove, 16, FTW_DEPTH | FTW_PHYS) < 0)
        perror(tree_path);
}

static inline void tree_put_bytes(const char *name, const char *text, size_t len)
{
    char path[PATH_MAX];
    FILE *f;

    if ((size_t)snprintf(path, sizeof path, "%s", name) >= sizeof path)
        abort();
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path, 0755);
        *at = '/';
    }
    f = fopen(path, "w");
    if (!f || fwrite(text, 1, len, f) != len || fclose(f) != 0) {
        perror(name);
        exit(2);
    }
}

static inline void tree_put(const char *name, const char *text)
{
    tree_put_bytes(name, text, strlen(text));
}

/* corral-worker of the build that this test belongs to. */
static inline const char *tree_worker(void)
{
    static char path[PATH_MAX + 32];
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n > 0 && !path[0])
        snprintf(path, sizeof path, "%.*s/../corral-worker",
                 (int)(strrchr(self, '/') - self), self);
    return path;
}

#endif

/* folder.c - see folder.h. */
#include "catalog/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

char *folder_join(const char *a, const char *b, const char *c)
{
    struct buf out = {0};
    char *text = buf_print(&out, c ? "%s/%s/%s" : "%s/%s", a, b, c) == 0 ? buf_detach(&out) : NULL;

    buf_done(&out);
    return text;
}

static void sync_above(const char *path)
{
    const char *slash = strrchr(path, '/');
    char above[4096];
    int fd;

    if (snprintf(above, sizeof above, "%.*s", slash && slash > path ? (int)(slash - path) : 1,
                 slash ? path : ".") >= (int)sizeof above)
        return;
    fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* not ours to look into */
    (void)fsync(fd);
    close(fd);
}

int folder_make(char *path, struct err *err)
{
    for (char *at = path + 1;; at++) {
        char kept = *at;
        if (kept && kept != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) == 0)
            sync_above(path);
        else if (errno != EEXIST)
            return err_errno(err, errno, "make the folder '%s'", path);
        *at = kept;
        if (!kept)
            return 0;
    }
}

void folder_random_name(const char *prefix, char out[64])
{
    unsigned char b[8] = {0};

    if (getrandom(b, sizeof b, 0) < 0)
        memcpy(b, &(int64_t){clock_now_us()}, sizeof b);
    out += sprintf(out, "%s", prefix);
    for (size_t i = 0; i < sizeof b; i++)
        out += sprintf(out, "%02x", b[i]);
}

static bool is_itself(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int clear(int home, const char *name, int depth)
{
    int fd = openat(home, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), failed = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    if (!dir) {
        failed = errno == ENOENT ? 0 : errno;
        if (fd >= 0)
            close(fd);
        return failed;
    }
    while ((e = readdir(dir))) {
        if (is_itself(e->d_name))
            continue;
        if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT)
            continue;
        if (errno == EISDIR && depth < FOLDER_DEPTH_MAX)
            errno = clear(dirfd(dir), e->d_name, depth + 1);
        failed = errno ? errno : failed;
    }
    closedir(dir);
    if (unlinkat(home, name, AT_REMOVEDIR) < 0 && errno != ENOENT && !failed)
        failed = errno;
    return failed;
}

int folder_clear(int home, const char *name)
{
    return clear(home, name, 0);
}

static int sync_all(int home, const char *name, int depth)
{
    int fd = openat(home, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), failed = 0;
    struct dirent *e;
    struct stat st;
    DIR *dir;

    if (fd < 0 || fstat(fd, &st) < 0 || fsync(fd) < 0)
        failed = errno;
    if (failed || !S_ISDIR(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return failed;
    }
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return ENOMEM;
    }
    while (!failed && (e = readdir(dir)))
        if (!is_itself(e->d_name))
            failed = depth < FOLDER_DEPTH_MAX ? sync_all(dirfd(dir), e->d_name, depth + 1) : ELOOP;
    closedir(dir);
    return failed;
}

int folder_sync(int home, const char *name)
{
    return sync_all(home, name, 0);
}

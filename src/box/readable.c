/* readable.c - files that another user id may read, in a folder that nobody else reaches.
 *
 * Bundles and environments are made for their owner's eyes, and lie in folders
 * that only he can enter.  A process with a user id of its own sees them as
 * mounts of their own, and has to be let in there.  The folder itself is changed
 * last: one that is readable already is ready. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box/layers.h"

enum { READABLE_DEPTH = 128 };

static int open_up(int at, const char *name, unsigned depth, struct err *err);

static int open_up_all(int folder, unsigned depth, struct err *err)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;

    if (!dir) {
        if (copy >= 0)
            close(copy);
        return err_errno(err, errno, "read a folder of the worker's");
    }
    while (r == 0 && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = open_up(folder, entry->d_name, depth + 1, err);
    closedir(dir);
    return r;
}

/* What is neither a file nor a folder stays as it is. */
static int open_up(int at, const char *name, unsigned depth, struct err *err)
{
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r = 0;
    mode_t more = 0444;
    struct stat st;

    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENXIO
                   ? 0
                   : err_errno(err, errno, "open '%.200s' of the worker's", name);
    if (fstat(fd, &st) < 0)
        r = err_errno(err, errno, "look at '%.200s' of the worker's", name);
    if (r == 0 && S_ISDIR(st.st_mode)) {
        more = 0555;
        if ((st.st_mode & more) != more)
            r = depth < READABLE_DEPTH
                    ? open_up_all(fd, depth, err)
                    : err_set(err, ERR_LIMIT, "folders in folders, %d deep", READABLE_DEPTH);
    }
    if (r == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)) && (st.st_mode & more) != more &&
        fchmod(fd, (st.st_mode & 07777) | more) < 0)
        r = err_errno(err, errno, "let workers read '%.200s'", name);
    close(fd);
    return r;
}

int box_make_readable(const char *path, struct err *err)
{
    bool is_plain;
    int at, r;

    path = box_path_of(path, &is_plain);
    if (!is_plain)
        return open_up(AT_FDCWD, path, 0, err);
    at = box_plain_open(path, err);
    if (at < 0)
        return at;
    r = open_up(at, ".", 0, err);
    close(at);
    return r;
}

/* stage.c - see stage.h. */
#include "link/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "catalog/folder.h"

#define PACKAGE "package.json"

int stage_open(const char *home, struct stage *ret, struct err *err)
{
    struct stage s = {.home = -1, .fd = -1};
    int r = 0;

    s.home = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s.home < 0)
        return err_errno(err, errno, "open '%.200s'", home);
    folder_random_name(".stage-", s.name);
    s.path = folder_join(home, s.name, NULL);
    if (!s.path)
        r = err_nomem(err);
    else if (mkdirat(s.home, s.name, 0700) < 0 ||
             (s.fd = openat(s.home, s.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
             mkdirat(s.fd, "in", 0700) < 0 || mkdirat(s.fd, "out", 0700) < 0)
        r = err_errno(err, errno, "make a folder in '%.200s'", home);
    if (r == 0)
        *ret = s;
    else
        stage_done(&s);
    return r;
}

void stage_done(struct stage *stage)
{
    if (stage->fd >= 0)
        close(stage->fd);
    if (stage->home >= 0) {
        (void)folder_clear(stage->home, stage->name);
        close(stage->home);
    }
    mem_free(stage->path);
    *stage = (struct stage){.home = -1, .fd = -1};
}

static int make_parents(int at, const char *path)
{
    char *copy = mem_strdup(path);
    int r = copy ? 0 : -1;

    for (char *slash = copy ? strchr(copy, '/') : NULL; slash && r == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(at, copy, 0700) < 0 && errno != EEXIST)
            r = -1;
        *slash = '/';
    }
    mem_free(copy);
    return r;
}

/* What a module is called that is written to "in/...". */
static const char *name_of(const char *path)
{
    return strncmp(path, "in/", 3) == 0 ? module_of_place(path + 3) : path;
}

static int put(int at, const char *path, int more, struct span bytes, struct err *err)
{
    int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | more, r = 0;
    int fd = openat(at, path, flags, 0600);

    if (fd < 0 && errno == ENOENT && make_parents(at, path) == 0)
        fd = openat(at, path, flags, 0600);
    if (fd < 0 && (errno == EEXIST || errno == EISDIR || errno == ENOTDIR))
        return err_set(err, ERR_INVALID, "'%.200s' and another module cannot be side by side",
                       name_of(path));
    if (fd < 0 && errno == ENAMETOOLONG)
        return err_set(err, ERR_INVALID, "the name '%.200s' of a module is too long",
                       name_of(path));
    if (fd < 0 || file_write(fd, bytes) < 0)
        r = err_errno(err, errno, "write '%.200s'", path);
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = err_errno(err, errno, "write '%.200s'", path);
    return r;
}

int stage_put(int at, const char *path, struct span bytes, struct err *err)
{
    return put(at, path, O_EXCL | O_DSYNC, bytes, err);
}

static int write_in(struct stage *stage, const char *place, int more, struct span text,
                    struct err *err)
{
    struct buf path = {0};
    int r = buf_print(&path, "in/%s", place) < 0 ? err_nomem(err) : 0;

    if (r == 0)
        r = put(stage->fd, buf_data(&path), more, text, err);
    buf_done(&path);
    return r;
}

int stage_write(struct stage *stage, const char *place, struct span text, struct err *err)
{
    return write_in(stage, place, O_EXCL, text, err);
}

int stage_rewrite(struct stage *stage, const char *place, struct span text, struct err *err)
{
    return write_in(stage, place, O_TRUNC, text, err);
}

/* The bundler reads each package.json on its way, which need not be one: it finds a folder there,
 * and the module as what that folder is about. */
static int write_package(struct stage *stage, const char *place, struct span text, struct err *err)
{
    static const struct span MAIN = SPAN("{\"main\":\"./module.js\"}\n");
    struct buf inner = {0};
    int r = buf_print(&inner, "%s/" PACKAGE, place) < 0 ? err_nomem(err) : 0;

    if (r == 0)
        r = stage_write(stage, buf_data(&inner), MAIN, err);
    buf_eat(&inner, buf_len(&inner));
    if (r == 0)
        r = buf_print(&inner, "%s/module.js", place) < 0 ? err_nomem(err) : 0;
    if (r == 0)
        r = stage_write(stage, buf_data(&inner), text, err);
    buf_done(&inner);
    return r;
}

int stage_module(struct stage *stage, unsigned up, const char *name, struct span text,
                 struct err *err)
{
    const char *slash = strrchr(name, '/');
    struct buf place = {0};
    int r = module_place(up, name, &place) < 0 ? err_nomem(err) : 0;

    if (r == 0 && strcmp(slash ? slash + 1 : name, PACKAGE) == 0)
        r = write_package(stage, buf_data(&place), text, err);
    else if (r == 0)
        r = stage_write(stage, buf_data(&place), text, err);
    buf_done(&place);
    return r;
}

int stage_read(int at, const char *path, size_t max, struct buf *out, struct err *err)
{
    int fd = openat(at, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r = 0;
    struct stat st;
    char *room;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        r = err_errno(err, errno, "read '%.200s'", path);
    else if (!S_ISREG(st.st_mode))
        r = err_set(err, ERR_SYSTEM, "'%.200s' is no file", path);
    else if ((uint64_t)st.st_size > max)
        r = err_set(err, ERR_LIMIT, "'%.200s' has more than %zu MB", path, max >> 20);
    for (size_t left = r == 0 ? (size_t)st.st_size : 0; r == 0 && left > 0; left -= (size_t)n) {
        n = 0;
        if (buf_reserve(out, left, &room) < 0)
            r = err_nomem(err);
        else if ((n = read(fd, room, left)) <= 0)
            r = err_errno(err, n < 0 ? errno : EIO, "read '%.200s'", path);
        else
            buf_commit(out, (size_t)n);
    }
    if (fd >= 0)
        close(fd);
    return r;
}

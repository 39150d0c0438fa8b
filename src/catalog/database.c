/* database.c - make, find, list and delete the folders of databases.
 *
 * Two rules keep everybody who does this at once out of each other's way:
 *   1. a folder gets its name when it is whole, by one rename that replaces nothing
 *   2. it loses its name before anything in it is deleted, and only by who has
 *      its lock alone, or by a node, whose keeper sees that it is gone
 * What a crash leaves behind has a name that begins with a dot, which no
 * database's has, and is cleared away by the next who creates or deletes. */
#include "catalog/database.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/about.h"
#include "catalog/folder.h"
#include "catalog/name.h"

enum {
    STALE_S = 3600, /* nobody takes so long to create one */
};

#define HOME "d1"
#define NEW  ".new-"  /* not whole yet */
#define GONE ".gone-" /* being deleted */
#define LOCK "lock"

static int no_such(const char *name, struct err *err)
{
    err_set(err, ERR_NOT_FOUND, "there is no database '%s'", name);
    return err_hint(err,
                    "`corral d1 list` shows those there are, `corral d1 create NAME` makes one.");
}

/* ---- the folder of all ---- */

enum home { HOME_LOOK, HOME_MAKE };

/* ERR_NOT_FOUND without an error's text when it is not there. */
static int open_home(const char *data_folder, enum home want, int *ret_fd, struct err *err)
{
    char *path = folder_join(data_folder, HOME, NULL);
    int r = 0;

    if (!path)
        return err_nomem(err);
    *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_fd < 0 && errno == ENOENT && want == HOME_MAKE) {
        r = folder_make(path, err);
        if (r == 0)
            *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (r == 0 && *ret_fd < 0)
        r = errno == ENOENT ? ERR_NOT_FOUND : err_errno(err, errno, "open the folder '%s'", path);
    mem_free(path);
    return r;
}

static int open_folder(int home, const char *coded, const char *name, int *ret_fd, struct err *err)
{
    *ret_fd = openat(home, coded, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_fd >= 0)
        return 0;
    if (errno == ENOENT)
        return no_such(name, err);
    if (errno == ELOOP || errno == ENOTDIR) {
        err_set(err, ERR_INVALID, "what should be the folder of the database '%s' is none", name);
        return err_hint(err, "a symbolic link does not count: --persist-to moves all of them");
    }
    return err_errno(err, errno, "open the database '%s'", name);
}

/* ---- deleting ---- */

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What crashes have left: nobody else has a use for it. */
static void sweep(int home)
{
    int fd = openat(home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat st;

    if (!dir && fd >= 0)
        close(fd);
    while (dir && (e = readdir(dir))) {
        bool is_new = has_prefix(e->d_name, NEW);
        if ((!is_new && !has_prefix(e->d_name, GONE)) ||
            fstatat(home, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (is_new && st.st_mtime + STALE_S > clock_wall_ms() / 1000)
            continue;
        folder_clear(home, e->d_name);
    }
    if (dir)
        closedir(dir);
}

/* The lock, alone; -1 with err. */
static int lock_alone(int folder, const char *name, struct err *err)
{
    int fd = openat(folder, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    if (fd < 0) {
        err_errno(err, errno, "lock the database '%s'", name);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        err_set(err, ERR_LIMIT, "the database '%s' is in use", name);
    else
        err_errno(err, errno, "lock the database '%s'", name);
    close(fd);
    return -1;
}

enum delete { DELETE_IDLE, DELETE_ANYWAY };

static int delete (const char *data_folder, const char *name, enum delete how, struct err *err)
{
    int home = -1, folder = -1, lock = -1, r = database_check_name(name, err), failed;
    char coded[NAME_CODED_MAX + 1], gone[64];

    if (r == 0)
        r = open_home(data_folder, HOME_LOOK, &home, err);
    if (r == ERR_NOT_FOUND)
        no_such(name, err);
    if (r < 0)
        return r;
    name_encode(name, coded);
    folder_random_name(GONE, gone);
    r = open_folder(home, coded, name, &folder, err);
    if (r < 0)
        goto done;
    if (how == DELETE_IDLE)
        lock = lock_alone(folder, name, err);
    if (how == DELETE_IDLE && lock < 0) {
        r = err->code;
        goto done;
    }
    if (renameat(home, coded, home, gone) < 0) {
        r = errno == ENOENT ? no_such(name, err)
                            : err_errno(err, errno, "delete the database '%s'", name);
        goto done;
    }
    failed = folder_clear(home, gone);
    if (failed) {
        r = err_errno(err, failed, "delete all of the database '%s'", name);
        err_hint(err, "its name is free, what is left is in '" HOME "/%s' of the state folder",
                 gone);
    }
    sweep(home);
done:
    if (lock >= 0)
        close(lock);
    if (folder >= 0)
        close(folder);
    close(home);
    return r;
}

int database_delete(const char *data_folder, const char *name, struct err *err)
{
    return delete (data_folder, name, DELETE_IDLE, err);
}

int database_drop(const char *data_folder, const char *name_or_uuid, struct err *err)
{
    struct database d;
    int r = database_find(data_folder, name_or_uuid, &d, err);

    if (r < 0)
        return r;
    r = delete (data_folder, d.name, DELETE_ANYWAY, err);
    database_done(&d);
    return r;
}

/* ---- one database ---- */

void database_done(struct database *d)
{
    mem_free(d->folder);
    mem_free(d->name);
    mem_free(d->uuid);
    mem_free(d->created_at);
    *d = (struct database){0};
}

static int64_t bytes_of(int folder, const char *file)
{
    struct stat st;

    return fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) ? st.st_size
                                                                                       : 0;
}

static int fill(const char *data_folder, const char *coded, const char *name, int folder,
                const struct about *about, struct database *ret, struct err *err)
{
    *ret = (struct database){
        .folder = folder_join(data_folder, HOME, coded),
        .name = mem_strdup(name),
        .uuid = mem_strdup(about->uuid),
        .created_at = mem_strdup(about->created_at),
        .size_bytes = bytes_of(folder, "db.sqlite") + bytes_of(folder, "db.sqlite-wal"),
    };
    if (ret->folder && ret->name && ret->uuid && ret->created_at)
        return 0;
    database_done(ret);
    return err_nomem(err);
}

static int read_one(const char *data_folder, int home, const char *coded, const char *name,
                    struct database *ret, struct err *err)
{
    struct about about;
    int folder, r = open_folder(home, coded, name, &folder, err);

    if (r < 0)
        return r;
    r = about_need(folder, name, &about, err);
    if (r == 0)
        r = fill(data_folder, coded, name, folder, &about, ret, err);
    close(folder);
    return r;
}

int database_folder(const char *data_folder, const char *name, char **ret_folder, struct err *err)
{
    char coded[NAME_CODED_MAX + 1];
    int r = database_check_name(name, err);

    if (r < 0)
        return r;
    name_encode(name, coded);
    *ret_folder = folder_join(data_folder, HOME, coded);
    return *ret_folder ? 0 : err_nomem(err);
}

static int already(const char *name, struct err *err)
{
    err_set(err, ERR_LIMIT, "there is a database '%s' already", name);
    return err_hint(err, "`corral d1 info NAME` shows it, `corral d1 delete NAME` removes it.");
}

/* The name, unless there is one. */
static int rename_new(int home, const char *from, const char *to)
{
    if (renameat2(home, from, home, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (faccessat(home, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) { /* a file system without it */
        errno = EEXIST;
        return -1;
    }
    return renameat(home, from, home, to); /* replaces no folder that has something in it */
}

int database_create(const char *data_folder, const char *name, const char *uuid,
                    struct database *ret, struct err *err)
{
    char coded[NAME_CODED_MAX + 1], spare[64];
    int home = -1, folder = -1, r = database_check_name(name, err);
    struct about about;
    bool is_made = false;

    if (r == 0)
        r = about_make(uuid, clock_wall_ms(), &about, err);
    if (r == 0)
        r = open_home(data_folder, HOME_MAKE, &home, err);
    if (r < 0)
        return r;
    name_encode(name, coded);
    folder_random_name(NEW, spare);
    sweep(home);
    is_made = mkdirat(home, spare, 0700) == 0;
    folder = is_made ? openat(home, spare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (folder < 0) {
        r = err_errno(err, errno, "make the database '%s' in '%s/" HOME "'", name, data_folder);
        goto done;
    }
    r = about_write(folder, name, &about, err);
    if (r == 0)
        r = fill(data_folder, coded, name, folder, &about, ret, err);
    if (r < 0)
        goto done;
    (void)fsync(folder);
    if (rename_new(home, spare, coded) < 0) {
        r = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR
                ? already(name, err)
                : err_errno(err, errno, "make the database '%s' in '%s/" HOME "'", name,
                            data_folder);
        database_done(ret);
    }
done:
    if (folder >= 0)
        close(folder);
    if (r < 0 && is_made)
        folder_clear(home, spare);
    else
        (void)fsync(home); /* what is committed in it later must not go with its name */
    close(home);
    return r;
}

static int find_uuid(const char *data_folder, const char *uuid, struct database *ret,
                     struct err *err)
{
    struct databases all;
    int r = database_list(data_folder, &all, err);

    if (r < 0)
        return r;
    r = ERR_NOT_FOUND;
    for (size_t i = 0; i < all.count && r < 0; i++) {
        if (strcasecmp(all.items[i].uuid, uuid) != 0)
            continue;
        *ret = all.items[i];
        all.items[i] = (struct database){0};
        r = 0;
    }
    databases_done(&all);
    return r < 0 ? no_such(uuid, err) : 0;
}

int database_find(const char *data_folder, const char *name_or_uuid, struct database *ret,
                  struct err *err)
{
    char coded[NAME_CODED_MAX + 1];
    int home, r = database_check_name(name_or_uuid, err);

    if (r == 0)
        r = open_home(data_folder, HOME_LOOK, &home, err);
    if (r == ERR_NOT_FOUND)
        no_such(name_or_uuid, err);
    if (r < 0)
        return r;
    name_encode(name_or_uuid, coded);
    r = read_one(data_folder, home, coded, name_or_uuid, ret, err);
    close(home);
    if (r == ERR_NOT_FOUND && database_is_uuid(name_or_uuid))
        r = find_uuid(data_folder, name_or_uuid, ret, err);
    return r;
}

/* ---- all ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct database *)a)->name, ((const struct database *)b)->name);
}

static int add(const char *data_folder, int home, const char *coded, const char *name,
               struct databases *list, size_t *cap, struct err *err)
{
    size_t more = *cap ? *cap * 2 : 16;
    struct database *items;
    int r;

    if (list->count == *cap) {
        items = mem_resize(list->items, more * sizeof *items);
        if (!items)
            return err_nomem(err);
        list->items = items;
        *cap = more;
    }
    r = read_one(data_folder, home, coded, name, &list->items[list->count], err);
    if (r == 0)
        list->count++;
    /* deleted meanwhile; a link or a file */
    return r == ERR_NOT_FOUND || r == ERR_INVALID ? 0 : r;
}

int database_list(const char *data_folder, struct databases *ret, struct err *err)
{
    char name[DATABASE_NAME_MAX + 1];
    int home, r = open_home(data_folder, HOME_LOOK, &home, err);
    struct dirent *e;
    size_t cap = 0;
    DIR *dir;

    *ret = (struct databases){0};
    if (r < 0)
        return r == ERR_NOT_FOUND ? 0 : r;
    dir = fdopendir(home);
    if (!dir) {
        close(home);
        return err_nomem(err);
    }
    while (r == 0 && (e = readdir(dir)))
        if (name_decode(e->d_name, name))
            r = add(data_folder, home, e->d_name, name, ret, &cap, err);
    closedir(dir);
    if (r < 0)
        databases_done(ret);
    else if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_name);
    return r;
}

void databases_done(struct databases *list)
{
    for (size_t i = 0; i < list->count; i++)
        database_done(&list->items[i]);
    mem_free(list->items);
    *list = (struct databases){0};
}

/* backup.c - see backup.h.
 *
 *     TO.part-RANDOM/catalog.sqlite -> bundles/ -> accounts/ -> sync -> TO
 *
 * A database of a store's is opened beside it: we hold its "lock" as the store does, and leave its
 * WAL as it is when we go, since the store has that open and would write on into a file without a
 * name. */
#include "catalog/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "catalog/folder.h"
#include "catalog/inside.h"
#include "catalog/query.h"

enum { CHUNK = 256 * 1024, TRIES_MS = 60000, TRY_MS = 50 };

#define DATABASE "db.sqlite"
#define LOCK     "lock"
#define ABOUT    "about.json"

/* ---- one database ---- */

static int database_fail(sqlite3 *db, const char *path, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "copy '%.300s': %s", path, db ? sqlite3_errmsg(db) : "");
}

/* All pages at one moment.  A writer that began a copy of its own makes us wait. */
static int copy_pages(sqlite3 *from, sqlite3 *to, const char *path, struct err *err)
{
    const struct timespec A_WHILE = {.tv_nsec = TRY_MS * 1000000};
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    int code = copy ? SQLITE_OK : SQLITE_ERROR;

    for (int waited = 0; copy && waited < TRIES_MS; waited += TRY_MS) {
        code = sqlite3_backup_step(copy, -1);
        if (code != SQLITE_BUSY && code != SQLITE_LOCKED)
            break;
        nanosleep(&A_WHILE, NULL);
    }
    if (copy)
        code = sqlite3_backup_finish(copy) == SQLITE_OK && code == SQLITE_DONE ? SQLITE_OK : code;
    return code == SQLITE_OK ? 0 : database_fail(to, path, err);
}

/* A new file, mode 0600 whatever the umask. */
static int open_copy(const char *to, sqlite3 **ret_db, struct err *err)
{
    int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_errno(err, errno, "write '%.300s'", to);
    close(fd);
    if (sqlite3_open_v2(to, ret_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return database_fail(*ret_db, to, err);
    return 0;
}

static int copy_open(sqlite3 *from, const char *path, const char *to, struct err *err)
{
    sqlite3 *db = NULL;
    int r = open_copy(to, &db, err);

    if (r == 0)
        r = copy_pages(from, db, path, err);
    sqlite3_close(db);
    return r;
}

static int copy_database(const char *path, const char *to, struct err *err)
{
    sqlite3 *db = NULL;
    int keep = 1, r = 0;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        r = database_fail(db, path, err);
    if (r == 0) {
        sqlite3_busy_timeout(db, CATALOG_BUSY_MS);
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
        r = copy_open(db, path, to, err);
    }
    sqlite3_close(db);
    return r;
}

/* ---- files and folders ---- */

static int copy_file(const char *from, const char *to, struct err *err)
{
    int in = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out = -1, r = 0;
    char *chunk = mem_alloc(CHUNK);
    struct stat st;
    ssize_t n = 0;

    if (!chunk) {
        r = err_nomem(err);
        goto done;
    }
    if (in < 0 || fstat(in, &st) < 0)
        r = err_errno(err, errno, "read '%.300s'", from);
    if (r < 0 || !S_ISREG(st.st_mode))
        goto done; /* nothing of ours */
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, st.st_mode & 0700);
    if (out < 0)
        r = err_errno(err, errno, "write '%.300s'", to);
    while (r == 0 && (n = read(in, chunk, CHUNK)) != 0) {
        if (n < 0 && errno != EINTR)
            r = err_errno(err, errno, "read '%.300s'", from);
        else if (n > 0 && file_write(out, (struct span){chunk, (size_t)n}) < 0)
            r = err_errno(err, errno, "write '%.300s'", to);
    }
done:
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    mem_free(chunk);
    return r;
}

static int make_one(const char *path, struct err *err)
{
    return mkdir(path, 0700) == 0 ? 0 : err_errno(err, errno, "make the folder '%.300s'", path);
}

/* As the store holds it: -1, nothing to copy or an error. */
static int hold_store(const char *from, int *ret_r, struct err *err)
{
    char *lock = folder_join(from, LOCK, NULL);
    int fd = -1;

    *ret_r = 0;
    if (!lock) {
        *ret_r = err_nomem(err);
        return -1;
    }
    fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 && errno != ENOENT) {
        *ret_r = err_errno(err, errno, "lock '%.300s'", from);
    } else if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        close(fd); /* it is being deleted */
        fd = -1;
    }
    mem_free(lock);
    return fd;
}

static int copy_store(const char *from, const char *to, struct backup *b, struct err *err)
{
    char *file = folder_join(from, DATABASE, NULL), *copy = folder_join(to, DATABASE, NULL);
    char *about = folder_join(from, ABOUT, NULL), *about_copy = folder_join(to, ABOUT, NULL);
    struct stat st;
    int r = file && copy && about && about_copy ? 0 : err_nomem(err);
    int held = r == 0 ? hold_store(from, &r, err) : -1;

    if (held >= 0 && lstat(file, &st) == 0) {
        r = copy_database(file, copy, err);
        b->databases += r == 0;
    }
    if (r == 0 && held >= 0 && lstat(about, &st) == 0)
        r = copy_file(about, about_copy, err);
    if (held >= 0)
        close(held);
    mem_free(about_copy);
    mem_free(about);
    mem_free(copy);
    mem_free(file);
    return r;
}

static bool is_store(int folder)
{
    struct stat st;

    return fstatat(folder, DATABASE, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
           fstatat(folder, ABOUT, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

enum tree { TREE_FILES, TREE_STORES };

static int copy_tree(const char *from, const char *to, enum tree kind, int depth, struct backup *b,
                     struct err *err);

static int copy_entry(const char *from, const char *to, const char *name, enum tree kind, int depth,
                      struct backup *b, struct err *err)
{
    char *inside = folder_join(from, name, NULL), *copy = folder_join(to, name, NULL);
    struct stat st;
    int r = inside && copy ? 0 : err_nomem(err);

    if (r == 0 && lstat(inside, &st) < 0)
        r = errno == ENOENT ? 0 : err_errno(err, errno, "read '%.300s'", inside);
    else if (r == 0 && S_ISDIR(st.st_mode))
        r = copy_tree(inside, copy, kind, depth + 1, b, err);
    else if (r == 0 && S_ISREG(st.st_mode))
        r = copy_file(inside, copy, err);
    mem_free(copy);
    mem_free(inside);
    return r;
}

/* What is not there is nothing to copy.  Names with a dot are, beside databases, what is being made
 * or deleted; a worker's files may have them. */
static int copy_tree(const char *from, const char *to, enum tree kind, int depth, struct backup *b,
                     struct err *err)
{
    DIR *dir = opendir(from);
    struct dirent *e;
    int r;

    if (!dir)
        return errno == ENOENT ? 0 : err_errno(err, errno, "read '%.300s'", from);
    r = depth < FOLDER_DEPTH_MAX ? make_one(to, err)
                                 : err_set(err, ERR_LIMIT, "'%.300s' is too deep", from);
    if (r == 0 && kind == TREE_STORES && is_store(dirfd(dir))) {
        r = copy_store(from, to, b, err);
        closedir(dir);
        return r;
    }
    while (r == 0 && (e = readdir(dir))) {
        bool is_itself = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (!is_itself && (kind == TREE_FILES || e->d_name[0] != '.'))
            r = copy_entry(from, to, e->d_name, kind, depth, b, err);
    }
    closedir(dir);
    return r;
}

/* ---- all of it ---- */

static int copy_bundle(const char *from, const char *to, const char *hash, struct backup *b,
                       struct err *err)
{
    char *inside = folder_join(from, hash, NULL), *copy = folder_join(to, hash, NULL);
    struct stat st;
    int r = inside && copy ? 0 : err_nomem(err);

    if (r == 0 && lstat(inside, &st) < 0)
        r = err_errno(err, errno, "read the bundle '%.64s', which a version names", hash);
    if (r == 0)
        r = copy_tree(inside, copy, TREE_FILES, 0, b, err);
    b->bundles += r == 0;
    mem_free(copy);
    mem_free(inside);
    return r;
}

/* Those that the copy of the catalog names: the node may have more by now. */
static int copy_bundles(struct catalog *copy, const char *from, const char *to, struct backup *b,
                        struct err *err)
{
    struct query q = {0};
    int r = make_one(to, err);

    if (r == 0)
        r = query_open(&q, copy, err,
                       "SELECT DISTINCT bundle FROM versions WHERE bundle <> '' ORDER BY bundle",
                       "");
    while (r == 0 && (r = query_next(&q, err)) > 0)
        r = hex_is(query_text(&q, 0), 64) ? copy_bundle(from, to, query_text(&q, 0), b, err) : 0;
    query_done(&q);
    return r;
}

static int copy_catalog(struct catalog *catalog, const char *part, struct backup *b,
                        struct err *err)
{
    char *file = folder_join(part, CATALOG_FILE, NULL);
    char *from = folder_join(catalog->folder, "bundles", NULL);
    char *to = folder_join(part, "bundles", NULL);
    struct catalog copy = {.folder = (char *)part};
    int r = file && from && to ? 0 : err_nomem(err);

    if (r == 0)
        r = open_copy(file, &copy.db, err);
    if (r == 0)
        r = copy_pages(catalog->db, copy.db, file, err);
    if (r == 0)
        r = copy_bundles(&copy, from, to, b, err);
    sqlite3_close(copy.db);
    mem_free(to);
    mem_free(from);
    mem_free(file);
    return r;
}

static int copy_accounts(struct catalog *catalog, const char *part, struct backup *b,
                         struct err *err)
{
    char *from = folder_join(catalog->folder, "accounts", NULL);
    char *to = folder_join(part, "accounts", NULL);
    int r = from && to ? copy_tree(from, to, TREE_STORES, 0, b, err) : err_nomem(err);

    mem_free(to);
    mem_free(from);
    return r;
}

static int64_t bytes_below(int home, const char *name)
{
    int fd = openat(home, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat st;
    int64_t bytes = 0;

    while (dir && (e = readdir(dir))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        bytes += S_ISDIR(st.st_mode) ? bytes_below(fd, e->d_name) : st.st_size;
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return bytes;
}

/* On the disk, and by its name. */
static int settle(const char *part, const char *to, struct err *err)
{
    int fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

    if (fd < 0 || syncfs(fd) < 0)
        r = err_errno(err, errno, "write '%.300s'", part);
    else if (renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_NOREPLACE) < 0 &&
             ((errno != EINVAL && errno != ENOSYS) || rename(part, to) < 0))
        r = err_errno(err, errno, "make '%.300s'", to);
    else if (syncfs(fd) < 0)
        r = err_errno(err, errno, "write '%.300s'", to);
    if (fd >= 0)
        close(fd);
    return r;
}

int backup_make(struct catalog *catalog, const char *to, struct backup *ret, struct err *err)
{
    char part[PATH_MAX], random[64];
    struct backup b = {0};
    struct stat st;
    size_t len = strlen(to);
    int r;

    while (len > 1 && to[len - 1] == '/')
        len--;
    folder_random_name(".part-", random);
    if (len == 0 || snprintf(part, sizeof part, "%.*s%s", (int)len, to, random) >= (int)sizeof part)
        return err_set(err, ERR_INVALID, "'%.100s' cannot be the name of a backup", to);
    if (lstat(to, &st) == 0) {
        err_set(err, ERR_LIMIT, "there is something called '%.300s' already", to);
        return err_hint(err, "A backup is a new folder of its own.");
    }
    r = make_one(part, err);
    if (r < 0)
        return r;
    r = copy_catalog(catalog, part, &b, err);
    if (r == 0)
        r = copy_accounts(catalog, part, &b, err);
    if (r == 0) {
        b.bytes = bytes_below(AT_FDCWD, part);
        r = settle(part, to, err);
    }
    if (r == 0)
        *ret = b;
    else
        folder_clear(AT_FDCWD, part);
    return r;
}

/* files.c - a database's files, opened once before the box is entered.
 *
 * Called by: corral-store's main, before its threads and its box. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/inside.h"

static const struct engine_files NONE = {.folder = -1,
                                         .database = -1,
                                         .wal = -1,
                                         .shm = -1,
                                         .journal = -1,
                                         .lock = -1,
                                         .epoch_file = -1,

                                         .temp = {[0 ... ENGINE_TEMP_FILES - 1] = -1}};

/* "<16 hex> <8 hex or -> <32 hex>\n" */
int epoch_read(int fd, struct epoch *ret)
{
    char text[96] = {0}, base[16] = {0};
    struct epoch e = {0};

    if (pread(fd, text, sizeof text - 1, 0) <= 0)
        return ERR_NOT_FOUND;
    if (sscanf(text, "%16" SCNx64 " %8[0-9a-f-] %32[0-9a-f]", &e.number, base, e.id) != 3 ||
        strlen(e.id) != 32)
        return ERR_INVALID;
    e.is_based = base[0] != '-';
    e.base = (uint32_t)strtoul(base, NULL, 16);
    *ret = e;
    return 0;
}

int epoch_write(int fd, const struct epoch *e)
{
    char text[96], base[16] = "--------";
    int n;

    if (e->is_based)
        snprintf(base, sizeof base, "%08" PRIx32, e->base);
    n = snprintf(text, sizeof text, "%016" PRIx64 " %s %s\n", e->number, base, e->id);
    if (pwrite(fd, text, (size_t)n, 0) != n)
        return ERR_SYSTEM;
    return fdatasync(fd) < 0 ? ERR_SYSTEM : 0;
}

static int epoch_new_id(struct epoch *e)
{
    unsigned char bytes[16];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return ERR_SYSTEM;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(e->id + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* What to do about it. */
static int advise(struct err *err, int code)
{
    if (code == EROFS || code == EACCES || code == EPERM)
        return err_hint(err, "the folder must be writable for whoever runs corral");
    if (code == ENOSPC || code == EDQUOT)
        return err_hint(err, "the disk is full: make room and try again");
    if (code == ENOENT || code == ENOTDIR)
        return err_hint(err, "the folder above it is not there: make it first");
    return err->code;
}

static int refuse(struct err *err, int code, const char *folder, const char *name)
{
    err_errno(err, code, "open the database's file '%s/%s'", folder, name);
    return advise(err, code);
}

static int refuse_folder(struct err *err, int code, const char *folder)
{
    err_errno(err, code, "open the database's folder '%s'", folder);
    return advise(err, code);
}

static int open_one(struct engine_files *f, const char *folder, const char *name, int *ret,
                    struct err *err)
{
    *ret = openat(f->folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return *ret < 0 ? refuse(err, errno, folder, name) : 0;
}

/* A file without a name, for what the writer sorts or would undo when it is much. */
static int open_temp(struct engine_files *f, const char *folder, int *ret, struct err *err)
{
    *ret = openat(f->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*ret >= 0)
        return 0;
    /* not every file system has O_TMPFILE */
    *ret = openat(f->folder, "temp", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*ret < 0)
        return refuse(err, errno, folder, "temp");
    unlinkat(f->folder, "temp", 0);
    return 0;
}

/* A journal is there when somebody has used the file without WAL and died; an empty one is what
 * remains of one that we have played back. */
static int open_journal(struct engine_files *f, const char *folder, struct err *err)
{
    struct stat st;

    f->journal = openat(f->folder, "db.sqlite-journal", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (f->journal < 0)
        return errno == ENOENT ? 0 : refuse(err, errno, folder, "db.sqlite-journal");
    if (fstat(f->journal, &st) == 0 && st.st_size == 0) {
        close(f->journal);
        f->journal = -1;
        unlinkat(f->folder, "db.sqlite-journal", 0);
    }
    return 0;
}

/* A WAL that is empty will begin with salts of its own, so positions in it are of a new epoch. */
static int open_epoch(struct engine_files *f, const char *folder, struct err *err)
{
    struct epoch e = {0};
    struct stat wal;
    int r = open_one(f, folder, "epoch", &f->epoch_file, err);

    if (r < 0)
        return r;
    if (fstat(f->wal, &wal) < 0)
        return refuse(err, errno, folder, "db.sqlite-wal");
    if (epoch_read(f->epoch_file, &e) < 0 && epoch_new_id(&e) < 0)
        return err_errno(err, errno, "getrandom");
    if (wal.st_size == 0 || !e.is_based) {
        e.number++;
        e.is_based = false;
        if (epoch_write(f->epoch_file, &e) < 0)
            return refuse(err, errno, folder, "epoch");
    }
    f->epoch = e.number;
    return 0;
}

void engine_files_close(struct engine_files *f)
{
    const int all[] = {f->folder, f->database, f->wal, f->shm, f->journal, f->lock, f->epoch_file};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] >= 0)
            close(all[i]);
    for (int i = 0; i < ENGINE_TEMP_FILES; i++)
        if (f->temp[i] >= 0)
            close(f->temp[i]);
    *f = NONE;
}

/* Shared with whoever else has it open, and not with who deletes it.  That one takes the folder's
 * name away before it deletes anything, the lock too: one that we got behind its back is of a
 * folder that is called so no more. */
static int take_lock(const struct engine_files *f, const char *folder, struct err *err)
{
    struct stat ours, named;

    if (flock(f->lock, LOCK_SH | LOCK_NB) == 0 && fstat(f->folder, &ours) == 0 &&
        stat(folder, &named) == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
        return 0;
    return err_set(err, ERR_LIMIT, "the database in '%s' is being deleted", folder);
}

int engine_files_open(const char *folder, struct engine_files *ret, struct err *err)
{
    struct engine_files f = NONE;
    int r;

    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return refuse_folder(err, errno, folder);
    f.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f.folder < 0)
        return refuse_folder(err, errno, folder);
    r = open_one(&f, folder, "lock", &f.lock, err);
    r = r < 0 ? r : take_lock(&f, folder, err);
    r = r < 0 ? r : open_one(&f, folder, "db.sqlite", &f.database, err);
    r = r < 0 ? r : open_one(&f, folder, "db.sqlite-wal", &f.wal, err);
    r = r < 0 ? r : open_one(&f, folder, "db.sqlite-shm", &f.shm, err);
    r = r < 0 ? r : open_journal(&f, folder, err);
    r = r < 0 ? r : open_epoch(&f, folder, err);
    for (int i = 0; i < ENGINE_TEMP_FILES && r == 0; i++)
        r = open_temp(&f, folder, &f.temp[i], err);
    if (r < 0) {
        engine_files_close(&f);
        return r;
    }
    *ret = f;
    return 0;
}

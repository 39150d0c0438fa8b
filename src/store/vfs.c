/* vfs.c - what SQLite opens: copies of descriptors that were opened before the box.
 *
 * Two layers.  Below, SQLite's own unix VFS, whose locks and shared memory we
 * want, with every system call that takes a path replaced by one that knows
 * the database's names (xSetSystemCall).  Above, a thin VFS that is SQLite's default one
 * and passes everything on, but sees what is written to the WAL and when the
 * writer gives up its lock.
 *
 * Invariants
 *  1. No path of SQLite's, whatever the SQL, reaches the kernel.
 *  2. A commit is one at the moment when the writer releases the WAL's write
 *     lock with a commit frame written and nothing failed since: then it is
 *     synced, if it is to be, and visible.  position_commit is called there and
 *     nowhere else.
 *  3. The WAL and its index are never removed: what is deleted is emptied.
 *
 * Thread: any.  `pending` belongs to whoever holds the WAL's write lock. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/inside.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum { WAL_HEAD = 32, WAL_FRAME_HEAD = 24, WAL_WRITE_LOCK = 0, DESCRIPTOR_MIN = 3 };
enum role { ROLE_OTHER, ROLE_DATABASE, ROLE_WAL, ROLE_TEMP };

struct file {
    sqlite3_file base;
    enum role role;
    int temp;                                      /* which, ROLE_TEMP */
    sqlite3_int64 size;                            /* ROLE_TEMP */
    _Alignas(sqlite3_int64) unsigned char inner[]; /* SQLite aligns to eight bytes, not more */
};

static struct engine_files files;
static sqlite3_vfs *below;
static atomic_bool is_temp_taken[ENGINE_TEMP_FILES];
static char temp_names[ENGINE_TEMP_FILES][16];
static _Atomic int64_t temp_bytes; /* in all of them: at most as much as the database may have */
static _Thread_local bool is_full;
static struct {
    uint32_t salt, frame; /* frame 0: none */
} pending;

/* ---- below: names instead of paths ---- */

static int find(const char *path)
{
    const struct {
        const char *path;
        int fd;
    } names[] = {
        {ENGINE_PATH, files.database},
        {ENGINE_PATH "-wal", files.wal},
        {ENGINE_PATH "-shm", files.shm},
        {ENGINE_PATH "-journal", files.journal},
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(path, names[i].path) == 0 && names[i].fd >= 0)
            return names[i].fd;
    for (int i = 0; i < ENGINE_TEMP_FILES; i++)
        if (strcmp(path, temp_names[i]) == 0)
            return files.temp[i];
    errno = ENOENT;
    return -1;
}

static int sys_open(const char *path, int flags, int mode)
{
    int fd = find(path);

    (void)flags;
    (void)mode;
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);
}

static int sys_stat(const char *path, struct stat *ret)
{
    int fd = find(path);

    return fd < 0 ? -1 : fstat(fd, ret);
}

static int sys_access(const char *path, int mode)
{
    (void)mode;
    return find(path) < 0 ? -1 : 0;
}

/* Only a journal is ever removed; an empty one counts as none. */
static int sys_unlink(const char *path)
{
    int fd = find(path);

    if (fd < 0)
        return -1;
    if (fd == files.journal)
        return ftruncate(fd, 0);
    for (int i = 0; i < ENGINE_TEMP_FILES; i++)
        if (fd == files.temp[i])
            return 0; /* it has no name already */
    errno = EPERM;
    return -1;
}

static int sys_open_directory(const char *path, int *ret)
{
    (void)path;
    *ret = fcntl(files.folder, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);
    return *ret < 0 ? SQLITE_CANTOPEN : SQLITE_OK;
}

static int sys_chmod(int fd, mode_t mode)
{
    (void)fd;
    (void)mode;
    return 0;
}

static int sys_chown(int fd, uid_t user, gid_t group)
{
    (void)fd;
    (void)user;
    (void)group;
    return 0;
}

static int refuse_path(const char *path)
{
    (void)path;
    errno = EACCES;
    return -1;
}

static int sys_mkdir(const char *path, mode_t mode)
{
    (void)mode;
    return refuse_path(path);
}

static char *sys_getcwd(char *out, size_t size)
{
    return size < 2 ? NULL : strcpy(out, "/");
}

static ssize_t sys_readlink(const char *path, char *out, size_t size)
{
    (void)out;
    (void)size;
    return refuse_path(path);
}

static const struct {
    const char *name;
    sqlite3_syscall_ptr call;
} REPLACED[] = {
    {"open", (sqlite3_syscall_ptr)sys_open},
    {"access", (sqlite3_syscall_ptr)sys_access},
    {"getcwd", (sqlite3_syscall_ptr)sys_getcwd},
    {"stat", (sqlite3_syscall_ptr)sys_stat},
    {"lstat", (sqlite3_syscall_ptr)sys_stat},
    {"readlink", (sqlite3_syscall_ptr)sys_readlink},
    {"unlink", (sqlite3_syscall_ptr)sys_unlink},
    {"openDirectory", (sqlite3_syscall_ptr)sys_open_directory},
    {"mkdir", (sqlite3_syscall_ptr)sys_mkdir},
    {"rmdir", (sqlite3_syscall_ptr)refuse_path},
    {"fchmod", (sqlite3_syscall_ptr)sys_chmod},
    {"fchown", (sqlite3_syscall_ptr)sys_chown},
};

/* ---- above: files ---- */

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)f;
}
static sqlite3_file *inner(sqlite3_file *f)
{
    return (sqlite3_file *)file_of(f)->inner;
}
#define PASS(f, method, ...) inner(f)->pMethods->method(inner(f), ##__VA_ARGS__)

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Frames are written head first; a head with a size in it ends a transaction. */
static void wal_sees(const unsigned char *bytes, int n, sqlite3_int64 offset)
{
    sqlite3_int64 whole = WAL_FRAME_HEAD + (sqlite3_int64)engine.page_bytes;

    if (offset == 0 && n == WAL_HEAD) {
        engine.page_bytes = be32(bytes + 8);
        pending.frame = 0;
        position_begin(bytes);
    } else if (n == WAL_FRAME_HEAD && (offset - WAL_HEAD) % whole == 0 && be32(bytes + 4) > 0) {
        pending.frame = (uint32_t)((offset - WAL_HEAD) / whole) + 1;
        pending.salt = be32(bytes + 8);
    }
}

static int file_close(sqlite3_file *f)
{
    struct file *file = file_of(f);
    int r = PASS(f, xClose);

    if (file->role == ROLE_TEMP) {
        (void)!ftruncate(files.temp[file->temp], 0);
        atomic_fetch_sub(&temp_bytes, file->size);
        atomic_store(&is_temp_taken[file->temp], false);
    }
    return r;
}

static int file_read(sqlite3_file *f, void *out, int n, sqlite3_int64 offset)
{
    return PASS(f, xRead, out, n, offset);
}

static bool temp_takes(struct file *file, sqlite3_int64 end)
{
    sqlite3_int64 more = end - file->size;

    if (more <= 0)
        return true;
    if (atomic_fetch_add(&temp_bytes, more) + more > (int64_t)engine.size_max_bytes) {
        atomic_fetch_sub(&temp_bytes, more);
        return false;
    }
    file->size = end;
    return true;
}

static int file_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 offset)
{
    struct file *file = file_of(f);
    int r;

    if (file->role == ROLE_WAL)
        wal_sees(bytes, n, offset);
    if (file->role == ROLE_TEMP && !temp_takes(file, offset + n))
        r = SQLITE_FULL;
    else
        r = PASS(f, xWrite, bytes, n, offset);
    is_full |= r == SQLITE_FULL;
    if (r != SQLITE_OK && file->role == ROLE_WAL)
        pending.frame = 0;
    return r;
}

bool vfs_take_full(void)
{
    bool was = is_full;

    is_full = false;
    return was;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return PASS(f, xTruncate, size);
}

static int file_sync(sqlite3_file *f, int flags)
{
    int r = PASS(f, xSync, flags);

    if (r != SQLITE_OK && file_of(f)->role == ROLE_WAL)
        pending.frame = 0;
    return r;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return PASS(f, xFileSize, ret);
}
static int file_lock(sqlite3_file *f, int level)
{
    return PASS(f, xLock, level);
}
static int file_unlock(sqlite3_file *f, int level)
{
    return PASS(f, xUnlock, level);
}
static int file_check(sqlite3_file *f, int *ret)
{
    return PASS(f, xCheckReservedLock, ret);
}
static int file_control(sqlite3_file *f, int op, void *arg)
{
    return PASS(f, xFileControl, op, arg);
}
static int file_sector(sqlite3_file *f)
{
    return PASS(f, xSectorSize);
}
static int file_device(sqlite3_file *f)
{
    return PASS(f, xDeviceCharacteristics);
}

static int file_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
    return PASS(f, xShmMap, region, size, extend, ret);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    const int release = SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE;

    if (flags == release && offset == WAL_WRITE_LOCK && pending.frame > 0) {
        position_commit(pending.salt, pending.frame);
        pending.frame = 0;
    }
    return PASS(f, xShmLock, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
    PASS(f, xShmBarrier);
}
static int file_shm_unmap(sqlite3_file *f, int remove)
{
    return PASS(f, xShmUnmap, remove);
}

static int file_fetch(sqlite3_file *f, sqlite3_int64 offset, int n, void **ret)
{
    return PASS(f, xFetch, offset, n, ret);
}

static int file_unfetch(sqlite3_file *f, sqlite3_int64 offset, void *p)
{
    return PASS(f, xUnfetch, offset, p);
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 3,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
    .xFetch = file_fetch,
    .xUnfetch = file_unfetch,
};

/* ---- above: the VFS ---- */

static int take_temp(struct file *file, const char **ret_name)
{
    for (int i = 0; i < ENGINE_TEMP_FILES; i++)
        if (!atomic_exchange(&is_temp_taken[i], true)) {
            file->role = ROLE_TEMP;
            file->temp = i;
            *ret_name = temp_names[i];
            return SQLITE_OK;
        }
    return SQLITE_CANTOPEN;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *ret)
{
    struct file *file = file_of(f);
    const char *path = name;
    int r;

    (void)vfs;
    *file = (struct file){.temp = -1};
    inner(f)->pMethods = NULL;
    if (flags & SQLITE_OPEN_MAIN_DB)
        file->role = ROLE_DATABASE;
    else if (flags & SQLITE_OPEN_WAL)
        file->role = ROLE_WAL;
    else if (!path) {
        r = take_temp(file, &path);
        if (r != SQLITE_OK)
            return r;
    }
    r = below->xOpen(below, path, inner(f), flags, ret);
    if (inner(f)->pMethods)
        f->pMethods = &METHODS;
    else if (file->role == ROLE_TEMP)
        atomic_store(&is_temp_taken[file->temp], false);
    return r;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    return below->xDelete(below, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    (void)vfs;
    return below->xAccess(below, name, flags, ret);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* The one below would read /dev/urandom. */
static int vfs_random(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    return getrandom(out, (size_t)n, 0) == n ? n : 0;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return below->xSleep(below, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *ret)
{
    (void)vfs;
    return below->xCurrentTime(below, ret);
}

static int vfs_time_64(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
    (void)vfs;
    return below->xCurrentTimeInt64(below, ret);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    return below->xGetLastError(below, size, out);
}

static sqlite3_vfs ABOVE = {
    .iVersion = 2,
    .zName = "corral",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xRandomness = vfs_random,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xGetLastError = vfs_last_error,
    .xCurrentTimeInt64 = vfs_time_64,
};

int vfs_register(const struct engine_files *taken, struct err *err)
{
    files = *taken;
    pending.frame = 0;
    atomic_store(&temp_bytes, 0);
    for (int i = 0; i < ENGINE_TEMP_FILES; i++)
        snprintf(temp_names[i], sizeof temp_names[i], "/temp-%d", i);
    below = sqlite3_vfs_find("unix");
    /* Without pread all our copies of a descriptor would share one offset. */
    if (!below || below->iVersion < 3 ||
        !(below->xGetSystemCall(below, "pread64") || below->xGetSystemCall(below, "pread")))
        return err_set(err, ERR_SYSTEM, "this SQLite (%s) has no unix VFS with pread",
                       sqlite3_libversion());
    for (size_t i = 0; i < COUNT(REPLACED); i++)
        if (below->xSetSystemCall(below, REPLACED[i].name, REPLACED[i].call) != SQLITE_OK)
            return err_set(err, ERR_SYSTEM, "this SQLite (%s) does not let '%s' be replaced",
                           sqlite3_libversion(), REPLACED[i].name);
    ABOVE.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    ABOVE.mxPathname = below->mxPathname;
    if (sqlite3_vfs_register(&ABOVE, 1) != SQLITE_OK)
        return err_set(err, ERR_SYSTEM, "SQLite does not take a VFS");
    return 0;
}

void vfs_unregister(void)
{
    sqlite3_vfs_unregister(&ABOVE);
    if (below)
        below->xSetSystemCall(below, NULL, NULL);
}

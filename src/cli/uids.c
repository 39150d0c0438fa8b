/* uids.c - see uids.h. */
#include "cli/uids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { PATH_ROOM = 4200, FIELDS = 4 };

int uids_read(const char *text, struct uids *ret, struct err *err)
{
    static const char SHARED[] = ",shared";
    const size_t len = text ? strlen(text) : 0, more = strlen(SHARED);
    struct uids uids = {.is_told = text != NULL};
    char *range = text ? mem_strdup(text) : NULL;
    int r;

    if (text && !range)
        return err_nomem(err);
    if (len > more && strcmp(text + len - more, SHARED) == 0) {
        uids.is_shared = true;
        range[len - more] = '\0';
    }
    r = box_uids_get(range, &uids.range, err);
    mem_free(range);
    if (r == 0)
        *ret = uids;
    return r;
}

/* ---- who has which ---- */

/* What a line names: `count` numbers from `first` on; of passwd the two of a user are looked at. */
struct named {
    const char *file;
    int first, count; /* fields, from 0; count -1: one number */
    bool may_share;
};

static const struct named FILES[] = {
    {"passwd", 2, -1, false}, {"passwd", 3, -1, false}, {"group", 2, -1, false},
    {"subuid", 1, 2, true},   {"subgid", 1, 2, true},
};

static int check_line(const struct uids *uids, const struct named *named, const char *path,
                      char *line, struct err *err)
{
    const struct box_uids *range = &uids->range;
    char *field[FIELDS] = {line}, *end;
    unsigned long first, count = 1;

    line[strcspn(line, "\r\n")] = '\0';
    for (int i = 1; i < FIELDS; i++) {
        char *colon = strchr(field[i - 1], ':');
        if (colon)
            *colon = '\0';
        field[i] = colon ? colon + 1 : field[i - 1] + strlen(field[i - 1]);
    }
    first = strtoul(field[named->first], &end, 10);
    if (end == field[named->first] || line[0] == '#')
        return 0;
    if (named->count >= 0)
        count = strtoul(field[named->count], NULL, 10);
    if (count == 0 || first > range->last ||
        (range->first > first && range->first - first >= count))
        return 0;
    err_set(err, ERR_INVALID, "%u-%u cannot be accounts' user ids: '%s' gives '%.64s' %lu%s",
            range->first, range->last, path, field[0], first, count > 1 ? " and those behind" : "");
    return err_hint(err,
                    named->may_share
                        ? "Take others (box.uids in corral.toml, --box-uids), or, if no container "
                          "with these runs beside the node, write \"%u-%u,shared\"."
                        : "Take others: box.uids in corral.toml, or --box-uids; without either "
                          "%u-%u and more are tried.",
                    named->may_share ? range->first : BOX_UID_FIRST,
                    named->may_share ? range->last : BOX_UID_LAST);
}

static int check_file(const struct uids *uids, const struct named *named, const char *etc,
                      struct err *err)
{
    char path[PATH_ROOM], *line = NULL;
    size_t size = 0;
    FILE *file;
    int r = 0;

    snprintf(path, sizeof path, "%.4096s/%s", etc, named->file);
    file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? 0 : err_errno(err, errno, "read '%s'", path);
    while (r == 0 && getline(&line, &size, file) > 0)
        r = check_line(uids, named, path, line, err);
    free(line);
    fclose(file);
    return r;
}

int uids_check(const struct uids *uids, const char *etc, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < sizeof FILES / sizeof *FILES && r == 0; i++)
        if (!(FILES[i].may_share && uids->is_shared))
            r = check_file(uids, &FILES[i], etc, err);
    return r;
}

/* ---- other nodes ---- */

/* -1: *err says why. */
static int open_lock(const char *folder, int flags, struct err *err)
{
    char path[PATH_ROOM];
    struct stat st;
    int fd;

    if (flags & O_CREAT && mkdir(folder, 0755) < 0 && errno != EEXIST) {
        (void)err_errno(err, errno, "make the folder '%s'", folder);
        return -1;
    }
    snprintf(path, sizeof path, "%.4096s/uids", folder);
    fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) {
        (void)err_errno(err, errno, "open '%s'", path);
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)err_set(err, ERR_SYSTEM, "'%s' is no file", path);
    close(fd);
    return -1;
}

/* A byte of the file for each number; the file stays empty. */
static struct flock lock_of(const struct box_uids *range)
{
    return (struct flock){.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = (off_t)range->first,
                          .l_len = (off_t)(range->last - range->first) + 1};
}

/* 0: nobody; -1: one whom we cannot name. */
static pid_t holder(int fd, const struct box_uids *range)
{
    struct flock lock = lock_of(range);

    if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
        return 0;
    return lock.l_pid > 0 ? lock.l_pid : -1;
}

pid_t uids_holder(const struct box_uids *range, const char *folder)
{
    struct err ignored;
    int fd = open_lock(folder, O_RDWR, &ignored);
    pid_t pid = fd < 0 ? 0 : holder(fd, range);

    /* To close it gives up what this process holds: for who claims nothing. */
    if (fd >= 0)
        close(fd);
    return pid;
}

static int refuse(const struct box_uids *range, pid_t pid, struct err *err)
{
    char who[32] = "";

    if (pid > 0)
        snprintf(who, sizeof who, " (pid %d)", (int)pid);
    err_set(err, ERR_INVALID, "user ids of %u-%u are in use by another node of this machine%s",
            range->first, range->last, who);
    return err_hint(err, "Give each node a range of its own: box.uids in corral.toml, or "
                         "--box-uids; without either a free one is taken.");
}

/* Held from here on: a lock of the process, which neither its children have nor anybody after it.
 */
static int hold(int fd, const struct uids *uids, struct err *err)
{
    struct flock lock = lock_of(&uids->range);

    if (fd < 0 || fcntl(fd, F_SETLK, &lock) == 0 || uids->is_shared)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return refuse(&uids->range, holder(fd, &uids->range), err);
    return err_errno(err, errno, "hold user ids");
}

int uids_claim(struct uids *uids, const char *etc, const char *folder, bool *ret_is_held,
               struct err *err)
{
    const unsigned size = BOX_UID_LAST - BOX_UID_FIRST + 1;
    struct err why = {0};
    int fd = open_lock(folder, O_RDWR | O_CREAT, &why), r = ERR_INVALID;

    *ret_is_held = fd >= 0;
    for (unsigned i = 0; i < (uids->is_told ? 1 : UIDS_BLOCKS) && r == ERR_INVALID; i++) {
        if (!uids->is_told)
            uids->range = (struct box_uids){BOX_UID_FIRST + i * size, BOX_UID_LAST + i * size};
        r = uids_check(uids, etc, err);
        r = r < 0 ? r : hold(fd, uids, err);
    }
    if (r < 0 && fd >= 0)
        close(fd);
    if (r == 0 && fd < 0)
        *err = why;
    return r; /* the descriptor stays open: with it the lock would go */
}

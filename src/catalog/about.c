/* about.c - read, make and mend about.json.
 *
 * Written beside and renamed, so that nobody reads half of it; the folder's own
 * lock sees to it that two who mend it agree on one uuid. */
#include "catalog/about.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "text/value.h"

enum { ABOUT_BYTES_MAX = 4096 };

#define FILE_NAME "about.json"

bool database_is_uuid(const char *text)
{
    for (int i = 0; i < UUID_SIZE - 1; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return !text[UUID_SIZE - 1];
}

int database_make_uuid(char out[UUID_SIZE], struct err *err)
{
    unsigned char b[16];

    if (getrandom(b, sizeof b, 0) != sizeof b)
        return err_errno(err, errno, "make a uuid");
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++)
        out += sprintf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
    return 0;
}

int about_make(const char *uuid, int64_t created_ms, struct about *ret, struct err *err)
{
    time_t seconds = (time_t)(created_ms / 1000);
    struct tm tm;
    size_t n;

    if (uuid && !database_is_uuid(uuid))
        return err_set(err, ERR_INVALID, "'%.64s' is not a uuid", uuid);
    gmtime_r(&seconds, &tm);
    n = strftime(ret->created_at, sizeof ret->created_at, "%Y-%m-%dT%H:%M:%S", &tm);
    if (n != 19)
        return err_set(err, ERR_SYSTEM, "the clock of this machine is wrong");
    snprintf(ret->created_at + n, sizeof ret->created_at - n, ".%03uZ",
             (unsigned)(created_ms % 1000) % 1000);
    if (!uuid)
        return database_make_uuid(ret->uuid, err);
    for (int i = 0; i < UUID_SIZE; i++)
        ret->uuid[i] = (char)tolower((unsigned char)uuid[i]);
    return 0;
}

static int print(const char *name, const struct about *about, struct buf *out)
{
    int r = buf_print(out, "{\"uuid\": \"%s\", \"name\": \"", about->uuid);

    for (; *name && r == 0; name++) /* a checked name: no control characters */
        r = buf_print(out, *name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
    if (r == 0)
        r = buf_print(out, "\", \"created_at\": \"%s\"}\n", about->created_at);
    return r;
}

int about_write(int folder, const char *name, const struct about *about, struct err *err)
{
    char spare[64];
    struct buf text = {0};
    int fd = -1, r = 0;
    ssize_t n;

    snprintf(spare, sizeof spare, ".about-%d", (int)getpid());
    if (print(name, about, &text) < 0) {
        r = err_nomem(err);
        goto done;
    }
    unlinkat(folder, spare, 0);
    fd = openat(folder, spare, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    n = fd < 0 ? -1 : write(fd, buf_data(&text), buf_len(&text));
    if (n >= 0 && (size_t)n < buf_len(&text)) {
        errno = ENOSPC;
        n = -1;
    }
    if (n < 0 || fsync(fd) < 0 || renameat(folder, spare, folder, FILE_NAME) < 0) {
        r = err_errno(err, errno, "write " FILE_NAME " of the database '%s'", name);
        if (fd >= 0)
            unlinkat(folder, spare, 0);
    }
done:
    if (fd >= 0)
        close(fd);
    buf_done(&text);
    return r;
}

static bool take(const json_t *root, const char *name, struct about *ret)
{
    const char *uuid = json_string_value(json_object_get(root, "uuid"));
    const char *says = json_string_value(json_object_get(root, "name"));
    const char *created = json_string_value(json_object_get(root, "created_at"));

    if (!uuid || !says || !created || !database_is_uuid(uuid) || strcmp(says, name) != 0 ||
        strlen(created) != CREATED_LEN || created[strspn(created, "0123456789-:.TZ")])
        return false;
    memcpy(ret->uuid, uuid, UUID_SIZE);
    memcpy(ret->created_at, created, CREATED_LEN + 1);
    return true;
}

/* 1: read; 0: there is none to be read. */
static int read_it(int folder, const char *name, struct about *ret, struct err *err)
{
    int fd = openat(folder, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r;
    char text[ABOUT_BYTES_MAX];
    json_t *root = NULL;
    json_error_t ignored;
    struct stat st;
    ssize_t n = -1;

    if (fd < 0 && (errno == ENOENT || errno == ELOOP))
        return 0;
    if (fd < 0)
        return err_errno(err, errno, "read " FILE_NAME " of the database '%s'", name);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)sizeof text)
        n = read(fd, text, sizeof text);
    close(fd);
    if (n < 0)
        return 0;
    r = value_parse((struct span){text, (size_t)n}, &root, &ignored);
    if (r == ERR_NOMEM)
        return err_nomem(err);
    r = r == 0 && take(root, name, ret);
    json_decref(root);
    return r;
}

/* When the folder came to be, as well as the file system knows. */
static int64_t birth_ms(int folder)
{
    struct statx st;

    if (statx(folder, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &st) < 0)
        return 0;
    if (st.stx_mask & STATX_BTIME)
        return st.stx_btime.tv_sec * 1000 + st.stx_btime.tv_nsec / 1000000;
    return st.stx_mtime.tv_sec * 1000 + st.stx_mtime.tv_nsec / 1000000;
}

int about_need(int folder, const char *name, struct about *ret, struct err *err)
{
    struct err ignored;
    int r = read_it(folder, name, ret, err);

    if (r != 0)
        return r < 0 ? r : 0;
    flock(folder, LOCK_EX);
    r = read_it(folder, name, ret, err);
    if (r == 0) {
        r = about_make(NULL, birth_ms(folder), ret, err);
        if (r == 0 && about_write(folder, name, ret, &ignored) < 0) {
            ret->uuid[0] = '\0';
            r = ignored.code == ERR_NOMEM ? err_nomem(err) : 0;
        }
    }
    flock(folder, LOCK_UN);
    return r < 0 ? r : 0;
}

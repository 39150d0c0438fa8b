/* shelf.c - the folder that wheels are kept in.
 *
 * Several nodes may use one folder: each step is one call of the kernel that the others see whole
 * or not at all, and what another one has removed is only not there. */
#include "service/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { READ_BYTES = 256 * 1024, STALE_S = 24 * 3600 };

struct kept {
    char name[SHELF_NAME];
    int64_t size;
    struct timespec used;
};

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool shelf_read_hash(struct span digits, unsigned char ret[SHELF_HASH])
{
    if (digits.len != 2 * SHELF_HASH)
        return false;
    for (size_t i = 0; i < SHELF_HASH; i++) {
        int high = digit(digits.data[2 * i]), low = digit(digits.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

bool shelf_name(const unsigned char hash[SHELF_HASH], struct span origin, char ret[SHELF_NAME])
{
    unsigned char name[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_made = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
                   EVP_DigestUpdate(ctx, hash, SHELF_HASH) == 1 &&
                   EVP_DigestUpdate(ctx, origin.data, origin.len) == 1 &&
                   EVP_DigestFinal_ex(ctx, name, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    for (size_t i = 0; is_made && i < SHELF_HASH; i++)
        snprintf(ret + 2 * i, 3, "%02x", name[i]);
    return is_made;
}

static char *path_of(const char *folder, const char *name, const char *ending)
{
    struct buf path = {0};

    if (buf_print(&path, "%s/%s%s", folder, name, ending) < 0 || buf_append(&path, "", 1) < 0) {
        buf_done(&path);
        return NULL;
    }
    return buf_detach(&path);
}

/* A link would be somebody else's folder, and what is there not ours to throw out: a project that
 * was cloned may bring one. */
static bool is_ours(const char *folder)
{
    struct stat st;

    return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- find ---- */

static bool has_hash(int fd, int64_t size, const unsigned char hash[SHELF_HASH])
{
    unsigned char found[EVP_MAX_MD_SIZE], *room = mem_alloc(READ_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_right = room && ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    int64_t at = 0;

    while (is_right && at < size) {
        ssize_t n = pread(fd, room, READ_BYTES, at);
        if (n < 0 && errno == EINTR)
            continue;
        is_right = n > 0 && EVP_DigestUpdate(ctx, room, (size_t)n) == 1;
        at += n;
    }
    is_right = is_right && EVP_DigestFinal_ex(ctx, found, NULL) == 1 &&
               memcmp(found, hash, SHELF_HASH) == 0;
    EVP_MD_CTX_free(ctx);
    mem_free(room);
    return is_right;
}

int shelf_take(const char *folder, const char *name, const unsigned char hash[SHELF_HASH],
               int64_t size_max, int64_t *ret_size)
{
    static const struct timespec NOW[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    char *path = is_ours(folder) ? path_of(folder, name, "") : NULL;
    struct stat st;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;

    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > size_max ||
                    !has_hash(fd, st.st_size, hash))) {
        close(fd);
        fd = -1;
        unlink(path);
    }
    if (fd >= 0) {
        *ret_size = st.st_size;
        (void)!futimens(fd, NOW);
    }
    mem_free(path);
    return fd;
}

/* ---- put ---- */

int shelf_begin(const char *folder, const char *name, char **ret_path)
{
    char *path = NULL;

    if (is_ours(folder) || mkdir(folder, 0700) == 0 || is_ours(folder))
        path = path_of(folder, name, ".XXXXXX.part");
    *ret_path = path;
    return path ? mkostemps(path, (int)strlen(".part"), O_CLOEXEC) : -1;
}

bool shelf_end(const char *folder, const char *name, const char *path)
{
    char *whole = path_of(folder, name, "");
    bool is_done = whole && rename(path, whole) == 0;

    mem_free(whole);
    return is_done;
}

/* ---- throw out ---- */

static int by_use(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return x->used.tv_nsec < y->used.tv_nsec ? -1 : x->used.tv_nsec > y->used.tv_nsec;
}

static bool is_part(const char *name)
{
    size_t len = strlen(name);

    return len > SHELF_NAME && strcmp(name + len - 5, ".part") == 0;
}

/* One file of the folder: into *all, or away with it. */
static void look(int folder, const char *name, struct kept *all, size_t *count)
{
    unsigned char unused[SHELF_HASH];
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return;
    if (is_part(name)) {
        if (st.st_mtime < time(NULL) - STALE_S)
            unlinkat(folder, name, 0);
        return;
    }
    if (!shelf_read_hash(span_of(name), unused))
        return;
    if (*count == SHELF_FILES_MAX) {
        unlinkat(folder, name, 0);
        return;
    }
    memcpy(all[*count].name, name, SHELF_NAME); /* it has as many digits */
    all[*count].size = st.st_size;
    all[(*count)++].used = st.st_mtim;
}

void shelf_sweep(const char *folder, int64_t all_max)
{
    struct kept *all = mem_alloc(SHELF_FILES_MAX * sizeof *all);
    DIR *dir = all && is_ours(folder) ? opendir(folder) : NULL;
    const struct dirent *entry;
    int64_t total = 0;
    size_t count = 0;

    while (dir && (entry = readdir(dir)) != NULL)
        look(dirfd(dir), entry->d_name, all, &count);
    for (size_t i = 0; i < count; i++)
        total += all[i].size;
    if (total > all_max)
        qsort(all, count, sizeof *all, by_use);
    for (size_t i = 0; i < count && total > all_max; i++) {
        unlinkat(dirfd(dir), all[i].name, 0);
        total -= all[i].size;
    }
    if (dir)
        closedir(dir);
    mem_free(all);
}

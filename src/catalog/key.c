/* key.c - where the key that seals secrets comes from: a file, the environment.
 *
 * DATA/secrets.key is written beside, synced and linked to its name, so that of two who make it at
 * once both use the same one, and nobody reads half of it. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "catalog/seal.h"

enum { CODED = 44 }; /* 32 bytes in base64 */

#define VARIABLE  "CORRAL_SECRETS_KEY"
#define FILE_NAME "secrets.key"
#define RECIPE    "`(umask 077; openssl rand -base64 32 > FILE)` makes one."

static int decode(struct span text, const char *place, struct seal_key *ret, struct err *err)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char bytes[CODED];
    char coded[CODED + 1];
    bool is_good;

    while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]))
        text.len--;
    while (text.len > 0 && strchr(" \t\r\n", text.data[0]))
        text.data++, text.len--;
    is_good = text.len == CODED;
    if (is_good) {
        memcpy(coded, text.data, CODED);
        coded[CODED] = '\0';
        is_good = strspn(coded, ALPHABET) == CODED - 1 && coded[CODED - 1] == '=' &&
                  EVP_DecodeBlock(bytes, (const unsigned char *)coded, CODED) >= SEAL_KEY_BYTES;
    }
    if (is_good)
        memcpy(ret->bytes, bytes, SEAL_KEY_BYTES);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(coded, sizeof coded);
    if (is_good)
        return 0;
    err_set(err, ERR_INVALID, "%s is no key: it has to be %d random bytes in base64", place,
            SEAL_KEY_BYTES);
    return err_hint(err, RECIPE);
}

static char *key_path(const char *data_folder, const char *file)
{
    struct buf path = {0};
    char *text = NULL;

    if (file ? buf_print(&path, "%s", file) == 0
             : buf_print(&path, "%s/" FILE_NAME, data_folder) == 0)
        text = buf_detach(&path);
    buf_done(&path);
    return text;
}

void seal_key_place(const char *data_folder, const char *file, char out[512])
{
    if (!file && getenv(VARIABLE))
        snprintf(out, 512, "the environment's " VARIABLE);
    else if (file)
        snprintf(out, 512, "the key '%s'", file);
    else
        snprintf(out, 512, "the key '%s/" FILE_NAME "'", data_folder);
}

/* ERR_NOT_FOUND without a text when there is no such file. */
static int read_key(const char *path, const char *place, struct seal_key *ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), r;
    char text[256];
    struct stat st;
    ssize_t n;

    if (fd < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    if (fd < 0)
        return err_errno(err, errno, "read %s", place);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_INVALID, "%s is not a file", place);
    }
    if ((st.st_mode & 077) || (st.st_uid != geteuid() && st.st_uid != 0)) {
        close(fd);
        err_set(err, ERR_INVALID,
                "others than the user of this process may read %s (mode %04o, user %u)", place,
                (unsigned)(st.st_mode & 07777), (unsigned)st.st_uid);
        return err_hint(err, "`chmod 600 FILE`, and `chown` if it belongs to somebody else.");
    }
    n = read(fd, text, sizeof text);
    if (n < 0)
        r = err_errno(err, errno, "read %s", place);
    else
        r = decode((struct span){text, (size_t)n}, place, ret, err);
    explicit_bzero(text, sizeof text);
    close(fd);
    return r;
}

static int write_new(int folder, const char *spare, struct err *err)
{
    unsigned char bytes[SEAL_KEY_BYTES], coded[CODED + 2];
    int fd = -1, r = 0;

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_errno(err, errno, "make a key for secrets");
    EVP_EncodeBlock(coded, bytes, sizeof bytes);
    coded[CODED] = '\n';
    fd = openat(folder, spare, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600) < 0 ||
        file_write(fd, (struct span){(const char *)coded, CODED + 1}) < 0 || fsync(fd) < 0)
        r = err_errno(err, errno, "write the key '" FILE_NAME "' of the data folder");
    if (fd >= 0)
        close(fd);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(coded, sizeof coded);
    return r;
}

/* One there is already stays. */
static int make_key(const char *data_folder, struct err *err)
{
    int folder = open(data_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
    char spare[64];

    if (folder < 0)
        return err_errno(err, errno, "open the folder '%s'", data_folder);
    snprintf(spare, sizeof spare, ".secrets.key-%ld", (long)getpid());
    unlinkat(folder, spare, 0);
    r = write_new(folder, spare, err);
    if (r == 0 && linkat(folder, spare, folder, FILE_NAME, 0) < 0 && errno != EEXIST)
        r = err_errno(err, errno, "make the key '%s/" FILE_NAME "'", data_folder);
    unlinkat(folder, spare, 0);
    if (r == 0 && fsync(folder) < 0)
        r = err_errno(err, errno, "make the key '%s/" FILE_NAME "'", data_folder);
    close(folder);
    return r;
}

int seal_key_load(const char *data_folder, const char *file, enum seal_make make,
                  struct seal_key *ret, struct err *err)
{
    const char *given = file ? NULL : getenv(VARIABLE);
    char place[512];
    char *path;
    int r;

    seal_key_place(data_folder, file, place);
    if (given)
        return decode(span_of(given), place, ret, err);
    path = key_path(data_folder, file);
    if (!path)
        return err_nomem(err);
    r = read_key(path, place, ret, err);
    if (r == ERR_NOT_FOUND && !file && make == SEAL_MAKE) {
        r = make_key(data_folder, err);
        if (r == 0)
            r = read_key(path, place, ret, err);
    }
    if (r == ERR_NOT_FOUND) {
        err_set(err, ERR_NOT_FOUND, "%s is not there", place);
        if (file && make == SEAL_MAKE)
            err_hint(err, RECIPE);
        else
            err_hint(err,
                     "The secrets of this data folder are sealed with it: restore it from where "
                     "you keep it.");
    }
    mem_free(path);
    return r;
}

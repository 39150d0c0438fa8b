/* md5.c - block by block, by OpenSSL. */
#include "service/md5.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/mem.h"

enum { BLOCK = 256 * 1024 };

static int add_all(int fd, EVP_MD_CTX *ctx, char *block, struct err *err)
{
    off_t at = 0;
    ssize_t n;

    while ((n = pread(fd, block, BLOCK, at)) > 0) {
        at += n;
        if (EVP_DigestUpdate(ctx, block, (size_t)n) != 1)
            return err_nomem(err);
    }
    return n < 0 ? err_errno(err, errno, "read the file") : 0;
}

int md5_of_file(int fd, char out[MD5_SIZE], struct err *err)
{
    static const char DIGITS[] = "0123456789abcdef";
    unsigned char md[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    char *block = mem_alloc(BLOCK);
    unsigned len = 0;
    int r = ctx && block && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 ? 0 : err_nomem(err);

    r = r < 0 ? r : add_all(fd, ctx, block, err);
    if (r == 0 && (EVP_DigestFinal_ex(ctx, md, &len) != 1 || len != (MD5_SIZE - 1) / 2))
        r = err_set(err, ERR_SYSTEM, "this machine's OpenSSL knows no MD5");
    for (unsigned i = 0; i < len && r == 0; i++) {
        out[2 * i] = DIGITS[md[i] >> 4];
        out[2 * i + 1] = DIGITS[md[i] & 15];
    }
    out[MD5_SIZE - 1] = '\0';
    EVP_MD_CTX_free(ctx);
    mem_free(block);
    return r;
}

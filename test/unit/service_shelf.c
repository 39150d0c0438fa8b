/* service_shelf.c - src/service/shelf.c: files that are what their names say, and no more of them
 * than may be. */
#include "service/shelf.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

static char folder[] = "/tmp/corral-shelf-XXXXXX";
static char inner[64];

static void hash_of(const char *text, unsigned char ret[SHELF_HASH])
{
    SHA256((const unsigned char *)text, strlen(text), ret);
}

/* Put a text there, as a download does. */
static bool put(const char *text, const char *origin)
{
    unsigned char hash[SHELF_HASH];
    char name[SHELF_NAME], *path = NULL;
    int fd;
    bool is_done;

    hash_of(text, hash);
    if (!shelf_name(hash, span_of(origin), name))
        return false;
    fd = shelf_begin(inner, name, &path);
    is_done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    is_done = is_done && shelf_end(inner, name, path);
    mem_free(path);
    return is_done;
}

/* The size of what is there, or -1. */
static int64_t take(const char *text, const char *origin, int64_t max)
{
    unsigned char hash[SHELF_HASH];
    char name[SHELF_NAME];
    int64_t size = -2;
    int fd;

    hash_of(text, hash);
    if (!shelf_name(hash, span_of(origin), name))
        return -3;
    fd = shelf_take(inner, name, hash, max, &size);
    if (fd < 0)
        return -1;
    close(fd);
    return size;
}

static int count(void)
{
    DIR *dir = opendir(inner);
    const struct dirent *entry;
    int n = 0;

    while (dir && (entry = readdir(dir)) != NULL)
        n += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return n;
}

static void hashes_have_64_digits(void)
{
    static const char *const BAD[] = {
        "",
        "0",
        "../../../../../../../../../../../../../../../../../../etc/passwd",
        "000000000000000000000000000000000000000000000000000000000000000/",
        "00000000000000000000000000000000000000000000000000000000000000g0",
        "0000000000000000000000000000000000000000000000000000000000000000\n",
        "000000000000000000000000000000000000000000000000000000000000000",
        NULL};
    unsigned char hash[SHELF_HASH];

    for (int i = 0; BAD[i]; i++)
        CHECK(!shelf_read_hash(span_of(BAD[i]), hash));
    CHECK(shelf_read_hash(SPAN("00ffAAaa00000000000000000000000000000000000000000000000000000012"),
                          hash));
    CHECK(hash[0] == 0 && hash[1] == 0xff && hash[2] == 0xaa && hash[3] == 0xaa &&
          hash[31] == 0x12);
    CHECK(
        !shelf_read_hash((struct span){"00ffAAaa\0000000000000000000000000000000000000000000000000"
                                       "00000000012",
                                       64},
                         hash));
}

static void what_was_put_is_found(void)
{
    CHECK(take("wheel", "http://a/", 100) == -1);
    CHECK(put("wheel", "http://a/"));
    CHECK(take("wheel", "http://a/", 100) == 5);
    CHECK(take("wheel", "http://b/", 100) == -1);
    CHECK(take("other", "http://a/", 100) == -1);
    CHECK(put("", "http://a/") && take("", "http://a/", 100) == 0);
    CHECK(count() == 2);
    CHECK(take("wheel", "http://a/", 4) == -1 && count() == 1);
}

static void what_is_damaged_goes(void)
{
    unsigned char hash[SHELF_HASH];
    char name[SHELF_NAME], path[256];
    int fd;

    hash_of("wheel", hash);
    CHECK(shelf_name(hash, SPAN("http://a/"), name));
    snprintf(path, sizeof path, "%s/%s", inner, name);
    CHECK(put("wheel", "http://a/"));
    fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && pwrite(fd, "W", 1, 0) == 1);
    close(fd);
    CHECK(take("wheel", "http://a/", 100) == -1 && access(path, F_OK) < 0);
    CHECK(symlink("/etc/passwd", path) == 0 && take("wheel", "http://a/", 100) == -1);
    CHECK(put("wheel", "http://a/") && take("wheel", "http://a/", 100) == 5);
    CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    CHECK(take("wheel", "http://a/", 100) == -1 && access(path, F_OK) < 0);
}

static void the_oldest_go(void)
{
    static const char *const TEXTS[] = {"0000000000", "1111111111", "2222222222", "3333333333"};
    char path[256], *part = NULL;
    unsigned char hash[SHELF_HASH];
    char name[SHELF_NAME];
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    int fd;

    for (int i = 0; i < 4; i++) {
        CHECK(put(TEXTS[i], "o"));
        hash_of(TEXTS[i], hash);
        CHECK(shelf_name(hash, SPAN("o"), name));
        snprintf(path, sizeof path, "%s/%s", inner, name);
        times[1].tv_sec = 1000 + i;
        CHECK(utimensat(AT_FDCWD, path, times, 0) == 0);
    }
    CHECK(take(TEXTS[0], "o", 100) == 10); /* is the latest now */
    snprintf(path, sizeof path, "%s/notes.txt", inner);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    fd = shelf_begin(inner, name, &part);
    CHECK(fd >= 0);
    close(fd);
    shelf_sweep(inner, 20);
    CHECK(take(TEXTS[1], "o", 100) == -1 && take(TEXTS[2], "o", 100) == -1);
    CHECK(take(TEXTS[0], "o", 100) == 10 && take(TEXTS[3], "o", 100) == 10);
    CHECK(access(path, F_OK) == 0 && access(part, F_OK) == 0);
    CHECK(utimensat(AT_FDCWD, part, times, 0) == 0);
    shelf_sweep(inner, 20);
    CHECK(access(part, F_OK) < 0);
    mem_free(part);
    shelf_sweep("/tmp/corral-shelf-none", 20);
}

static void survives_without_memory(void)
{
    for (long n = 0; n < 8; n++) {
        mem_fail_after(n);
        (void)put("wheel", "http://a/");
        (void)take("wheel", "http://a/", 100);
        shelf_sweep(inner, 1);
        mem_fail_after(-1);
    }
}

static void clear(void)
{
    char line[128];

    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    if (system(line) != 0)
        perror("clear");
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(hashes_have_64_digits), T(what_was_put_is_found),   T(what_is_damaged_goes),
        T(the_oldest_go),         T(survives_without_memory), {0},
    };
    int r;

    if (!mkdtemp(folder))
        return 1;
    snprintf(inner, sizeof inner, "%s/wheels", folder);
    r = test_main("service_shelf", TESTS, argc, argv);
    clear();
    return r;
}

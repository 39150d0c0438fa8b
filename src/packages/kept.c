/* kept.c - see kept.h.  Called by: environment.c. */
#include "packages/kept.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/value.h"

bool kept_digest(struct span text, char ret[KEPT_DIGEST])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(text.data, text.len, bytes, &n, EVP_sha256(), NULL) != 1 ||
        2 * n + 1 != KEPT_DIGEST)
        return false;
    for (unsigned i = 0; i < n; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static bool put_path(char room[PATH_MAX], const char *folder, const char *name)
{
    return snprintf(room, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

/* false: it is not there, or nothing that is written here. */
static bool read_all(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    ssize_t n = -1;
    char *room;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= KEPT_FILE_MAX &&
        buf_reserve(out, (size_t)st.st_size + 1, &room) == 0)
        n = read(fd, room, (size_t)st.st_size + 1);
    close(fd);
    if (n != st.st_size)
        return false;
    buf_commit(out, (size_t)n);
    return true;
}

json_t *kept_read(const char *folder, const char *slot, char ret_seal[KEPT_DIGEST])
{
    struct buf text = {0};
    json_t *said = NULL, *answer = NULL;
    json_error_t ignored;
    const char *seal;
    char path[PATH_MAX];

    value_init();
    if (put_path(path, folder, slot) && read_all(path, &text) &&
        value_parse(buf_span(&text), &said, &ignored) == 0) {
        seal = json_string_value(json_object_get(said, "seal"));
        answer = json_object_get(said, "answer");
        if (seal && strlen(seal) == KEPT_DIGEST - 1 && json_is_object(answer))
            memcpy(ret_seal, seal, KEPT_DIGEST);
        else
            answer = NULL;
    }
    json_incref(answer);
    json_decref(said);
    buf_done(&text);
    return answer;
}

/* One too many: the one that was written first goes.  It is made anew when it is wanted. */
static void make_room(const char *folder)
{
    char oldest[NAME_MAX + 1] = "";
    struct timespec when = {0};
    const struct dirent *entry;
    unsigned count = 0;
    struct stat st;
    DIR *dir = opendir(folder);

    while (dir && (entry = readdir(dir))) {
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        count++;
        if (oldest[0] && (st.st_mtim.tv_sec > when.tv_sec ||
                          (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec >= when.tv_nsec)))
            continue;
        when = st.st_mtim;
        snprintf(oldest, sizeof oldest, "%s", entry->d_name);
    }
    if (dir && count > KEPT_FILES_MAX)
        unlinkat(dirfd(dir), oldest, 0);
    if (dir)
        closedir(dir);
}

static bool write_all(int fd, struct span text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n <= 0)
            return false;
        text.data += n;
        text.len -= (size_t)n;
    }
    return true;
}

/* In one step, by a name of its own: nobody reads half of it. */
static void replace(const char *folder, const char *slot, struct span text)
{
    char fresh[PATH_MAX], path[PATH_MAX];
    bool is_good;
    int fd;

    if (!put_path(fresh, folder, ".new-XXXXXX") || !put_path(path, folder, slot))
        return;
    fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0)
        return;
    is_good = write_all(fd, text);
    close(fd);
    if (!is_good || rename(fresh, path) < 0)
        unlink(fresh);
    else
        make_room(folder);
}

void kept_write(const char *folder, const char *slot, const char *seal, json_t *answer)
{
    json_t *all;
    char *text;

    value_init();
    all = json_pack("{s:s,s:O}", "seal", seal, "answer", answer);
    text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    if (text && strlen(text) <= KEPT_FILE_MAX) {
        (void)mkdir(folder, 0700);
        replace(folder, slot, span_of(text));
    }
    mem_free(text);
}

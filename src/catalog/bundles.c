/* bundles.c - see bundles.h.
 *
 *     check names -> hash -> BUNDLES/HASH there? -> done
 *                                   no -> .new-RANDOM/files/..., parts.json -> sync -> rename ->
 * sync
 *
 *   1. a folder called HASH came into being by one rename, behind the sync of all that is in it
 *   2. it loses its name before anything in it is deleted
 *   3. its modification time is when it was last put or let go of; the sweep asks for it */
#include "catalog/bundles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "catalog/folder.h"
#include "catalog/inside.h"
#include "catalog/name.h"
#include "catalog/query.h"
#include "text/value.h"

enum { SYNC_EACH_MAX = 64 /* files; more of them are synced all at once */ };

#define FOLDER "bundles"
#define NEW    ".new-"
#define GONE   ".gone-"
#define FILES  "files"
#define PARTS  "parts.json"

static bool is_hash(const char *text)
{
    return hex_is(text, BUNDLE_HASH_SIZE - 1);
}

/* DATA/bundles; ERR_NOT_FOUND without a text when nothing was ever put. */
static int open_home(struct catalog *catalog, bool may_make, int *ret_fd, struct err *err)
{
    char *path = folder_join(catalog_folder(catalog), FOLDER, NULL);
    int r = path ? 0 : err_nomem(err);

    if (r == 0 && may_make)
        r = folder_make(path, err);
    if (r == 0) {
        *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0)
            r = errno == ENOENT ? ERR_NOT_FOUND : err_errno(err, errno, "open '%s'", path);
    }
    mem_free(path);
    return r;
}

/* ---- names ---- */

static int check_path(const char *name, struct err *err)
{
    int depth = 0, r = name_check("the name of a file", name, BUNDLE_PATH_MAX, err);

    if (r < 0)
        return r;
    for (const char *at = name;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 0 || n > 255 || (n == 1 && at[0] == '.') ||
            (n == 2 && at[0] == '.' && at[1] == '.'))
            return err_set(err, ERR_INVALID, "'%.200s' cannot be the name of a file in a bundle",
                           name);
        at += n;
        if (!*at)
            return 0;
        if (++depth > BUNDLE_DEPTH_MAX)
            return err_set(err, ERR_LIMIT, "'%.200s' is more than %d folders deep", name,
                           BUNDLE_DEPTH_MAX);
    }
}

/* '/' before all others: what is in a folder comes right behind it. */
static int by_path(const void *a, const void *b)
{
    const unsigned char *x = *(const unsigned char *const *)a,
                        *y = *(const unsigned char *const *)b;

    while (*x && *x == *y)
        x++, y++;
    return (*x == '/' ? 1 : *x) - (*y == '/' ? 1 : *y);
}

/* No two the same, no file where another one needs a folder. */
static int check_names(char **names, size_t count, struct err *err)
{
    char **sorted = mem_alloc((count + 1) * sizeof *sorted);
    int r = 0;

    if (!sorted)
        return err_nomem(err);
    memcpy(sorted, names, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_path);
    for (size_t i = 1; r == 0 && i < count; i++) {
        size_t n = strlen(sorted[i - 1]);
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            r = err_set(err, ERR_INVALID, "the file '%.200s' is there twice", sorted[i]);
        else if (strncmp(sorted[i - 1], sorted[i], n) == 0 && sorted[i][n] == '/')
            r = err_set(err, ERR_INVALID, "'%.200s' is a file, and a folder of '%.200s'",
                        sorted[i - 1], sorted[i]);
    }
    mem_free(sorted);
    return r;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        mem_free(names[i]);
    mem_free(names);
}

static struct span path_of(const struct bundle_part *part)
{
    return part->path.len > 0 ? part->path : part->name;
}

/* That which is not its path. */
static int check_name(const struct bundle_part *part, struct err *err)
{
    char name[BUNDLE_PATH_MAX + 2];

    if (part->path.len == 0)
        return 0;
    snprintf(name, sizeof name, "%.*s", SPAN_ARG(part->name));
    if (strlen(name) != part->name.len && strlen(name) <= BUNDLE_PATH_MAX)
        return err_set(err, ERR_INVALID, "the name of a file has no control characters");
    return name_check("the name of a file", name, BUNDLE_PATH_MAX, err);
}

/* Their paths, checked, each with its NUL. */
static int take_names(const struct bundle_part *parts, size_t count, char ***ret_names,
                      struct err *err)
{
    char **names = mem_alloc((count + 1) * sizeof *names);
    int r = names ? 0 : err_nomem(err);

    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct span path = path_of(&parts[i]);
        if (memchr(path.data ? path.data : "", '\0', path.len))
            r = err_set(err, ERR_INVALID, "the name of a file has no control characters");
        else
            r = check_name(&parts[i], err);
        if (r == 0)
            names[i] = mem_copy(path.data, path.len);
        if (r == 0)
            r = names[i] ? check_path(names[i], err) : err_nomem(err);
    }
    if (r == 0)
        r = check_names(names, count, err);
    if (r == 0)
        *ret_names = names;
    else
        free_names(names, count);
    return r;
}

/* ---- the hash ---- */

static bool hash_span(EVP_MD_CTX *ctx, struct span s)
{
    uint64_t n = s.len;
    unsigned char head[8];

    for (int i = 0; i < 8; i++)
        head[i] = (unsigned char)(n >> 8 * i);
    return EVP_DigestUpdate(ctx, head, sizeof head) == 1 &&
           (n == 0 || EVP_DigestUpdate(ctx, s.data, s.len) == 1);
}

static int hash_parts(const struct bundle_part *parts, size_t count,
                      char ret_hash[BUNDLE_HASH_SIZE], struct err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char hash[32];
    bool is_good;

    if (!ctx)
        return err_nomem(err);
    is_good = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; is_good && i < count; i++)
        is_good = hash_span(ctx, parts[i].name) && hash_span(ctx, parts[i].type) &&
                  hash_span(ctx, parts[i].bytes);
    is_good = is_good && EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    if (!is_good)
        return err_set(err, ERR_SYSTEM, "OpenSSL cannot compute SHA-256");
    hex_write(hash, sizeof hash, ret_hash);
    return 0;
}

/* ---- writing ---- */

static int make_parents(int at, char *path)
{
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        int r;
        *slash = '\0';
        r = mkdirat(at, path, 0700);
        *slash = '/';
        if (r < 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

static int write_file(int at, char *path, struct span bytes, struct err *err)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(at, path, flags, 0400), r = 0;

    if (fd < 0 && errno == ENOENT && make_parents(at, path) == 0)
        fd = openat(at, path, flags, 0400);
    if (fd < 0 || file_write(fd, bytes) < 0)
        r = err_errno(err, errno, "write '%.200s' of a bundle", path);
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = err_errno(err, errno, "write '%.200s' of a bundle", path);
    return r;
}

static int write_parts(int at, const struct bundle_part *parts, char **names, size_t count,
                       struct err *err)
{
    char name[] = PARTS, *text = NULL;
    json_t *list = json_array();
    int r = list ? 0 : err_nomem(err);

    for (size_t i = 0; r == 0 && i < count; i++) {
        json_t *one =
            json_pack("{s:s%, s:s%}", "name", parts[i].name.data, parts[i].name.len, "type",
                      parts[i].type.data ? parts[i].type.data : "", parts[i].type.len);
        if (one && parts[i].path.len > 0)
            json_object_set_new(one, "path", json_string(names[i]));
        if (json_array_append_new(list, one) < 0)
            r = err_nomem(err);
    }
    if (r == 0) {
        text = value_dump(list, JSON_INDENT(1));
        r = text ? write_file(at, name, span_of(text), err) : err_nomem(err);
    }
    mem_free(text);
    json_decref(list);
    return r;
}

static int write_all(int at, const struct bundle_part *parts, char **names, size_t count,
                     struct err *err)
{
    int files = -1, r = 0;

    if (mkdirat(at, FILES, 0700) == 0)
        files = openat(at, FILES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files < 0)
        return err_errno(err, errno, "write a bundle");
    for (size_t i = 0; r == 0 && i < count; i++)
        r = write_file(files, names[i], parts[i].bytes, err);
    close(files);
    return r == 0 ? write_parts(at, parts, names, count, err) : r;
}

/* A few files one by one; of many the file system knows better. */
static int sync_all(int home, const char *spare, int at, size_t count, struct err *err)
{
    int failed = count > SYNC_EACH_MAX ? (syncfs(at) < 0 ? errno : 0) : folder_sync(home, spare);

    return failed ? err_errno(err, failed, "write a bundle") : 0;
}

static int write_bundle(int home, const char *hash, const struct bundle_part *parts, char **names,
                        size_t count, struct err *err)
{
    char spare[64];
    int at = -1, r = 0;

    folder_random_name(NEW, spare);
    if (mkdirat(home, spare, 0700) == 0)
        at = openat(home, spare, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        unlinkat(home, spare, AT_REMOVEDIR);
        return err_errno(err, errno, "make a bundle in the data folder");
    }
    r = write_all(at, parts, names, count, err);
    if (r == 0)
        r = sync_all(home, spare, at, count, err);
    close(at);
    if (r == 0 && renameat(home, spare, home, hash) == 0)
        return fsync(home) == 0 ? 0 : err_errno(err, errno, "write a bundle");
    if (r == 0 && errno != EEXIST && errno != ENOTEMPTY) /* or somebody was faster */
        r = err_errno(err, errno, "make a bundle in the data folder");
    folder_clear(home, spare);
    return r;
}

static int check_sizes(const struct bundle_part *parts, size_t count, uint64_t *ret_bytes,
                       struct err *err)
{
    uint64_t bytes = 0;

    if (count > BUNDLE_PARTS_MAX)
        return err_set(err, ERR_LIMIT, "a worker has at most %d files", BUNDLE_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        char type[BUNDLE_PATH_MAX + 1];
        int r = 0;
        bytes += parts[i].bytes.len;
        if (parts[i].type.len > BUNDLE_PATH_MAX)
            return err_set(err, ERR_LIMIT, "the type of a file has at most %d bytes",
                           BUNDLE_PATH_MAX);
        snprintf(type, sizeof type, "%.*s", SPAN_ARG(parts[i].type));
        if (parts[i].type.len > 0)
            r = name_check("the type of a file", type, BUNDLE_PATH_MAX, err);
        if (r == 0 && strlen(type) != parts[i].type.len)
            r = err_set(err, ERR_INVALID, "the type of a file has no control characters");
        if (r < 0)
            return r;
    }
    if (bytes > BUNDLE_PARTS_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the files of a worker have at most %llu MB",
                       BUNDLE_PARTS_BYTES_MAX >> 20);
    *ret_bytes = bytes;
    return 0;
}

int bundles_put(struct catalog *catalog, const struct bundle_part *parts, size_t count,
                char ret_hash[BUNDLE_HASH_SIZE], uint64_t *ret_bytes, struct err *err)
{
    char hash[BUNDLE_HASH_SIZE], **names = NULL;
    uint64_t bytes = 0;
    int home = -1, r = check_sizes(parts, count, &bytes, err);

    if (r == 0)
        r = take_names(parts, count, &names, err);
    if (r < 0)
        return r;
    r = hash_parts(parts, count, hash, err);
    if (r == 0)
        r = open_home(catalog, true, &home, err);
    if (r == 0 && utimensat(home, hash, NULL, AT_SYMLINK_NOFOLLOW) < 0)
        r = errno == ENOENT ? write_bundle(home, hash, parts, names, count, err)
                            : err_errno(err, errno, "make a bundle in the data folder");
    if (home >= 0)
        close(home);
    free_names(names, count);
    if (r < 0)
        return r;
    memcpy(ret_hash, hash, sizeof hash);
    if (ret_bytes)
        *ret_bytes = bytes;
    return 0;
}

/* ---- reading ---- */

static int no_such(const char *hash, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no bundle '%.70s'", hash);
}

int bundles_folder(struct catalog *catalog, const char *hash, char **ret_folder, struct err *err)
{
    char inside[BUNDLE_HASH_SIZE + sizeof FILES], *path;
    struct stat st;

    if (!is_hash(hash))
        return no_such(hash, err);
    snprintf(inside, sizeof inside, "%s/" FILES, hash);
    path = folder_join(catalog_folder(catalog), FOLDER, inside);
    if (!path)
        return err_nomem(err);
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        mem_free(path);
        return no_such(hash, err);
    }
    *ret_folder = path;
    return 0;
}

void bundle_files_done(struct bundle_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        mem_free(files->items[i].name);
        mem_free(files->items[i].type);
        mem_free(files->items[i].bytes);
    }
    mem_free(files->items);
    *files = (struct bundle_files){0};
}

static int read_file(int at, const char *path, char **ret_bytes, size_t *ret_len, struct err *err)
{
    int fd = openat(at, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *bytes = NULL;
    struct stat st;
    size_t len = 0;
    ssize_t n = 1;

    if (fd < 0 || fstat(fd, &st) < 0) {
        err_errno(err, errno, "read '%.200s' of a bundle", path);
        goto fail;
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > BUNDLE_PARTS_BYTES_MAX) {
        err_set(err, ERR_SYSTEM, "'%.200s' of a bundle was changed", path);
        goto fail;
    }
    bytes = mem_alloc((size_t)st.st_size + 1);
    if (!bytes) {
        err_nomem(err);
        goto fail;
    }
    while (len < (size_t)st.st_size && n > 0) {
        n = read(fd, bytes + len, (size_t)st.st_size - len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            len += (size_t)n;
    }
    if (n < 0) {
        err_errno(err, errno, "read '%.200s' of a bundle", path);
        goto fail;
    }
    close(fd);
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
fail:
    if (fd >= 0)
        close(fd);
    mem_free(bytes);
    return err->code;
}

static int read_one(int files, const json_t *part, struct bundle_file *ret, struct err *err)
{
    const char *name = json_string_value(json_object_get(part, "name"));
    const char *type = json_string_value(json_object_get(part, "type"));
    const char *path = json_string_value(json_object_get(part, "path"));
    struct err ignored;
    int r;

    path = path ? path : name;
    if (!name || !type || check_path(path, &ignored) < 0)
        return err_set(err, ERR_SYSTEM, "'" PARTS "' of a bundle was changed");
    *ret = (struct bundle_file){.name = mem_strdup(name), .type = mem_strdup(type)};
    r = ret->name && ret->type ? 0 : err_nomem(err);
    return r == 0 ? read_file(files, path, &ret->bytes, &ret->len, err) : r;
}

static int read_parts(int at, json_t **ret_list, struct err *err)
{
    char *text = NULL;
    json_error_t where;
    size_t len = 0;
    int r = read_file(at, PARTS, &text, &len, err);

    if (r < 0)
        return r;
    r = value_parse((struct span){text, len}, ret_list, &where);
    mem_free(text);
    if (r == ERR_NOMEM)
        return err_nomem(err);
    if (r < 0)
        return err_set(err, ERR_SYSTEM, "'" PARTS "' of a bundle was changed: %s", where.text);
    return 0;
}

int bundles_read(struct catalog *catalog, const char *hash, struct bundle_files *ret,
                 struct err *err)
{
    struct bundle_files all = {0};
    json_t *list = NULL, *part;
    int home = -1, at = -1, files = -1, r;
    size_t i;

    r = is_hash(hash) ? open_home(catalog, false, &home, err) : ERR_NOT_FOUND;
    if (r == 0) {
        at = openat(home, hash, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        files = at < 0 ? -1 : openat(at, FILES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (r == ERR_NOT_FOUND || (r == 0 && files < 0))
        r = no_such(hash, err);
    if (r == 0)
        r = read_parts(at, &list, err);
    if (r == 0) {
        all.items = mem_alloc((json_array_size(list) + 1) * sizeof *all.items);
        r = all.items ? 0 : err_nomem(err);
    }
    json_array_foreach(list, i, part)
    {
        if (r == 0)
            r = read_one(files, part, &all.items[all.count++], err);
    }
    json_decref(list);
    if (files >= 0)
        close(files);
    if (at >= 0)
        close(at);
    if (home >= 0)
        close(home);
    if (r == 0)
        *ret = all;
    else
        bundle_files_done(&all);
    return r;
}

/* ---- the end of bundles ---- */

void bundles_touch(struct catalog *catalog, const char *hash)
{
    struct err ignored;
    int home;

    if (!is_hash(hash) || open_home(catalog, false, &home, &ignored) < 0)
        return;
    (void)utimensat(home, hash, NULL, AT_SYMLINK_NOFOLLOW);
    close(home);
}

static bool is_old(int home, const char *name)
{
    struct stat st;

    return fstatat(home, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mtime + BUNDLE_KEPT_S < clock_wall_ms() / 1000;
}

/* 1: nobody wants it; a negative ERR_. */
static int is_rubbish(struct catalog *catalog, int home, const char *name, struct err *err)
{
    int64_t one;
    int r;

    if (strncmp(name, GONE, strlen(GONE)) == 0)
        return 1;
    if (!is_old(home, name))
        return 0;
    if (strncmp(name, NEW, strlen(NEW)) == 0)
        return 1;
    if (!is_hash(name))
        return 0;
    r = query_number(catalog, &one, err, "SELECT 1 FROM versions WHERE bundle = ? LIMIT 1", "t",
                     name);
    return r == ERR_NOT_FOUND ? 1 : r;
}

static int remove_one(int home, const char *name, struct err *err)
{
    char gone[64];
    int failed = 0;

    if (is_hash(name)) {
        folder_random_name(GONE, gone);
        if (renameat(home, name, home, gone) < 0)
            failed = errno == ENOENT ? 0 : errno;
        name = gone;
    }
    if (!failed)
        failed = folder_clear(home, name);
    return failed ? err_errno(err, failed, "remove the bundle '%.70s'", name) : 0;
}

int bundles_sweep(struct catalog *catalog, struct err *err)
{
    struct dirent *entry;
    DIR *dir = NULL;
    int home, r = open_home(catalog, false, &home, err);

    if (r < 0)
        return r == ERR_NOT_FOUND ? 0 : r;
    dir = fdopendir(home);
    if (!dir) {
        close(home);
        return err_nomem(err);
    }
    while (r >= 0 && (entry = readdir(dir))) {
        r = is_rubbish(catalog, home, entry->d_name, err);
        if (r > 0)
            r = remove_one(home, entry->d_name, err);
    }
    closedir(dir);
    return r;
}

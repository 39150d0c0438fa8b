/* catalog.c - open the catalog of a data folder, and close it.
 *
 *   1. who opens it has the folder's lock meanwhile: tables, key and their check are made once
 *   2. who has it open holds catalog.lock, shared; who gets it alone and still finds a WAL knows
 * that the last one did not close it, and has SQLite look through it
 *   3. a sealed value that only the right key opens lies beside the secrets: a wrong key is said
 *      at once, not when a worker starts */
#include "catalog/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "catalog/folder.h"
#include "catalog/inside.h"
#include "catalog/query.h"
#include "text/value.h"

enum { OPEN_WAIT_MS = 20000, OPEN_LOOK_MS = 10 };

#define LOCK      "catalog.lock"
#define KEY_CHECK "key"
#define CHECKED   "corral: the key is the right one"

/* ---- small things ---- */

void hex_write(const unsigned char *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

bool hex_is(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

int catalog_make_id(char out[ID_SIZE], struct err *err)
{
    unsigned char bytes[(ID_SIZE - 1) / 2];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_errno(err, errno, "make an id");
    hex_write(bytes, sizeof bytes, out);
    return 0;
}

const char *catalog_folder(const struct catalog *catalog)
{
    return catalog->folder;
}

int catalog_account_folder(const struct catalog *catalog, const char *account_id, char **ret_folder,
                           struct err *err)
{
    if (!hex_is(account_id, ID_SIZE - 1))
        return err_set(err, ERR_INVALID, "'%.40s' is not the id of an account", account_id);
    *ret_folder = folder_join(catalog->folder, "accounts", account_id);
    return *ret_folder ? 0 : err_nomem(err);
}

/* ---- opening ---- */

/* A file of ours in the folder.  What root makes in somebody's folder is for them: `sudo corral
 * token create` must not lock the node out.  -1: errno. */
static int open_own(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat above, st;

    if (fd >= 0 && geteuid() == 0 && fstat(folder, &above) == 0 && fstat(fd, &st) == 0 &&
        st.st_uid != above.st_uid && fchown(fd, above.st_uid, above.st_gid) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The folder, absolute. */
static int need_folder(const char *given, char **ret_folder, struct err *err)
{
    char real[PATH_MAX], *path;
    int r;

    if (!given || !given[0])
        return err_set(err, ERR_INVALID, "the name of the data folder is empty");
    path = mem_strdup(given);
    if (!path)
        return err_nomem(err);
    r = folder_make(path, err);
    if (r == 0 && !realpath(path, real))
        r = err_errno(err, errno, "open the data folder '%s'", path);
    mem_free(path);
    if (r < 0)
        return r;
    *ret_folder = mem_strdup(real);
    return *ret_folder ? 0 : err_nomem(err);
}

static int lock_folder(const char *path, int *ret_fd, struct err *err)
{
    const struct timespec LOOK = {.tv_nsec = OPEN_LOOK_MS * 1000000};
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(err, errno, "open the data folder '%s'", path);
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += OPEN_LOOK_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            err_errno(err, errno, "lock the data folder '%s'", path);
            close(fd);
            return err->code;
        }
        if (waited > OPEN_WAIT_MS) {
            close(fd);
            return err_set(err, ERR_SYSTEM, "another process keeps the data folder '%s' locked",
                           path);
        }
        nanosleep(&LOOK, NULL);
    }
    *ret_fd = fd;
    return 0;
}

/* Our share of catalog.lock.  *ret_was_left: nobody has the catalog open, and nobody closed it. */
static int hold(struct catalog *catalog, int folder, bool *ret_was_left, struct err *err)
{
    struct stat st;
    bool is_alone;

    catalog->held = open_own(folder, LOCK);
    if (catalog->held < 0)
        return err_errno(err, errno, "open '%s/" LOCK "'", catalog->folder);
    is_alone = flock(catalog->held, LOCK_EX | LOCK_NB) == 0;
    *ret_was_left = is_alone && fstatat(folder, CATALOG_FILE "-wal", &st, 0) == 0 && st.st_size > 0;
    if (flock(catalog->held, LOCK_SH) < 0) /* whoever else has it, has it shared */
        return err_errno(err, errno, "lock '%s/" LOCK "'", catalog->folder);
    return 0;
}

static int open_file(struct catalog *catalog, int folder, struct err *err)
{
    static const char SETTINGS[] = "PRAGMA synchronous = FULL;"
                                   "PRAGMA foreign_keys = ON;"
                                   "PRAGMA trusted_schema = OFF;"
                                   "PRAGMA secure_delete = ON;"
                                   "PRAGMA journal_mode = WAL;";
    /* SQLite would ask the umask for its mode. */
    int fd = open_own(folder, CATALOG_FILE), r;
    char *path = folder_join(catalog->folder, CATALOG_FILE, NULL);

    if (fd < 0 || !path) {
        r = path ? err_errno(err, errno, "open '%s'", path) : err_nomem(err);
        if (fd >= 0)
            close(fd);
        mem_free(path);
        return r;
    }
    close(fd);
    (void)fsync(folder);
    r = sqlite3_open_v2(path, &catalog->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    mem_free(path);
    if (r != SQLITE_OK)
        return query_fail(catalog, "open the catalog", err);
    sqlite3_busy_timeout(catalog->db, CATALOG_BUSY_MS);
    sqlite3_db_config(catalog->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (sqlite3_exec(catalog->db, SETTINGS, NULL, NULL, NULL) != SQLITE_OK)
        return query_fail(catalog, "open the catalog", err);
    return 0;
}

static int look_through(struct catalog *catalog, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err, "PRAGMA quick_check(1)", "");

    if (r == 0)
        r = query_next(&q, err);
    if (r > 0 && strcmp(query_text(&q, 0), "ok") != 0) {
        r = err_set(err, ERR_SYSTEM, "'%s/" CATALOG_FILE "' is damaged: %s", catalog->folder,
                    query_text(&q, 0));
        err_hint(err, "Restore the data folder from a backup.");
    }
    query_done(&q);
    return r < 0 ? r : 0;
}

/* ---- the key ---- */

static int keep_check(struct catalog *catalog, struct err *err)
{
    struct buf sealed = {0};
    int r = seal_close(&catalog->key, SPAN(KEY_CHECK), SPAN(CHECKED), &sealed, err);

    if (r == 0)
        r = query_run(catalog, NULL, err, "INSERT INTO settings (name, value) VALUES (?, ?)", "tb",
                      KEY_CHECK, buf_span(&sealed));
    buf_done(&sealed);
    return r;
}

static int compare_check(struct catalog *catalog, const char *file, struct span sealed,
                         struct err *err)
{
    char place[512], *text = NULL;
    size_t len = 0;
    int r = seal_open(&catalog->key, SPAN(KEY_CHECK), sealed, &text, &len, err);

    seal_wipe(text, len);
    if (r != ERR_INVALID)
        return r;
    seal_key_place(catalog->folder, file, place);
    err_set(err, ERR_INVALID, "%s is not the key that the secrets in '%s' are sealed with", place,
            catalog->folder);
    return err_hint(err, "Restore the one from before; without it they have to be put again, into "
                         "a new data folder.");
}

static int load_key(struct catalog *catalog, const char *file, struct err *err)
{
    struct query q;
    int r =
        query_open(&q, catalog, err, "SELECT value FROM settings WHERE name = ?", "t", KEY_CHECK);
    bool has_check = false;

    if (r == 0)
        r = query_next(&q, err);
    has_check = r > 0;
    if (r >= 0)
        r = seal_key_load(catalog->folder, file, has_check ? SEAL_FIND : SEAL_MAKE, &catalog->key,
                          err);
    if (r == 0 && has_check)
        r = compare_check(catalog, file, query_blob(&q, 0), err);
    query_done(&q);
    return r == 0 && !has_check ? keep_check(catalog, err) : r;
}

int catalog_open(const struct catalog_config *config, struct catalog **ret_catalog, struct err *err)
{
    struct catalog *c = mem_alloc(sizeof *c);
    bool was_left = false;
    int folder = -1, r;

    if (!c)
        return err_nomem(err);
    value_init();
    c->held = -1;
    r = need_folder(config->data_folder, &c->folder, err);
    if (r == 0)
        r = lock_folder(c->folder, &folder, err);
    if (r == 0)
        r = hold(c, folder, &was_left, err);
    if (r == 0)
        r = open_file(c, folder, err);
    if (r == 0 && was_left)
        r = look_through(c, err);
    if (r == 0)
        r = schema_update(c, err);
    if (r == 0 && !config->has_no_key) {
        r = load_key(c, config->key_file, err);
        c->has_key = r == 0;
    }
    if (r == 0)
        *ret_catalog = c;
    else
        catalog_close(c);
    if (folder >= 0)
        close(folder);
    return r;
}

void catalog_close(struct catalog *catalog)
{
    if (!catalog)
        return;
    sqlite3_close(catalog->db);
    seal_key_done(&catalog->key);
    if (catalog->held >= 0)
        close(catalog->held);
    mem_free(catalog->folder);
    mem_free(catalog);
}

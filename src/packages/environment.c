/* environment.c - look whether anything has changed; if so, ask the packager.
 *
 *     files -> stamp -> as the last time? -> its answer, if the folder can still be held
 *                       otherwise the packager, and the stamp once more: a file that was written
 *                       since the packager began is not trusted, and asked about again next time
 *
 * The stamp holds the texts themselves, which are small: no clock and no file system can lie about
 * them.  Wheels, large files and folders are told by number, size and times. */
#include "packages/environment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/value.h"

enum {
    TRIES = 3,          /* when somebody sweeps what was just made */
    CLOCK_STEP_MS = 20, /* the kernel's times of files run behind its clock by less */
};

static const char *const NAMES[] = {"requirements.txt", "pyproject.toml"};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

/* Where people put them by mistake: the packager says so.  sdk/python/packager/mistaken.py has the
 * same. */
static const char *const MISTAKEN[] = {"src/requirements.txt", "src/pyproject.toml",
                                       "Requirements.txt",     "requirement.txt",
                                       "requirements.in",      "Pipfile",
                                       "environment.yml"};
enum { MISTAKEN_COUNT = sizeof MISTAKEN / sizeof *MISTAKEN };

/* ---- the stamp ---- */

struct stamp {
    struct buf bytes;
    struct timespec newest; /* change of any of it */
    bool has_any;           /* something is asked for, or lies ready */
    bool is_short;          /* memory ran out */
};

static void add(struct stamp *s, const void *bytes, size_t n)
{
    if (buf_append(&s->bytes, bytes, n) < 0)
        s->is_short = true;
}

static void add_text(struct stamp *s, const char *text)
{
    add(s, text, strlen(text) + 1);
}

static void add_stat(struct stamp *s, const struct stat *st)
{
    add(s, &st->st_ino, sizeof st->st_ino);
    add(s, &st->st_size, sizeof st->st_size);
    add(s, &st->st_mtim, sizeof st->st_mtim);
    add(s, &st->st_ctim, sizeof st->st_ctim);
}

static void note_time(struct stamp *s, const struct stat *st)
{
    const struct timespec *t = &st->st_ctim;

    if (t->tv_sec > s->newest.tv_sec ||
        (t->tv_sec == s->newest.tv_sec && t->tv_nsec > s->newest.tv_nsec))
        s->newest = *t;
}

/* Everything of an open file. */
static void add_content(struct stamp *s, int fd)
{
    char *room;
    ssize_t n;

    do {
        if (buf_reserve(&s->bytes, 16 * 1024, &room) < 0) {
            s->is_short = true;
            return;
        }
        n = read(fd, room, 16 * 1024);
        if (n > 0)
            buf_commit(&s->bytes, (size_t)n);
    } while (n > 0 || (n < 0 && errno == EINTR));
}

/* Is it there? */
static bool add_file(struct stamp *s, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), e = errno;
    size_t n = strlen(path);
    struct stat st;

    add_text(s, path);
    if (fd < 0 || fstat(fd, &st) < 0) {
        add(s, &e, sizeof e);
        if (fd >= 0)
            close(fd);
        return e != ENOENT && e != ENOTDIR;
    }
    note_time(s, &st);
    add(s, &st.st_size, sizeof st.st_size);
    if (!S_ISREG(st.st_mode) || st.st_size > ENVIRONMENT_FILE_MAX ||
        (n > 4 && strcmp(path + n - 4, ".whl") == 0))
        add_stat(s, &st);
    else
        add_content(s, fd);
    close(fd);
    return true;
}

/* FOLDER/NAME in `room`, NUL behind it. */
static const char *join(struct buf *room, const char *folder, const char *name)
{
    buf_eat(room, buf_len(room));
    return buf_print(room, "%s/%s", folder, name) < 0 ? NULL : buf_data(room);
}

static bool is_metadata(const char *name)
{
    size_t n = strlen(name);

    return n > 10 && strcmp(name + n - 10, ".dist-info") == 0;
}

/* What lies ready in python_modules/, by its metadata. */
static void add_ready(struct stamp *s, const char *project, struct buf *room)
{
    const char *path = join(room, project, "python_modules");
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *entry;
    struct stat st;

    s->is_short |= !path;
    while (dir && (entry = readdir(dir))) {
        if (!is_metadata(entry->d_name) || fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
            continue;
        s->has_any = true;
        add_text(s, entry->d_name);
        add_stat(s, &st);
        note_time(s, &st);
    }
    if (dir)
        closedir(dir);
}

/* The sets that there are: a new one changes its home. */
static void add_home(struct stamp *s, const char *home)
{
    struct stat st;

    add_text(s, home);
    if (stat(home, &st) == 0)
        add_stat(s, &st);
}

static int stamp_make(const struct environment_ask *ask, const char *home, json_t *answer,
                      struct stamp *ret_stamp, struct err *err)
{
    struct stamp *s = ret_stamp;
    struct buf room = {0};
    json_t *input;
    size_t i;

    *s = (struct stamp){0};
    add_text(s, ask->project);
    add_text(s, ask->date);
    add_text(s, ask->state);
    for (i = 0; i < NAME_COUNT; i++) {
        const char *path = join(&room, ask->project, NAMES[i]);
        s->is_short |= !path;
        s->has_any |= path && add_file(s, path);
    }
    for (i = 0; !s->has_any && i < MISTAKEN_COUNT; i++) {
        const char *path = join(&room, ask->project, MISTAKEN[i]);
        s->is_short |= !path;
        s->has_any |= path && access(path, F_OK) == 0;
    }
    json_array_foreach(json_object_get(answer, "inputs"), i, input) if (json_is_string(input))
        add_file(s, json_string_value(input));
    add_ready(s, ask->project, &room);
    if (s->has_any)
        add_home(s, home);
    buf_done(&room);
    if (!s->is_short)
        return 0;
    buf_done(&s->bytes);
    return err_nomem(err);
}

static bool is_kept(const struct environments *all, const struct stamp *s)
{
    return all->stamp && all->answer && all->stamp_len == buf_len(&s->bytes) &&
           memcmp(all->stamp, buf_data(&s->bytes), all->stamp_len) == 0;
}

/* ---- the answer ---- */

static void forget(struct environments *all)
{
    mem_free(all->stamp);
    json_decref(all->answer);
    *all = (struct environments){0};
}

static bool is_later(const struct timespec *t, const struct timespec *since)
{
    int64_t ms = (t->tv_sec - since->tv_sec) * 1000 + (t->tv_nsec - since->tv_nsec) / 1000000;

    return ms >= -CLOCK_STEP_MS;
}

/* Without memory nothing is kept: the packager runs again. */
static void keep(struct environments *all, const struct environment_ask *ask, const char *home,
                 const struct timespec *began)
{
    struct stamp s;
    struct err ignored;

    if (stamp_make(ask, home, all->answer, &s, &ignored) < 0)
        return;
    if (!is_later(&s.newest, began)) {
        all->stamp_len = buf_len(&s.bytes);
        all->stamp = mem_copy(buf_data(&s.bytes), all->stamp_len);
    }
    buf_done(&s.bytes);
}

static int ask_packager(struct environments *all, const struct environment_ask *ask,
                        const char *home, json_t **ret_error, struct err *err)
{
    struct packages_run run = ask->run;
    struct timespec began;
    json_t *answer = NULL;
    char *none;
    int r;

    clock_gettime(CLOCK_REALTIME, &began);
    forget(all);
    if (!home[0])
        return packages_home(&none, err);
    value_init();
    run.job = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I}", "job", "environment", "home", home, "project",
                        ask->project, "date", ask->date, "state", ask->state, "limit_bytes",
                        (json_int_t)ENVIRONMENT_BYTES_MAX);
    if (!run.job)
        return err_nomem(err);
    r = packages_run(&run, &answer, err);
    json_decref(run.job);
    if (r == 0) {
        all->answer = answer;
        keep(all, ask, home, &began);
    } else {
        *ret_error = answer;
    }
    return r;
}

/* Lines of a list of strings. */
static char *lines_of(json_t *list)
{
    struct buf text = {0};
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (buf_print(&text, "%s\n", json_is_string(one) ? json_string_value(one) : "") < 0) {
            buf_done(&text);
            return NULL;
        }
    }
    return i > 0 ? buf_detach(&text) : mem_strdup("");
}

/* 1: held; 0: it has gone meanwhile. */
static int hold(struct environment *e, const char *folder)
{
    struct stat held, named;

    if (!folder[0])
        return 1;
    e->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->fd < 0)
        return 0;
    /* A file system without locks serves one process well all the same. */
    if ((flock(e->fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
        fstat(e->fd, &held) == 0 && stat(folder, &named) == 0 && held.st_ino == named.st_ino &&
        held.st_dev == named.st_dev)
        return 1;
    close(e->fd);
    e->fd = -1;
    return 0;
}

/* 1: *ret is the environment; 0: its folder has gone. */
static int take(json_t *answer, const char *home, struct environment *ret, struct err *err)
{
    const char *hash = json_string_value(json_object_get(answer, "hash"));
    const char *folder = json_string_value(json_object_get(answer, "environment"));
    json_t *folders = json_object_get(answer, "folders"), *said;
    const char *set = json_string_value(json_object_get(answer, "set"));

    *ret = (struct environment){.fd = -1};
    if (answer && (!hash || strlen(hash) >= sizeof ret->hash || !json_is_array(folders) || !set))
        return err_set(err, ERR_SYSTEM, "the packager's answer is none");
    value_init();
    said = folders ? json_pack("{s:s,s:s,s:O}", "home", home, "set", set, "folders", folders)
                   : json_pack("{s:s,s:s,s:[]}", "home", home, "set", "", "folders");
    ret->json = said ? json_dumps(said, JSON_COMPACT) : NULL;
    json_decref(said);
    ret->files = lines_of(json_object_get(answer, "inputs"));
    ret->left_out = lines_of(json_object_get(answer, "left_out"));
    if (!ret->json || !ret->files || !ret->left_out) {
        environment_done(ret);
        return err_nomem(err);
    }
    memcpy(ret->hash, hash ? hash : "", strlen(hash ? hash : "") + 1);
    if (hold(ret, folder ? folder : ""))
        return 1;
    environment_done(ret);
    return 0;
}

static int get(struct environments *all, const struct environment_ask *ask, const char *home,
               struct environment *ret, json_t **ret_error, struct err *err)
{
    struct stamp s;
    bool has_any, is_same;
    int r = stamp_make(ask, home, all->answer, &s, err);

    if (r < 0)
        return r;
    has_any = s.has_any;
    is_same = is_kept(all, &s);
    buf_done(&s.bytes);
    if (!has_any) {
        forget(all);
        r = take(NULL, home, ret, err);
        return r < 0 ? r : 0;
    }
    for (int i = 0; i < TRIES; i++) {
        if (!is_same || i > 0)
            r = ask_packager(all, ask, home, ret_error, err);
        if (r == 0)
            r = take(all->answer, home, ret, err);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return err_set(err, ERR_SYSTEM, "packages in '%s' go away as soon as they are there",
                   ask->state);
}

int environments_get(struct environments *all, const struct environment_ask *ask,
                     struct environment *ret_environment, json_t **ret_error, struct err *err)
{
    char *home = NULL;
    int r = packages_home(&home, err);

    *ret_error = NULL;
    *ret_environment = (struct environment){.fd = -1};
    /* Who asks for nothing needs no home. */
    if (r == 0 || r == ERR_NOT_FOUND)
        r = get(all, ask, home ? home : "", ret_environment, ret_error, err);
    mem_free(home);
    return r;
}

void environments_done(struct environments *all)
{
    forget(all);
}

void environment_done(struct environment *e)
{
    if (e->json && e->fd >= 0)
        close(e->fd);
    mem_free(e->json);
    mem_free(e->files);
    mem_free(e->left_out);
    *e = (struct environment){0};
    e->fd = -1;
}

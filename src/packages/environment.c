/* environment.c - look whether anything has changed; if so, ask the packager.
 *
 *     files -> stamp -> as the last time? -> its answer, if the folder can still be held
 *                       otherwise the packager, and the stamp once more: a file that was written
 *                       since the packager began is not trusted, and asked about again next time
 *
 * Answers for uploads outlive the process in files (kept.h), with a seal: the stamp, and what else
 * another process could have otherwise.
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
#include "packages/believe.h"
#include "packages/kept.h"
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

bool environment_is_asked(const char *project)
{
    struct buf room = {0};
    bool is_asked = false;

    for (size_t i = 0; i < NAME_COUNT + 1 && !is_asked; i++) {
        const char *path = join(&room, project, i < NAME_COUNT ? NAMES[i] : "python_modules");
        is_asked = !path || access(path, F_OK) == 0;
    }
    buf_done(&room);
    return is_asked;
}

/* The whole set is the same for every project that gets it. */
static int stamp_whole(const struct environment_ask *ask, const char *home, struct stamp *ret_stamp,
                       struct err *err)
{
    struct stamp *s = ret_stamp;

    *s = (struct stamp){.has_any = true};
    add_text(s, "the whole set");
    add_text(s, ask->date);
    add_home(s, home);
    if (!s->is_short)
        return 0;
    buf_done(&s->bytes);
    return err_nomem(err);
}

static int stamp_make(const struct environment_ask *ask, const char *home, json_t *answer,
                      struct stamp *ret_stamp, struct err *err)
{
    struct stamp *s = ret_stamp;
    struct buf room = {0};
    json_t *input;
    size_t i;

    if (ask->is_upload && !environment_is_asked(ask->project))
        return stamp_whole(ask, home, ret_stamp, err);
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

/* ---- from one process to the next ---- */

static bool is_whole(const struct environment_ask *ask)
{
    return ask->is_upload && !environment_is_asked(ask->project);
}

/* What it is an answer to. */
static bool slot_of(const struct environment_ask *ask, const char *home, char ret[KEPT_DIGEST])
{
    struct stamp s = {0};
    bool is_good;

    add_text(&s, is_whole(ask) ? "" : ask->project);
    add_text(&s, is_whole(ask) ? "" : ask->state);
    add_text(&s, ask->date);
    add_text(&s, home);
    is_good = !s.is_short && kept_digest(buf_span(&s.bytes), ret);
    buf_done(&s.bytes);
    return is_good;
}

/* The stamp, the packager's program, and what it would be told of this process. */
static bool seal_of(const struct environment_ask *ask, const struct stamp *stamp,
                    char ret[KEPT_DIGEST])
{
    struct stamp s = {0};
    struct stat st;
    bool is_good;

    add(&s, buf_data(&stamp->bytes), buf_len(&stamp->bytes));
    add_text(&s, ask->run.worker_program);
    if (stat(ask->run.worker_program, &st) == 0)
        add_stat(&s, &st);
    add_text(&s, ask->network ? ask->network : "");
    for (char **at = environ; *at; at++)
        if (packages_passes_on(*at))
            add_text(&s, *at);
    is_good = !s.is_short && kept_digest(buf_span(&s.bytes), ret);
    buf_done(&s.bytes);
    return is_good;
}

/* Another process has asked the same, and would hear the same again. */
static bool recall(struct environments *all, const struct environment_ask *ask, const char *home)
{
    char slot[KEPT_DIGEST], seal[KEPT_DIGEST], now[KEPT_DIGEST];
    struct err ignored = {0};
    struct stamp s = {0};
    json_t *answer;
    bool is_same;

    if (!ask->kept || !ask->is_upload || !home[0] || !slot_of(ask, home, slot))
        return false;
    answer = kept_read(ask->kept, slot, seal);
    is_same = answer && believe_answer(answer, home, ask->state, ask->project, &ignored) == 0 &&
              stamp_make(ask, home, answer, &s, &ignored) == 0 && seal_of(ask, &s, now) &&
              strcmp(seal, now) == 0;
    if (is_same) {
        forget(all);
        all->answer = json_incref(answer);
        all->stamp_len = buf_len(&s.bytes);
        all->stamp = mem_copy(buf_data(&s.bytes), all->stamp_len);
    }
    buf_done(&s.bytes);
    json_decref(answer);
    return is_same;
}

static void write_down(const struct environments *all, const struct environment_ask *ask,
                       const char *home, const struct stamp *s)
{
    char slot[KEPT_DIGEST], seal[KEPT_DIGEST];

    if (ask->kept && ask->is_upload && slot_of(ask, home, slot) && seal_of(ask, s, seal))
        kept_write(ask->kept, slot, seal, all->answer);
}

/* Without memory nothing is kept: the packager runs again. */
static void keep(struct environments *all, const struct environment_ask *ask, const char *home,
                 const struct timespec *began)
{
    struct stamp s;
    struct err ignored;

    if (stamp_make(ask, home, all->answer, &s, &ignored) < 0)
        return;
    /* What may have changed while it was read is asked about again; an upload's files never do. */
    if (ask->is_upload || !is_later(&s.newest, began)) {
        all->stamp_len = buf_len(&s.bytes);
        all->stamp = mem_copy(buf_data(&s.bytes), all->stamp_len);
        write_down(all, ask, home, &s);
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
    run.job = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:b,s:b}", "job", "environment", "home", home,
                        "project", ask->project, "date", ask->date, "state", ask->state,
                        "limit_bytes", (json_int_t)ENVIRONMENT_BYTES_MAX, "upload", ask->is_upload,
                        "whole_set", is_whole(ask));
    if (!run.job)
        return err_nomem(err);
    if (ask->network &&
        json_object_set_new(run.job, "network", json_loads(ask->network, 0, NULL)) < 0) {
        json_decref(run.job);
        return err_nomem(err);
    }
    run.is_stranger = ask->is_upload;
    r = packages_run(&run, &answer, err);
    json_decref(run.job);
    if (r == 0 && ask->is_upload)
        r = believe_answer(answer, home, ask->state, ask->project, err);
    if (r == ERR_SYSTEM) {
        json_decref(answer);
        answer = NULL;
    }
    if (r == 0) {
        all->answer = answer;
        keep(all, ask, home, &began);
    } else {
        *ret_error = answer;
    }
    return r;
}

/* Is it below that folder?  NULL: no. */
static bool is_below(const char *path, const char *folder)
{
    size_t n = folder ? strlen(folder) : 0;

    return n > 0 && strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* Lines of a list of strings, behind `first` if that is not ""; those below `plain` marked. */
static char *lines_of(const char *first, json_t *list, const char *plain)
{
    struct buf text = {0};
    json_t *one;
    size_t i;
    int r = *first ? buf_print(&text, "%s\n", first) : 0;

    json_array_foreach(list, i, one)
    {
        const char *line = json_is_string(one) ? json_string_value(one) : "";
        if (r == 0)
            r = buf_print(&text, "%s%s\n", is_below(line, plain) ? "=" : "", line);
    }
    if (r < 0) {
        buf_done(&text);
        return NULL;
    }
    return buf_len(&text) > 0 ? buf_detach(&text) : mem_strdup("");
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
static int take(json_t *answer, const char *home, const char *plain, struct environment *ret,
                struct err *err)
{
    const char *hash = json_string_value(json_object_get(answer, "hash"));
    const char *folder = json_string_value(json_object_get(answer, "environment"));
    json_t *folders = json_object_get(answer, "folders"), *said;
    json_t *left_out = json_object_get(answer, "left_out");
    const char *set = json_string_value(json_object_get(answer, "set"));

    *ret = (struct environment){.fd = -1};
    if (answer && (!hash || strlen(hash) >= sizeof ret->hash || !json_is_array(folders) || !set))
        return err_set(err, ERR_SYSTEM, "the packager's answer is none");
    value_init();
    said = folders ? json_pack("{s:s,s:s,s:O}", "home", home, "set", set, "folders", folders)
                   : json_pack("{s:s,s:s,s:[]}", "home", home, "set", "", "folders");
    if (said && json_array_size(left_out) > 0 && json_object_set(said, "left_out", left_out) < 0) {
        json_decref(said);
        said = NULL;
    }
    ret->json = said ? json_dumps(said, JSON_COMPACT) : NULL;
    json_decref(said);
    ret->files = lines_of("", json_object_get(answer, "inputs"), NULL);
    ret->folders = lines_of(home, folders, plain);
    ret->left_out = lines_of("", json_object_get(answer, "left_out"), NULL);
    if (!ret->json || !ret->files || !ret->folders || !ret->left_out) {
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
    is_same = is_kept(all, &s) || (has_any && recall(all, ask, home));
    buf_done(&s.bytes);
    if (!has_any) {
        forget(all);
        r = take(NULL, home, NULL, ret, err);
        return r < 0 ? r : 0;
    }
    for (int i = 0; i < TRIES; i++) {
        if (!is_same || i > 0)
            r = ask_packager(all, ask, home, ret_error, err);
        if (r == 0)
            r = take(all->answer, home, ask->is_upload ? ask->state : NULL, ret, err);
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

int environment_none(struct environment *ret_environment, struct err *err)
{
    int r = take(NULL, "", NULL, ret_environment, err);

    return r < 0 ? r : 0;
}

void environment_done(struct environment *e)
{
    if (e->json && e->fd >= 0)
        close(e->fd);
    mem_free(e->json);
    mem_free(e->files);
    mem_free(e->folders);
    mem_free(e->left_out);
    *e = (struct environment){0};
    e->fd = -1;
}

/* init.c - `corral init [NAME]`: the files of a new project, which runs at once.
 *
 * Nothing that is there is touched: when one of the files exists, none is written. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/init_files.h"
#include "cli/remote.h"
#include "text/nearest.h"

enum { NAME_MAX_LEN = 63 };

static const struct option OPTIONS[] = {
    {"--template", "-t", "KIND", "python, typescript, javascript, fastapi or d1 (python)"},
    {"--lang", "-l", "LANG", "py, ts or js: the template of that language"},
    {"--type", NULL, "KIND", NULL},
    {"--yes", "-y", NULL, NULL}, /* of wrangler: nothing is asked anyway */
    {0},
};

struct init {
    const char *kind;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct init *init = self;

    (void)err;
    if (strcmp(option->name, "--yes") != 0)
        init->kind = value;
    return 0;
}

static const struct init_kind *find_kind(const char *name, struct err *err)
{
    struct nearest near;

    nearest_init(&near, name);
    for (const struct init_kind *k = INIT_KINDS; k->name; k++) {
        if (strcmp(k->name, name) == 0 || (k->lang[0] && strcmp(k->lang, name) == 0))
            return k;
        nearest_try(&near, k->name);
    }
    err_set(err, ERR_INVALID, "there is no template '%.64s'", name);
    err_hint(err, "The templates are python, typescript, javascript, fastapi and d1.%s%s%s",
             near.best ? " Did you mean " : "", near.best ? near.best : "", near.best ? "?" : "");
    return NULL;
}

/* A worker's name out of a folder's: "My Books" -> "my-books". */
static void name_of(const char *folder, char out[NAME_MAX_LEN + 1])
{
    const char *base = strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder;
    size_t n = 0;

    for (; *base && n < NAME_MAX_LEN; base++) {
        char c = (char)tolower((unsigned char)*base);
        bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (is_good)
            out[n++] = c;
        else if (n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    if (n == 0)
        strcpy(out, "worker");
}

/* The text of a file: NAME and DATE stand in it as @NAME@ and @DATE@. */
static int fill(const char *text, const char *name, struct buf *out)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);
    char today[16];
    struct tm tm;
    int r = 0;

    gmtime_r(&now, &tm);
    strftime(today, sizeof today, "%Y-%m-%d", &tm);
    while (*text && r == 0) {
        size_t len = strcspn(text, "@");
        bool is_name = strncmp(text, "@NAME@", 6) == 0, is_date = strncmp(text, "@DATE@", 6) == 0;
        if (is_name || is_date) {
            r = buf_print(out, "%s", is_name ? name : today);
            text += 6;
        } else {
            len += len == 0; /* an '@' of its own */
            r = buf_append(out, text, len);
            text += len;
        }
    }
    return r;
}

static int make_folders(const char *path, struct err *err)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            return err_errno(err, errno, "make the folder '%s'", copy);
        *at = '/';
    }
    return 0;
}

static int write_file(const char *path, const char *text, const char *name, struct err *err)
{
    struct buf out = {0};
    int fd = -1, r = make_folders(path, err);

    if (r == 0 && fill(text, name, &out) < 0)
        r = err_nomem(err);
    if (r == 0) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 || file_write(fd, buf_span(&out)) < 0)
            r = err_errno(err, errno, "write '%s'", path);
    }
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = err_errno(err, errno, "write '%s'", path);
    buf_done(&out);
    return r;
}

static int path_of(const char *folder, const char *file, char out[PATH_MAX], struct err *err)
{
    int n = strcmp(folder, ".") == 0 ? snprintf(out, PATH_MAX, "%s", file)
                                     : snprintf(out, PATH_MAX, "%s/%s", folder, file);

    return n < PATH_MAX ? 0 : err_set(err, ERR_LIMIT, "the path '%.100s...' is too long", folder);
}

/* Would one of them be written over?  A configuration of any kind counts. */
static int check_room(const char *folder, const struct init_kind *kind, struct err *err)
{
    static const char *const OTHERS[] = {"wrangler.json", "wrangler.jsonc", "wrangler.toml", NULL};
    char path[PATH_MAX];
    struct stat st;
    int r = 0;

    for (size_t i = 0; r == 0 && kind->files[i].path; i++) {
        r = path_of(folder, kind->files[i].path, path, err);
        if (r == 0 && lstat(path, &st) == 0)
            r = err_set(err, ERR_INVALID, "'%s' is there already", path);
    }
    for (size_t i = 0; r == 0 && OTHERS[i]; i++) {
        r = path_of(folder, OTHERS[i], path, err);
        if (r == 0 && lstat(path, &st) == 0)
            r = err_set(err, ERR_INVALID, "'%s' is there already", path);
    }
    if (r == ERR_INVALID)
        err_hint(err, "Nothing was written. `corral init NAME` makes a folder of its own.");
    return r;
}

static void print_next(const char *folder, const struct init_kind *kind)
{
    bool is_here = strcmp(folder, ".") == 0;

    printf("✨ Created a worker in %s:\n", is_here ? "this folder" : folder);
    for (size_t i = 0; kind->files[i].path; i++)
        printf("  %s\n", kind->files[i].path);
    printf("\nNext:\n");
    if (!is_here)
        printf("  cd %s\n", folder);
    printf("  corral dev       # serve it on http://localhost:8787\n"
           "  corral deploy    # send it to a node (`corral login` says which)\n");
    if (kind->advice[0])
        printf("\n%s\n", kind->advice);
}

static int init(struct remote *r, const struct init *wanted, struct err *err)
{
    const char *folder = r->words[0] ? r->words[0] : ".";
    const struct init_kind *kind = find_kind(wanted->kind ? wanted->kind : "python", err);
    char name[NAME_MAX_LEN + 1], path[PATH_MAX], *here;
    size_t len = strlen(folder);
    int code;

    if (!kind)
        return err->code;
    if (len > 1 && folder[len - 1] == '/')
        ((char *)(uintptr_t)folder)[len - 1] = '\0'; /* argv's */
    here = strcmp(folder, ".") == 0 ? getcwd(NULL, 0) : NULL;
    name_of(here ? here : folder, name);
    free(here);
    code = check_room(folder, kind, err);
    for (size_t i = 0; code == 0 && kind->files[i].path; i++) {
        code = path_of(folder, kind->files[i].path, path, err);
        if (code == 0)
            code = write_file(path, kind->files[i].text, name, err);
    }
    if (code == 0)
        print_next(folder, kind);
    return code;
}

int init_command(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "init [NAME]",
        .about = "Make the files of a new worker in a folder NAME, or in this one. What is there\n"
                 "already is never written over.\n",
        .words = "[NAME]",
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_NODE,
    };
    struct init wanted = {0};
    struct err err = {0};
    struct remote r;
    int code = remote_parse(&SPEC, args, &wanted, &r);

    return code == REMOTE_GO ? remote_end(&r, init(&r, &wanted, &err), &err) : code;
}

/* d1_script.c - run a script, show how far it is, say where it went wrong. */
#include "cli/d1_script.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "text/width.h"

enum {
    PROGRESS_AFTER_MS = 1000,
    SQL_SHOWN = 120, /* columns of a statement in a message */
};

/* ---- the database ---- */

int d1_find_target(const struct d1 *d1, const char *word, struct d1_target *ret, struct err *err)
{
    int r = d1_target(d1, word, ret, err);

    if (r == ERR_NOT_FOUND && d1->project.config[0])
        snprintf(err->text, sizeof err->text,
                 "Couldn't find a D1 DB with the name or binding '%.64s' in your %.64s file", word,
                 strrchr(d1->project.config, '/') + 1);
    return r;
}

int d1_use(const struct d1 *d1, const char *word, struct database *ret, struct err *err)
{
    const char *data = d1->project.data_folder, *id = NULL;
    struct d1_target target;
    struct err why = {0};
    int r = d1_find_target(d1, word, &target, err);

    if (r < 0)
        return r;
    r = database_find(data, target.name, ret, err);
    if (r == ERR_NOT_FOUND) {
        if (target.configured && database_is_uuid(target.configured->id))
            id = target.configured->id;
        r = database_create(data, target.name, id, ret, err);
        if (r == ERR_LIMIT && database_find(data, target.name, ret, &why) == 0)
            r = 0; /* somebody else made it meanwhile */
    }
    d1_target_done(&target);
    return r;
}

void d1_place(const struct d1 *d1, char *ret, size_t size)
{
    const char *data = d1->project.data_folder;
    char *here = getcwd(NULL, 0);
    size_t n = here ? strlen(here) : 0;

    if (n > 1 && strncmp(data, here, n) == 0 && data[n] == '/')
        snprintf(ret, size, "%s/d1", data + n + 1);
    else
        snprintf(ret, size, "%s/d1", data);
    free(here);
}

void d1_announce(const struct d1 *d1, const struct database *database)
{
    char place[512];

    d1_place(d1, place, sizeof place);
    printf("🌀 Executing on local database %s (%s) from %s:\n", d1->words[0], database->uuid, place);
    fflush(stdout);
}

void d1_tell_count(const struct records *records)
{
    printf("🚣 %" PRIu64 " command%s executed successfully.\n", records->statements,
           records->statements == 1 ? "" : "s");
}

/* ---- the file ---- */

static int refuse_file(const char *path, struct err *err)
{
    err_errno(err, errno, "Unable to read SQL text file \"%s\"", path);
    return err_hint(err, "Please check the file path and try again.");
}

static int refuse_database_file(const char *path, struct err *err)
{
    err_set(err, ERR_INVALID, "\"%s\" is a binary SQLite database file instead of an SQL text file",
            path);
    return err_hint(err, "`sqlite3 %s .dump` writes it as SQL text.", path);
}

/* PowerShell's `>` writes it. */
static int refuse_utf16(const char *path, struct err *err)
{
    err_set(err, ERR_INVALID, "\"%s\" is UTF-16: SQL text files are UTF-8", path);
    return err_hint(err, "`iconv -f UTF-16 -t UTF-8` converts it.");
}

static bool is_utf16(const char *start)
{
    return memcmp(start, "\xFF\xFE", 2) == 0 || memcmp(start, "\xFE\xFF", 2) == 0;
}

int d1_script_open(const char *path, struct d1_script *script, struct err *err)
{
    static const char MAGIC[] = "SQLite format 3", MARK[] = "\xEF\xBB\xBF";
    char start[sizeof MAGIC] = "";
    struct stat st;

    script->name = path;
    script->file = open(path, O_RDONLY | O_CLOEXEC);
    if (script->file < 0 || fstat(script->file, &st) < 0)
        return refuse_file(path, err);
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return refuse_file(path, err);
    }
    if (!S_ISREG(st.st_mode))
        return 0;
    script->file_bytes = st.st_size;
    if (pread(script->file, start, sizeof start, 0) < 0)
        return refuse_file(path, err);
    if (memcmp(start, MAGIC, sizeof MAGIC) == 0)
        return refuse_database_file(path, err);
    if (is_utf16(start))
        return refuse_utf16(path, err);
    if (memcmp(start, MARK, 3) == 0 && lseek(script->file, 3, SEEK_SET) < 0)
        return refuse_file(path, err);
    return 0;
}

/* ---- progress ---- */

struct run {
    const struct d1_script *script;
    struct records *records;
    int64_t start_ms;
    uint64_t told_statements;
    bool has_told;
};

static void tell_progress(struct run *run)
{
    const struct records *r = run->records;

    if (!run->script->shows_progress || r->script_statements == run->told_statements ||
        clock_now_ms() - run->start_ms < PROGRESS_AFTER_MS)
        return;
    run->told_statements = r->script_statements;
    run->has_told = true;
    fprintf(stderr, "\r🌀 %" PRIu64 " commands executed", r->script_statements);
    if (run->script->file_bytes > 0)
        fprintf(stderr, " (%.0f %%)",
                100.0 * (double)r->script_bytes / (double)run->script->file_bytes);
    fprintf(stderr, "...\x1b[K");
    fflush(stderr);
}

static int take(void *self, struct span bytes, struct err *err)
{
    struct run *run = self;
    int r = records_take(run->records, bytes, err);

    if (r == 0)
        tell_progress(run);
    return r;
}

/* ---- what went wrong ---- */

/* The statement on one line, cut. */
static void put_sql(struct span sql, char *out, size_t size)
{
    size_t n = 0, shown;
    bool is_gap = false;

    for (size_t i = 0; i < sql.len && n + 1 < size; i++) {
        bool is_blank = (unsigned char)sql.data[i] <= ' ' || sql.data[i] == 0x7F;
        if (!is_blank && is_gap && n > 0 && n + 2 < size)
            out[n++] = ' ';
        if (!is_blank)
            out[n++] = sql.data[i];
        is_gap = is_blank;
    }
    shown = width_cut((struct span){out, n}, SQL_SHOWN);
    snprintf(out + shown, size - shown, "%s", shown < n && shown + 4 < size ? "…" : "");
}

static int explain(const struct d1_script *script, const struct row_error *e, struct err *err)
{
    char sql[256];

    put_sql(e->sql, sql, sizeof sql);
    if (script->name && e->line > 0)
        err_set(err, ERR_INVALID, "%s:%" PRIu32 ": %.*s", script->name, e->line, SPAN_ARG(e->text));
    else
        err_set(err, ERR_INVALID, "%.*s", SPAN_ARG(e->text));
    if (e->statement != UINT32_MAX && sql[0])
        err_hint(err, "in statement %" PRIu32 ": %s", e->statement + 1, sql);
    else if (memmem(e->text.data, e->text.len, "SQLITE_BUSY", strlen("SQLITE_BUSY")))
        err_hint(err, "Something else writes to it all the time, such as another import: wait for "
                      "its end, and try again.");
    return err->code;
}

int d1_script_run(struct d1_caller *caller, const struct d1_script *script, struct records *ret,
                  struct err *err)
{
    struct run run = {.script = script, .records = ret, .start_ms = clock_now_ms()};
    struct buf arguments = {0};
    struct d1_errand call = {.folder = script->folder,
                             .method = "script",
                             .file = script->file,
                             .text = script->text,
                             .take = take,
                             .self = &run};
    int r;

    *ret = (struct records){0};
    if (pairs_add(&arguments, SPAN("rows"), SPAN("1")) < 0)
        return err_nomem(err);
    call.arguments = (struct pairs){buf_span(&arguments), 1};
    r = d1_caller_run(caller, &call, err);
    buf_done(&arguments);
    if (run.has_told)
        fprintf(stderr, "\r\x1b[K");
    if (r == 0 && ret->state == RECORDS_FAILED)
        return explain(script, &ret->error, err);
    if (r == 0 && ret->state == RECORDS_OPEN)
        return err_set(err, ERR_SYSTEM, "the database's process ended in the middle of its answer");
    return r;
}

int d1_fail(const struct err *err)
{
    int number = d1_caller_interrupted();

    cli_fail(err, 1);
    if (number) {
        fflush(NULL);
        signal(number, SIG_DFL);
        raise(number);
    }
    return 1;
}

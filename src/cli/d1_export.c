/* d1_export.c - `corral d1 export NAME --output FILE`: a database as SQL text.
 *
 * It is written beside the file and takes its name when it is whole: what fails
 * or is interrupted leaves the file as it was. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/d1_remote.h"
#include "cli/d1_script.h"

enum { TABLES_MAX = 256 };

static const struct option OPTIONS[] = {
    {"--output", NULL, "FILE", "write it here; -: to the standard output"},
    {"--table", NULL, "TABLE", "only this one; or several: --table A B"},
    {"--no-schema", NULL, NULL, "rows alone"},
    {"--no-data", NULL, NULL, "tables without their rows"},
    {"--skip-confirmation", "-y", NULL, NULL}, /* of wrangler: with --remote only */
    {0},
};

struct export
{
    const char *output;
    const char *tables[TABLES_MAX];
    size_t table_count;
    bool has_no_schema, has_no_data;
    struct d1 d1;
    struct database database;
    FILE *out;
    char path[PATH_MAX];       /* where it goes at last; "": `out` is that already */
    char spare[PATH_MAX + 16]; /* where it is written until then */
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct export *x = self;

    if (strcmp(option->name, "--output") == 0)
        x->output = value;
    else if (strcmp(option->name, "--no-schema") == 0)
        x->has_no_schema = option_is_on(value);
    else if (strcmp(option->name, "--no-data") == 0)
        x->has_no_data = option_is_on(value);
    else if (strcmp(option->name, "--table") == 0) {
        if (x->table_count == TABLES_MAX)
            return err_set(err, ERR_LIMIT, "more than %d --table", TABLES_MAX);
        x->tables[x->table_count++] = value;
    }
    return 0;
}

static int check_options(const struct export *x, struct err *err)
{
    if (!x->output || !x->output[0])
        return err_set(err, ERR_INVALID, "--output FILE is missing: where the SQL goes");
    if (x->has_no_schema && x->has_no_data)
        return err_set(err, ERR_INVALID, "You cannot specify both --no-schema and --no-data");
    return 0;
}

/* ---- the file ---- */

static int fail_output(const struct export *x, struct err *err)
{
    return err_errno(err, errno, "write '%s'", x->output);
}

static int open_spare(struct export *x, struct err *err)
{
    mode_t mask = umask(0);
    int fd;

    umask(mask);
    snprintf(x->spare, sizeof x->spare, "%s.XXXXXX", x->path);
    fd = mkostemp(x->spare, O_CLOEXEC);
    if (fd < 0) {
        x->spare[0] = '\0';
        return fail_output(x, err);
    }
    (void)fchmod(fd, 0666 & ~mask);
    x->out = fdopen(fd, "w");
    if (x->out)
        return 0;
    close(fd);
    return err_nomem(err);
}

static int open_output(struct export *x, struct err *err)
{
    struct stat st;
    bool is_there = stat(x->output, &st) == 0;

    if (strcmp(x->output, "-") == 0) {
        x->out = stdout;
        return 0;
    }
    if (is_there && S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID,
                       "Please specify a file path for --output, not a directory");
    if (is_there && !S_ISREG(st.st_mode)) { /* a pipe or device is written as it is */
        x->out = fopen(x->output, "we");
        return x->out ? 0 : fail_output(x, err);
    }
    if (!is_there)
        snprintf(x->path, sizeof x->path, "%s", x->output);
    else if (!realpath(x->output, x->path))
        return fail_output(x, err);
    return open_spare(x, err);
}

static int close_output(struct export *x, int r, struct err *err)
{
    bool is_bad = x->out && (fflush(x->out) == EOF || ferror(x->out));

    if (r == 0 && is_bad)
        r = fail_output(x, err);
    if (x->out && x->out != stdout)
        fclose(x->out);
    if (r == 0 && x->spare[0] && rename(x->spare, x->path) < 0)
        r = fail_output(x, err);
    if (r < 0 && x->spare[0])
        unlink(x->spare);
    return r;
}

/* ---- the dump ---- */

static int write_out(void *self, struct span bytes, struct err *err)
{
    struct export *x = self;

    if (fwrite(bytes.data, 1, bytes.len, x->out) < bytes.len)
        return fail_output(x, err);
    return 0;
}

static int put_arguments(const struct export *x, struct buf *out, uint32_t *ret_count)
{
    int r = 0;

    *ret_count = (uint32_t)x->table_count + 2;
    for (size_t i = 0; i < x->table_count && r == 0; i++)
        r = pairs_add(out, SPAN("table"), span_of(x->tables[i]));
    if (r == 0)
        r = pairs_add(out, SPAN("no-data"), span_of(x->has_no_data ? "1" : "0"));
    return r < 0 ? r : pairs_add(out, SPAN("no-schema"), span_of(x->has_no_schema ? "1" : "0"));
}

static int dump(struct export *x, struct err *err)
{
    struct d1_caller *caller = NULL;
    struct buf arguments = {0};
    struct d1_errand errand = {.folder = x->database.folder,
                               .method = "dump",
                               .file = -1,
                               .text = SPAN(""),
                               .take = write_out,
                               .self = x};
    uint32_t count;
    int r = put_arguments(x, &arguments, &count);

    if (r < 0)
        r = err_nomem(err);
    errand.arguments = (struct pairs){buf_span(&arguments), count};
    r = r < 0 ? r : d1_caller_open(&caller, err);
    r = r < 0 ? r : d1_caller_run(caller, &errand, err);
    d1_caller_close(caller);
    buf_done(&arguments);
    return r;
}

static int dump_remote(struct export *x, struct client *client, struct err *err)
{
    const struct d1_remote_dump dump = {.tables = x->tables,
                                        .table_count = x->table_count,
                                        .has_no_schema = x->has_no_schema,
                                        .has_no_data = x->has_no_data,
                                        .write = write_out,
                                        .self = x};

    return d1_remote_export(client, &x->database, &dump, err);
}

static void announce(const struct export *x)
{
    char place[512];

    if (x->out == stdout)
        return;
    if (x->d1.is_remote) {
        d1_remote_place();
        printf("🌀 Exporting remote database %s (%s) to %s...\n", x->d1.words[0], x->database.uuid,
               x->output);
        fflush(stdout);
        return;
    }
    d1_place(&x->d1, place, sizeof place);
    printf("Resource location: local\n\n🌀 Exporting local database %s (%s) from %s:\n"
           "🌀 Exporting SQL to %s...\n",
           x->d1.words[0], x->database.uuid, place, x->output);
    fflush(stdout);
}

int d1_export(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "export NAME --output FILE",
        .about = "Write a database as SQL text, which `corral d1 execute --file` and sqlite3 load. "
                 " NAME:\n"
                 "its name, its binding or its uuid.\n",
        .words = {"NAME"},
        .options = OPTIONS,
        .list = "--table",
        .take = take,
    };
    struct export x = {0};
    struct client *client = NULL;
    struct err err = {0};
    int code = d1_begin(&SPEC, args, &x, &x.d1), r;

    if (code != D1_GO)
        return code;
    r = check_options(&x, &err);
    if (x.d1.is_remote)
        r = r < 0 ? r : d1_remote_open(&x.d1, &client, &err);
    if (client)
        r = r < 0 ? r : d1_remote_find(&x.d1, client, x.d1.words[0], false, &x.database, &err);
    else
        r = r < 0 ? r : d1_use(&x.d1, x.d1.words[0], &x.database, &err);
    r = r < 0 ? r : open_output(&x, &err);
    if (r == 0) {
        announce(&x);
        r = client ? dump_remote(&x, client, &err) : dump(&x, &err);
    }
    client_close(client);
    r = close_output(&x, r, &err);
    if (r == 0 && x.out != stdout)
        printf("Done!\n");
    database_done(&x.database);
    d1_end(&x.d1);
    return r == 0 ? 0 : d1_fail(&err);
}

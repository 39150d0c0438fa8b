/* d1_migrations.c - `corral d1 migrations create | list | apply`: SQL files that a database gets
 * once each. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/d1_remote.h"
#include "cli/d1_script.h"
#include "cli/migrations.h"
#include "cli/prompt.h"
#include "cli/prompt.h"
#include "service/shape.h"
#include "cli/table.h"

#define DEFAULT_FOLDER "migrations"
#define DEFAULT_TABLE  "d1_migrations"

static const struct option OPTIONS[] = {
    {"--yes", "-y", NULL, "ask nothing"},
    {"--preview", NULL, NULL, NULL}, /* of wrangler */
    {0},
};

struct work {
    struct d1 d1;
    struct d1_target target;
    struct database database;
    struct d1_caller *caller;
    struct client *client;        /* of a node: in place of caller */
    struct migrations migrations; /* not applied yet, once they are asked for */
    char folder[PATH_MAX];        /* of the files */
    char table[160];              /* as SQL */
    bool asks_nothing;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct work *w = self;

    if (strcmp(option->name, "--yes") == 0)
        w->asks_nothing = option_is_on(value);
    else if (option_is_on(value))
        return err_set(err, ERR_INVALID, "--preview: there are no preview databases");
    return 0;
}

/* ---- the folder and the table ---- */

/* As it is where SQL takes it so, else in quotes. */
static int put_table(const char *name, char *out, size_t size, struct err *err)
{
    bool is_plain = name[0] && !(name[0] >= '0' && name[0] <= '9');
    struct buf quoted = {0};
    int r;

    for (const char *p = name; *p; p++)
        is_plain = is_plain && (*p == '_' || (*p >= '0' && *p <= '9') ||
                                ((*p | 32) >= 'a' && (*p | 32) <= 'z'));
    r = is_plain ? 0 : buf_append(&quoted, "\"", 1);
    for (const char *p = name; *p && r == 0; p++)
        r = buf_append(&quoted, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    if (r == 0 && !is_plain)
        r = buf_append(&quoted, "\"", 1);
    if (r < 0)
        r = err_nomem(err);
    else if (buf_len(&quoted) >= size)
        r = err_set(err, ERR_INVALID, "migrations_table '%.64s...' is too long", name);
    else
        snprintf(out, size, "%.*s", SPAN_ARG(buf_span(&quoted)));
    buf_done(&quoted);
    return r;
}

static int find_place(struct work *w, struct err *err)
{
    const struct project_database *configured;
    const char *folder = DEFAULT_FOLDER, *table = DEFAULT_TABLE;
    int n, r = d1_find_target(&w->d1, w->d1.words[0], &w->target, err);

    if (r == ERR_NOT_FOUND && w->d1.is_remote)
        w->target = (struct d1_target){0}; /* the node may know it */
    else if (r < 0)
        return r;
    configured = w->target.configured;
    if (configured) {
        folder = configured->migrations_dir;
        table = configured->migrations_table;
    }
    while (strncmp(folder, "./", 2) == 0)
        folder += 2;
    if (folder[0] == '/')
        n = snprintf(w->folder, sizeof w->folder, "%s", folder);
    else
        n = snprintf(w->folder, sizeof w->folder, "%s/%s", w->d1.project.folder, folder);
    if (n < 0 || (size_t)n >= sizeof w->folder)
        return err_set(err, ERR_INVALID, "migrations_dir is too long");
    return put_table(table, w->table, sizeof w->table, err);
}

static void say_missing(const struct work *w, char *out, size_t size)
{
    const char *config = strrchr(w->d1.project.config, '/');
    bool is_default = !w->target.configured ||
                      strcmp(w->target.configured->migrations_dir, DEFAULT_FOLDER) == 0 ||
                      strcmp(w->target.configured->migrations_dir, "./" DEFAULT_FOLDER) == 0;

    snprintf(out, size, "No migrations folder found.");
    if (is_default && config)
        snprintf(out, size,
                 "No migrations folder found. Set `migrations_dir` in your %.64s file to choose a "
                 "different path.",
                 config + 1);
}

static int need_folder(const struct work *w, struct err *err)
{
    char missing[256];
    struct stat st;

    if (stat(w->folder, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    say_missing(w, missing, sizeof missing);
    err_set(err, ERR_NOT_FOUND, "No migrations present at %s", w->folder);
    return err_hint(err, "%s", missing);
}

static void work_done(struct work *w)
{
    d1_caller_close(w->caller);
    client_close(w->client);
    migrations_done(&w->migrations);
    database_done(&w->database);
    d1_target_done(&w->target);
    d1_end(&w->d1);
}

/* ---- what is applied ---- */

static int run_text(struct work *w, const char *sql, struct records *records, struct err *err)
{
    const struct d1_script script = {
        .folder = w->database.folder, .file = -1, .file_bytes = -1, .text = span_of(sql)};

    if (w->client)
        return d1_remote_run(w->client, &w->database, span_of(sql), records, err);
    return d1_script_run(w->caller, &script, records, err);
}

static int make_table(struct work *w, struct err *err)
{
    struct records records;
    char sql[512];
    int r;

    snprintf(sql, sizeof sql,
             "CREATE TABLE IF NOT EXISTS %s(\n"
             "\t\tid         INTEGER PRIMARY KEY AUTOINCREMENT,\n"
             "\t\tname       TEXT UNIQUE,\n"
             "\t\tapplied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL\n);",
             w->table);
    r = run_text(w, sql, &records, err);
    records_done(&records);
    return r;
}

static int mark_rows(struct work *w, struct span rows, struct shape *shape, struct err *err)
{
    uint32_t count;

    if (row_get_u32(&rows, &count) < 0 || shape->width != 1)
        return err_set(err, ERR_INVALID, "the database's process sent malformed rows");
    for (uint32_t i = 0; i < count; i++) {
        if (shape_row(shape, &rows, err) < 0)
            return err->code;
        if (shape->row[0].tag == ROW_TEXT)
            migrations_mark(&w->migrations, shape->row[0].bytes);
    }
    return 0;
}

static int mark_applied(struct work *w, struct err *err)
{
    struct records records;
    struct records_walk walk = {.records = &records};
    struct shape shape = {0};
    enum row_record type;
    struct span bytes;
    char sql[256];
    int r;

    snprintf(sql, sizeof sql, "SELECT name\n\t\tFROM %s\n\t\tORDER BY id", w->table);
    r = run_text(w, sql, &records, err);
    while (r >= 0 && (r = records_next(&walk, &type, &bytes, err)) > 0) {
        if (type == ROW_RECORD_COLUMNS)
            r = shape_read(&shape, bytes, err);
        else if (type == ROW_RECORD_ROWS)
            r = mark_rows(w, bytes, &shape, err);
    }
    shape_done(&shape);
    records_walk_done(&walk);
    records_done(&records);
    return r;
}

/* The database, and how to reach it. */
static int open_database(struct work *w, struct err *err)
{
    int r;

    if (w->d1.is_remote) {
        r = d1_remote_open(&w->d1, &w->client, err);
        return r < 0 ? r
                     : d1_remote_find(&w->d1, w->client, w->d1.words[0], false, &w->database, err);
    }
    r = d1_use(&w->d1, w->d1.words[0], &w->database, err);
    return r < 0 ? r : d1_caller_open(&w->caller, err);
}

/* w->migrations: those of the folder that the database does not have. */
static int find_new(struct work *w, struct err *err)
{
    int r = find_place(w, err);

    r = r < 0 ? r : need_folder(w, err);
    r = r < 0 ? r : migrations_read(w->folder, &w->migrations, err);
    r = r < 0 ? r : open_database(w, err);
    r = r < 0 ? r : make_table(w, err);
    r = r < 0 ? r : mark_applied(w, err);
    if (r == 0)
        migrations_keep_new(&w->migrations);
    return r;
}

/* `statuses` NULL: names alone. */
static int print_table(const struct migrations *m, const char *head, const char *const *statuses,
                       struct err *err)
{
    size_t columns = statuses ? 2 : 1;
    struct span *cells = mem_alloc((m->count + 1) * columns * sizeof *cells);
    struct buf out = {0};
    int r = cells ? 0 : ERR_NOMEM;

    for (size_t i = 0; i <= m->count && r == 0; i++) {
        cells[i * columns] = span_of(i == 0 ? head : m->items[i - 1].name);
        if (statuses)
            cells[i * columns + 1] = span_of(i == 0 ? "status" : statuses[i - 1]);
    }
    if (r == 0)
        r = table_print(&out, table_look(), cells, columns, m->count + 1);
    if (r == 0)
        fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    fflush(stdout);
    buf_done(&out);
    mem_free(cells);
    return r < 0 ? err_nomem(err) : 0;
}

/* ---- list ---- */

static int list(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "migrations list NAME",
        .about = "Show the migrations that the database has not got yet.  NAME: its name, its "
                 "binding or\n"
                 "its uuid.\n",
        .words = {"NAME"},
        .options = OPTIONS,
        .take = take,
    };
    struct work w = {0};
    struct err err = {0};
    int code = d1_begin(&SPEC, args, &w, &w.d1), r;

    if (code != D1_GO)
        return code;
    printf("Resource location: %s\n\n", w.d1.is_remote ? "remote" : "local");
    fflush(stdout);
    r = find_new(&w, &err);
    if (r == 0 && w.migrations.count == 0) {
        printf("✅ No migrations to apply!\n");
    } else if (r == 0) {
        printf("Migrations to be applied:\n");
        r = print_table(&w.migrations, "Name", NULL, &err);
    }
    work_done(&w);
    return r < 0 ? d1_fail(&err) : 0;
}

/* ---- create ---- */

static int make_folder(const struct work *w, bool *ret_is_there, struct err *err)
{
    char missing[256], question[PATH_MAX + 300], part[PATH_MAX];
    struct stat st;

    *ret_is_there = true;
    if (stat(w->folder, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    say_missing(w, missing, sizeof missing);
    snprintf(question, sizeof question, "%s\nOk to create %s?", missing, w->folder);
    *ret_is_there = w->asks_nothing || prompt_agrees(question);
    if (!*ret_is_there)
        return 0;
    for (const char *p = w->folder; p;) {
        p = strchr(p + 1, '/');
        snprintf(part, sizeof part, "%.*s", p ? (int)(p - w->folder) : PATH_MAX - 1, w->folder);
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return err_errno(err, errno, "make the folder '%s'", part);
    }
    return 0;
}

static int create_file(struct work *w, struct err *err)
{
    char name[NAME_MAX + 2];
    long long number;
    int r = migrations_read(w->folder, &w->migrations, err);

    if (r < 0)
        return r;
    number = migrations_next(&w->migrations);
    r = migrations_name(number, w->d1.words[1], name, sizeof name, err);
    r = r < 0 ? r : migrations_write(w->folder, name, number, err);
    if (r < 0)
        return r;
    printf("✅ Successfully created Migration '%s'!\n\nThe migration is available for editing "
           "here\n%s/%s\n",
           name, w->folder, name);
    return 0;
}

static int create(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "migrations create NAME MESSAGE",
        .about = "Write a new file for SQL into the folder of migrations: NUMBER_MESSAGE.sql.  "
                 "NAME: the\n"
                 "database's name, its binding or its uuid.\n",
        .words = {"NAME", "MESSAGE"},
        .options = OPTIONS,
        .take = take,
    };
    struct work w = {0};
    struct err err = {0};
    bool is_there = false;
    int code = d1_begin(&SPEC, args, &w, &w.d1), r;

    if (code != D1_GO)
        return code;
    r = find_place(&w, &err);
    r = r < 0 ? r : make_folder(&w, &is_there, &err);
    if (r == 0 && is_there)
        r = create_file(&w, &err);
    else if (r == 0)
        r = need_folder(&w, &err);
    work_done(&w);
    return r < 0 ? d1_fail(&err) : 0;
}

/* ---- apply ---- */

/* "'0001_it''s.sql'" */
static int put_text(const char *text, struct buf *out)
{
    int r = buf_append(out, "'", 1);

    for (const char *p = text; *p && r == 0; p++)
        r = buf_append(out, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    return r < 0 ? r : buf_append(out, "'", 1);
}

/* "INSERT INTO d1_migrations (name) values ('0001_it''s.sql');" */
static int put_note(const struct work *w, const char *name, struct buf *out)
{
    int r = buf_print(out, "\n;INSERT INTO %s (name)\nvalues (", w->table);

    r = r < 0 ? r : put_text(name, out);
    return r < 0 ? r : buf_print(out, ");\n");
}

/* The same where it is missing.  No OR IGNORE: that takes an id for nothing. */
static int put_missing_note(const struct work *w, const char *name, struct buf *out)
{
    int r = buf_print(out, "INSERT INTO %s (name)\nSELECT ", w->table);

    r = r < 0 ? r : put_text(name, out);
    r = r < 0 ? r : buf_print(out, " WHERE NOT EXISTS (SELECT 1 FROM %s WHERE name = ", w->table);
    r = r < 0 ? r : put_text(name, out);
    return r < 0 ? r : buf_print(out, ");\n");
}

/* A file that ends inside of a comment has taken the note along into it, and everything else was
 * done. */
static int note_again(struct work *w, const char *name, struct err *err)
{
    struct records records = {0};
    struct buf note = {0};
    char *sql = NULL;
    int r = put_missing_note(w, name, &note);

    if (r == 0)
        sql = buf_detach(&note);
    r = sql ? run_text(w, sql, &records, err) : err_nomem(err);
    records_done(&records);
    mem_free(sql);
    buf_done(&note);
    return r;
}

enum { REMOTE_FILE_MAX = 8 << 20 }; /* bytes of a migration that is sent to a node */

/* The same on a node: the text goes in one request. */
static int apply_remote(struct work *w, const char *path, const char *name, struct err *err)
{
    struct records records = {0};
    struct buf text = {0};
    int r = prompt_read(path, name, REMOTE_FILE_MAX, &text, err);

    if (r == 0 && put_note(w, name, &text) < 0)
        r = err_nomem(err);
    if (r == 0) {
        printf("🌀 Executing on remote database %s (%s):\n", w->d1.words[0], w->database.uuid);
        fflush(stdout);
        r = d1_remote_run(w->client, &w->database, buf_span(&text), &records, err);
    }
    if (r == 0) {
        d1_tell_count(&records);
        r = note_again(w, name, err);
    }
    records_done(&records);
    buf_done(&text);
    return r;
}

/* The file and the note that it is applied, in one transaction. */
static int apply_one(struct work *w, const char *name, struct err *err)
{
    struct d1_script script = {.folder = w->database.folder,
                               .file = -1,
                               .file_bytes = -1,
                               .shows_progress = isatty(STDERR_FILENO)};
    char path[PATH_MAX + NAME_MAX + 2];
    struct records records = {0};
    struct buf note = {0};
    int r;

    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    if (w->client)
        return apply_remote(w, path, name, err);
    r = d1_script_open(path, &script, err);
    if (r == 0 && put_note(w, name, &note) < 0)
        r = err_nomem(err);
    script.name = name;
    script.text = buf_span(&note);
    if (r == 0) {
        d1_announce(&w->d1, &w->database);
        r = d1_script_run(w->caller, &script, &records, err);
    }
    if (r == 0) {
        d1_tell_count(&records);
        r = note_again(w, name, err);
    }
    records_done(&records);
    buf_done(&note);
    if (script.file >= 0)
        close(script.file);
    return r;
}

static int apply_all(struct work *w, struct err *err)
{
    const struct migrations *m = &w->migrations;
    const char **statuses = mem_alloc(m->count * sizeof *statuses);
    struct err other;
    int r = statuses ? 0 : err_nomem(err);

    for (size_t i = 0; i < m->count && r == 0; i++)
        statuses[i] = "🕒️";
    for (size_t i = 0; i < m->count && r == 0; i++) {
        r = apply_one(w, m->items[i].name, err);
        statuses[i] = r == 0 ? "✅" : "❌";
        if (print_table(m, "name", statuses, r == 0 ? err : &other) < 0 && r == 0)
            r = ERR_NOMEM;
        if (r < 0)
            fprintf(stderr, "Migration %s failed with the following errors:\n", m->items[i].name);
    }
    mem_free(statuses);
    return r;
}

static int ask_and_apply(struct work *w, struct err *err)
{
    char question[160];
    int r;

    migrations_sort(&w->migrations);
    printf("Migrations to be applied:\n");
    r = print_table(&w->migrations, "name", NULL, err);
    if (r < 0)
        return r;
    snprintf(question, sizeof question,
             "About to apply %zu migration(s)\n"
             "Your database may not be available to serve requests during the migration, continue?",
             w->migrations.count);
    if (w->asks_nothing || prompt_agrees(question))
        return apply_all(w, err);
    printf("Not applying.\n");
    return 0;
}

static int apply(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "migrations apply NAME",
        .about =
            "Run the migrations that the database has not got yet, by their numbers; each is one\n"
            "transaction, and the first that fails is the last.  NAME: its name, its binding or "
            "its\n"
            "uuid.\n",
        .words = {"NAME"},
        .options = OPTIONS,
        .take = take,
    };
    struct work w = {0};
    struct err err = {0};
    int code = d1_begin(&SPEC, args, &w, &w.d1), r;

    if (code != D1_GO)
        return code;
    printf("Resource location: %s\n\n", w.d1.is_remote ? "remote" : "local");
    fflush(stdout);
    r = find_new(&w, &err);
    if (r == 0 && w.migrations.count == 0)
        printf("✅ No migrations to apply!\n");
    else if (r == 0)
        r = ask_and_apply(&w, &err);
    work_done(&w);
    return r < 0 ? d1_fail(&err) : 0;
}

/* ---- which of them ---- */

int d1_migrations(char **args)
{
    static const struct command COMMANDS[] = {
        {"create", "create NAME MESSAGE", "write a new file for SQL", create},
        {"list", "list NAME", "show those that are not applied yet", list},
        {"apply", "apply NAME", "apply them", apply},
        {0},
    };
    static const struct commands ALL = {"corral d1 migrations", NULL, COMMANDS};

    return commands_run(&ALL, args);
}

/* packages_environment.c - src/packages/environment.c: the packager runs when something has
 * changed, and not otherwise; what it made is held. */
#include "packages/environment.h"

#include <fcntl.h>
#include <sys/file.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/value.h"
#include "project_tree.h"
#include "test.h"

/* Counts its runs in `runs`, and answers what `answer` says. */
static const char PACKAGER[] = "#!/bin/sh\ncd \"${0%/*}\"; cat >job; echo run >>runs; cat answer\n";

static char program[PATH_MAX + 32];

static void put_answer(const char *fmt, const char *folder)
{
    char text[2 * PATH_MAX];

    snprintf(text, sizeof text, fmt, tree_path, folder);
    tree_put("answer", text);
}

static const char DONE[] = "{\"done\": {\"folders\": [\"/a\"], \"set\": \"/set\", \"hash\": "
                           "\"0123456789abcdef0123456789abcdef\","
                           " \"inputs\": [\"%s/base.txt\"], \"left_out\": [\"python_modules/x\"], "
                           "\"environment\": \"%s\"}}\n";

/* A project whose files are old: a packager believes nobody who has just written. */
static void open_project(void)
{
    tree_open();
    tree_put("packager", PACKAGER);
    chmod("packager", 0755);
    snprintf(program, sizeof program, "%s/packager", tree_path);
    setenv("CORRAL_PACKAGES", tree_path, 1);
    put_answer(DONE, "");
    tree_put("runs", "");
}

static int runs(void)
{
    struct stat st;

    return stat("runs", &st) == 0 ? (int)(st.st_size / 4) : -1;
}

static int get(struct environments *all, struct environment *e, json_t **ret_error, struct err *err)
{
    char project[PATH_MAX + 16], state[PATH_MAX + 32];
    const struct environment_ask ask = {.run = {.worker_program = program},
                                        .project = project,
                                        .date = "2026-01-01",
                                        .state = state};

    snprintf(project, sizeof project, "%s/project", tree_path);
    snprintf(state, sizeof state, "%s/state", tree_path);
    return environments_get(all, &ask, e, ret_error, err);
}

/* Get it; the runs that there were then. */
static int runs_after(struct environments *all)
{
    struct environment e;
    struct err err = {0};
    json_t *error;
    int r = get(all, &e, &error, &err);

    CHECK(r == 0);
    if (r < 0)
        printf("  %s\n", err.text);
    environment_done(&e);
    json_decref(error);
    return runs();
}

/* Wait until files count as old: their times are the kernel's, which nobody can set. */
static void let_them_age(void)
{
    usleep(60 * 1000);
}

static void asks_only_when_something_has_changed(void)
{
    struct environments all = {0};

    open_project();
    tree_put("project/src/entry.py", "");
    CHECK(runs_after(&all) == 0);
    tree_put("project/requirements.txt", "fastapi\n");
    tree_put("base.txt", "one");
    let_them_age();
    CHECK(runs_after(&all) == 1);
    CHECK(runs_after(&all) == 1);
    tree_put("project/src/entry.py", "other");
    CHECK(runs_after(&all) == 1);
    tree_put("base.txt", "two"); /* only the packager knew of it */
    let_them_age();
    CHECK(runs_after(&all) == 2 && runs_after(&all) == 2);
    tree_put("project/requirements.txt", "fastapy\n");
    let_them_age();
    CHECK(runs_after(&all) == 3 && runs_after(&all) == 3);
    tree_put("project/pyproject.toml", "");
    let_them_age();
    CHECK(runs_after(&all) == 4 && runs_after(&all) == 4);
    tree_put("project/python_modules/a-1.0.dist-info/METADATA", "");
    let_them_age();
    CHECK(runs_after(&all) == 5 && runs_after(&all) == 5);
    CHECK(remove("project/pyproject.toml") == 0 && remove("project/requirements.txt") == 0);
    CHECK(runs_after(&all) == 6 && runs_after(&all) == 6);
    environments_done(&all);
    CHECK(runs_after(&all) == 7);
    environments_done(&all);
    tree_close();
}

static void believes_no_file_that_was_written_meanwhile(void)
{
    struct environments all = {0};

    open_project();
    tree_put("packager", "#!/bin/sh\ncd \"${0%/*}\"; echo run >>runs; echo other "
                         ">project/requirements.txt; cat answer\n");
    tree_put("project/requirements.txt", "fastapi\n");
    CHECK(runs_after(&all) == 1 && runs_after(&all) == 2);
    environments_done(&all);
    tree_close();
}

static void says_what_was_answered(void)
{
    struct environments all = {0};
    struct environment e;
    struct err err = {0};
    json_t *error, *said;
    char expected[PATH_MAX + 16];

    open_project();
    tree_put("project/requirements.txt", "fastapi\n");
    CHECK(get(&all, &e, &error, &err) == 0);
    said = json_loads(e.json, 0, NULL);
    CHECK(strcmp(json_string_value(json_object_get(said, "set")), "/set") == 0);
    CHECK(strcmp(json_string_value(json_object_get(said, "home")), tree_path) == 0);
    CHECK(json_array_size(json_object_get(said, "folders")) == 1);
    snprintf(expected, sizeof expected, "%s/base.txt\n", tree_path);
    CHECK(strcmp(e.files, expected) == 0 && strcmp(e.left_out, "python_modules/x\n") == 0);
    CHECK(strcmp(e.hash, "0123456789abcdef0123456789abcdef") == 0 && e.fd == -1);
    json_decref(said);
    environment_done(&e);
    put_answer("{\"error\": {\"text\": \"no %s%s\", \"hint\": \"h\", \"line\": 3}}\n", "");
    tree_put("project/requirements.txt", "nothing\n");
    CHECK(get(&all, &e, &error, &err) == ERR_INVALID && strncmp(err.text, "no /", 4) == 0);
    CHECK(json_integer_value(json_object_get(error, "line")) == 3 && !e.json);
    json_decref(error);
    put_answer("{\"done\": {}}\n", "");
    CHECK(get(&all, &e, &error, &err) == ERR_SYSTEM && !error && !e.json);
    environments_done(&all);
    tree_close();
}

static void holds_what_was_made(void)
{
    struct environments all = {0};
    struct environment e;
    struct err err = {0};
    json_t *error;
    char folder[PATH_MAX + 16];
    int fd, before;

    open_project();
    tree_put("project/requirements.txt", "fastapi\n");
    tree_put("made/file", "");
    snprintf(folder, sizeof folder, "%s/made", tree_path);
    put_answer(DONE, folder);
    let_them_age();
    CHECK(get(&all, &e, &error, &err) == 0 && e.fd >= 0);
    fd = open("made", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(flock(fd, LOCK_EX | LOCK_NB) < 0);
    environment_done(&e);
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
    /* Somebody is deleting it: it is asked for again, and no more than a few times. */
    before = runs();
    CHECK(get(&all, &e, &error, &err) == ERR_SYSTEM && runs() > before && runs() < before + 5);
    close(fd);
    CHECK(remove("made/file") == 0 && remove("made") == 0);
    CHECK(get(&all, &e, &error, &err) == ERR_SYSTEM && !error);
    environments_done(&all);
    tree_close();
}

static void needs_no_home_when_nothing_is_asked_for(void)
{
    struct environments all = {0};
    struct environment e;
    struct err err = {0};
    json_t *error;

    open_project();
    tree_put("project/src/entry.py", "");
    unsetenv("CORRAL_PACKAGES");
    unsetenv("XDG_DATA_HOME");
    unsetenv("HOME");
    CHECK(get(&all, &e, &error, &err) == 0 && e.hash[0] == '\0');
    environment_done(&e);
    tree_put("project/requirements.txt", "fastapi\n");
    CHECK(get(&all, &e, &error, &err) == ERR_NOT_FOUND && err.hint[0] && !error);
    environments_done(&all);
    tree_close();
}

static void survives_want_of_memory(void)
{
    int r = ERR_NOMEM;

    open_project();
    tree_put("project/requirements.txt", "fastapi\n");
    tree_put("project/python_modules/a-1.0.dist-info/METADATA", "");
    value_init();
    for (long n = 0; r == ERR_NOMEM && n < 1000; n++) {
        struct environments all = {0};
        struct environment e;
        struct err err = {0};
        json_t *error;
        mem_fail_after(n);
        r = get(&all, &e, &error, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        environment_done(&e);
        json_decref(error);
        environments_done(&all);
    }
    CHECK(r == 0);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"asks_only_when_something_has_changed", asks_only_when_something_has_changed},
        {"believes_no_file_that_was_written_meanwhile",
         believes_no_file_that_was_written_meanwhile},
        {"says_what_was_answered", says_what_was_answered},
        {"holds_what_was_made", holds_what_was_made},
        {"survives_want_of_memory", survives_want_of_memory},
        {"needs_no_home_when_nothing_is_asked_for", needs_no_home_when_nothing_is_asked_for},
        {0},
    };

    return test_main("packages_environment", TESTS, argc, argv);
}

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
static bool is_upload;
static const char *project_name = "project";

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

/* Of a stranger's project: everything lies where it should, or it is not believed (packages_believe.c). */
static const char OF_STRANGER[] = "{\"done\": {\"folders\": [\"%s/set/a\"], \"set\": \"\", \"hash\": "
                                  "\"0123456789abcdef0123456789abcdef\", \"inputs\": [], "
                                  "\"left_out\": [\"python_modules/x\"], \"environment\": \"%s\"}}\n";

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

/* As a node that starts again would ask. */
static const char *kept, *network;

static int get(struct environments *all, struct environment *e, json_t **ret_error, struct err *err)
{
    char project[PATH_MAX + 16], state[PATH_MAX + 32];
    const struct environment_ask ask = {.run = {.worker_program = program},
                                        .project = project,
                                        .date = "2026-01-01",
                                        .state = state,
                                        .kept = kept,
                                        .network = network,
                                        .is_upload = is_upload};

    snprintf(project, sizeof project, "%s/%s", tree_path, project_name);
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

static bool job_says(const char *text)
{
    char job[4096] = "";
    FILE *f = fopen("job", "r");
    size_t n = f ? fread(job, 1, sizeof job - 1, f) : 0;

    if (f)
        fclose(f);
    return n > 0 && strstr(job, text);
}

static void a_project_that_names_nothing_gets_the_whole_set_if_it_is_to(void)
{
    struct environments all = {0}, others = {0};

    open_project();
    tree_put("project/entry.py", "");
    tree_put("another/entry.py", "");
    tree_put("modest/requirements.txt", "");
    tree_put("set/a/x.py", "");
    put_answer(OF_STRANGER, "");
    CHECK(runs_after(&all) == 0);
    is_upload = true;
    CHECK(runs_after(&all) == 1 && job_says("\"whole_set\":true"));
    project_name = "another"; /* it is the same for all of them */
    CHECK(runs_after(&all) == 1);
    project_name = "modest";
    CHECK(runs_after(&others) == 2 && job_says("\"whole_set\":false"));
    project_name = "project";
    is_upload = false;
    environments_done(&all);
    environments_done(&others);
    tree_close();
}

static int runs_of_another_process(void)
{
    struct environments fresh = {0};
    int n = runs_after(&fresh);

    environments_done(&fresh);
    return n;
}

static void another_process_need_not_ask_again(void)
{
    static char folder[PATH_MAX + 16];
    char environment[PATH_MAX + 64], home[PATH_MAX + 16], text[3 * PATH_MAX];

    open_project();
    snprintf(folder, sizeof folder, "%s/answers", tree_path);
    snprintf(environment, sizeof environment, "%s/state/0123456789abcdef0123456789abcdef", tree_path);
    kept = folder;
    is_upload = true;
    tree_put("project/requirements.txt", "fastapi\n");
    tree_put("home/set/a/x.py", "");
    tree_put("state/0123456789abcdef0123456789abcdef/environment.json", "{}");
    snprintf(home, sizeof home, "%s/home", tree_path); /* this folder changes all the time */
    setenv("CORRAL_PACKAGES", home, 1);
    snprintf(text, sizeof text, OF_STRANGER, home, environment);
    tree_put("answer", text);
    let_them_age();
    CHECK(runs_of_another_process() == 1);
    CHECK(runs_of_another_process() == 1 && runs_of_another_process() == 1);

    /* What the answer depends on. */
    tree_put("project/requirements.txt", "flask\n");
    let_them_age();
    CHECK(runs_of_another_process() == 2 && runs_of_another_process() == 2);
    network = "{}";
    CHECK(runs_of_another_process() == 3 && runs_of_another_process() == 3);
    setenv("PIP_INDEX_URL", "https://elsewhere.example/", 1);
    CHECK(runs_of_another_process() == 4 && runs_of_another_process() == 4);
    setenv("SOMETHING_ELSE", "1", 1);
    CHECK(runs_of_another_process() == 4);
    unsetenv("PIP_INDEX_URL");
    tree_put("packager", "#!/bin/sh\n# another one\ncd \"${0%/*}\"; cat >job; echo run >>runs; cat answer\n");
    CHECK(runs_of_another_process() == 5 && runs_of_another_process() == 5);

    /* An environment that has gone; files that nobody of ours has written. */
    CHECK(system("rm -r state && mkdir -p state/0123456789abcdef0123456789abcdef") == 0);
    CHECK(runs_of_another_process() == 5);
    CHECK(system("rm -r state/*") == 0);
    CHECK(system("sed -i s/0123456789abcdef/0000000000000000/g answers/*") == 0);
    tree_put("state/0123456789abcdef0123456789abcdef/environment.json", "{}");
    CHECK(runs_of_another_process() == 6); /* it named a folder that is not there */
    CHECK(system("for f in answers/*; do printf '{\"seal\":' >$f; done") == 0);
    CHECK(runs_of_another_process() == 7 && runs_of_another_process() == 7);
    CHECK(system("for f in answers/*; do rm $f; ln -s /etc/passwd $f; done") == 0);
    CHECK(runs_of_another_process() == 8 && runs_of_another_process() == 8);

    /* One's own project is not kept; who has no folder keeps nothing. */
    kept = NULL;
    CHECK(runs_of_another_process() == 9);
    kept = network = NULL;
    is_upload = false;
    tree_close();
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

/* What an upload's packager has made may be a link one day: workers are not led by it. */
static void folders_of_uploads_are_plain(void)
{
    static const char MADE[] =
        "{\"done\": {\"folders\": [\"%s/state/0123456789abcdef0123456789abcdef/packages\"], \"set\": \"\", \"hash\": "
        "\"0123456789abcdef0123456789abcdef\", \"inputs\": [], \"environment\": \"\"}}\n%s";
    struct environments all = {0};
    struct environment e;
    struct err err = {0};
    json_t *error;
    char expected[3 * PATH_MAX];

    open_project();
    put_answer(MADE, "");
    tree_put("project/requirements.txt", "fastapi\n");
    tree_put("state/0123456789abcdef0123456789abcdef/packages/x.py", "");
    is_upload = true;
    CHECK(get(&all, &e, &error, &err) == 0);
    snprintf(expected, sizeof expected, "%s\n=%s/state/0123456789abcdef0123456789abcdef/packages\n", tree_path, tree_path);
    CHECK(e.folders && strcmp(e.folders, expected) == 0);
    CHECK(e.json && !strchr(e.json, '='));
    environment_done(&e);
    environments_done(&all);
    is_upload = false;
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
        {"a_project_that_names_nothing_gets_the_whole_set_if_it_is_to",
         a_project_that_names_nothing_gets_the_whole_set_if_it_is_to},
        {"another_process_need_not_ask_again", another_process_need_not_ask_again},
        {"asks_only_when_something_has_changed", asks_only_when_something_has_changed},
        {"believes_no_file_that_was_written_meanwhile",
         believes_no_file_that_was_written_meanwhile},
        {"says_what_was_answered", says_what_was_answered},
        {"folders_of_uploads_are_plain", folders_of_uploads_are_plain},
        {"holds_what_was_made", holds_what_was_made},
        {"survives_want_of_memory", survives_want_of_memory},
        {"needs_no_home_when_nothing_is_asked_for", needs_no_home_when_nothing_is_asked_for},
        {0},
    };

    return test_main("packages_environment", TESTS, argc, argv);
}

/* packages_packages.c - src/packages/packages.c and base/helper.c: whatever the packager does,
 * there is an answer or an error, and no process is left behind. */
#include "packages/packages.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/mem.h"
#include "text/value.h"
#include "project_tree.h"
#include "test.h"

/* A packager made of shell. */
static const char *packager(const char *script)
{
    static char path[PATH_MAX + 32];

    tree_put("packager", script);
    chmod("packager", 0755);
    snprintf(path, sizeof path, "%s/packager", tree_path);
    return path;
}

static int no_child_is_left(void)
{
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static char told[256];
static int warnings;

static void on_progress(void *self, const char *line)
{
    size_t n = strlen(told);

    CHECK(self == told);
    snprintf(told + n, sizeof told - n, "%s;", line);
}

static void on_warning(void *self, json_t *warning)
{
    CHECK(self == told);
    CHECK(strcmp(json_string_value(json_object_get(warning, "text")), "w") == 0);
    warnings++;
}

static int run(const char *program, const atomic_bool *is_cancelled, json_t **ret_answer,
               struct err *err)
{
    json_t *job = json_pack("{s:s,s:s}", "job", "list", "home", "/nowhere");
    struct packages_run run = {.worker_program = program,
                               .job = job,
                               .progress = on_progress,
                               .warning = on_warning,
                               .self = told,
                               .is_cancelled = is_cancelled};
    int r = job ? packages_run(&run, ret_answer, err) : ERR_NOMEM;

    json_decref(job);
    return r;
}

#define SH        "#!/bin/sh\n"
#define NO_ANSWER "the packager said what is no answer"

static void survives_its_packager(void)
{
    static const struct {
        const char *script;
        int result;
        const char *text;
    } CASES[] = {
        {SH
         "[ \"$(cat)\" = '{\"job\":\"list\",\"home\":\"/nowhere\"}' ] && [ \"$1\" = packages ] &&"
         " echo '{\"done\": {\"a\": 1}}'",
         0, NULL},
        {SH "[ \"$FROM_OUTSIDE\" = yes ] && echo '{\"done\": {\"a\": 1}}'", 0, NULL},
        {SH "echo '{\"done\": {\"a\": 1}}'; exit 3", 0, NULL},
        {SH "sleep 1000 >/dev/null & echo '{\"done\": {\"a\": 1}}'", 0, NULL},
        {SH "echo '{\"error\": {\"text\": \"no such package\", \"hint\": \"h\", \"a\": 1}}'",
         ERR_INVALID, "no such package"},
        {SH "echo '{\"error\": {\"a\": 1}}'", ERR_INVALID,
         "the packager failed and does not say why"},
        {SH, ERR_SYSTEM, "the packager ended without an answer"},
        {SH "exit 1", ERR_SYSTEM, "the packager ended without an answer"},
        {SH "printf '{\"done\": {\"a\": 1}}'", ERR_SYSTEM, "the packager ended without an answer"},
        {SH "echo '{\"done\": {}}'; echo '{\"done\": {}}'", ERR_SYSTEM, NO_ANSWER},
        {SH "echo nonsense", ERR_SYSTEM, NO_ANSWER},
        {SH "echo '{\"done\": 1}'", ERR_SYSTEM, NO_ANSWER},
        {SH "echo '{\"progress\": {}}'", ERR_SYSTEM, NO_ANSWER},
        {SH "echo '{\"done\": {}, \"error\": {}}'", ERR_SYSTEM, NO_ANSWER},
        {SH "echo '[]'", ERR_SYSTEM, NO_ANSWER},
        {SH "kill -9 $$", ERR_SYSTEM, "the packager died of signal 9"},
        {SH "echo '{\"done\": {}}'; kill -6 $$", ERR_SYSTEM, "the packager died of signal 6"},
        {SH "exec cat /dev/zero", ERR_LIMIT, "the packager said more than 8 MiB in one line"},
    };

    tree_open();
    setenv("FROM_OUTSIDE", "yes", 1);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct err err = {0};
        json_t *answer = NULL;
        int r = run(packager(CASES[i].script), NULL, &answer, &err);
        CHECK(r == CASES[i].result);
        CHECK(!CASES[i].text || strcmp(err.text, CASES[i].text) == 0);
        if (r != CASES[i].result)
            printf("  %s -> %d %s\n", CASES[i].script, r, err.text);
        CHECK((r == 0 || r == ERR_INVALID) == (answer != NULL));
        CHECK(!answer || json_integer_value(json_object_get(answer, "a")) == 1);
        CHECK(no_child_is_left());
        json_decref(answer);
    }
    tree_close();
}

static void tells_what_goes_on(void)
{
    struct err err = {0};
    json_t *answer = NULL;

    tree_open();
    told[0] = '\0';
    CHECK(
        run(packager(SH "echo '{\"progress\": \"one\"}'; echo '{\"warning\": {\"text\": \"w\"}}'\n"
                        "printf '{\"progress\": '; echo '\"two\"}'; echo '{\"done\": {}}'"),
            NULL, &answer, &err) == 0);
    CHECK(strcmp(told, "one;two;") == 0);
    CHECK(warnings == 1);
    json_decref(answer);
    tree_close();
}

static void *cancel(void *flag)
{
    /* The packager has started its own child when there is this file. */
    while (access("started", F_OK) < 0)
        sched_yield();
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void ends_all_of_it_when_cancelled(void)
{
    static const char *const SCRIPTS[] = {
        SH "sleep 1000 & echo $! >child; mv child started; wait",
        SH "sleep 1000 >/dev/null & echo $! >child; exec >/dev/null; mv child started; wait",
    };

    for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
        atomic_bool is_cancelled = false;
        struct err err = {0};
        json_t *answer = NULL;
        pthread_t thread;
        FILE *f;
        int pid = 0;

        tree_open();
        CHECK(pthread_create(&thread, NULL, cancel, &is_cancelled) == 0);
        CHECK(run(packager(SCRIPTS[i]), &is_cancelled, &answer, &err) == ERR_CANCELLED);
        CHECK(strcmp(err.text, "the packager was stopped") == 0 && !answer);
        pthread_join(thread, NULL);
        CHECK(no_child_is_left());
        f = fopen("started", "r");
        CHECK(f && fscanf(f, "%d", &pid) == 1 && pid > 0);
        /* Its own child is dead; who adopts it may not have reaped it yet. */
        for (int64_t end_ms = clock_now_ms() + 20000; pid > 0 && clock_now_ms() < end_ms;) {
            char path[64], state = 'X', line[256];
            FILE *stat;
            snprintf(path, sizeof path, "/proc/%d/stat", pid);
            stat = fopen(path, "r");
            if (stat && fgets(line, sizeof line, stat))
                state = strrchr(line, ')')[2];
            if (stat)
                fclose(stat);
            if (state == 'Z' || state == 'X')
                pid = 0;
        }
        CHECK(pid == 0);
        if (f)
            fclose(f);
        tree_close();
    }
}

static void says_when_there_is_no_packager(void)
{
    struct err err = {0};
    json_t *answer = NULL;

    CHECK(run("/nowhere/corral-worker", NULL, &answer, &err) == ERR_SYSTEM);
    CHECK(strcmp(err.text, "start the packager, '/nowhere/corral-worker': "
                           "No such file or directory") == 0);
    CHECK(err.hint[0] && no_child_is_left() && !answer);
}

static void survives_want_of_memory(void)
{
    tree_open();
    const char *program =
        packager(SH "echo '{\"progress\": \"p\"}'; echo '{\"done\": {\"a\": 1}}'");
    int r = ERR_NOMEM;

    value_init();
    for (long n = 0; r == ERR_NOMEM && n < 1000; n++) {
        struct err err = {0};
        json_t *answer = NULL;
        told[0] = '\0';
        mem_fail_after(n);
        r = run(program, NULL, &answer, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        CHECK((r == 0) == (answer != NULL));
        CHECK(no_child_is_left());
        json_decref(answer);
    }
    CHECK(r == 0);
    tree_close();
}

static void home_is(const char *corral, const char *xdg, const char *home, const char *expected)
{
    static const char *const NAMES[] = {"CORRAL_PACKAGES", "XDG_DATA_HOME", "HOME"};
    const char *values[] = {corral, xdg, home};
    struct err err = {0};
    char *found = NULL;
    int r;

    for (int i = 0; i < 3; i++)
        if (values[i])
            setenv(NAMES[i], values[i], 1);
        else
            unsetenv(NAMES[i]);
    r = packages_home(&found, &err);
    CHECK(r == (expected ? 0 : ERR_NOT_FOUND));
    CHECK(expected ? strcmp(found, expected) == 0 : !found && err.hint[0]);
    mem_free(found);
}

static void strangers_learn_no_keys(void)
{
    json_t *job = json_pack("{s:s}", "job", "list"), *answer = NULL;
    struct packages_run run = {.job = job, .is_stranger = true};
    struct err err = {0};

    tree_open();
    run.worker_program = packager(SH "echo '{\"done\": {\"k\": \"'\"$CORRAL_SECRETS_KEY$UVX\"'\", \"p\": "
                                     "\"'\"$PIP_INDEX_URL\"'\"}}'\n");
    setenv("CORRAL_SECRETS_KEY", "key", 1);
    setenv("UVX", "x", 1);
    setenv("PIP_INDEX_URL", "url", 1);
    CHECK(packages_run(&run, &answer, &err) == 0);
    CHECK(strcmp(json_string_value(json_object_get(answer, "k")), "") == 0);
    CHECK(strcmp(json_string_value(json_object_get(answer, "p")), "url") == 0);
    json_decref(answer);
    run.is_stranger = false;
    CHECK(packages_run(&run, &answer, &err) == 0);
    CHECK(strcmp(json_string_value(json_object_get(answer, "k")), "keyx") == 0);
    json_decref(answer);
    json_decref(job);
    unsetenv("CORRAL_SECRETS_KEY");
    tree_close();
}

static void finds_the_home(void)
{
    home_is("/p", "/x", "/h", "/p");
    home_is(NULL, "/x", "/h", "/x/corral/packages");
    home_is("", "x", "/h", "/h/.local/share/corral/packages");
    home_is("", "", "", NULL);
    home_is(NULL, NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"survives_its_packager", survives_its_packager},
        {"tells_what_goes_on", tells_what_goes_on},
        {"ends_all_of_it_when_cancelled", ends_all_of_it_when_cancelled},
        {"says_when_there_is_no_packager", says_when_there_is_no_packager},
        {"survives_want_of_memory", survives_want_of_memory},
        {"strangers_learn_no_keys", strangers_learn_no_keys},
        {"finds_the_home", finds_the_home},
        {0},
    };

    return test_main("packages_packages", TESTS, argc, argv);
}

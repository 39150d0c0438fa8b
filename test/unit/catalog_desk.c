/* catalog_desk.c - src/catalog/desk.c: jobs in their order, in a thread of their own. */
#include "catalog/desk.h"

#include <pthread.h>

#include "catalog/account.h"
#include "catalog_open.h"

static struct catalog_config CONFIG = {.data_folder = "data"};

struct job {
    struct desk_job job;
    struct desk *desk;
    int number, again; /* add another one of this number from done() */
    bool was_elsewhere;
    struct err err;
    int r;
};

static int worked[100], work_count, done[100], done_count;
static bool is_closed;
static pthread_t loop_thread;

static void on_work(struct desk_job *job, struct catalog *catalog)
{
    struct job *j = RING_OF(job, struct job, job);
    struct account a = {0};
    char name[32];

    worked[work_count++] = j->number;
    j->was_elsewhere = !pthread_equal(pthread_self(), loop_thread);
    snprintf(name, sizeof name, "job %d", j->number);
    j->r = account_need(catalog, name, &a, &j->err);
    account_done(&a);
}

static void on_done(struct desk_job *job)
{
    struct job *j = RING_OF(job, struct job, job);
    struct err err = {0};

    done[done_count++] = j->number;
    CHECK(pthread_equal(pthread_self(), loop_thread));
    if (j->again) { /* its memory is ours again */
        j->number = j->again;
        j->again = 0;
        CHECK(desk_add(j->desk, &j->job, &err) == 0);
    }
}

static void on_closed(void *self)
{
    is_closed = true;
    *(int *)self += 1;
}

static void start(uv_loop_t *loop, struct desk **ret)
{
    struct err err = {0};

    tree_open();
    unsetenv("CORRAL_SECRETS_KEY");
    work_count = done_count = 0;
    is_closed = false;
    loop_thread = pthread_self();
    uv_loop_init(loop);
    CHECK(desk_open(loop, &CONFIG, ret, &err) == 0);
}

static int64_t accounts(void)
{
    struct catalog *c = catalog_again();
    struct accounts all = {0};
    struct err err = {0};
    int64_t n;

    CHECK(account_list(c, &all, &err) == 0);
    n = (int64_t)all.count;
    accounts_done(&all);
    catalog_close(c);
    return n;
}

static void jobs_run_in_their_order_elsewhere(void)
{
    enum { JOBS = 20 };
    struct job jobs[JOBS] = {0};
    struct err err = {0};
    struct desk *desk;
    uv_loop_t loop;
    int closed = 0;

    start(&loop, &desk);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.job = {.work = on_work, .done = on_done}, .desk = desk, .number = i + 1};
        CHECK(desk_add(desk, &jobs[i].job, &err) == 0);
        CHECK(done_count == 0); /* never before the call has returned */
    }
    jobs[3].again = 50;
    while (done_count < JOBS + 1)
        uv_run(&loop, UV_RUN_ONCE);
    for (int i = 0; i < JOBS + 1; i++)
        CHECK(worked[i] == (i < JOBS ? i + 1 : 50) && done[i] == worked[i]);
    for (int i = 0; i < JOBS; i++)
        CHECK(jobs[i].r == 0 && jobs[i].was_elsewhere);
    desk_close(desk, on_closed, &closed);
    CHECK(!is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && closed == 1 && uv_loop_close(&loop) == 0);
    CHECK(accounts() == JOBS + 1);
    tree_close();
}

static void closing_waits_for_what_was_asked(void)
{
    enum { JOBS = 10 };
    struct job jobs[JOBS + 1] = {0};
    struct err err = {0};
    struct desk *desk;
    uv_loop_t loop;
    int closed = 0;

    start(&loop, &desk);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.job = {.work = on_work, .done = on_done}, .number = i + 1};
        CHECK(desk_add(desk, &jobs[i].job, &err) == 0);
    }
    desk_close(desk, on_closed, &closed);
    jobs[JOBS].job = (struct desk_job){.work = on_work, .done = on_done};
    CHECK(desk_add(desk, &jobs[JOBS].job, &err) == ERR_GONE);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(done_count == JOBS && closed == 1 && uv_loop_close(&loop) == 0);
    CHECK(accounts() == JOBS);
    tree_close();
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_at_gate(struct desk_job *job, struct catalog *catalog)
{
    (void)job, (void)catalog;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void count_done(struct desk_job *job)
{
    (void)job;
    done_count++;
}

static void only_so_many_jobs_wait(void)
{
    struct desk_job *jobs = mem_alloc((DESK_JOBS_MAX + 1) * sizeof *jobs);
    struct err err = {0};
    struct desk *desk;
    uv_loop_t loop;
    int closed = 0;

    start(&loop, &desk);
    pthread_mutex_lock(&gate);
    for (int i = 0; i <= DESK_JOBS_MAX; i++) {
        jobs[i] = (struct desk_job){.work = wait_at_gate, .done = count_done};
        CHECK(desk_add(desk, &jobs[i], &err) == (i < DESK_JOBS_MAX ? 0 : ERR_LIMIT));
    }
    pthread_mutex_unlock(&gate);
    while (done_count < DESK_JOBS_MAX)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(desk_add(desk, &jobs[DESK_JOBS_MAX], &err) == 0);
    desk_close(desk, on_closed, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(done_count == DESK_JOBS_MAX + 1 && closed == 1 && uv_loop_close(&loop) == 0);
    mem_free(jobs);
    tree_close();
}

static void a_folder_has_one_desk(void)
{
    struct desk *desk, *second = NULL;
    struct err err = {0};
    uv_loop_t loop;
    int closed = 0;

    start(&loop, &desk);
    CHECK(desk_open(&loop, &CONFIG, &second, &err) == ERR_LIMIT && strstr(err.text, "another node"));
    CHECK(accounts() == 0); /* commands look beside it */
    desk_close(desk, on_closed, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(desk_open(&loop, &CONFIG, &second, &err) == 0);
    desk_close(second, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
    tree_put("file", "");
    uv_loop_init(&loop);
    CHECK(desk_open(&loop, &(struct catalog_config){.data_folder = "file"}, &desk, &err) == ERR_SYSTEM);
    CHECK(uv_loop_close(&loop) == 0);
    tree_close();
}

static void ask_whether_it_is_there(struct desk_job *job, struct catalog *catalog)
{
    struct job *j = RING_OF(job, struct job, job);
    struct stat st;

    (void)catalog;
    j->r = stat("data/bundles/.new-rubbish", &st);
}

static void sweeps_bundles_when_there_is_time(void)
{
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct job j = {.job = {.work = ask_whether_it_is_there, .done = count_done}};
    struct err err = {0};
    struct desk *desk;
    uv_loop_t loop;
    int closed = 0;

    desk_sweep_every(5);
    start(&loop, &desk);
    tree_put("data/bundles/.new-rubbish/x", "half");
    CHECK(utimensat(AT_FDCWD, "data/bundles/.new-rubbish", old, 0) == 0);
    for (int asked = 0; j.r == 0 && asked < 5000; asked++) {
        CHECK(desk_add(desk, &j.job, &err) == 0);
        while (done_count == asked)
            uv_run(&loop, UV_RUN_ONCE);
        usleep(1000);
    }
    CHECK(j.r < 0);
    desk_close(desk, on_closed, &closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(closed == 1 && uv_loop_close(&loop) == 0);
    desk_sweep_every(60000);
    tree_close();
}

static int walk(uv_loop_t *loop, struct err *err)
{
    struct desk *desk = NULL;
    int r = desk_open(loop, &CONFIG, &desk, err);

    if (r == 0)
        desk_close(desk, NULL, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    return r;
}

static void runs_out_of_memory_without_a_trace(void)
{
    struct err err = {0};
    uv_loop_t loop;

    tree_open();
    uv_loop_init(&loop);
    WALK_NOMEM(walk(&loop, &err));
    CHECK(uv_loop_close(&loop) == 0);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"jobs_run_in_their_order_elsewhere", jobs_run_in_their_order_elsewhere},
        {"closing_waits_for_what_was_asked", closing_waits_for_what_was_asked},
        {"only_so_many_jobs_wait", only_so_many_jobs_wait},
        {"a_folder_has_one_desk", a_folder_has_one_desk},
        {"sweeps_bundles_when_there_is_time", sweeps_bundles_when_there_is_time},
        {"runs_out_of_memory_without_a_trace", runs_out_of_memory_without_a_trace},
        {0},
    };

    return test_main("catalog_desk", TESTS, argc, argv);
}

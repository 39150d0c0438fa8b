/* herd_crew.c - what a template says about orders that are not open changes nothing. */
#include "herd/crew.h"

#include <signal.h>
#include <sys/wait.h>

#include "actor.h"
#include "base/clock.h"
#include "base/log.h"
#include "test.h"

static unsigned changes;

static void on_changed(void *self)
{
    (void)self;
    changes++;
}

static void a_failure_counts_once_and_only_for_an_open_order(void)
{
    static const struct crew_events EVENTS = {.changed = on_changed};
    struct spawn_failed failed = {.id = 1, .text = SPAN("again and again")};
    struct crew crew = {.name = "w", .events = &EVENTS, .last_id = 1};
    struct err err = {0};

    crew_init(&crew);
    for (int i = 0; i < 100; i++)
        CHECK(crew_spawn_failed(&crew, &failed, &err) == 0);
    CHECK(crew.backoff.failures == 0 && crew.fork_at_ms == 0 && changes == 0);
    failed.id = 2;
    CHECK(crew_spawn_failed(&crew, &failed, &err) == ERR_INVALID);
}

/* ---- a template that reads no orders any more, beside an instance that works ---- */

static uv_loop_t loop;
static struct turn turn;
static bool is_up, has_ended, is_gone, is_closed;

static void on_up(void *self) { (void)self; is_up = true; }
static void on_gone(void *self) { (void)self; is_gone = true; }
static void on_closed(void *self) { (void)self; is_closed = true; }
static void on_template_ended(void *self, enum kin_end how, const char *why)
{
    (void)self, (void)why;
    has_ended = how == KIN_KILLED;
}
static void on_idle(uv_idle_t *idle) { (void)idle; }

static void run_until(const bool *flag)
{
    int64_t end = (int64_t)uv_hrtime() + 30ll * 1000 * 1000 * 1000;

    while (!*flag && (int64_t)uv_hrtime() < end)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(*flag);
}

static struct template *start_template(pid_t *ret_child)
{
    static const struct template_events EVENTS = {.up = on_up, .ended = on_template_ended, .gone = on_gone};
    struct template *template = NULL;
    struct err err = {0};
    int ours, theirs, output[2];

    CHECK(peer_pair(&ours, &theirs, &err) == 0 && pipe(output) == 0);
    fflush(stdout);
    *ret_child = fork();
    if (*ret_child == 0) {
        close(ours);
        side = theirs;
        SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_TEMPLATE);
        for (;;)
            pause();
    }
    close(theirs);
    close(output[1]);
    CHECK(template_open(&turn, ours, output[0], getpid(), 1, &EVENTS, NULL, &template, &err) == 0);
    run_until(&is_up);
    return template;
}

static void a_template_that_forks_no_more_is_ended_though_an_instance_works(void)
{
    static const struct crew_events EVENTS = {.changed = on_changed};
    static struct herd_config config = {.instances_max = 2, .spares = 1, .idle_ms = 1000000, .busy_ms = 30};
    struct crew crew = {.name = "w", .events = &EVENTS, .turn = &turn, .config = &config};
    struct obituaries obituaries = {.name = "w"};
    struct instance works = {.is_active = true};
    struct err err = {0};
    unsigned orders = 0;
    uv_idle_t idle;
    pid_t child;

    uv_loop_init(&loop);
    CHECK(turn_open(&turn, &loop, &err) == 0);
    uv_idle_init(&loop, &idle);
    uv_idle_start(&idle, on_idle);
    crew_init(&crew);
    crew.obituaries = &obituaries;
    crew.template = start_template(&child);
    log_set_level(LOG_NONE);
    clock_fake(1000);
    works.kin.state = KIN_UP;
    works.kin.role = ROLE_INSTANCE;
    works.idle_ms = 1000;
    ring_init(&works.ring);
    ring_init(&works.lingering);
    ring_push(&crew.instances, &works.ring);
    crew.count = 1;
    for (int64_t now = 1000; !has_ended && now < 600000; now += 100) {
        clock_fake(now);
        crew_tick(&crew, now, CREW_SPARE);
        uv_run(&loop, UV_RUN_NOWAIT);
        uv_run(&loop, UV_RUN_NOWAIT);
        orders = crew.last_id;
        if (!is_gone && crew.template->kin.killed)
            run_until(&has_ended); /* its end takes as long as the machine likes */
    }
    CHECK(has_ended && orders == 3);
    clock_fake(-1);
    log_set_level(LOG_INFO);
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
    run_until(&is_gone);
    ring_drop(&works.ring);
    uv_close((uv_handle_t *)&idle, NULL);
    turn_close(&turn, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(a_failure_counts_once_and_only_for_an_open_order),
        T(a_template_that_forks_no_more_is_ended_though_an_instance_works),
        {0},
    };

    return test_main("herd_crew", TESTS, argc, argv);
}

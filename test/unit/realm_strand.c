/* realm_strand.c - src/realm/strand.c: one stack at a time, in any order.  Runs under
 * ThreadSanitizer, too: what strands share here is not locked, as the baton is all that orders
 * them. */
#include "realm/strand.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

enum { JOBS = 300, HELD = 20 };

/* What a loop of the instance does, in small: jobs come in, run, wait, and are resumed by turns. */
static unsigned begun, ended, working; /* hooks; strands inside our code */
static struct strand *held[STRAND_WAITING_MAX + 1];
static unsigned held_count, jobs_begun, jobs_ended, refused, takeovers;
static void (*script)(void);

static void begin(void)
{
    begun++;
}
static void end(void)
{
    ended++;
}
static const struct strand_hooks HOOKS = {begin, end};

static void enter(void)
{
    CHECK(++working == 1);
}
static void leave(void)
{
    CHECK(--working == 0);
}

/* The calling strand waits until somebody resumes it. */
static int hold(void)
{
    struct err err = {0};
    int r;

    held[held_count++] = strand_self;
    leave();
    r = strand_wait(&err);
    enter();
    if (r < 0) {
        CHECK(r == ERR_LIMIT && err.text[0]);
        held_count--;
        refused++;
    }
    return r;
}

static void release(unsigned which)
{
    struct strand *s = held[which];

    held[which] = held[--held_count];
    leave();
    strand_resume(s);
    enter();
}

/* ---- scripts: each is one turn of the loop, which may wait ---- */

static unsigned seed = 1;
static unsigned roll(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % n;
}

/* Jobs that wait up to three times, resumed in any order. */
static void jobs_in_any_order(void)
{
    if (jobs_begun < JOBS && held_count < HELD && roll(2) == 0) {
        unsigned waits = roll(4);
        int mark = (int)jobs_begun++;
        volatile int kept = mark;
        while (waits-- > 0)
            hold();
        CHECK(kept == mark); /* the stack was still there */
        jobs_ended++;
    } else if (held_count > 0) {
        release(roll(held_count));
    }
}

static void as_many_as_may_wait(void)
{
    if (jobs_begun < STRAND_WAITING_MAX + 3) {
        jobs_begun++;
        hold();
        jobs_ended++;
    } else if (held_count > 0) {
        release(held_count - 1);
    }
}

static void without_memory(void)
{
    struct err err = {0};

    if (jobs_begun++ == 0) {
        mem_fail_after(0);
        CHECK(strand_wait(&err) == ERR_NOMEM);
        CHECK(strand_has_loop());
    }
    jobs_ended = jobs_begun;
}

static bool is_over(void)
{
    if (held_count > 0 || jobs_begun == 0)
        return false;
    if (script == as_many_as_may_wait)
        return jobs_begun == STRAND_WAITING_MAX + 3 && jobs_ended == jobs_begun;
    return script == without_memory || (jobs_begun == JOBS && jobs_ended == JOBS);
}

static void loop(void *argument)
{
    struct strand *const *first = argument;

    takeovers++;
    enter();
    while (script(), strand_has_loop()) {
        if (strand_self != *first || !is_over())
            continue;
        CHECK(begun == ended); /* nobody else is left inside */
        CHECK(script == without_memory || takeovers > 1);
        CHECK(refused == (script == as_many_as_may_wait ? 3 : 0));
        fflush(stdout);
        _exit(test_failed_checks != 0);
    }
    leave();
}

/* strand_serve does not return, so each in a process of its own. */
static void serve(void (*turn)(void))
{
    static struct strand *first;
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        alarm(60);
        script = turn;
        strand_open(&HOOKS);
        first = strand_self;
        CHECK(strand_here() && !strand_is_serving());
        strand_serve(loop, &first);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void resumes_in_any_order(void)
{
    serve(jobs_in_any_order);
}

static void refuses_more_than_may_wait(void)
{
    serve(as_many_as_may_wait);
}

static void goes_on_without_memory(void)
{
    serve(without_memory);
}

static void *other_thread(void *here)
{
    *(bool *)here = strand_here();
    return NULL;
}

static void other_threads_are_no_strands(void)
{
    bool here = true;
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, other_thread, &here) == 0);
    CHECK(pthread_join(thread, NULL) == 0 && !here);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"resumes_in_any_order", resumes_in_any_order},
        {"refuses_more_than_may_wait", refuses_more_than_may_wait},
        {"goes_on_without_memory", goes_on_without_memory},
        {"other_threads_are_no_strands", other_threads_are_no_strands},
        {0},
    };

    return test_main("realm_strand", tests, argc, argv);
}

/* herd_tries.c - tests of herd/tries.c: whose doing it is that a version does not load. */
#include "herd/tries.h"

#include <signal.h>
#include <string.h>

#include "test.h"

enum { PID = 77, EXIT_1 = 1 << 8 };

/* One more template, ordered in `round` and judged in `later`. */
static enum tries_verdict one(struct tries *t, unsigned round, enum tries_end end, int status,
                              unsigned later)
{
    tries_begin(t, round);
    tries_spawned(t, PID);
    if (status >= 0)
        tries_exited(t, PID, (uint32_t)status);
    tries_ended(t, end);
    return tries_judge(t, later);
}

static void a_crash_is_the_codes(void)
{
    struct tries t = {0};
    char words[256];

    CHECK(tries_judge(&t, 1) == TRIES_GO_ON); /* the first one */
    CHECK(one(&t, 1, TRIES_DIED, SIGSEGV, 1) == TRIES_GO_ON);
    CHECK(one(&t, 1, TRIES_DIED, EXIT_1, 1) == TRIES_GO_ON);
    CHECK(one(&t, 1, TRIES_DIED, SIGSEGV, 1) == TRIES_CODE_FAILS);
    tries_words(&t, "hello", words, sizeof words);
    CHECK(strcmp(words, "the process that loads 'hello' ended 3 times in a row: the last one was "
                        "ended by SIGSEGV") == 0);
}

static void who_lies_is_killed_and_to_blame(void)
{
    struct tries t = {0};

    CHECK(one(&t, 1, TRIES_LIED, SIGKILL, 1) == TRIES_GO_ON);
    CHECK(one(&t, 1, TRIES_LIED, SIGKILL, 2) == TRIES_GO_ON);
    CHECK(one(&t, 2, TRIES_LIED, -1, 2) == TRIES_CODE_FAILS);
}

static void nobody_knows_how_it_ended(void)
{
    struct tries t = {0};

    for (unsigned i = 1; i < TRIES_CODE; i++)
        CHECK(one(&t, 1, TRIES_DIED, -1, 1) == TRIES_GO_ON);
    CHECK(one(&t, 1, TRIES_DIED, -1, 1) == TRIES_CODE_FAILS);
}

static void a_kill_is_the_nodes(void)
{
    struct tries t = {0};
    char words[256];

    for (unsigned i = 1; i < TRIES_NODE; i++)
        CHECK(one(&t, 1, TRIES_DIED, SIGKILL, 1) == TRIES_GO_ON);
    CHECK(one(&t, 1, TRIES_DIED, SIGKILL, 1) == TRIES_NODE_FAILS && t.by_code == 0);
    tries_words(&t, "hello", words, sizeof words);
    CHECK(strstr(words, "'hello' could not be loaded: processes of this node ended 5 times"));
}

static void what_ends_with_its_zygote_is_the_nodes(void)
{
    struct tries t = {0};

    for (unsigned i = 1; i < TRIES_NODE; i++)
        CHECK(one(&t, i, TRIES_DIED, -1, i + 1) == TRIES_GO_ON);
    CHECK(one(&t, 9, TRIES_IDLE, -1, 9) == TRIES_NODE_FAILS && t.by_code == 0);
}

static void both_are_counted_and_judged_once(void)
{
    struct tries t = {0};

    CHECK(one(&t, 1, TRIES_DIED, SIGSEGV, 1) == TRIES_GO_ON);
    CHECK(one(&t, 1, TRIES_DIED, SIGKILL, 1) == TRIES_GO_ON);
    CHECK(tries_judge(&t, 1) == TRIES_GO_ON);
    CHECK(t.by_code == 1 && t.by_node == 1);
    tries_reset(&t);
    CHECK(t.by_code == 0 && t.by_node == 0 && tries_judge(&t, 1) == TRIES_GO_ON);
}

static void news_of_others_say_nothing(void)
{
    struct tries t = {0};

    tries_begin(&t, 1);
    tries_exited(&t, 0, SIGKILL); /* it has no number yet */
    tries_spawned(&t, PID);
    tries_exited(&t, PID + 1, SIGKILL);
    tries_ended(&t, TRIES_DIED);
    (void)tries_judge(&t, 1);
    CHECK(t.by_code == 1 && t.by_node == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"a_crash_is_the_codes", a_crash_is_the_codes},
        {"who_lies_is_killed_and_to_blame", who_lies_is_killed_and_to_blame},
        {"nobody_knows_how_it_ended", nobody_knows_how_it_ended},
        {"a_kill_is_the_nodes", a_kill_is_the_nodes},
        {"what_ends_with_its_zygote_is_the_nodes", what_ends_with_its_zygote_is_the_nodes},
        {"both_are_counted_and_judged_once", both_are_counted_and_judged_once},
        {"news_of_others_say_nothing", news_of_others_say_nothing},
        {0},
    };

    return test_main("herd_tries", TESTS, argc, argv);
}

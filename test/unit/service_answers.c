/* service_answers.c - src/service/answers.c: what is kept, for how long, and whose goes first. */
#include "service/answers.h"

#include <string.h>

#include "test.h"

enum { MAX = 64 * 1024 };

static struct answers *all;
static struct err err;

static int put(const char *account, const char *url, size_t bytes, int64_t until_ms)
{
    static char body[MAX];
    struct answer *answer = answer_new();
    unsigned char key[ANSWERS_KEY];
    int r;

    CHECK(answers_key(span_of(account), SPAN(""), span_of(url), key));
    answer->status = 200;
    answer->until_ms = until_ms;
    CHECK(buf_append(&answer->body, body, bytes) == 0);
    r = answers_put(all, span_of(account), key, answer, &err);
    answer_drop(answer);
    return r;
}

static struct answer *find(const char *account, const char *url, int64_t now_ms)
{
    unsigned char key[ANSWERS_KEY];

    CHECK(answers_key(span_of(account), SPAN(""), span_of(url), key));
    return answers_find(all, key, now_ms);
}

static bool take_away(const char *account, const char *url)
{
    unsigned char key[ANSWERS_KEY];

    CHECK(answers_key(span_of(account), SPAN(""), span_of(url), key));
    return answers_remove(all, key, 0);
}

static void open_all(void)
{
    CHECK(answers_open(MAX, &all, &err) == 0);
}

static void what_is_put_is_found_until_it_is_stale(void)
{
    open_all();
    CHECK(put("a", "/x", 100, 50) == 0);
    CHECK(find("a", "/x", 49) && find("a", "/x", 49)->status == 200);
    CHECK(answers_bytes(all) == 100 + ANSWERS_OVERHEAD);
    CHECK(!find("a", "/x", 50));
    CHECK(answers_bytes(all) == 0);
    CHECK(!find("a", "/x", 0)); /* a stale one is gone */
    answers_close(all);
}

static void a_key_is_of_one_account(void)
{
    open_all();
    CHECK(put("a", "/x", 1, 9) == 0);
    CHECK(!find("b", "/x", 0) && !find("", "/x", 0) && !find("a/", "x", 0));
    CHECK(!take_away("b", "/x") && take_away("a", "/x") && !take_away("a", "/x"));
    CHECK(answers_bytes(all) == 0);
    answers_close(all);
}

static void the_newer_takes_the_place(void)
{
    open_all();
    CHECK(put("a", "/x", 10, 9) == 0 && put("a", "/x", 20, 9) == 0);
    CHECK(buf_len(&find("a", "/x", 0)->body) == 20);
    CHECK(answers_bytes(all) == 20 + ANSWERS_OVERHEAD);
    answers_close(all);
}

static void one_that_is_too_long_is_refused_and_the_older_is_gone(void)
{
    open_all();
    CHECK(put("a", "/x", 10, 9) == 0);
    CHECK(put("a", "/x", MAX / 4, 9) == ERR_LIMIT);
    CHECK(!find("a", "/x", 0));
    CHECK(put("a", "/x", MAX / 4 - ANSWERS_OVERHEAD, 9) == 0);
    answers_close(all);
}

static void the_longest_unused_goes_first(void)
{
    char url[16];

    open_all();
    for (int i = 0; i < 8; i++) {
        snprintf(url, sizeof url, "/%d", i);
        CHECK(put("a", url, MAX / 8 - ANSWERS_OVERHEAD, 9) == 0);
    }
    CHECK(answers_bytes(all) == MAX);
    CHECK(find("a", "/0", 0) != NULL);
    CHECK(put("a", "/8", 1, 9) == 0);
    CHECK(find("a", "/0", 0) && !find("a", "/1", 0) && find("a", "/2", 0));
    answers_close(all);
}

static void who_fills_it_pushes_himself_out(void)
{
    char url[16];

    open_all();
    for (int i = 0; i < 4; i++) {
        snprintf(url, sizeof url, "/%d", i);
        CHECK(put("quiet", url, 1024, 9) == 0);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(url, sizeof url, "/%d", i);
        CHECK(put("loud", url, 4096, 9) == 0);
        CHECK(answers_bytes(all) <= MAX);
    }
    for (int i = 0; i < 4; i++) {
        snprintf(url, sizeof url, "/%d", i);
        CHECK(find("quiet", url, 0) != NULL);
    }
    answers_close(all);
}

static void who_reads_one_keeps_it(void)
{
    struct answer *held;

    open_all();
    CHECK(put("a", "/x", 10, 9) == 0);
    held = answer_hold(find("a", "/x", 0));
    CHECK(take_away("a", "/x"));
    answers_close(all);
    CHECK(buf_len(&held->body) == 10);
    answer_drop(held);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(what_is_put_is_found_until_it_is_stale),
        T(a_key_is_of_one_account),
        T(the_newer_takes_the_place),
        T(one_that_is_too_long_is_refused_and_the_older_is_gone),
        T(the_longest_unused_goes_first),
        T(who_fills_it_pushes_himself_out),
        T(who_reads_one_keeps_it),
        {0},
    };

    return test_main("service_answers", TESTS, argc, argv);
}

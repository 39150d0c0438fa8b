/* base_log.c - src/base/log.c: what may be said often is said a few times; a reader that is slow holds nobody up. */
#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

static int ends[2];

static void begin(void)
{
    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    log_set_fd(ends[1]);
}

static void finish(void)
{
    log_set_fd(2);
    close(ends[0]);
    close(ends[1]);
}

static unsigned lines(char *room, size_t size)
{
    ssize_t n = read(ends[0], room, size - 1);
    unsigned count = 0;

    room[n > 0 ? n : 0] = '\0';
    for (const char *p = room; (p = strchr(p, '\n')) != NULL; p++)
        count++;
    return count;
}

static void what_repeats_is_said_a_few_times_and_counted(void)
{
    struct log_ration ration = {0};
    static char room[65536];

    begin();
    clock_fake(5000);
    for (int i = 0; i < 1000; i++)
        log_rationed(&ration, LOG_ERROR, "again %d", i);
    CHECK(lines(room, sizeof room) == LOG_RATION_LINES && strstr(room, "again 0") && !strstr(room, "again 20"));
    clock_fake(5000 + LOG_RATION_MS);
    log_rationed(&ration, LOG_ERROR, "once more");
    CHECK(lines(room, sizeof room) == 2 && strstr(room, "980 more lines like the following were left out") &&
          strstr(room, "once more"));
    clock_fake(5000 + 3 * LOG_RATION_MS);
    log_rationed(&ration, LOG_ERROR, "quiet");
    CHECK(lines(room, sizeof room) == 1);
    clock_fake(-1);
    finish();
}

static void a_reader_that_reads_a_little_at_a_time_costs_little(void)
{
    static char text[4000], room[65536];
    int64_t start_ms = clock_now_ms();

    begin();
    memset(text, 'x', sizeof text - 1);
    /* Each time there is some room again, and then none: without a bound on all of it, 50 ms every time. */
    for (int i = 0; i < 40; i++) {
        for (int n = 0; n < 20; n++)
            log_error("%s", text);
        CHECK(read(ends[0], room, sizeof room) > 0);
    }
    CHECK(clock_now_ms() - start_ms < 1000);
    finish();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(what_repeats_is_said_a_few_times_and_counted),
        T(a_reader_that_reads_a_little_at_a_time_costs_little),
        {0},
    };

    return test_main("base_log", TESTS, argc, argv);
}

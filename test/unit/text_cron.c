/* Cron expressions: what is understood, what is refused in which words, and when they come. */
#include "text/cron.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "test.h"

/* "2026-11-22 13:50" -> ms */
static int64_t at(const char *text)
{
    struct tm tm = {0};

    sscanf(text, "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000;
}

/* The next times behind `from`, one behind the other, as text. */
static int comes(const char *cron_text, const char *from, const char *const *expected)
{
    struct cron cron;
    struct err err = {0};
    int64_t t = at(from);

    if (cron_parse(span_of(cron_text), &cron, &err) < 0) {
        printf("  %s: %s\n", cron_text, err.text);
        return 0;
    }
    for (; *expected; expected++) {
        t = cron_next(&cron, t);
        if (t != at(*expected)) {
            time_t s = (time_t)(t / 1000);
            printf("  %s: %s comes at %s", cron_text, *expected, asctime(gmtime(&s)));
            return 0;
        }
    }
    return 1;
}
#define COMES(cron, from, ...) CHECK(comes(cron, from, (const char *const[]){__VA_ARGS__, NULL}))

static int is_refused(const char *text, const char *words)
{
    struct cron cron;
    struct err err = {0};

    if (cron_parse(span_of(text), &cron, &err) == ERR_INVALID && strstr(err.text, words))
        return 1;
    printf("  %s: '%s'\n", text, err.text);
    return 0;
}

static void knows_minutes_and_hours(void)
{
    COMES("* * * * *", "2026-11-22 23:58", "2026-11-22 23:59", "2026-11-23 00:00");
    COMES("*/15 * * * *", "2026-11-22 13:50", "2026-11-22 14:00", "2026-11-22 14:15");
    COMES("5/20 * * * *", "2026-11-22 13:50", "2026-11-22 14:05", "2026-11-22 14:25", "2026-11-22 14:45");
    COMES("0,30 8-9 * * *", "2026-11-22 13:50", "2026-11-23 08:00", "2026-11-23 08:30", "2026-11-23 09:00",
          "2026-11-23 09:30", "2026-11-24 08:00");
    COMES("0 22-2/2 * * *", "2026-11-22 13:50", "2026-11-22 22:00", "2026-11-23 00:00", "2026-11-23 02:00",
          "2026-11-23 22:00");
    COMES("58-1 0 * * *", "2026-11-22 00:00", "2026-11-22 00:01", "2026-11-22 00:58", "2026-11-22 00:59",
          "2026-11-23 00:00");
    COMES("05 07 * * *", "2026-11-22 13:50", "2026-11-23 07:05");
    COMES("0,*/20\t \t3 * * *", "2026-11-22 13:50", "2026-11-23 03:00", "2026-11-23 03:20");
}

static void knows_days_and_months(void)
{
    COMES("0 0 1 jan *", "2026-11-22 13:50", "2027-01-01 00:00", "2028-01-01 00:00");
    COMES("0 0 31 * *", "2026-11-22 13:50", "2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00");
    COMES("0 0 29 2 *", "2026-11-22 13:50", "2028-02-29 00:00", "2032-02-29 00:00");
    COMES("0 0 29 FEB *", "2096-03-01 00:00", "2104-02-29 00:00");
    COMES("0 0 10-20/5 NOV-JAN *", "2026-11-22 13:50", "2026-12-10 00:00", "2026-12-15 00:00", "2026-12-20 00:00",
          "2027-01-10 00:00");
    COMES("0 0 L * *", "2027-12-31 00:00", "2028-01-31 00:00", "2028-02-29 00:00", "2028-03-31 00:00");
    COMES("0 0 L-3 * *", "2026-11-22 13:50", "2026-11-27 00:00", "2026-12-28 00:00");
    COMES("0 0 L-30 * *", "2026-11-22 13:50", "2026-12-01 00:00", "2027-01-01 00:00", "2027-03-01 00:00");
    COMES("59 23 LW * *", "2026-11-22 13:50", "2026-11-30 23:59", "2026-12-31 23:59", "2027-01-29 23:59");
    COMES("0 0 15W * *", "2026-11-01 00:00", "2026-11-16 00:00", "2026-12-15 00:00", "2027-01-15 00:00");
    COMES("0 0 1W * *", "2026-07-20 00:00", "2026-08-03 00:00", "2026-09-01 00:00"); /* 1 August: Saturday */
    COMES("0 0 31W * *", "2026-05-20 00:00", "2026-05-29 00:00", "2026-07-31 00:00"); /* 31 May: Sunday */
    COMES("0 0 L-1W * *", "2026-11-01 00:00", "2026-11-30 00:00", "2026-12-30 00:00"); /* 29 November: Sunday */
}

static void knows_days_of_the_week(void)
{
    COMES("0 17 * * sun", "2026-11-22 13:50", "2026-11-22 17:00", "2026-11-29 17:00");
    COMES("0 17 * * 1", "2026-11-22 13:50", "2026-11-22 17:00");
    COMES("0 17 * * 7", "2026-11-22 13:50", "2026-11-28 17:00");
    COMES("0 17 * * L", "2026-11-22 13:50", "2026-11-28 17:00");
    COMES("10 7 * * mon-fri", "2026-11-26 08:00", "2026-11-27 07:10", "2026-11-30 07:10");
    COMES("0 0 * * FRI-MON", "2026-11-22 13:50", "2026-11-23 00:00", "2026-11-27 00:00", "2026-11-28 00:00");
    COMES("0 0 * * 2,WED,6/1", "2026-11-22 13:50", "2026-11-23 00:00", "2026-11-25 00:00", "2026-11-27 00:00",
          "2026-11-28 00:00", "2026-11-30 00:00");
    COMES("0 18 * * 6L", "2026-11-22 13:50", "2026-11-27 18:00", "2026-12-25 18:00");
    COMES("0 18 * * friL", "2026-11-22 13:50", "2026-11-27 18:00");
    COMES("0 0 * * MON#2", "2026-11-22 13:50", "2026-12-14 00:00", "2027-01-11 00:00");
    COMES("0 0 * * 2#5", "2026-11-22 13:50", "2026-11-30 00:00", "2027-03-29 00:00");
    COMES("31 0 * 2 FRI#5", "2008-03-01 00:00", "2036-02-29 00:31", "2064-02-29 00:31");
    /* either will do */
    COMES("0 0 1 * MON", "2026-11-22 13:50", "2026-11-23 00:00", "2026-11-30 00:00", "2026-12-01 00:00");
    COMES("0 0 30 2 MON", "2027-02-10 00:00", "2027-02-15 00:00");
}

static void says_which_field_is_wrong(void)
{
    CHECK(is_refused("60 * * * *", "the minute '60': values are from 0 to 59"));
    CHECK(is_refused("* 24 * * *", "the hour '24'"));
    CHECK(is_refused("* * 0 * *", "the day of the month '0'"));
    CHECK(is_refused("* * 32 * *", "the day of the month '32'"));
    CHECK(is_refused("* * * 13 *", "the month '13'"));
    CHECK(is_refused("* * * * 0", "the day of the week '0': values are from 1 to 7"));
    CHECK(is_refused("* * * * 8", "the day of the week '8'"));
    CHECK(is_refused("*/0 * * * *", "steps are from 1 to 59"));
    CHECK(is_refused("* * * */12 *", "steps are from 1 to 11"));
    CHECK(is_refused("* * * FOO *", "the month 'FOO' is not understood"));
    CHECK(is_refused("* * * JANUARY *", "is not understood"));
    CHECK(is_refused("1,* * * * *", "has a '*' in a list"));
    CHECK(is_refused("*,1 * * * *", "the minute"));
    CHECK(is_refused("1, * * * *", "the minute '1,' is not understood"));
    CHECK(is_refused("1-2-3 * * * *", "is not understood"));
    CHECK(is_refused("* * 1,L * *", "the day of the month"));
    CHECK(is_refused("* * 15W,16 * *", "is not understood"));
    CHECK(is_refused("* * L-31 * *", "from 1 to 30"));
    CHECK(is_refused("* * * * FRI#6", "weeks of a month are from 1 to 5"));
    CHECK(is_refused("* * ? * *", "the day of the month '?'"));
    CHECK(is_refused("99999999999999999999 * * * *", "values are from 0 to 59"));
    CHECK(is_refused("* * * *", "five fields, not fewer"));
    CHECK(is_refused("* * * * * *", "five fields, not more"));
    CHECK(is_refused("@daily", "five fields, not one"));
    CHECK(is_refused("", "1 to 512 characters"));
    CHECK(is_refused(" * * * * *", "five fields"));
    CHECK(is_refused("* * * * * ", "five fields"));
    CHECK(is_refused("0 0 30 2 *", "never comes"));
    CHECK(is_refused("0 0 31 4,6 *", "never comes"));
    CHECK(is_refused("0 0 L-30 APR *", "never comes"));
    CHECK(is_refused("0 0 31W 2 *", "never comes"));
}

static void walks_over_every_day_of_a_century(void)
{
    struct cron cron;
    struct err err = {0};
    int64_t t = at("2000-01-01 00:00"), next;
    long days = 0;

    CHECK(cron_parse(SPAN("0 0 L * *"), &cron, &err) == 0);
    while (t < at("2100-01-01 00:00")) {
        time_t s;
        struct tm tm;
        next = cron_next(&cron, t);
        s = (time_t)(next / 1000) + 24 * 60 * 60;
        gmtime_r(&s, &tm);
        days += tm.tm_mday == 1 && tm.tm_hour == 0 && tm.tm_min == 0;
        t = next;
    }
    CHECK(days == 1201);
    CHECK(cron_next(&cron, -5) == at("1970-01-31 00:00"));
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"knows_minutes_and_hours", knows_minutes_and_hours},
        {"knows_days_and_months", knows_days_and_months},
        {"knows_days_of_the_week", knows_days_of_the_week},
        {"says_which_field_is_wrong", says_which_field_is_wrong},
        {"walks_over_every_day_of_a_century", walks_over_every_day_of_a_century},
        {NULL, NULL},
    };

    return test_main("text_cron", TESTS, argc, argv);
}

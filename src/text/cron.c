/* cron.c - see cron.h: sets of bits for each field, and a walk from day to day. */
#include "text/cron.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum {
    DAY_MS = 24 * 60 * 60 * 1000,
    SEARCH_DAYS = 41 * 366, /* a 29 February that is a Friday may be forty years away */
    SUNDAY = 1,
    FRIDAY = 6,
    SATURDAY = 7,
};

/* 1 January 1970 was a Thursday. */
enum { FIRST_WEEKDAY = 5 };

static const char *const MONTHS[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                     "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const WEEKDAYS[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL};

struct field {
    const char *name;
    unsigned min, max;
    const char *const *names; /* of values from min on; NULL: numbers only */
};
enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };
static const struct field TABLE[FIELDS] = {{"minute", 0, 59, NULL},
                                           {"hour", 0, 23, NULL},
                                           {"day of the month", 1, 31, NULL},
                                           {"month", 1, 12, MONTHS},
                                           {"day of the week", 1, 7, WEEKDAYS}};

/* ---- reading ---- */

struct scan {
    const struct field *field;
    struct span whole, rest; /* of the field */
    struct err *err;
};

/* Everywhere else Sunday is 0. */
static int hint(struct scan *s)
{
    if (s->field == &TABLE[WEEKDAY] && memchr(s->whole.data, '0', s->whole.len))
        err_hint(s->err, "Days of the week are 1 to 7, and Sunday is 1; or SUN, MON ... SAT.");
    return s->err->code;
}

static int refuse(struct scan *s, const char *why)
{
    err_set(s->err, ERR_INVALID, "the %s '%.*s' %s", s->field->name, SPAN_ARG(s->whole), why);
    return hint(s);
}

static bool take(struct scan *s, char c)
{
    if (s->rest.len == 0 || s->rest.data[0] != c)
        return false;
    s->rest.data++;
    s->rest.len--;
    return true;
}

static int read_number(struct scan *s, unsigned min, unsigned max, const char *what, unsigned *ret)
{
    unsigned n = 0;
    size_t digits = 0;

    while (digits < s->rest.len && s->rest.data[digits] >= '0' && s->rest.data[digits] <= '9' &&
           n <= max)
        n = n * 10 + (unsigned)(s->rest.data[digits++] - '0');
    if (digits == 0)
        return refuse(s, "is not understood");
    if (n < min || n > max) {
        err_set(s->err, ERR_INVALID, "the %s '%.*s': %s from %u to %u", s->field->name,
                SPAN_ARG(s->whole), what, min, max);
        return hint(s);
    }
    s->rest.data += digits;
    s->rest.len -= digits;
    *ret = n;
    return 0;
}

static int read_value(struct scan *s, unsigned *ret)
{
    const char *const *names = s->field->names;

    for (unsigned i = 0; names && names[i] && s->rest.len >= 3; i++) {
        if (strncasecmp(s->rest.data, names[i], 3) != 0)
            continue;
        s->rest.data += 3;
        s->rest.len -= 3;
        *ret = s->field->min + i;
        return 0;
    }
    return read_number(s, s->field->min, s->field->max, "values are", ret);
}

static int read_step(struct scan *s, unsigned *ret)
{
    return read_number(s, 1, s->field->max - s->field->min, "steps are", ret);
}

/* From `first` to `last`, over the end of the field if it must be. */
static uint64_t set_of(const struct field *field, unsigned first, unsigned last, unsigned step)
{
    unsigned size = field->max - field->min + 1, span = (last + size - first) % size;
    uint64_t set = 0;

    for (unsigned i = 0; i <= span; i += step)
        set |= UINT64_C(1) << (field->min + (first - field->min + i) % size);
    return set;
}

/* One of a list, whose first value may have been read already. */
static int read_item(struct scan *s, const unsigned *given, uint64_t *set)
{
    unsigned first, last, step = 1;
    bool is_star = !given && take(s, '*');
    int r = 0;

    first = is_star ? s->field->min : given ? *given : 0;
    if (!is_star && !given)
        r = read_value(s, &first);
    last = first;
    if (r == 0 && !is_star && take(s, '-'))
        r = read_value(s, &last);
    else if (is_star || (s->rest.len > 0 && s->rest.data[0] == '/'))
        last = s->field->max;
    if (r == 0 && take(s, '/'))
        r = read_step(s, &step);
    else if (r == 0 && is_star)
        return refuse(s, "has a '*' in a list, which is every value already");
    if (r == 0)
        *set |= set_of(s->field, first, last, step);
    return r;
}

static int read_list(struct scan *s, const unsigned *given, uint64_t *set)
{
    int r = read_item(s, given, set);

    while (r == 0 && take(s, ','))
        r = read_item(s, NULL, set);
    return r;
}

static int read_plain(struct scan *s, uint64_t *set)
{
    const struct field *f = s->field;

    if (s->rest.len == 1 && take(s, '*')) {
        *set = set_of(f, f->min, f->max, 1);
        return 0;
    }
    return read_list(s, NULL, set);
}

static int read_last_day(struct scan *s, struct cron *cron)
{
    cron->day_kind = CRON_DAY_LAST;
    if (take(s, 'W')) {
        cron->day_kind = CRON_DAY_LAST_WORKDAY;
    } else if (take(s, '-')) {
        if (read_number(s, 1, 30, "days before the last one are", &cron->offset) < 0)
            return s->err->code;
        if (take(s, 'W'))
            cron->day_kind = CRON_DAY_LAST_NEAREST;
    }
    return 0;
}

static int read_day(struct scan *s, struct cron *cron)
{
    uint64_t set = 0;
    int r;

    if (s->rest.len == 1 && take(s, '*'))
        return 0;
    if (take(s, 'L'))
        return read_last_day(s, cron);
    cron->day_kind = CRON_DAY_SET;
    if (s->rest.len > 0 && s->rest.data[0] == '*') {
        r = read_list(s, NULL, &set);
    } else {
        r = read_value(s, &cron->day);
        if (r == 0 && take(s, 'W')) {
            cron->day_kind = CRON_DAY_NEAREST;
            return 0;
        }
        r = r < 0 ? r : read_list(s, &cron->day, &set);
    }
    cron->days = (uint32_t)set;
    return r;
}

static int read_weekday(struct scan *s, struct cron *cron)
{
    uint64_t set = 0;
    int r;

    if (s->rest.len == 1 && take(s, '*'))
        return 0;
    cron->weekday_kind = CRON_WEEKDAY_SET;
    if (s->rest.len == 1 && take(s, 'L')) {
        cron->weekdays = 1u << SATURDAY;
        return 0;
    }
    if (s->rest.len > 0 && s->rest.data[0] == '*') {
        r = read_list(s, NULL, &set);
    } else {
        r = read_value(s, &cron->weekday);
        if (r == 0 && take(s, 'L')) {
            cron->weekday_kind = CRON_WEEKDAY_LAST;
            return 0;
        }
        if (r == 0 && take(s, '#')) {
            cron->weekday_kind = CRON_WEEKDAY_NTH;
            return read_number(s, 1, 5, "weeks of a month are", &cron->nth);
        }
        r = r < 0 ? r : read_list(s, &cron->weekday, &set);
    }
    cron->weekdays = (uint32_t)set;
    return r;
}

static int read_field(int which, struct span text, struct cron *cron, struct err *err)
{
    struct scan s = {&TABLE[which], text, text, err};
    uint64_t set = 0;
    int r;

    if (which == DAY)
        r = read_day(&s, cron);
    else if (which == WEEKDAY)
        r = read_weekday(&s, cron);
    else
        r = read_plain(&s, &set);
    if (r == 0 && s.rest.len > 0)
        return refuse(&s, "is not understood");
    if (which == MINUTE)
        cron->minutes = set;
    else if (which == HOUR)
        cron->hours = (uint32_t)set;
    else if (which == MONTH)
        cron->months = (uint32_t)set;
    return r;
}

/* At most FIELDS + 1, so that one too many shows. */
static int split(struct span text, struct span fields[FIELDS + 1])
{
    int count = 0;
    size_t at = 0, start;

    while (count <= FIELDS) {
        start = at;
        while (at < text.len && text.data[at] != ' ' && text.data[at] != '\t')
            at++;
        fields[count++] = (struct span){text.data + start, at - start};
        if (at == text.len)
            break;
        while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
            at++;
    }
    return count;
}

int cron_parse(struct span text, struct cron *ret, struct err *err)
{
    struct span fields[FIELDS + 1];
    struct cron cron = {0};
    int count;

    if (text.len == 0 || text.len > CRON_TEXT_MAX)
        return err_set(err, ERR_INVALID, "a cron expression has 1 to %d characters", CRON_TEXT_MAX);
    count = split(text, fields);
    if (count != FIELDS) {
        err_set(err, ERR_INVALID, "a cron expression has five fields, not %s",
                count > FIELDS ? "more"
                : count == 1   ? "one"
                               : "fewer");
        return err_hint(
            err, "minute, hour, day of the month, month, day of the week: \"0 9 * * MON-FRI\".");
    }
    for (int i = 0; i < FIELDS; i++)
        if (read_field(i, fields[i], &cron, err) < 0)
            return err->code;
    /* From 2000-01-01 on. */
    if (cron_next(&cron, INT64_C(946684800000)) < 0)
        return err_set(err, ERR_INVALID, "no month has the day of '%.*s': it never comes",
                       SPAN_ARG(text));
    *ret = cron;
    return 0;
}

/* ---- the calendar ---- */

struct date {
    int year;
    unsigned month, day; /* from 1 */
    unsigned weekday;    /* Sunday is 1 */
    unsigned month_days;
};

static unsigned days_of(int year, unsigned month)
{
    static const unsigned char DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return DAYS[month - 1] + (month == 2 && is_leap);
}

/* Of a day since 1970: eras of 400 years that begin in March, as their calendars repeat. */
static struct date date_of(int64_t days)
{
    int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned of_era = (unsigned)(shifted - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100),
             part = (5 * of_year + 2) / 153;
    struct date d;

    d.day = of_year - (153 * part + 2) / 5 + 1;
    d.month = part < 10 ? part + 3 : part - 9;
    d.year = (int)(year + era * 400) + (d.month <= 2);
    d.weekday = (unsigned)((days % 7 + 7 + FIRST_WEEKDAY - 1) % 7) + 1;
    d.month_days = days_of(d.year, d.month);
    return d;
}

static unsigned weekday_at(const struct date *d, unsigned day)
{
    return (d->weekday - 1 + 35 + day - d->day) % 7 + 1;
}

/* Monday to Friday nearest to a day of this month, within the month; 0: it has no such day. */
static unsigned nearest_workday(const struct date *d, unsigned day)
{
    unsigned weekday = weekday_at(d, day);

    if (day < 1 || day > d->month_days)
        return 0;
    if (weekday == SATURDAY)
        return day == 1 ? 3 : day - 1;
    if (weekday == SUNDAY)
        return day == d->month_days ? day - 2 : day + 1;
    return day;
}

static bool is_day(const struct cron *cron, const struct date *d)
{
    unsigned last = d->month_days, weekday;

    switch (cron->day_kind) {
    case CRON_DAY_ANY:
        return true;
    case CRON_DAY_SET:
        return cron->days >> d->day & 1;
    case CRON_DAY_LAST:
        return d->day + cron->offset == last;
    case CRON_DAY_LAST_WORKDAY:
        weekday = weekday_at(d, last);
        return d->day == last - (weekday == SATURDAY ? 1 : weekday == SUNDAY ? 2 : 0);
    case CRON_DAY_LAST_NEAREST:
        return cron->offset < last && d->day == nearest_workday(d, last - cron->offset);
    case CRON_DAY_NEAREST:
        return d->day == nearest_workday(d, cron->day);
    }
    return false;
}

static bool is_weekday(const struct cron *cron, const struct date *d)
{
    switch (cron->weekday_kind) {
    case CRON_WEEKDAY_ANY:
        return true;
    case CRON_WEEKDAY_SET:
        return cron->weekdays >> d->weekday & 1;
    case CRON_WEEKDAY_LAST:
        return d->weekday == cron->weekday && d->day + 7 > d->month_days;
    case CRON_WEEKDAY_NTH:
        return d->weekday == cron->weekday && (d->day - 1) / 7 + 1 == cron->nth;
    }
    return false;
}

static bool is_due_on(const struct cron *cron, int64_t day)
{
    struct date d = date_of(day);

    if (!(cron->months >> d.month & 1))
        return false;
    if (cron->day_kind != CRON_DAY_ANY && cron->weekday_kind != CRON_WEEKDAY_ANY)
        return is_day(cron, &d) || is_weekday(cron, &d);
    return is_day(cron, &d) && is_weekday(cron, &d);
}

/* The first minute of a day from `from` on; -1: none. */
static int minute_from(const struct cron *cron, int from)
{
    for (int minute = from; minute < 24 * 60;) {
        if (!(cron->hours >> (minute / 60) & 1))
            minute = (minute / 60 + 1) * 60;
        else if (!(cron->minutes >> (minute % 60) & 1))
            minute++;
        else
            return minute;
    }
    return -1;
}

int64_t cron_next(const struct cron *cron, int64_t after_ms)
{
    int64_t from_ms = after_ms < 0 ? 0 : after_ms / 60000 * 60000 + 60000;
    int64_t day = from_ms / DAY_MS;
    int minute = (int)(from_ms % DAY_MS / 60000), found;

    for (int64_t end = day + SEARCH_DAYS; day < end; day++, minute = 0) {
        found = is_due_on(cron, day) ? minute_from(cron, minute) : -1;
        if (found >= 0)
            return day * DAY_MS + (int64_t)found * 60000;
    }
    return -1;
}

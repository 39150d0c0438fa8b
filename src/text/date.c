/* date.c - civil time from days since the epoch, written without printf. */
#include "text/date.h"

#include <string.h>
#include <time.h>

static void put_2(char *out, int v)
{
    out[0] = (char)('0' + v / 10 % 10);
    out[1] = (char)('0' + v % 10);
}

void date_put(int64_t seconds, char out[DATE_LEN])
{
    static const char DAYS[] = "SunMonTueWedThuFriSat";
    static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)seconds;
    struct tm tm = {0};

    gmtime_r(&t, &tm);
    memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", DATE_LEN);
    memcpy(out, DAYS + 3 * tm.tm_wday, 3);
    put_2(out + 5, tm.tm_mday);
    memcpy(out + 8, MONTHS + 3 * tm.tm_mon, 3);
    put_2(out + 12, (tm.tm_year + 1900) / 100);
    put_2(out + 14, (tm.tm_year + 1900) % 100);
    put_2(out + 17, tm.tm_hour);
    put_2(out + 20, tm.tm_min);
    put_2(out + 23, tm.tm_sec);
}

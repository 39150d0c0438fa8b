/* fuzz_reach.c - any bytes as a rule of the fetch policy, as a range and as an address: what is accepted
 * is written and read again as the same, and no rule but one that says so opens what is closed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/reach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

static bool is_local(const struct ip *ip)
{
    return ip_kind_of(ip) == IP_LOOPBACK;
}

static void check_range(struct span text)
{
    struct ip_range range, again;
    struct err err = {0};
    char shown[IP_RANGE_TEXT];

    if (ip_range_parse(text, &range, &err) < 0) {
        must(err.text[0]);
        return;
    }
    must(range.bits <= 128 && ip_range_has(&range, &range.first) == (range.bits >= 96 || !ip_is_v4(&range.first)));
    if (range.bits < 96 && ip_is_v4(&range.first))
        return; /* ::ffff:0:0/90 has no way to be written but this */
    ip_range_print(&range, shown);
    must(ip_range_parse(span_of(shown), &again, &err) == 0);
    must(again.bits == range.bits && memcmp(&again.first, &range.first, sizeof again.first) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = len ? (const char *)data : "";
    const char *cut = memchr(text, '\n', len);
    struct span first = {text, cut ? (size_t)(cut - text) : len};
    struct span rest = cut ? (struct span){cut + 1, len - first.len - 1} : SPAN("");
    struct reach reach = {0}, copy;
    struct ip ip, api;
    struct err err = {0};
    int r;

    check_range(first);
    if (!ip_parse(rest, &ip)) {
        memset(&ip, 0, sizeof ip);
        memcpy(&ip, rest.data, rest.len < sizeof ip ? rest.len : sizeof ip);
    }
    must(ip_parse(SPAN("127.0.0.1"), &api) && reach_own(&reach, &api, 8788, &err) == 0);
    must(reach_judge(&reach, rest, &api, 8788, is_local) == REACH_API);
    must((reach_judge(&reach, rest, &ip, 80, is_local) == REACH_OK) == (ip_kind_of(&ip) == IP_PUBLIC));
    r = reach_allow(&reach, first, &err);
    must(r == 0 || err.text[0]);
    if (r == 0 && !memchr(first.data, '1', first.len)) /* "127.0.0.1:8788" in any of its forms */
        must(reach_judge(&reach, rest, &api, 8788, is_local) == REACH_API);
    must(reach_copy(&copy, &reach, &err) == 0);
    must(reach_judge(&copy, rest, &ip, 80, is_local) == reach_judge(&reach, rest, &ip, 80, is_local));
    if (reach_deny(&copy, first, &err) == 0)
        must(reach_judge(&copy, rest, &ip, 80, is_local) != REACH_OK ||
             reach_judge(&reach, rest, &ip, 80, is_local) == REACH_OK);
    reach_done(&copy);
    reach_done(&reach);
    return 0;
}

/* ip.c - see ip.h: one table, the longest range that has an address says what it is. */
#include "text/ip.h"

#include <arpa/inet.h>
#include <stdio.h>

/* The special-purpose address registries of IANA (RFC 6890, and what was added since), those of
 * IPv6 outside of 2000::/3 as one; and addresses of metadata.  Anycast services that are reachable
 * from everywhere (192.31.196/24, 192.52.193/24, 192.175.48/24, 2620:4f:8000::/48) are public. */
static const struct special {
    const char *text;
    enum ip_kind kind;
} SPECIAL[] = {
    {"0.0.0.0/8", IP_UNSPECIFIED},           /* RFC 791 */
    {"10.0.0.0/8", IP_PRIVATE},              /* RFC 1918 */
    {"100.64.0.0/10", IP_SHARED},            /* RFC 6598 */
    {"100.100.100.200/32", IP_METADATA},     /* Alibaba */
    {"127.0.0.0/8", IP_LOOPBACK},            /* RFC 1122 */
    {"168.63.129.16/32", IP_METADATA},       /* Azure; among its public addresses */
    {"169.254.0.0/16", IP_LINK_LOCAL},       /* RFC 3927 */
    {"169.254.0.23/32", IP_METADATA},        /* Tencent */
    {"169.254.169.254/32", IP_METADATA},     /* nearly everybody */
    {"169.254.169.253/32", IP_METADATA},     /* AWS: names */
    {"169.254.169.123/32", IP_METADATA},     /* AWS: time */
    {"169.254.170.2/32", IP_METADATA},       /* AWS: roles of containers */
    {"169.254.170.23/32", IP_METADATA},      /* AWS: roles of pods */
    {"172.16.0.0/12", IP_PRIVATE},           /* RFC 1918 */
    {"192.0.0.0/24", IP_RESERVED},           /* RFC 6890: IETF protocols */
    {"192.0.0.192/32", IP_METADATA},         /* Oracle's first cloud */
    {"192.0.2.0/24", IP_DOCUMENTATION},      /* RFC 5737 */
    {"192.88.99.0/24", IP_RESERVED},         /* RFC 7526: relays of 6to4, once */
    {"192.168.0.0/16", IP_PRIVATE},          /* RFC 1918 */
    {"198.18.0.0/15", IP_BENCHMARK},         /* RFC 2544 */
    {"198.51.100.0/24", IP_DOCUMENTATION},   /* RFC 5737 */
    {"203.0.113.0/24", IP_DOCUMENTATION},    /* RFC 5737 */
    {"224.0.0.0/4", IP_MULTICAST},           /* RFC 5771 */
    {"240.0.0.0/4", IP_RESERVED},            /* RFC 1112 */
    {"255.255.255.255/32", IP_BROADCAST},    /* RFC 919 */
    {"::/3", IP_RESERVED},                   /* RFC 4291, with IPv4-compatible ::a.b.c.d */
    {"::/128", IP_UNSPECIFIED},              /* RFC 4291 */
    {"::1/128", IP_LOOPBACK},                /* RFC 4291 */
    {"64:ff9b::/96", IP_TUNNEL},             /* RFC 6052: NAT64; public ones pass, see ip_kind_of */
    {"64:ff9b:1::/48", IP_TUNNEL},           /* RFC 8215: NAT64 of one's own */
    {"2001::/23", IP_RESERVED},              /* RFC 2928: IETF protocols */
    {"2001::/32", IP_TUNNEL},                /* RFC 4380: Teredo */
    {"2001:db8::/32", IP_DOCUMENTATION},     /* RFC 3849 */
    {"2001:2::/48", IP_BENCHMARK},           /* RFC 5180 */
    {"2002::/16", IP_TUNNEL},                /* RFC 3056: 6to4; likewise */
    {"3fff::/20", IP_DOCUMENTATION},         /* RFC 9637 */
    {"4000::/2", IP_RESERVED},               /* RFC 4291 */
    {"8000::/1", IP_RESERVED},               /* RFC 4291 */
    {"fc00::/7", IP_PRIVATE},                /* RFC 4193 */
    {"fd00:ec2::/32", IP_METADATA},          /* AWS */
    {"fd20:ce::254/128", IP_METADATA},       /* Google */
    {"fd00:c1::a9fe:a9fe/128", IP_METADATA}, /* Oracle */
    {"fd00:42::42/128", IP_METADATA},        /* Scaleway */
    {"fe80::/10", IP_LINK_LOCAL},            /* RFC 4291 */
    {"fec0::/10", IP_PRIVATE},               /* RFC 3879: site-local, once */
    {"ff00::/8", IP_MULTICAST},              /* RFC 4291 */
};
enum { SPECIAL_COUNT = sizeof SPECIAL / sizeof *SPECIAL };

static const uint8_t V4_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t NAT64_PREFIX[12] = {0, 0x64, 0xff, 0x9b};

const char *ip_kind_name(enum ip_kind kind)
{
    static const char *const NAMES[IP_KINDS] = {
        [IP_PUBLIC] = "a public address",
        [IP_LOOPBACK] = "a loopback address",
        [IP_UNSPECIFIED] = "an unspecified address",
        [IP_PRIVATE] = "an address of a private network",
        [IP_SHARED] = "an address of a carrier's network",
        [IP_LINK_LOCAL] = "a link-local address",
        [IP_METADATA] = "an address of cloud metadata",
        [IP_MULTICAST] = "a multicast address",
        [IP_BROADCAST] = "the broadcast address",
        [IP_DOCUMENTATION] = "an address for documentation",
        [IP_BENCHMARK] = "an address for benchmarks",
        [IP_TUNNEL] = "an address of a tunnel",
        [IP_RESERVED] = "a reserved address",
    };

    return NAMES[kind];
}

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->bytes, V4_PREFIX, sizeof V4_PREFIX) == 0;
}

static void put_v4(const void *four, struct ip *ret)
{
    memcpy(ret->bytes, V4_PREFIX, sizeof V4_PREFIX);
    memcpy(ret->bytes + 12, four, 4);
}

/* ---- what it is for ---- */

const char *ip_special(size_t index, enum ip_kind *ret_kind)
{
    if (index >= SPECIAL_COUNT)
        return NULL;
    *ret_kind = SPECIAL[index].kind;
    return SPECIAL[index].text;
}

bool ip_inner(const struct ip *ip, struct ip *ret)
{
    static const uint8_t ISATAP[4] = {0, 0, 0x5e, 0xfe};
    const uint8_t *b = ip->bytes;

    if (memcmp(b, NAT64_PREFIX, sizeof NAT64_PREFIX) == 0) {
        put_v4(b + 12, ret);
        return true;
    }
    if (b[0] == 0x20 && b[1] == 0x02) {
        put_v4(b + 2, ret);
        return true;
    }
    /* RFC 5214; the bit says that the address within is thought unique. */
    if ((b[8] & ~2) == ISATAP[0] && memcmp(b + 9, ISATAP + 1, 3) == 0) {
        put_v4(b + 12, ret);
        return true;
    }
    return false;
}

static enum ip_kind look_up(const struct ip *ip)
{
    static _Thread_local struct ip_range ranges[SPECIAL_COUNT];
    static _Thread_local bool is_read;
    enum ip_kind kind = IP_PUBLIC;
    int longest = -1;
    struct err err;

    for (size_t i = 0; i < SPECIAL_COUNT && !is_read; i++)
        if (ip_range_parse(span_of(SPECIAL[i].text), &ranges[i], &err) < 0)
            return IP_RESERVED; /* a slip in the table: the tests see it */
    is_read = true;
    for (size_t i = 0; i < SPECIAL_COUNT; i++)
        if (ranges[i].bits > longest && ip_range_has(&ranges[i], ip)) {
            longest = ranges[i].bits;
            kind = SPECIAL[i].kind;
        }
    return kind;
}

enum ip_kind ip_kind_of(const struct ip *ip)
{
    enum ip_kind kind = look_up(ip), within;
    struct ip inner;

    if (!ip_inner(ip, &inner))
        return kind;
    within = look_up(&inner);
    if (within != IP_PUBLIC)
        return within;
    return kind == IP_TUNNEL ? IP_PUBLIC : kind;
}

/* ---- reading and writing ---- */

bool ip_of_sockaddr(const struct sockaddr *address, socklen_t len, struct ip *ret, int *ret_port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (len >= sizeof v4 && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        put_v4(&v4.sin_addr, ret);
        *ret_port = ntohs(v4.sin_port);
        return true;
    }
    if (len >= sizeof v6 && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(ret->bytes, &v6.sin6_addr, sizeof ret->bytes);
        *ret_port = ntohs(v6.sin6_port);
        return true;
    }
    return false;
}

bool ip_parse(struct span text, struct ip *ret)
{
    char copy[IP_TEXT];
    struct in_addr v4;
    struct in6_addr v6;

    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, 0, text.len))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        put_v4(&v4, ret);
        return true;
    }
    if (inet_pton(AF_INET6, copy, &v6) != 1)
        return false;
    memcpy(ret->bytes, &v6, sizeof ret->bytes);
    return true;
}

void ip_print(const struct ip *ip, char ret[IP_TEXT])
{
    bool is_v4 = ip_is_v4(ip);

    if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, ip->bytes + (is_v4 ? 12 : 0), ret, IP_TEXT))
        ret[0] = 0;
}

/* ---- ranges ---- */

static bool parse_bits(struct span text, unsigned max, unsigned *ret)
{
    *ret = 0;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *ret = *ret * 10 + (unsigned)(text.data[i] - '0');
    }
    return *ret <= max;
}

/* Keep the first `bits`; were the others all clear? */
static bool cut(struct ip *ip, unsigned bits)
{
    bool was_clear = true;

    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits >= (i + 1) * 8 ? 8 : bits > i * 8 ? bits - i * 8 : 0;
        uint8_t mask = (uint8_t)(0xff00 >> keep);
        was_clear = was_clear && (ip->bytes[i] & ~mask) == 0;
        ip->bytes[i] &= mask;
    }
    return was_clear;
}

int ip_range_parse(struct span text, struct ip_range *ret, struct err *err)
{
    const char *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
    struct span address = {text.data, slash ? (size_t)(slash - text.data) : text.len};
    struct ip_range range = {.bits = 128};
    char meant[IP_RANGE_TEXT];
    unsigned bits, offset;

    if (!ip_parse(address, &range.first))
        return err_set(err, ERR_INVALID, "'%.*s' is no IP address",
                       text.len < 80 ? (int)text.len : 80, text.data);
    offset = memchr(address.data, ':', address.len) ? 0 : 96;
    if (slash) {
        struct span count = {slash + 1, text.len - address.len - 1};
        if (!parse_bits(count, 128 - offset, &bits))
            return err_set(err, ERR_INVALID, "'%.*s' has no number of bits from 0 to %u behind '/'",
                           text.len < 80 ? (int)text.len : 80, text.data, 128 - offset);
        range.bits = (uint8_t)(bits + offset);
    }
    if (!cut(&range.first, range.bits)) {
        ip_range_print(&range, meant);
        err_set(err, ERR_INVALID, "'%.*s' has bits set behind the first %u", (int)text.len,
                text.data, range.bits - offset);
        return err_hint(err, "the range with this address in it is %s", meant);
    }
    *ret = range;
    return 0;
}

void ip_range_print(const struct ip_range *range, char ret[IP_RANGE_TEXT])
{
    bool is_v4 = range->bits >= 96 && ip_is_v4(&range->first);
    size_t n;

    ip_print(&range->first, ret);
    n = strlen(ret);
    if (!ip_range_is_one(range))
        snprintf(ret + n, IP_RANGE_TEXT - n, "/%u", (unsigned)range->bits - (is_v4 ? 96 : 0));
}

/* Ranges of IPv6 that are wider than all of IPv4 have none of it: ::/0 is not 0.0.0.0/0. */
bool ip_range_has(const struct ip_range *range, const struct ip *ip)
{
    struct ip copy = *ip;

    if (ip_is_v4(ip) && (range->bits < 96 || !ip_is_v4(&range->first)))
        return false;
    (void)cut(&copy, range->bits);
    return memcmp(copy.bytes, range->first.bytes, sizeof copy.bytes) == 0;
}

bool ip_range_is_one(const struct ip_range *range)
{
    return range->bits == 128;
}

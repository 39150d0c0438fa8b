/* text_ip.c - src/text/ip.c: what addresses are for, in each of their forms. */
#include "text/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "test.h"

static enum ip_kind kind(const char *text)
{
    struct ip ip;

    CHECK(ip_parse(span_of(text), &ip));
    return ip_kind_of(&ip);
}

static void check_all(enum ip_kind wanted, const char *const *texts)
{
    for (; *texts; texts++)
        if (kind(*texts) != wanted) {
            printf("  %s is %s\n", *texts, ip_kind_name(kind(*texts)));
            test_failed_checks++;
        }
}

#define ALL(kind, ...) check_all(kind, (const char *const[]){__VA_ARGS__, NULL})

static void knows_what_ipv4_is_for(void)
{
    ALL(IP_PUBLIC, "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
        "223.255.255.255", "168.63.129.15", "192.31.196.1");
    ALL(IP_LOOPBACK, "127.0.0.0", "127.0.0.1", "127.255.255.255");
    ALL(IP_UNSPECIFIED, "0.0.0.0", "0.255.255.255");
    ALL(IP_PRIVATE, "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255");
    ALL(IP_SHARED, "100.64.0.0", "100.127.255.255", "100.100.100.199");
    ALL(IP_LINK_LOCAL, "169.254.0.0", "169.254.255.255");
    ALL(IP_METADATA, "169.254.169.254", "100.100.100.200", "168.63.129.16", "169.254.170.2", "192.0.0.192");
    ALL(IP_MULTICAST, "224.0.0.1", "239.255.255.255");
    ALL(IP_BROADCAST, "255.255.255.255");
    ALL(IP_DOCUMENTATION, "192.0.2.1", "198.51.100.255", "203.0.113.0");
    ALL(IP_BENCHMARK, "198.18.0.0", "198.19.255.255");
    ALL(IP_RESERVED, "240.0.0.0", "255.255.255.254", "192.0.0.8", "192.88.99.1");
}

static void knows_what_ipv6_is_for(void)
{
    ALL(IP_PUBLIC, "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00::1", "2620:4f:8000::1", "3ffe::1");
    ALL(IP_LOOPBACK, "::1");
    ALL(IP_UNSPECIFIED, "::");
    ALL(IP_PRIVATE, "fc00::1", "fdff:ffff::1", "fec0::1", "feff::1");
    ALL(IP_LINK_LOCAL, "fe80::1", "febf::ffff");
    ALL(IP_METADATA, "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42");
    ALL(IP_MULTICAST, "ff02::1", "ff0e::1");
    ALL(IP_DOCUMENTATION, "2001:db8::1", "3fff:fff::1");
    ALL(IP_BENCHMARK, "2001:2::1");
    ALL(IP_RESERVED, "100::1", "4000::1", "8000::1", "::2", "2001:10::1", "5f00::1", "fe00::1");
}

/* What a translator, a tunnel or the kernel makes an IPv4 address of. */
static void sees_what_is_inside(void)
{
    ALL(IP_LOOPBACK, "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "2002:7f00:1:1::5",
        "2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:7f00:1", "fe80::5efe:127.0.0.1");
    ALL(IP_METADATA, "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::");
    ALL(IP_PRIVATE, "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:c0a8:101::");
    ALL(IP_PUBLIC, "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1", "2606:4700::5efe:1.1.1.1");
    ALL(IP_RESERVED, "::7f00:1", "::10.0.0.1", "::1.1.1.1", "::ffff:0:127.0.0.1");
    ALL(IP_TUNNEL, "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::7f00:1", "64:ff9b:1:fffe::1");
}

static void reads_addresses(void)
{
    static const char *const BAD[] = {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.0.0.1", "2130706433", "256.1.1.1",
                                      "1.2.3.4 ", " ::1", "[::1]", "fe80::1%lo", ":::", "1::2::3", "g::", "::ffff:1.2.3",
                                      "1:2:3:4:5:6:7:8:9", "localhost", "127.0.0.1\n"};
    struct ip ip, mapped;
    char text[IP_TEXT];

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(!ip_parse(span_of(BAD[i]), &ip));
    CHECK(!ip_parse((struct span){"1.2.3.4\0", 8}, &ip));
    CHECK(ip_parse(SPAN("1.2.3.4"), &ip) && ip_parse(SPAN("::ffff:1.2.3.4"), &mapped));
    CHECK(memcmp(&ip, &mapped, sizeof ip) == 0 && ip_is_v4(&ip));
    ip_print(&ip, text);
    CHECK(strcmp(text, "1.2.3.4") == 0);
    CHECK(ip_parse(SPAN("2001:DB8::0:1"), &ip) && !ip_is_v4(&ip));
    ip_print(&ip, text);
    CHECK(strcmp(text, "2001:db8::1") == 0);
}

static void reads_what_the_kernel_has(void)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(0x7f000001)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct ip ip;
    int port;

    CHECK(ip_of_sockaddr((struct sockaddr *)&v4, sizeof v4, &ip, &port) && port == 80 && ip_kind_of(&ip) == IP_LOOPBACK);
    CHECK(ip_of_sockaddr((struct sockaddr *)&v6, sizeof v6, &ip, &port) && port == 443 && ip_kind_of(&ip) == IP_LOOPBACK);
    CHECK(!ip_of_sockaddr((struct sockaddr *)&v6, sizeof v4, &ip, &port));
    CHECK(!ip_of_sockaddr(&other, sizeof other, &ip, &port));
}

static bool has(const char *range, const char *address)
{
    struct ip_range r;
    struct ip ip;
    struct err err = {0};

    CHECK(ip_range_parse(span_of(range), &r, &err) == 0 && ip_parse(span_of(address), &ip));
    return ip_range_has(&r, &ip);
}

static void reads_ranges(void)
{
    static const char *const BAD[] = {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8",
                                      "::/129", "::/1000", "x/8", "/8", "10.0.0.0/ 8", "10.0.0.0/255.0.0.0"};
    struct ip_range range;
    struct err err = {0};
    char text[IP_RANGE_TEXT];

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        err = (struct err){0};
        CHECK(ip_range_parse(span_of(BAD[i]), &range, &err) == ERR_INVALID && err.text[0]);
    }
    CHECK(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.0"));
    CHECK(has("10.0.0.0/8", "::ffff:10.0.0.1"));
    CHECK(has("0.0.0.0/0", "1.2.3.4") && !has("0.0.0.0/0", "::1"));
    CHECK(has("::/0", "::1") && !has("::/0", "1.2.3.4"));
    CHECK(has("fd00::/9", "fd7f::1") && !has("fd00::/9", "fd80::1"));
    CHECK(has("1.2.3.4", "1.2.3.4") && !has("1.2.3.4", "1.2.3.5"));
    CHECK(ip_range_parse(SPAN("10.1.2.3/16"), &range, &err) == ERR_INVALID && strstr(err.hint, "10.1.0.0/16"));
    CHECK(ip_range_parse(SPAN("fd00::1/8"), &range, &err) == ERR_INVALID && strstr(err.hint, "fd00::/8"));
    CHECK(ip_range_parse(SPAN("192.168.0.0/16"), &range, &err) == 0);
    ip_range_print(&range, text);
    CHECK(strcmp(text, "192.168.0.0/16") == 0);
}

static void every_range_of_the_table_is_one(void)
{
    enum ip_kind k;
    struct ip_range range;
    struct err err = {0};
    const char *text;
    size_t count = 0;

    for (; (text = ip_special(count, &k)); count++)
        CHECK(ip_range_parse(span_of(text), &range, &err) == 0 && k != IP_PUBLIC);
    CHECK(count > 40);
    for (int i = 0; i < IP_KINDS; i++)
        CHECK(ip_kind_name((enum ip_kind)i));
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(knows_what_ipv4_is_for),
        T(knows_what_ipv6_is_for),
        T(sees_what_is_inside),
        T(reads_addresses),
        T(reads_what_the_kernel_has),
        T(reads_ranges),
        T(every_range_of_the_table_is_one),
        {0},
    };
    return test_main("text_ip", TESTS, argc, argv);
}

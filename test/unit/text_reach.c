/* text_reach.c - src/text/reach.c: rules of the fetch policy, and what they say of an address. */
#include "text/reach.h"

#include <string.h>

#include "test.h"

static struct reach reach;

static bool is_local(const struct ip *ip)
{
    struct ip own;

    return ip_kind_of(ip) == IP_LOOPBACK || (ip_parse(SPAN("9.9.9.9"), &own) && memcmp(ip, &own, sizeof own) == 0);
}

static enum reach_verdict judge(const char *host, const char *address, int port)
{
    struct ip ip;

    CHECK(ip_parse(span_of(address), &ip));
    return reach_judge(&reach, span_of(host), &ip, port, is_local);
}

static bool is_ok(const char *host, const char *address, int port)
{
    return judge(host, address, port) == REACH_OK;
}

static void allow(const char *rule)
{
    struct err err = {0};

    CHECK(reach_allow(&reach, span_of(rule), &err) == 0);
    if (err.code)
        printf("  %s: %s\n", rule, err.text);
}

static void deny(const char *rule)
{
    struct err err = {0};

    CHECK(reach_deny(&reach, span_of(rule), &err) == 0);
}

static void own(const char *address, int port)
{
    struct ip ip;
    struct err err = {0};

    CHECK(ip_parse(span_of(address), &ip) && reach_own(&reach, &ip, port, &err) == 0);
}

static void a_node_lets_nobody_in_by_itself(void)
{
    CHECK(is_ok("a.test", "1.1.1.1", 80) && is_ok("a.test", "2606:4700::1", 22));
    CHECK(judge("a.test", "127.0.0.1", 80) == REACH_SPECIAL);
    CHECK(judge("a.test", "10.0.0.1", 80) == REACH_SPECIAL);
    CHECK(judge("", "::ffff:10.0.0.1", 80) == REACH_SPECIAL);
    CHECK(judge("", "169.254.169.254", 80) == REACH_SPECIAL);
    CHECK(judge("", "0.0.0.0", 80) == REACH_SPECIAL && judge("", "::", 80) == REACH_SPECIAL);
    reach_done(&reach);
    reach.is_open = true;
    CHECK(is_ok("", "127.0.0.1", 80) && is_ok("", "169.254.169.254", 80));
    reach_done(&reach);
}

static void rules_name_ranges_names_and_ports(void)
{
    allow("10.1.0.0/16");
    allow("127.0.0.1:5432");
    allow("[::1]:80");
    allow("fd00::/16");
    allow("db.Internal:5432");
    allow("*.corp");
    allow("*:9000");
    CHECK(is_ok("", "10.1.255.1", 1) && !is_ok("", "10.2.0.1", 1));
    CHECK(is_ok("", "::ffff:10.1.0.1", 1) && !is_ok("", "64:ff9b::10.1.0.1", 1));
    CHECK(is_ok("", "127.0.0.1", 5432) && !is_ok("", "127.0.0.1", 5433) && !is_ok("", "127.0.0.2", 5432));
    CHECK(is_ok("", "::1", 80) && !is_ok("", "::1", 81) && is_ok("", "fd00::1", 81));
    CHECK(is_ok("db.internal", "192.168.1.1", 5432) && is_ok("DB.internal.", "127.0.0.1", 5432));
    CHECK(!is_ok("db.internal", "192.168.1.1", 80) && !is_ok("xdb.internal", "192.168.1.1", 5432));
    CHECK(is_ok("a.corp", "192.168.1.1", 80) && is_ok("a.b.corp", "127.0.0.1", 80));
    CHECK(!is_ok("corp", "192.168.1.1", 80) && !is_ok("xcorp", "192.168.1.1", 80) && !is_ok(".corp", "192.168.1.1", 80));
    CHECK(is_ok("x", "127.0.0.1", 9000));
    reach_done(&reach);
}

static void deny_goes_before_allow(void)
{
    allow("*");
    deny("1.2.0.0/16");
    deny("*:25");
    deny("*.bad.test");
    CHECK(is_ok("", "127.0.0.1", 80) && is_ok("", "10.0.0.1", 80) && is_ok("", "1.1.1.1", 80));
    CHECK(judge("", "1.2.3.4", 80) == REACH_DENIED && judge("", "64:ff9b::1.2.3.4", 80) == REACH_DENIED);
    CHECK(judge("", "2002:102:304::", 80) == REACH_DENIED);
    CHECK(judge("", "8.8.8.8", 25) == REACH_DENIED);
    CHECK(judge("x.bad.test", "8.8.8.8", 80) == REACH_DENIED && is_ok("bad.test", "8.8.8.8", 80));
    reach_done(&reach);
}

static void private_networks_and_public_ones_are_switches(void)
{
    reach.has_private = true;
    CHECK(is_ok("", "10.0.0.1", 80) && is_ok("", "100.64.0.1", 80) && is_ok("", "fd00::1", 80));
    CHECK(!is_ok("", "127.0.0.1", 80) && !is_ok("", "169.254.1.1", 80) && !is_ok("", "100.100.100.200", 80));
    CHECK(!is_ok("", "fd00:ec2::254", 80) && !is_ok("", "64:ff9b:1::1", 80));
    reach.has_no_public = true;
    allow("api.test:443");
    CHECK(judge("", "1.1.1.1", 80) == REACH_UNLISTED && is_ok("api.test", "1.1.1.1", 443));
    reach_done(&reach);
}

static void metadata_is_named_or_closed(void)
{
    allow("*");
    allow("0.0.0.0/0");
    allow("169.254.0.0/16");
    allow("meta.test");
    CHECK(judge("meta.test", "169.254.169.254", 80) == REACH_SPECIAL);
    CHECK(is_ok("", "169.254.1.1", 80));
    allow("169.254.169.254:80");
    CHECK(is_ok("", "169.254.169.254", 80) && !is_ok("", "169.254.169.254", 81));
    CHECK(!is_ok("", "64:ff9b::169.254.169.254", 80));
    reach_done(&reach);
}

static void the_api_is_named_with_its_port_or_closed(void)
{
    own("127.0.0.1", 8788);
    own("::", 9000);
    own("0.0.0.0", 9000);
    allow("*");
    allow("127.0.0.1");
    allow("127.0.0.0/8:8788");
    allow("localhost:8788");
    CHECK(judge("localhost", "127.0.0.1", 8788) == REACH_API && judge("", "0.0.0.0", 8788) == REACH_API);
    CHECK(judge("", "::ffff:127.0.0.1", 8788) == REACH_API);
    CHECK(is_ok("", "127.0.0.2", 8788) && is_ok("", "127.0.0.1", 8789));
    /* Every address of the machine, its public one too. */
    CHECK(judge("", "64:ff9b::9.9.9.9", 9000) == REACH_API && judge("", "2002:909:909::1", 9000) == REACH_API && is_ok("", "64:ff9b::9.9.9.8", 9000));
    CHECK(judge("", "9.9.9.9", 9000) == REACH_API && judge("", "::1", 9000) == REACH_API && is_ok("", "9.9.9.8", 9000));
    CHECK(judge("", "0.0.0.0", 9000) == REACH_API && judge("", "::", 9000) == REACH_API);
    allow("127.0.0.1:8788");
    CHECK(is_ok("", "127.0.0.1", 8788) && judge("", "0.0.0.0", 8788) == REACH_API);
    reach_done(&reach);
}

static void refuses_what_is_no_rule(void)
{
    static const char *const BAD[] = {"", ":", ":80", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:http", "10.0.0.1/8",
                                      "[::1", "[::1]x", "[::1]:", "[x]", "[db.internal]", "http://a.test", "a..b", ".a", "a.", "*a", "a.*",
                                      "*.", "*..a", "**", "a b", "a/b", "1.2.3", "0x7f.1", "2130706433", "10.0.0.0/33", "a_b.1",
                                      "::1:", "\xc3\xa4.test", "fe80::1%lo"};
    struct err err;
    char text[400];

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        err = (struct err){0};
        CHECK(reach_allow(&reach, span_of(BAD[i]), &err) == ERR_INVALID);
        if (!err.text[0] || !err.hint[0])
            printf("  '%s': %s (%s)\n", BAD[i], err.text, err.hint), test_failed_checks++;
    }
    memset(text, 'a', sizeof text);
    CHECK(reach_allow(&reach, (struct span){text, 254}, &err) == ERR_INVALID);
    CHECK(reach_allow(&reach, SPAN("10.1.2.3/16:80"), &err) == ERR_INVALID && strstr(err.hint, "10.1.0.0/16"));
    CHECK(reach.allow_count == 0);
    for (int i = 0; i < REACH_RULES_MAX; i++)
        CHECK(reach_allow(&reach, SPAN("10.0.0.0/8"), &err) == 0);
    CHECK(reach_allow(&reach, SPAN("10.0.0.0/8"), &err) == ERR_LIMIT);
    reach_done(&reach);
}

static void is_told_to_others(void)
{
    static const char BEGINS[] = "{\"allow\":[\"10.0.0.0/8:80\",\"[fd00::/16]:443\",\"[::1]\",\"*.corp\",\"db.x:1\",\"*:25\",\"*\"],"
                                 "\"deny\":[\"1.2.3.4\"],\"private\":true,\"public\":true,\"own\":[[\"127.0.0.1\",8788]],"
                                 "\"special\":[[\"0.0.0.0/8\",\"\"],[\"10.0.0.0/8\",\"private\"],";
    struct buf out = {0};

    allow("10.0.0.0/8:80");
    allow("[fd00::/16]:443");
    allow("::1");
    allow("*.corp");
    allow("DB.x:1");
    allow("*:25");
    allow("*");
    deny("1.2.3.4");
    own("127.0.0.1", 8788);
    reach.has_private = true;
    CHECK(reach_json(&reach, &out) == 0 && buf_len(&out) > sizeof BEGINS);
    CHECK(memcmp(buf_data(&out), BEGINS, sizeof BEGINS - 1) == 0);
    CHECK(memcmp(buf_data(&out) + buf_len(&out) - 3, "]]}", 3) == 0);
    buf_done(&out);
    reach_done(&reach);
}

static void copies_are_their_own(void)
{
    struct reach copy;
    struct ip ip;
    struct err err = {0};

    allow("10.0.0.0/8");
    deny("10.1.0.0/16");
    CHECK(reach_copy(&copy, &reach, &err) == 0);
    reach_done(&reach);
    CHECK(ip_parse(SPAN("10.0.0.1"), &ip) && reach_judge(&copy, SPAN(""), &ip, 1, is_local) == REACH_OK);
    CHECK(ip_parse(SPAN("10.1.0.1"), &ip) && reach_judge(&copy, SPAN(""), &ip, 1, is_local) == REACH_DENIED);
    CHECK(strcmp(reach_why(REACH_SPECIAL, &ip), "an address of a private network") == 0);
    reach_done(&copy);
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(a_node_lets_nobody_in_by_itself),
        T(rules_name_ranges_names_and_ports),
        T(deny_goes_before_allow),
        T(private_networks_and_public_ones_are_switches),
        T(metadata_is_named_or_closed),
        T(the_api_is_named_with_its_port_or_closed),
        T(refuses_what_is_no_rule),
        T(is_told_to_others),
        T(copies_are_their_own),
        {0},
    };
    return test_main("text_reach", TESTS, argc, argv);
}

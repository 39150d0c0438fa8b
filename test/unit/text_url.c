/* text_url.c - src/text/url*.c: what the URL standard makes of a text. */
#include "text/url.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static struct span span_or_none(const char *s)
{
    return s ? span_of(s) : SPAN("");
}

static bool is_href(const struct url *u, const char *text)
{
    return span_is(buf_span(&u->href), text);
}

/* The marks are those that parsing the href gives. */
static bool is_sound(const struct url *u)
{
    struct url again;
    bool is_same;

    url_init(&again);
    is_same = url_parse(&again, buf_span(&u->href), NULL, NULL) == 0 &&
              buf_len(&again.href) == buf_len(&u->href) &&
              memcmp(again.mark, u->mark, sizeof u->mark) == 0 && again.port == u->port &&
              again.has_host == u->has_host && again.is_opaque == u->is_opaque &&
              again.scheme == u->scheme &&
              memcmp(buf_data(&again.href), buf_data(&u->href), buf_len(&u->href)) == 0;
    url_done(&again);
    return is_same;
}

static void parses_as_the_standard_says(void)
{
    static const struct {
        const char *input, *base, *href; /* href NULL: not a URL */
    } CASES[] = {
        /* schemes and slashes */
        {"http://example.com", NULL, "http://example.com/"},
        {"HTTP://EXAMPLE.COM/A", NULL, "http://example.com/A"},
        {"https:example.com", NULL, "https://example.com/"},
        {"https:/example.com/", NULL, "https://example.com/"},
        {"https:///example.com/", NULL, "https://example.com/"},
        {"https:\\\\x:y@example.com\\a\\b", NULL, "https://x:y@example.com/a/b"},
        {"http:/\\/x/", NULL, "http://x/"},
        {"ws://h/", NULL, "ws://h/"},
        {"wss://h:443/", NULL, "wss://h/"},
        {"ftp://h:21/x", NULL, "ftp://h/x"},
        {"foo://Host/x", NULL, "foo://Host/x"},
        {"a+b-c.d9:x", NULL, "a+b-c.d9:x"},
        {"1http://x", NULL, NULL},
        {"://x", NULL, NULL},
        {"+x:y", NULL, NULL},
        {"http", NULL, NULL},
        {"http:", NULL, NULL},
        {"http://", NULL, NULL},
        {"http:///", NULL, NULL},
        {"mailto:a@b.c", NULL, "mailto:a@b.c"},
        {"javascript:alert(1)", NULL, "javascript:alert(1)"},
        {"data:text/plain,Hi there", NULL, "data:text/plain,Hi there"},
        {"data:x y  ?q#f ", NULL, "data:x y %20?q#f"},
        {"foo:", NULL, "foo:"},
        {"foo:?q", NULL, "foo:?q"},
        {"foo:#f", NULL, "foo:#f"},
        {"foo:/", NULL, "foo:/"},
        {"foo://", NULL, "foo://"},
        {"foo:///", NULL, "foo:///"},
        {"foo:////x", NULL, "foo:////x"},
        {"foo:/.//x", NULL, "foo:/.//x"},
        {"foo:/..//x", NULL, "foo:/.//x"},
        {"foo:/a/..//x", NULL, "foo:/.//x"},
        {"about:blank", NULL, "about:blank"},
        {"urn:ISBN:0-395", NULL, "urn:ISBN:0-395"},
        {"tel:1234567890", NULL, "tel:1234567890"},
        /* white space */
        {"  http://h/x  ", NULL, "http://h/x"},
        {"ht\011tp://h\012/a\015b", NULL, "http://h/ab"},
        {"http://h/a b", NULL, "http://h/a%20b"},
        {"http://h /", NULL, NULL},
        {"\011\015\012", NULL, NULL},
        {"http://h/\011a\012?b\015c#d\011e", NULL, "http://h/a?bc#de"},
        /* credentials */
        {"http://user@h/", NULL, "http://user@h/"},
        {"http://user:pass@h/", NULL, "http://user:pass@h/"},
        {"http://user:@h/", NULL, "http://user@h/"},
        {"http://:pass@h/", NULL, "http://:pass@h/"},
        {"http://:@h/", NULL, "http://h/"},
        {"http://@h/", NULL, "http://h/"},
        {"http://a@b@c/", NULL, "http://a%40b@c/"},
        {"http://a:b@c:d@e/", NULL, "http://a:b%40c%3Ad@e/"},
        {"http://us er:p/a", NULL, NULL},
        {"http://u;=s:p;=@h/", NULL, "http://u%3B%3Ds:p%3B%3D@h/"},
        {"http://%41:%zz@h/", NULL, "http://%41:%zz@h/"},
        {"http://\303\251:\303\274@h/", NULL, "http://%C3%A9:%C3%BC@h/"},
        {"http://u@/x", NULL, NULL},
        {"http://u:p@", NULL, NULL},
        {"foo://u:p@h/", NULL, "foo://u:p@h/"},
        {"foo://u@/", NULL, NULL},
        {"http://a\\@b/", NULL, "http://a/@b/"},
        {"http://`{}|^@h/", NULL, "http://%60%7B%7D%7C%5E@h/"},
        /* domains */
        {"http://a.b-c_d/", NULL, "http://a.b-c_d/"},
        {"http://EX%41MPLE.c%6Fm/", NULL, "http://example.com/"},
        {"http://a%20b/", NULL, NULL},
        {"http://a%00b/", NULL, NULL},
        {"http://a%zz/", NULL, NULL},
        {"http://a<b", NULL, NULL},
        {"http://a>b", NULL, NULL},
        {"http://a^b", NULL, NULL},
        {"http://a|b", NULL, NULL},
        {"http://a]b", NULL, NULL},
        {"http://a[b", NULL, NULL},
        {"http://a\177b", NULL, NULL},
        {"http://%7f", NULL, NULL},
        {"http://%", NULL, NULL},
        {"http://%25", NULL, NULL},
        {"http://a..b/", NULL, "http://a..b/"},
        {"http://.", NULL, "http://./"},
        {"http://..", NULL, "http://../"},
        {"http://a./", NULL, "http://a./"},
        {"http://!\"$&'()*+,-.;=_`{}~/", NULL, "http://!\"$&'()*+,-.;=_`{}~/"},
        {"http://ho%2Fst", NULL, NULL},
        {"http://ho%3Ast", NULL, NULL},
        {"http://ho%23st", NULL, NULL},
        {"http://ho%40st", NULL, NULL},
        {"foo://EX%41MPLE/", NULL, "foo://EX%41MPLE/"},
        {"foo://a b", NULL, NULL},
        {"foo://a^b", NULL, NULL},
        {"foo://a%b/", NULL, "foo://a%b/"},
        {"foo://!\"$%&'()*+,-.;=_`{}~/", NULL, "foo://!\"$%&'()*+,-.;=_`{}~/"},
        {"foo://\303\251/", NULL, "foo://%C3%A9/"},
        {"foo://a\001b/", NULL, "foo://a%01b/"},
        /* IPv4 */
        {"http://1.2.3.4/", NULL, "http://1.2.3.4/"},
        {"http://1.2.3.4./", NULL, "http://1.2.3.4/"},
        {"http://1.2.3/", NULL, "http://1.2.0.3/"},
        {"http://1.2/", NULL, "http://1.0.0.2/"},
        {"http://1/", NULL, "http://0.0.0.1/"},
        {"http://4294967295/", NULL, "http://255.255.255.255/"},
        {"http://4294967296/", NULL, NULL},
        {"http://0x7F.1/", NULL, "http://127.0.0.1/"},
        {"http://0X7f000001/", NULL, "http://127.0.0.1/"},
        {"http://017700000001/", NULL, "http://127.0.0.1/"},
        {"http://0x/", NULL, "http://0.0.0.0/"},
        {"http://0x.0x.0/", NULL, "http://0.0.0.0/"},
        {"http://00.0/", NULL, "http://0.0.0.0/"},
        {"http://256.1.1.1/", NULL, NULL},
        {"http://1.256.1.1/", NULL, NULL},
        {"http://1.2.3.256/", NULL, NULL},
        {"http://1.2.65535/", NULL, "http://1.2.255.255/"},
        {"http://1.2.65536/", NULL, NULL},
        {"http://1.16777215/", NULL, "http://1.255.255.255/"},
        {"http://1.16777216/", NULL, NULL},
        {"http://1.2.3.4.5/", NULL, NULL},
        {"http://1..2/", NULL, NULL},
        {"http://.1/", NULL, NULL},
        {"http://1.2.3.08/", NULL, NULL},
        {"http://1.2.3.09/", NULL, NULL},
        {"http://a.08/", NULL, NULL},
        {"http://a.0x/", NULL, NULL},
        {"http://a.0xg/", NULL, "http://a.0xg/"},
        {"http://a.1a/", NULL, "http://a.1a/"},
        {"http://0xffffffff1/", NULL, NULL},
        {"http://%30x7f.1/", NULL, "http://127.0.0.1/"},
        {"http://1e2/", NULL, "http://1e2/"},
        {"http://0..0x300/", NULL, NULL},
        {"http://99999999999999999999/", NULL, NULL},
        {"foo://1.2.3/", NULL, "foo://1.2.3/"},
        /* IPv6 */
        {"http://[::1]/", NULL, "http://[::1]/"},
        {"http://[::]/", NULL, "http://[::]/"},
        {"http://[1::]/", NULL, "http://[1::]/"},
        {"http://[1:2:3:4:5:6:7:8]/", NULL, "http://[1:2:3:4:5:6:7:8]/"},
        {"http://[1:2:3:4:5:6:7:8:9]/", NULL, NULL},
        {"http://[1:2:3:4:5:6:7]/", NULL, NULL},
        {"http://[::1::2]/", NULL, NULL},
        {"http://[1:2:3:4:5:6:7::]/", NULL, "http://[1:2:3:4:5:6:7:0]/"},
        {"http://[::2:3:4:5:6:7:8]/", NULL, "http://[0:2:3:4:5:6:7:8]/"},
        {"http://[1:2:3:4:5:6:7:8::]/", NULL, NULL},
        {"http://[1:0:0:2:0:0:0:3]/", NULL, "http://[1:0:0:2::3]/"},
        {"http://[1:0:0:2:3:0:0:4]/", NULL, "http://[1::2:3:0:0:4]/"},
        {"http://[0:1:0:1:0:1:0:1]/", NULL, "http://[0:1:0:1:0:1:0:1]/"},
        {"http://[ABCD:EF01::]/", NULL, "http://[abcd:ef01::]/"},
        {"http://[0001:0002::]/", NULL, "http://[1:2::]/"},
        {"http://[12345::]/", NULL, NULL},
        {"http://[g::]/", NULL, NULL},
        {"http://[::1%25en0]/", NULL, NULL},
        {"http://[::1.2.3.4]/", NULL, "http://[::102:304]/"},
        {"http://[::ffff:192.168.0.1]/", NULL, "http://[::ffff:c0a8:1]/"},
        {"http://[1:2:3:4:5:6:1.2.3.4]/", NULL, "http://[1:2:3:4:5:6:102:304]/"},
        {"http://[1:2:3:4:5:6:7:1.2.3.4]/", NULL, NULL},
        {"http://[::1.2.3]/", NULL, NULL},
        {"http://[::1.2.3.4.5]/", NULL, NULL},
        {"http://[::1.2.3.256]/", NULL, NULL},
        {"http://[::1.2.3.04]/", NULL, NULL},
        {"http://[::1.2.3.]/", NULL, NULL},
        {"http://[::.1.2.3]/", NULL, NULL},
        {"http://[::1.2.3.4:5]/", NULL, NULL},
        {"http://[:1]/", NULL, NULL},
        {"http://[1:]/", NULL, NULL},
        {"http://[]/", NULL, NULL},
        {"http://[", NULL, NULL},
        {"http://[::1", NULL, NULL},
        {"http://::1]/", NULL, NULL},
        {"http://[::1]x/", NULL, NULL},
        {"http://[::1]:80/", NULL, "http://[::1]/"},
        {"http://[::1]:81/", NULL, "http://[::1]:81/"},
        {"foo://[::1]/", NULL, "foo://[::1]/"},
        {"foo://[x]/", NULL, NULL},
        {"http://[0:0:0:0:0:0:0:0]/", NULL, "http://[::]/"},
        {"http://[::0:0:1:0:0]/", NULL, "http://[::1:0:0]/"},
        /* ports */
        {"http://h:80/", NULL, "http://h/"},
        {"http://h:443/", NULL, "http://h:443/"},
        {"https://h:443/", NULL, "https://h/"},
        {"https://h:080/", NULL, "https://h:80/"},
        {"http://h:/", NULL, "http://h/"},
        {"http://h:0/", NULL, "http://h:0/"},
        {"http://h:65535/", NULL, "http://h:65535/"},
        {"http://h:65536/", NULL, NULL},
        {"http://h:000000000080/", NULL, "http://h/"},
        {"http://h:8a/", NULL, NULL},
        {"http://h:-1/", NULL, NULL},
        {"http://h:80:80/", NULL, NULL},
        {"http://h: 80/", NULL, NULL},
        {"http://:80/", NULL, NULL},
        {"foo://h:80/", NULL, "foo://h:80/"},
        {"foo://:80/", NULL, NULL},
        {"ws://h:80", NULL, "ws://h/"},
        {"ftp://h:22", NULL, "ftp://h:22/"},
        {"http://h:99999999999/", NULL, NULL},
        /* paths */
        {"http://h/a/./b", NULL, "http://h/a/b"},
        {"http://h/a/../b", NULL, "http://h/b"},
        {"http://h/../../x", NULL, "http://h/x"},
        {"http://h/a/..", NULL, "http://h/"},
        {"http://h/a/.", NULL, "http://h/a/"},
        {"http://h/.", NULL, "http://h/"},
        {"http://h/..", NULL, "http://h/"},
        {"http://h/%2e/%2E%2e/x", NULL, "http://h/x"},
        {"http://h/a/%2E./b", NULL, "http://h/b"},
        {"http://h/a/.%2e", NULL, "http://h/"},
        {"http://h/...", NULL, "http://h/..."},
        {"http://h/..x", NULL, "http://h/..x"},
        {"http://h/.x", NULL, "http://h/.x"},
        {"http://h/a//b", NULL, "http://h/a//b"},
        {"http://h//", NULL, "http://h//"},
        {"http://h//../x", NULL, "http://h/x"},
        {"http://h/a\\..\\b", NULL, "http://h/b"},
        {"foo://h/a\\..\\b", NULL, "foo://h/a\\..\\b"},
        {"http://h/!$&'()*+,-./:;=@[]_|~", NULL, "http://h/!$&'()*+,-./:;=@[]_|~"},
        {"http://h/\"<>`{}^ ", NULL, "http://h/%22%3C%3E%60%7B%7D%5E"},
        {"http://h/%zz%4", NULL, "http://h/%zz%4"},
        {"http://h/\303\251\342\230\203\360\237\230\200", NULL,
         "http://h/%C3%A9%E2%98%83%F0%9F%98%80"},
        {"http://h/\177", NULL, "http://h/%7F"},
        {"foo://h", NULL, "foo://h"},
        {"foo://h/", NULL, "foo://h/"},
        {"foo://h/.", NULL, "foo://h/"},
        {"foo://h/..", NULL, "foo://h/"},
        {"foo:/a/../../b", NULL, "foo:/b"},
        {"http://h/a;b/..;/c", NULL, "http://h/a;b/..;/c"},
        {"data:%2e/\303\251\"<>`{}^", NULL, "data:%2e/%C3%A9\"<>`{}^"},
        {"http://h/%25%32%65/x", NULL, "http://h/%25%32%65/x"},
        /* queries and fragments */
        {"http://h?q", NULL, "http://h/?q"},
        {"http://h?", NULL, "http://h/?"},
        {"http://h#", NULL, "http://h/#"},
        {"http://h/?#", NULL, "http://h/?#"},
        {"http://h#f?x", NULL, "http://h/#f?x"},
        {"http://h/?a'b", NULL, "http://h/?a%27b"},
        {"foo://h/?a'b", NULL, "foo://h/?a'b"},
        {"http://h/?\"<>`{}|^\\[]", NULL, "http://h/?%22%3C%3E`{}|^\\[]"},
        {"http://h/? x#y z", NULL, "http://h/?%20x#y%20z"},
        {"http://h/#\"<>`{}|^\\[]#", NULL, "http://h/#%22%3C%3E%60{}|^\\[]#"},
        {"http://h/?\303\251#\303\251", NULL, "http://h/?%C3%A9#%C3%A9"},
        {"http://h/??", NULL, "http://h/??"},
        {"http://h/?a#b#c", NULL, "http://h/?a#b#c"},
        {"http://h/?%zz#%zz", NULL, "http://h/?%zz#%zz"},
        {"foo:x?y#z", NULL, "foo:x?y#z"},
        {"foo:x ?y", NULL, "foo:x%20?y"},
        {"foo:x  #y", NULL, "foo:x %20#y"},
        {"data: ?x", NULL, "data:%20?x"},
        /* files */
        {"file:", NULL, "file:///"},
        {"file:/", NULL, "file:///"},
        {"file://", NULL, "file:///"},
        {"file:///", NULL, "file:///"},
        {"file:////x", NULL, "file:////x"},
        {"file:///a/../b", NULL, "file:///b"},
        {"file://localhost/x", NULL, "file:///x"},
        {"file://LOCALHOST/x", NULL, "file:///x"},
        {"file://h/x", NULL, "file://h/x"},
        {"file://h:80/x", NULL, NULL},
        {"file://u@h/x", NULL, NULL},
        {"file:C:/x", NULL, "file:///C:/x"},
        {"file:/C|/x", NULL, "file:///C:/x"},
        {"file:///c|/..", NULL, "file:///c:/"},
        {"file:///C:/../..", NULL, "file:///C:/"},
        {"file:///C:/a/../..", NULL, "file:///C:/"},
        {"file://C:/x", NULL, "file:///C:/x"},
        {"file://C|/x", NULL, "file:///C:/x"},
        {"file:///a/C|/x", NULL, "file:///a/C|/x"},
        {"file:\\\\h\\x", NULL, "file://h/x"},
        {"file:\\C:\\x", NULL, "file:///C:/x"},
        {"file:x", NULL, "file:///x"},
        {"file:?q", NULL, "file:///?q"},
        {"file:#f", NULL, "file:///#f"},
        {"file:///C:x/../y", NULL, "file:///y"},
        {"file:///./C|/", NULL, "file:///C:/"},
        {"file://1.2/x", NULL, "file://1.0.0.2/x"},
        {"file://[::1]/", NULL, "file://[::1]/"},
        {"file://%43%3A", NULL, NULL},
        /* relative to http */
        {"x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/x"},
        {"x/y", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/x/y"},
        {"./x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/x"},
        {"../x", "http://example.org/foo/bar?q=1#f", "http://example.org/x"},
        {"../../x", "http://example.org/foo/bar?q=1#f", "http://example.org/x"},
        {"/x", "http://example.org/foo/bar?q=1#f", "http://example.org/x"},
        {"//h/x", "http://example.org/foo/bar?q=1#f", "http://h/x"},
        {"///h/x", "http://example.org/foo/bar?q=1#f", "http://h/x"},
        {"\\x", "http://example.org/foo/bar?q=1#f", "http://example.org/x"},
        {"\\\\h\\x", "http://example.org/foo/bar?q=1#f", "http://h/x"},
        {"?x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/bar?x"},
        {"#x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/bar?q=1#x"},
        {"", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/bar?q=1"},
        {"  ", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/bar?q=1"},
        {".", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/"},
        {"..", "http://example.org/foo/bar?q=1#f", "http://example.org/"},
        {"x:y", "http://example.org/foo/bar?q=1#f", "x:y"},
        {"http:x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/x"},
        {"http:/x", "http://example.org/foo/bar?q=1#f", "http://example.org/x"},
        {"http://x", "http://example.org/foo/bar?q=1#f", "http://x/"},
        {"https:x", "http://example.org/foo/bar?q=1#f", "https://x/"},
        {"http:?x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/bar?x"},
        {"http:#x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/bar?q=1#x"},
        {"http:", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/bar?q=1"},
        {":x", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/:x"},
        {"x?y", "http://example.org/foo/bar?q=1#f", "http://example.org/foo/x?y"},
        {"?x", "http://h", "http://h/?x"},
        {"x", "http://u:p@h:8080/a/b", "http://u:p@h:8080/a/x"},
        {"//:80", "http://example.org/foo/bar?q=1#f", NULL},
        {"/..//x", "http://example.org/foo/bar?q=1#f", "http://example.org//x"},
        {"file:x", "http://example.org/foo/bar?q=1#f", "file:///x"},
        {"foo:x", "http://example.org/foo/bar?q=1#f", "foo:x"},
        /* relative to other schemes */
        {"x", "foo://h/a/b", "foo://h/a/x"},
        {"/x", "foo://h/a/b", "foo://h/x"},
        {"//x", "foo://h/a/b", "foo://x"},
        {"..", "foo://h/a/b", "foo://h/"},
        {"\\x", "foo://h/a/b", "foo://h/a/\\x"},
        {"x", "foo://h", "foo://h/x"},
        {"", "foo://h?q#f", "foo://h?q"},
        {"?x", "foo:/a", "foo:/a?x"},
        {"x", "foo:/a/b", "foo:/a/x"},
        {"/x", "foo:/a/b", "foo:/x"},
        {"//x", "foo:/a/b", "foo://x"},
        {"///x", "foo:/a", "foo:///x"},
        {"..", "foo:/.//p", "foo:/"},
        {"x", "foo:/.//p", "foo:/.//x"},
        {"../..", "foo:/.//p/q", "foo:/"},
        {"#x", "foo:/.//p", "foo:/.//p#x"},
        {"?x", "foo:/.//p", "foo:/.//p?x"},
        {"x", "foo:bar", NULL},
        {"#x", "foo:bar?q#f", "foo:bar?q#x"},
        {"?x", "foo:bar", NULL},
        {"", "foo:bar", NULL},
        {"x", "about:blank", NULL},
        {"#x", "data:a b#c", "data:a b#x"},
        {"foo:x", "foo://h/a", "foo:x"},
        {"foo:/x", "foo://h/a", "foo:/x"},
        {"http:x", "foo://h/a", "http://x/"},
        {"x", "blob:https://h/1", NULL},
        /* relative to files */
        {"x", "file:///a/b", "file:///a/x"},
        {"/x", "file:///a/b", "file:///x"},
        {"//h/x", "file:///a/b", "file://h/x"},
        {"///x", "file:///a/b", "file:///x"},
        {"?x", "file:///a/b?q#f", "file:///a/b?x"},
        {"#x", "file:///a/b?q#f", "file:///a/b?q#x"},
        {"", "file:///a/b?q#f", "file:///a/b?q"},
        {"x", "file:///C:/a/b", "file:///C:/a/x"},
        {"/x", "file:///C:/a/b", "file:///C:/x"},
        {"..", "file:///C:/a", "file:///C:/"},
        {"../../..", "file:///C:/a/b", "file:///C:/"},
        {"/", "file:///C:/", "file:///C:/"},
        {"D:/x", "file:///C:/a", "d:/x"},
        {"D|", "file:///C:/a", "file:///D:"},
        {"/D:/x", "file:///C:/a", "file:///D:/x"},
        {"D:x", "file:///C:/a", "d:x"},
        {"file:x", "file:///C:/a/b", "file:///C:/a/x"},
        {"file:/x", "file://h/C:/a", "file://h/C:/x"},
        {"/x", "file://h/a/b", "file://h/x"},
        {"C|/x", "file://h/a", "file://h/C:/x"},
        {"//", "file:///a", "file:///"},
        {"http:x", "file:///a/b", "http://x/"},
        {"\\\\h\\x", "file:///a", "file://h/x"},
    };
    struct url u, base;

    url_init(&u);
    url_init(&base);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *want = CASES[i].href;
        int r;
        if (CASES[i].base)
            CHECK(url_parse(&base, span_of(CASES[i].base), NULL, NULL) == 0);
        r = url_parse(&u, span_of(CASES[i].input), CASES[i].base ? &base : NULL, NULL);
        if (want ? r == 0 && is_href(&u, want) && is_sound(&u) : r == ERR_INVALID)
            continue;
        printf("  '%s' with base '%.*s': got %d '%.*s'\n", CASES[i].input,
               SPAN_ARG(span_or_none(CASES[i].base)), r, SPAN_ARG(buf_span(&u.href)));
        CHECK(!"as expected");
    }
    url_done(&u);
    url_done(&base);
}

static void sets_as_the_standard_says(void)
{
    static const struct {
        const char *before;
        enum url_part part;
        const char *value, *after;
    } CASES[] = {
        {"http://h/", URL_PROTOCOL, "https", "https://h/"},
        {"http://h/", URL_PROTOCOL, "https:x", "https://h/"},
        {"http://h/", URL_PROTOCOL, "HTTPS:", "https://h/"},
        {"http://h/", URL_PROTOCOL, "foo", "http://h/"},
        {"http://h/", URL_PROTOCOL, "1x", "http://h/"},
        {"http://h/", URL_PROTOCOL, "", "http://h/"},
        {"http://h/", URL_PROTOCOL, "h\012ttps", "https://h/"},
        {"foo://h/", URL_PROTOCOL, "http", "foo://h/"},
        {"foo://h/", URL_PROTOCOL, "b+a.r-1", "b+a.r-1://h/"},
        {"http://h:443/", URL_PROTOCOL, "https", "https://h/"},
        {"https://h:80/x?y#z", URL_PROTOCOL, "http", "http://h/x?y#z"},
        {"http://u@h/", URL_PROTOCOL, "file", "http://u@h/"},
        {"http://h:1/", URL_PROTOCOL, "file", "http://h:1/"},
        {"http://h/", URL_PROTOCOL, "file", "file://h/"},
        {"file:///x", URL_PROTOCOL, "http", "file:///x"},
        {"file://h/x", URL_PROTOCOL, "http", "http://h/x"},
        {"mailto:x", URL_PROTOCOL, "foo", "foo:x"},
        {"mailto:x", URL_PROTOCOL, "http", "mailto:x"},
        {"http://h/", URL_USERNAME, "me", "http://me@h/"},
        {"http://h/", URL_USERNAME, "a:b@c/\303\251", "http://a%3Ab%40c%2F%C3%A9@h/"},
        {"http://u:p@h/", URL_USERNAME, "", "http://:p@h/"},
        {"http://u@h/", URL_USERNAME, "", "http://h/"},
        {"foo:/x", URL_USERNAME, "u", "foo:/x"},
        {"file://h/x", URL_USERNAME, "u", "file://h/x"},
        {"mailto:x", URL_USERNAME, "u", "mailto:x"},
        {"http://h/", URL_USERNAME, "a\011b", "http://a%09b@h/"},
        {"http://h/", URL_PASSWORD, "p", "http://:p@h/"},
        {"http://u:p@h/", URL_PASSWORD, "", "http://u@h/"},
        {"http://u@h/", URL_PASSWORD, "p:@", "http://u:p%3A%40@h/"},
        {"http://:p@h/", URL_PASSWORD, "", "http://h/"},
        {"file://h/", URL_PASSWORD, "p", "file://h/"},
        {"foo://h/", URL_PASSWORD, "p", "foo://:p@h/"},
        {"foo:///", URL_PASSWORD, "p", "foo:///"},
        {"http://h:8080/p", URL_HOST, "x", "http://x:8080/p"},
        {"http://h:8080/p", URL_HOST, "x:81", "http://x:81/p"},
        {"http://h/p", URL_HOST, "x:80", "http://x/p"},
        {"http://h:1/p", URL_HOST, "x:", "http://x:1/p"},
        {"http://h/p", URL_HOST, "x:99999", "http://x/p"},
        {"http://h/p", URL_HOST, "x:8a", "http://x:8/p"},
        {"http://h/p", URL_HOST, "x:a", "http://x/p"},
        {"http://h/p", URL_HOST, "", "http://h/p"},
        {"http://h/p", URL_HOST, "x/y?z#w", "http://x/p"},
        {"http://h/p", URL_HOST, "a b", "http://h/p"},
        {"http://h/p", URL_HOST, "[::1]:2", "http://[::1]:2/p"},
        {"http://h/p", URL_HOST, "[::1", "http://h/p"},
        {"http://h/p", URL_HOST, "0x7f.1", "http://127.0.0.1/p"},
        {"http://h/p", URL_HOST, "a@b", "http://h/p"},
        {"http://h/p", URL_HOST, ":80", "http://h/p"},
        {"http://h/p", URL_HOST, "x\\y", "http://x/p"},
        {"foo://h/p", URL_HOST, "x\\y", "foo://h/p"},
        {"foo://h/p", URL_HOST, "", "foo:///p"},
        {"foo://u@h/p", URL_HOST, "", "foo://u@h/p"},
        {"foo://h:1/p", URL_HOST, "", "foo://h:1/p"},
        {"foo:/p", URL_HOST, "h:1", "foo://h:1/p"},
        {"foo:/.//p", URL_HOST, "h", "foo://h//p"},
        {"mailto:x", URL_HOST, "h", "mailto:x"},
        {"file:///x", URL_HOST, "h", "file://h/x"},
        {"file:///x", URL_HOST, "h:1", "file:///x"},
        {"file://h/x", URL_HOST, "localhost", "file:///x"},
        {"file://h/x", URL_HOST, "", "file:///x"},
        {"foo:/p", URL_HOST, "", "foo:///p"},
        {"http://h:1/p", URL_HOSTNAME, "x", "http://x:1/p"},
        {"http://h:1/p", URL_HOSTNAME, "x:2", "http://h:1/p"},
        {"http://h/p", URL_HOSTNAME, "x/y", "http://x/p"},
        {"http://h/p", URL_HOSTNAME, "", "http://h/p"},
        {"foo:/.//p", URL_HOSTNAME, "h", "foo://h//p"},
        {"foo:/p", URL_HOSTNAME, "", "foo:///p"},
        {"foo://h/p", URL_HOSTNAME, "\303\211", "foo://%C3%89/p"},
        {"http://h/p", URL_HOSTNAME, "1.2", "http://1.0.0.2/p"},
        {"file:///p", URL_HOSTNAME, "h", "file://h/p"},
        {"http://h/", URL_PORT, "81", "http://h:81/"},
        {"http://h:81/", URL_PORT, "", "http://h/"},
        {"http://h:81/", URL_PORT, "80", "http://h/"},
        {"http://h/", URL_PORT, "9x", "http://h:9/"},
        {"http://h/", URL_PORT, "x9", "http://h/"},
        {"http://h:1/", URL_PORT, "65536", "http://h:1/"},
        {"http://h/", URL_PORT, "\0119", "http://h:9/"},
        {"http://h:1/", URL_PORT, "\011", "http://h:1/"},
        {"file://h/", URL_PORT, "1", "file://h/"},
        {"mailto:x", URL_PORT, "1", "mailto:x"},
        {"foo:/p", URL_PORT, "1", "foo:/p"},
        {"foo://h/", URL_PORT, "80", "foo://h:80/"},
        {"http://h/", URL_PORT, "0000123", "http://h:123/"},
        {"http://h/", URL_PORT, "-1", "http://h/"},
        {"http://h/p?q#f", URL_PATHNAME, "/x", "http://h/x?q#f"},
        {"http://h/p?q#f", URL_PATHNAME, "x/../y", "http://h/y?q#f"},
        {"http://h/p", URL_PATHNAME, "", "http://h/"},
        {"http://h/p", URL_PATHNAME, "a?b#c", "http://h/a%3Fb%23c"},
        {"http://h/p", URL_PATHNAME, "\\x", "http://h/x"},
        {"foo://h/p", URL_PATHNAME, "\\x", "foo://h/\\x"},
        {"foo://h/p", URL_PATHNAME, "", "foo://h"},
        {"foo:/p", URL_PATHNAME, "", "foo:/"},
        {"foo:/p", URL_PATHNAME, "//x", "foo:/.//x"},
        {"foo:/.//p?q#f", URL_PATHNAME, "x", "foo:/x?q#f"},
        {"foo:/.//p", URL_PATHNAME, "//y", "foo:/.//y"},
        {"mailto:x", URL_PATHNAME, "y", "mailto:x"},
        {"file:///C:/x", URL_PATHNAME, "..", "file:///"},
        {"file:///x", URL_PATHNAME, "C|/y", "file:///C:/y"},
        {"http://h/p", URL_PATHNAME, "%2e%2E/\303\251", "http://h/%C3%A9"},
        {"file://h/", URL_PATHNAME, "\\\\", "file://h//"},
        {"http://h/", URL_PATHNAME, "//x", "http://h//x"},
        {"http://h/p#f", URL_SEARCH, "x", "http://h/p?x#f"},
        {"http://h/p#f", URL_SEARCH, "?x", "http://h/p?x#f"},
        {"http://h/p#f", URL_SEARCH, "??x", "http://h/p??x#f"},
        {"http://h/p?x#f", URL_SEARCH, "", "http://h/p#f"},
        {"http://h/p?x#f", URL_SEARCH, "?", "http://h/p?#f"},
        {"http://h/p", URL_SEARCH, "a#b'c d", "http://h/p?a%23b%27c%20d"},
        {"foo://h/p", URL_SEARCH, "a'b", "foo://h/p?a'b"},
        {"mailto:x", URL_SEARCH, "y", "mailto:x?y"},
        {"data:x ?y", URL_SEARCH, "", "data:x%20"},
        {"http://h/p", URL_SEARCH, "\012", "http://h/p?"},
        {"http://h/p?x#f", URL_HASH, "g", "http://h/p?x#g"},
        {"http://h/p", URL_HASH, "#g", "http://h/p#g"},
        {"http://h/p", URL_HASH, "##g", "http://h/p##g"},
        {"http://h/p#f", URL_HASH, "", "http://h/p"},
        {"http://h/p#f", URL_HASH, "#", "http://h/p#"},
        {"http://h/p", URL_HASH, "a b`<", "http://h/p#a%20b%60%3C"},
        {"mailto:x", URL_HASH, "y", "mailto:x#y"},
        {"javascript:x", URL_HASH, "y", "javascript:x#y"},
    };
    struct url u;

    url_init(&u);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK(url_parse(&u, span_of(CASES[i].before), NULL, NULL) == 0);
        CHECK(url_set(&u, CASES[i].part, span_of(CASES[i].value), NULL) == 0);
        if (is_href(&u, CASES[i].after) && is_sound(&u))
            continue;
        printf("  '%s' part %d = '%s': got '%.*s'\n", CASES[i].before, (int)CASES[i].part,
               CASES[i].value, SPAN_ARG(buf_span(&u.href)));
        CHECK(!"as expected");
    }
    url_done(&u);
}

static void gives_the_parts(void)
{
    static const struct {
        const char *input;
        const char *parts[URL_HASH + 1]; /* in the order of enum url_part */
        const char *origin;
    } CASES[] = {
        {"https://u:p@h:81/a/b?q#f",
         {"https://u:p@h:81/a/b?q#f", "https:", "u", "p", "h:81", "h", "81", "/a/b", "?q", "#f"},
         "https://h:81"},
        {"http://h", {"http://h/", "http:", "", "", "h", "h", "", "/", "", ""}, "http://h"},
        {"http://:p@h/?#",
         {"http://:p@h/?#", "http:", "", "p", "h", "h", "", "/", "", ""},
         "http://h"},
        {"http://u@h/", {"http://u@h/", "http:", "u", "", "h", "h", "", "/", "", ""}, "http://h"},
        {"file:///x", {"file:///x", "file:", "", "", "", "", "", "/x", "", ""}, "null"},
        {"foo:/.//x", {"foo:/.//x", "foo:", "", "", "", "", "", "//x", "", ""}, "null"},
        {"foo://h:9", {"foo://h:9", "foo:", "", "", "h:9", "h", "9", "", "", ""}, "null"},
        {"data:a?b#c", {"data:a?b#c", "data:", "", "", "", "", "", "a", "?b", "#c"}, "null"},
        {"blob:https://h:443/x",
         {"blob:https://h:443/x", "blob:", "", "", "", "", "", "https://h:443/x", "", ""},
         "https://h"},
        {"blob:ftp://h/x",
         {"blob:ftp://h/x", "blob:", "", "", "", "", "", "ftp://h/x", "", ""},
         "null"},
        {"ws://[::1]:1/",
         {"ws://[::1]:1/", "ws:", "", "", "[::1]:1", "[::1]", "1", "/", "", ""},
         "ws://[::1]:1"},
    };
    struct buf origin = {0};
    struct url u;

    url_init(&u);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK(url_parse(&u, span_of(CASES[i].input), NULL, NULL) == 0);
        for (int part = URL_HREF; part <= URL_HASH; part++) {
            struct span got = url_get(&u, (enum url_part)part);
            if (span_is(got, CASES[i].parts[part]))
                continue;
            printf("  '%s' part %d: got '%.*s'\n", CASES[i].input, part, SPAN_ARG(got));
            CHECK(!"as expected");
        }
        CHECK(url_origin(&u, &origin) == 0 && span_is(buf_span(&origin), CASES[i].origin));
        buf_eat(&origin, buf_len(&origin));
    }
    buf_done(&origin);
    url_done(&u);
}

static int asked;

static int fake_domain(struct span domain, struct buf *out)
{
    asked++;
    if (span_is(domain, "\303\251.fr"))
        return buf_append(out, "xn--9ca.fr", 10);
    if (span_is(domain, "\342\221\240.2")) /* a circled 1 */
        return buf_append(out, "1.2", 3);
    if (span_is(domain, "\357\274\205")) /* a wide percent sign */
        return buf_append(out, "%", 1);
    return span_is(domain, "\302\255") ? 0 : ERR_INVALID; /* a soft hyphen: nothing */
}

static void asks_for_names_beyond_ascii_only(void)
{
    static const struct {
        const char *input, *href;
        int asked;
    } CASES[] = {
        {"http://Plain.Example/", "http://plain.example/", 0},
        {"http://axn--b/", "http://axn--b/", 0},
        {"foo://\303\251/", "foo://%C3%A9/", 0},
        {"http://\303\251.fr/", "http://xn--9ca.fr/", 1},
        {"http://%c3%a9.fr/", "http://xn--9ca.fr/", 1},
        {"http://\342\221\240.2/", "http://1.0.0.2/", 1},
        {"http://\357\274\205/", NULL, 1},
        {"http://\302\255/", NULL, 1},
        {"http://xn--bad/", NULL, 1},
        {"http://a.XN--bad/", NULL, 1},
        {"file://\303\251.fr/", "file://xn--9ca.fr/", 1},
    };
    struct url u;

    url_init(&u);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int r;
        asked = 0;
        r = url_parse(&u, span_of(CASES[i].input), NULL, fake_domain);
        CHECK(CASES[i].href ? r == 0 && is_href(&u, CASES[i].href) : r == ERR_INVALID);
        CHECK(asked == CASES[i].asked);
    }
    CHECK(url_parse(&u, SPAN("http://\303\251.fr/"), NULL, NULL) == ERR_INVALID);
    CHECK(url_parse(&u, SPAN("http://xn--bad/"), NULL, NULL) == 0 &&
          is_href(&u, "http://xn--bad/"));
    CHECK(url_set(&u, URL_HOST, SPAN("%C3%A9.fr:8"), fake_domain) == 0);
    CHECK(is_href(&u, "http://xn--9ca.fr:8/"));
    url_done(&u);
}

static void copes_with_any_byte(void)
{
    struct url u;
    char all[256];

    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    url_init(&u);
    CHECK(url_parse(&u, (struct span){all, sizeof all}, NULL, NULL) == ERR_INVALID);
    CHECK(url_parse(&u, SPAN("\0http://h/\0a\xff\0"), NULL, NULL) == 0);
    CHECK(is_href(&u, "http://h/%00a%FF"));
    CHECK(url_parse(&u, SPAN("http://h\xff/"), NULL, fake_domain) == ERR_INVALID);
    CHECK(url_parse(&u, SPAN("foo://\xff/"), NULL, NULL) == 0 && is_href(&u, "foo://%FF/"));
    CHECK(url_parse(&u, SPAN("http://h/"), NULL, NULL) == 0);
    CHECK(url_set(&u, URL_SEARCH, (struct span){all, sizeof all}, NULL) == 0 && is_sound(&u));
    CHECK(url_set(&u, URL_USERNAME, (struct span){all, sizeof all}, NULL) == 0 && is_sound(&u));
    CHECK(url_set(&u, URL_HREF, SPAN("nothing"), NULL) == ERR_INVALID && is_sound(&u));
    CHECK(url_set(&u, URL_HREF, SPAN("x:y"), NULL) == 0 && is_href(&u, "x:y"));
    url_done(&u);
}

static void refuses_what_is_too_long(void)
{
    char *text = mem_alloc(URL_MAX + 1);
    struct url u;

    CHECK(text != NULL);
    memset(text, ' ', URL_MAX + 1);
    memcpy(text, "foo:/", 5);
    text[URL_MAX / 2] = 'x';
    url_init(&u);
    CHECK(url_parse(&u, (struct span){text, URL_MAX / 2 + 1}, NULL, NULL) == ERR_LIMIT);
    CHECK(buf_len(&u.href) == 0);
    memset(text + 5, 'x', URL_MAX - 4);
    CHECK(url_parse(&u, (struct span){text, URL_MAX + 1}, NULL, NULL) == ERR_LIMIT);
    CHECK(url_parse(&u, (struct span){text, URL_MAX}, NULL, NULL) == 0);
    CHECK(url_set(&u, URL_HASH, SPAN("x"), NULL) == ERR_LIMIT && buf_len(&u.href) == URL_MAX);
    CHECK(url_set(&u, URL_HASH, (struct span){text, URL_MAX + 1}, NULL) == ERR_LIMIT);
    url_done(&u);
    mem_free(text);
}

static void survives_every_failed_allocation(void)
{
    static const char *const INPUTS[] = {"http://u:p@H:8/a/../b c?q r#f g",
                                         "../x",
                                         "foo:/.//x",
                                         "file://h/C|/x",
                                         "a\nb",
                                         "foo:a  ?x",
                                         "http://%41/"};
    struct url base, u;
    int r;

    url_init(&base);
    CHECK(url_parse(&base, SPAN("http://h/a/b"), NULL, NULL) == 0);
    for (size_t i = 0; i < sizeof INPUTS / sizeof *INPUTS; i++) {
        for (long n = 0;; n++) {
            url_init(&u);
            mem_fail_after(n);
            r = url_parse(&u, span_of(INPUTS[i]), &base, NULL);
            for (int part = URL_HREF; r == 0 && part <= URL_HASH; part++)
                r = url_set(&u, (enum url_part)part,
                            part == URL_HREF ? SPAN("http://a/") : SPAN("/\n1 2"), NULL);
            mem_fail_after(-1);
            CHECK(r == 0 || r == ERR_NOMEM);
            url_done(&u);
            if (r == 0)
                break;
        }
    }
    url_done(&base);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"parses_as_the_standard_says", parses_as_the_standard_says},
        {"sets_as_the_standard_says", sets_as_the_standard_says},
        {"gives_the_parts", gives_the_parts},
        {"asks_for_names_beyond_ascii_only", asks_for_names_beyond_ascii_only},
        {"copes_with_any_byte", copes_with_any_byte},
        {"refuses_what_is_too_long", refuses_what_is_too_long},
        {"survives_every_failed_allocation", survives_every_failed_allocation},
        {0},
    };

    return test_main("text_url", tests, argc, argv);
}

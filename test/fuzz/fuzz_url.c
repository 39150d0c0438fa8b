/* fuzz_url.c - any bytes as a URL, a base and the value of a setter: parsing ends,
 * marks are in order, and what was serialised parses to itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/percent.h"
#include "text/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

/* Names beyond ASCII: something in ASCII and lower case, or refused. */
static int to_ascii(struct span domain, struct buf *out)
{
    if (domain.len % 7 == 0)
        return ERR_INVALID;
    for (size_t i = 0; i < domain.len; i++) {
        char c = domain.data[i];
        c = (unsigned char)c >= 0x80 ? 'z' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        if (buf_append(out, &c, 1) < 0)
            return ERR_NOMEM;
    }
    return 0;
}

static void check(const struct url *u)
{
    const char *text = buf_data(&u->href);
    size_t len = buf_len(&u->href);
    struct buf origin = {0};
    struct url again;

    for (int i = 1; i < URL_MARKS; i++)
        must(u->mark[i - 1] <= u->mark[i] && u->mark[i] <= len);
    must(text[u->mark[URL_SCHEME_END]] == ':');
    must(u->mark[URL_QUERY_AT] == u->mark[URL_HASH_AT] || text[u->mark[URL_QUERY_AT]] == '?');
    must(u->mark[URL_HASH_AT] == len || text[u->mark[URL_HASH_AT]] == '#');
    for (size_t i = 0; i < len; i++)
        must((unsigned char)text[i] >= ' ' && (unsigned char)text[i] < 0x7F);
    for (int part = URL_HREF; part <= URL_HASH; part++) {
        struct span s = url_get(u, (enum url_part)part);
        must(s.len == 0 || (s.data >= text && s.data + s.len <= text + len));
    }
    must(url_origin(u, &origin) == 0);
    buf_done(&origin);
    url_init(&again);
    must(url_parse(&again, buf_span(&u->href), NULL, NULL) == 0);
    must(buf_len(&again.href) == len && memcmp(buf_data(&again.href), text, len) == 0);
    must(memcmp(again.mark, u->mark, sizeof u->mark) == 0 && again.port == u->port);
    must(again.scheme == u->scheme && again.has_host == u->has_host &&
         again.is_opaque == u->is_opaque);
    url_done(&again);
}

static void check_percent(struct span in)
{
    struct buf encoded = {0}, decoded = {0};

    must(percent_encode(&encoded, in, PERCENT_FORM) == 0);
    must(percent_decode_form(&decoded, buf_span(&encoded)) == 0);
    must(buf_len(&decoded) == in.len && memcmp(buf_data(&decoded), in.data, in.len) == 0);
    buf_done(&encoded);
    buf_done(&decoded);
}

/* Input: three texts with a newline and a byte between them; the byte is the part to set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span texts[3] = {{"", 0}, {"", 0}, {"", 0}};
    struct url base, u;
    size_t at = 0, part = 0;
    bool has_base;

    for (size_t i = 0; i < 3 && at < len; i++) {
        const uint8_t *end = i < 2 ? memchr(data + at, '\n', len - at) : NULL;
        texts[i] =
            (struct span){(const char *)data + at, end ? (size_t)(end - data) - at : len - at};
        at += texts[i].len + 1;
        if (i == 1 && at < len)
            part = data[at++] % (URL_HASH + 1);
    }
    url_init(&base);
    url_init(&u);
    has_base = url_parse(&base, texts[1], NULL, to_ascii) == 0;
    if (has_base)
        check(&base);
    if (url_parse(&u, texts[0], has_base ? &base : NULL, to_ascii) == 0) {
        check(&u);
        (void)!url_set(&u, (enum url_part)part, texts[2], to_ascii);
        check(&u);
    }
    check_percent(texts[0]);
    url_done(&base);
    url_done(&u);
    return 0;
}

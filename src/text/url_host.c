/* url_host.c - hosts of URLs: domains, IPv4 and IPv6 addresses, opaque hosts.
 *
 * The usual domain, ASCII without a label "xn--", is copied in lower case; for
 * any other the caller's url_domain_fn is asked. */
#include "text/url_inside.h"

#include <stdio.h>

#include "text/percent.h"

enum {                 /* what a byte means in a host */
       OPAQUE_BAD = 1, /* a forbidden host code point */
       DOMAIN_BAD = 2, /* a forbidden domain code point */
       ESCAPE = 4,     /* '%' */
       BEYOND = 8,     /* not ASCII */
};

enum { V6_PIECES = 8 };

#define BAD (OPAQUE_BAD | DOMAIN_BAD)
static const uint8_t classes[256] = {
    [0x00] = BAD,
    [0x01 ... 0x08] = DOMAIN_BAD,
    ['\t'] = BAD,
    ['\n'] = BAD,
    [0x0B ... 0x0C] = DOMAIN_BAD,
    ['\r'] = BAD,
    [0x0E ... 0x1F] = DOMAIN_BAD,
    [0x7F] = DOMAIN_BAD,
    [' '] = BAD,
    ['#'] = BAD,
    ['/'] = BAD,
    [':'] = BAD,
    ['<'] = BAD,
    ['>'] = BAD,
    ['?'] = BAD,
    ['@'] = BAD,
    ['['] = BAD,
    ['\\'] = BAD,
    [']'] = BAD,
    ['^'] = BAD,
    ['|'] = BAD,
    ['%'] = ESCAPE,
    [0x80 ... 0xFF] = BEYOND,
};

static unsigned classes_of(struct span text)
{
    unsigned all = 0;

    for (size_t i = 0; i < text.len; i++)
        all |= classes[(unsigned char)text.data[i]];
    return all;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool has_punycode(struct span domain)
{
    for (size_t i = 0; i + 4 <= domain.len; i++)
        if (domain.data[i + 2] == '-' && domain.data[i + 3] == '-' &&
            lower(domain.data[i]) == 'x' && lower(domain.data[i + 1]) == 'n' &&
            (i == 0 || domain.data[i - 1] == '.'))
            return true;
    return false;
}

int url_put_number(struct buf *out, unsigned number, char sign)
{
    char text[12];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    if (sign)
        text[--at] = sign;
    return buf_append(out, text + at, sizeof text - at);
}

/* ---- IPv4 ---- */

/* "0x1f", "017" or "15"; false when it is no number.  Large ones stay large. */
static bool v4_number(struct span text, uint64_t *ret_number)
{
    unsigned base = 10;
    uint64_t number = 0;

    if (text.len == 0)
        return false;
    if (text.len >= 2 && text.data[0] == '0') {
        base = (text.data[1] | 0x20) == 'x' ? 16 : 8;
        text.data += base == 16 ? 2 : 1;
        text.len -= base == 16 ? 2 : 1;
    }
    for (size_t i = 0; i < text.len; i++) {
        int digit = percent_digit(text.data[i]);
        if (digit < 0 || (unsigned)digit >= base)
            return false;
        if (number <= UINT32_MAX)
            number = number * base + (unsigned)digit;
    }
    *ret_number = number;
    return true;
}

static struct span last_label(struct span domain)
{
    size_t at = domain.len;

    while (at > 0 && domain.data[at - 1] != '.')
        at--;
    return (struct span){domain.data + at, domain.len - at};
}

static bool ends_in_number(struct span domain)
{
    uint64_t number;
    struct span last;
    size_t i = 0;

    if (domain.len > 0 && domain.data[domain.len - 1] == '.')
        domain.len--;
    last = last_label(domain);
    if (last.len == 0 || last.data[0] < '0' || last.data[0] > '9')
        return false;
    while (i < last.len && last.data[i] >= '0' && last.data[i] <= '9')
        i++;
    return i == last.len || v4_number(last, &number);
}

static int put_v4(struct buf *out, struct span domain)
{
    uint64_t parts[4], address;
    size_t count = 0, from = 0;

    if (domain.data[domain.len - 1] == '.')
        domain.len--;
    for (size_t i = 0; i <= domain.len; i++) {
        struct span part = {domain.data + from, i - from};
        if (i < domain.len && domain.data[i] != '.')
            continue;
        if (count == 4 || !v4_number(part, &parts[count++]))
            return ERR_INVALID;
        from = i + 1;
    }
    address = parts[count - 1];
    if (address >= (uint64_t)1 << (8 * (5 - count)))
        return ERR_INVALID;
    for (size_t i = 0; i + 1 < count; i++) {
        if (parts[i] > 255)
            return ERR_INVALID;
        address += parts[i] << (8 * (3 - i));
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        int r = url_put_number(out, (unsigned)(address >> shift & 255), shift < 24 ? '.' : '\0');
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- IPv6 ---- */

/* The dotted end of an address, into two pieces. */
static bool read_v4_in_v6(struct span text, size_t at, uint16_t *pieces)
{
    unsigned seen = 0;

    pieces[0] = pieces[1] = 0;
    while (at < text.len) {
        int value = -1;
        if (seen > 0) {
            if (text.data[at] != '.' || seen == 4)
                return false;
            at++;
        }
        for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
            if (value == 0)
                return false; /* a leading zero */
            value = (value < 0 ? 0 : value * 10) + (text.data[at] - '0');
            if (value > 255)
                return false;
        }
        if (value < 0)
            return false;
        pieces[seen / 2] = (uint16_t)(pieces[seen / 2] << 8 | value);
        seen++;
    }
    return seen == 4;
}

static bool read_v6(struct span text, uint16_t *pieces)
{
    size_t at = 0, count = 0;
    size_t squeezed = 0; /* behind the piece that "::" stands for; 0: none */

    if (text.len > 0 && text.data[0] == ':') {
        if (text.len < 2 || text.data[1] != ':')
            return false;
        at = 2;
        squeezed = ++count;
    }
    while (at < text.len) {
        unsigned value = 0;
        size_t from = at;
        if (count == V6_PIECES)
            return false;
        if (text.data[at] == ':') {
            if (squeezed > 0)
                return false;
            at++;
            squeezed = ++count;
            continue;
        }
        while (at < text.len && at - from < 4 && percent_digit(text.data[at]) >= 0)
            value = value << 4 | (unsigned)percent_digit(text.data[at++]);
        if (at < text.len && text.data[at] == '.') {
            if (at == from || count > V6_PIECES - 2 || !read_v4_in_v6(text, from, pieces + count))
                return false;
            count += 2;
            break;
        }
        if (at < text.len && (text.data[at] != ':' || at + 1 == text.len))
            return false;
        at += at < text.len;
        pieces[count++] = (uint16_t)value;
    }
    if (squeezed == 0)
        return count == V6_PIECES;
    memmove(pieces + V6_PIECES - (count - squeezed), pieces + squeezed,
            (count - squeezed) * sizeof *pieces);
    memset(pieces + squeezed, 0, (V6_PIECES - count) * sizeof *pieces);
    return true;
}

static int put_v6(struct buf *out, struct span text)
{
    uint16_t pieces[V6_PIECES] = {0};
    char line[48];
    size_t best = V6_PIECES, best_len = 1, n = 0;

    if (!read_v6(text, pieces))
        return ERR_INVALID;
    for (size_t i = 0; i < V6_PIECES; i++) {
        size_t len = 0;
        while (i + len < V6_PIECES && pieces[i + len] == 0)
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
        i += len;
    }
    line[n++] = '[';
    for (size_t i = 0; i < V6_PIECES; i++) {
        if (i == best) {
            line[n++] = ':';
            if (i == 0)
                line[n++] = ':';
            i += best_len - 1;
            continue;
        }
        n += (size_t)snprintf(line + n, sizeof line - n, "%x", pieces[i]);
        if (i + 1 < V6_PIECES)
            line[n++] = ':';
    }
    line[n++] = ']';
    return buf_append(out, line, n);
}

/* ---- domains ---- */

/* A domain in ASCII: no forbidden code point, and an address if it ends in a number. */
static int check_domain(struct buf *out, size_t from)
{
    struct span domain = {buf_data(out) + from, buf_len(out) - from};
    struct buf address = {0};
    int r;

    if (domain.len == 0 || classes_of(domain) & (DOMAIN_BAD | ESCAPE | BEYOND))
        return ERR_INVALID;
    if (!ends_in_number(domain))
        return 0;
    r = put_v4(&address, domain);
    if (r == 0) {
        out->tail -= domain.len;
        r = buf_append(out, buf_data(&address), buf_len(&address));
    }
    buf_done(&address);
    return r;
}

static int put_lower(struct buf *out, struct span text)
{
    char *room;

    if (buf_reserve(out, text.len, &room) < 0)
        return ERR_NOMEM;
    for (size_t i = 0; i < text.len; i++)
        room[i] = lower(text.data[i]);
    buf_commit(out, text.len);
    return 0;
}

static int put_domain(struct buf *out, struct span text, url_domain_fn to_ascii)
{
    unsigned all = classes_of(text);
    struct buf decoded = {0};
    size_t from = buf_len(out);
    int r = 0;

    if (all & ESCAPE) {
        r = percent_decode(&decoded, text);
        if (r < 0)
            goto done;
        text = buf_span(&decoded);
        all = classes_of(text);
    }
    if (!(all & BEYOND) && (!to_ascii || !has_punycode(text))) {
        r = put_lower(out, text);
    } else if (!to_ascii) {
        r = ERR_INVALID;
    } else {
        r = to_ascii(text, out);
    }
    if (r == 0)
        r = check_domain(out, from);
done:
    buf_done(&decoded);
    return r;
}

int url_put_host(struct buf *out, struct span text, bool is_special, url_domain_fn to_ascii)
{
    if (text.len > 0 && text.data[0] == '[') {
        if (text.data[text.len - 1] != ']')
            return ERR_INVALID;
        return put_v6(out, (struct span){text.data + 1, text.len - 2});
    }
    if (is_special)
        return put_domain(out, text, to_ascii);
    if (classes_of(text) & OPAQUE_BAD)
        return ERR_INVALID;
    return percent_encode(out, text, PERCENT_C0);
}

int url_read_port(struct span digits, enum url_scheme scheme, int32_t *ret_port)
{
    int32_t port = 0;

    for (size_t i = 0; i < digits.len; i++) {
        port = port * 10 + (digits.data[i] - '0');
        if (port > UINT16_MAX)
            return ERR_INVALID;
    }
    *ret_port = port == url_default_port(scheme) ? URL_NO_PORT : port;
    return 0;
}

/* redact.c - names that speak of secrets, runs that look like identifiers. */
#include "live/redact.h"

#include <string.h>
#include <strings.h>

enum { HEX_MIN = 32, BASE64_MIN = 21, BASE64_KIND_MIN = 2 };

/* Of one run: what it is made of. */
struct run {
    size_t len;
    unsigned digits, uppers, lowers, hexes;
    bool is_hex;
};

static bool holds(struct span text, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= text.len; i++)
        if (strncasecmp(text.data + i, word, n) == 0)
            return true;
    return false;
}

bool redact_is_header_secret(struct span name)
{
    static const char *const WORDS[] = {"auth", "key", "secret", "token", "jwt"};

    if (span_is_nocase(name, "cookie") || span_is_nocase(name, "set-cookie"))
        return true;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (holds(name, WORDS[i]))
            return true;
    return false;
}

/* Count c in; false: it ends the run. */
static bool run_add(struct run *run, char c)
{
    bool is_digit = c >= '0' && c <= '9', is_upper = c >= 'A' && c <= 'Z',
         is_lower = c >= 'a' && c <= 'z', is_between = c == '+' || c == '-' || c == '_',
         is_hex = is_digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');

    if (!is_digit && !is_upper && !is_lower && !is_between)
        return false;
    run->len++;
    run->digits += is_digit;
    run->uppers += is_upper;
    run->lowers += is_lower;
    run->hexes += is_hex;
    run->is_hex = run->is_hex && (is_hex || is_between);
    return true;
}

static bool run_is_secret(const struct run *run)
{
    return (run->is_hex && run->hexes >= HEX_MIN) ||
           (run->len >= BASE64_MIN && run->digits >= BASE64_KIND_MIN &&
            run->uppers >= BASE64_KIND_MIN && run->lowers >= BASE64_KIND_MIN);
}

int redact_url(struct buf *out, struct span url)
{
    size_t at = 0;

    while (at < url.len) {
        struct run run = {.is_hex = true};
        size_t start = at;
        int r;
        while (at < url.len && run_add(&run, url.data[at]))
            at++;
        r = run_is_secret(&run) ? buf_append(out, "REDACTED", 8)
                                : buf_append(out, url.data + start, at - start);
        if (r == 0 && at < url.len)
            r = buf_append(out, url.data + at++, 1);
        if (r < 0)
            return ERR_NOMEM;
    }
    return 0;
}

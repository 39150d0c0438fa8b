/* chunked.c - one byte, one move; chunk data is skipped over.
 *
 *   SIZE -digits-> SIZE -CR-> SIZE_LF -LF-> DATA -> DATA_CR -> DATA_LF -> SIZE
 *                              \ (size 0)
 *                               LINE -name-> NAME -:-> VALUE -CR-> VALUE_LF -> LINE
 *                                  \-CR-> END_LF -LF-> ENDED
 *
 * Any other byte is refused: here every leniency is a way to smuggle.
 *
 * Who calls it: body.c, before llhttp sees the same bytes. */
#include "http/chunked.h"

#include "http/token.h"

enum state { SIZE, SIZE_LF, DATA, DATA_CR, DATA_LF, LINE, NAME, VALUE, VALUE_LF, END_LF, ENDED };

static int refuse(struct chunked *c, uint16_t status, struct err *err, const char *why)
{
    c->status = status;
    return err_set(err, status == 400 ? ERR_INVALID : ERR_LIMIT, "%s", why);
}

static int take_size(struct chunked *c, char byte, struct err *err)
{
    unsigned digit;

    if (byte == '\r' && c->digits > 0) {
        c->state = SIZE_LF;
        return 0;
    }
    if (!token_is(byte, TOKEN_HEX))
        return refuse(c, 400, err, "malformed chunk size");
    if (c->digits++ == CHUNKED_DIGITS_MAX)
        return refuse(c, 400, err, "a chunk size has too many digits");
    digit = token_is(byte, TOKEN_DIGIT) ? (unsigned)(byte - '0') : ((unsigned)byte | 0x20) - 'a' + 10;
    c->size = c->size << 4 | digit;
    return 0;
}

static int take_size_end(struct chunked *c, struct err *err)
{
    c->left = c->size;
    c->state = c->left > 0 ? DATA : LINE;
    c->total += (int64_t)c->left;   /* 32 bits; total was not over limit before */
    c->digits = 0;
    c->size = 0;
    if (c->total > c->limit)
        return refuse(c, 413, err, "the body is too large");
    return 0;
}

/* A trailer must not change what the message meant (RFC 9110 section 6.5.1). */
static bool is_forbidden(const struct chunked *c)
{
    static const char *const NAMES[] = {
        "content-length", "host",          "content-encoding", "content-type", "content-range",
        "authorization",  "cookie",        "expect",           "set-cookie",   "max-forwards",
        "cache-control",  "proxy-authorization",
    };
    struct span name = {c->name, c->name_len};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (span_is_nocase(name, NAMES[i]))
            return true;
    return token_is_hop(name);
}

static int take_name(struct chunked *c, char byte, struct err *err)
{
    if (byte == ':') {
        if (is_forbidden(c))
            return refuse(c, 400, err, "this header is not allowed in a trailer");
        c->state = VALUE;
        return 0;
    }
    if (!token_is(byte, TOKEN_NAME))
        return refuse(c, 400, err, "malformed trailer");
    if (c->name_len < sizeof c->name)
        c->name[c->name_len++] = byte;
    return 0;
}

static int take_trailer(struct chunked *c, char byte, struct err *err)
{
    if (++c->trailer_bytes > CHUNKED_TRAILERS_MAX)
        return refuse(c, 431, err, "the trailers are too large");
    switch (c->state) {
    case LINE:
        if (byte == '\r') {
            c->state = END_LF;
            return 0;
        }
        if (!token_is(byte, TOKEN_NAME))
            return refuse(c, 400, err, "malformed trailer");
        c->name_len = 0;
        c->state = NAME;
        return take_name(c, byte, err);
    case NAME:
        return take_name(c, byte, err);
    case VALUE:
        if (byte == '\r')
            c->state = VALUE_LF;
        else if (!token_is(byte, TOKEN_VALUE))
            return refuse(c, 400, err, "control byte in a trailer");
        return 0;
    default:
        if (byte != '\n')
            return refuse(c, 400, err, "a line must end with CR LF");
        c->is_ended = c->state == END_LF;
        c->state = c->is_ended ? ENDED : LINE;
        return 0;
    }
}

static int take_byte(struct chunked *c, char byte, struct err *err)
{
    switch (c->state) {
    case SIZE:
        return take_size(c, byte, err);
    case SIZE_LF:
        if (byte != '\n')
            return refuse(c, 400, err, "a chunk size must end with CR LF");
        return take_size_end(c, err);
    case DATA_CR:
        if (byte != '\r')
            return refuse(c, 400, err, "a chunk must end with CR LF");
        c->state = DATA_LF;
        return 0;
    case DATA_LF:
        if (byte != '\n')
            return refuse(c, 400, err, "a chunk must end with CR LF");
        c->state = SIZE;
        return 0;
    default:
        return take_trailer(c, byte, err);
    }
}

int chunked_check(struct chunked *c, const char *data, size_t len, size_t *ret_used,
                  struct err *err)
{
    size_t at = 0, n;

    while (at < len && !c->is_ended) {
        if (c->state == DATA) {
            n = len - at < c->left ? len - at : (size_t)c->left;
            c->left -= n;
            at += n;
            if (c->left == 0)
                c->state = DATA_CR;
            continue;
        }
        if (take_byte(c, data[at++], err) < 0)
            return err->code;
    }
    *ret_used = at;
    return 0;
}

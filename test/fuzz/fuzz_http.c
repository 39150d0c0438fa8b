/* fuzz_http.c - any bytes as a client's: read or refuse, never crash, and the
 * same outcome whole, cut in two (the first byte says where) and byte by byte.
 *
 * It is a differential test as well: whatever head.c and chunked.c let pass, llhttp
 * must read in the same way.  "ambiguous request" is for what nobody has thought of;
 * whoever finds such bytes has found a rule that head.c lacks. */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/http_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { BODY_MAX = 1000 };

static void run(struct session *s, const char *bytes, size_t len, size_t first, size_t step)
{
    session_init(s, BODY_MAX);
    for (size_t at = 0, n = first; at < len; at += n, n = step) {
        if (n > len - at)
            n = len - at;
        session_feed(s, bytes + at, n);
    }
    session_end(s);
}

static bool is_same(const struct session *a, const struct session *b)
{
    return buf_len(&a->out) == buf_len(&b->out) &&
           (buf_len(&a->out) == 0 ||
            memcmp(buf_data(&a->out), buf_data(&b->out), buf_len(&a->out)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *bytes = (const char *)data;
    static struct session whole, cut;

    if (len == 0)
        return 0;
    run(&whole, bytes, len, len, len);
    if (strcmp(whole.why, "ambiguous request") == 0)
        abort();
    run(&cut, bytes, len, 1 + data[0] % len, len);
    if (!is_same(&whole, &cut))
        abort();
    session_done(&cut);
    if (len <= 4096) {
        run(&cut, bytes, len, 1, 1);
        if (!is_same(&whole, &cut))
            abort();
        session_done(&cut);
    }
    session_done(&whole);
    return 0;
}

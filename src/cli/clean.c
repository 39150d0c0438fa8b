/* clean.c - see clean.h. */
#include "cli/clean.h"

#include <stdio.h>

/* Bytes of the control character that stands here, or 0. */
static size_t odd(struct span text)
{
    unsigned char c = (unsigned char)text.data[0];

    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
        return 1;
    if (c == 0xc2 && text.len > 1 && (unsigned char)text.data[1] >= 0x80 &&
        (unsigned char)text.data[1] < 0xa0)
        return 2; /* C1, in UTF-8 */
    return 0;
}

/* The front of it that has none. */
static size_t run_of(struct span text)
{
    size_t n = 0;

    while (n < text.len && odd((struct span){text.data + n, text.len - n}) == 0)
        n++;
    return n;
}

int clean_put(struct buf *out, struct span text)
{
    size_t run;

    while (text.len > 0) {
        run = run_of(text);
        if (buf_append(out, text.data, run) < 0)
            return ERR_NOMEM;
        if (run < text.len)
            run += odd((struct span){text.data + run, text.len - run});
        text.data += run;
        text.len -= run;
    }
    return 0;
}

void clean_print(const char *text)
{
    struct buf out = {0};

    if (clean_put(&out, span_of(text)) == 0)
        fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_done(&out);
}

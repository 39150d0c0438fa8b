/* fuzz_multipart.c - any bytes as a form whose boundary is "b": reading ends, what
 * it gives lies inside the body in order, and the content can be sent again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

/* The content of a part, sent once more, comes back as it is. */
static void check_back(struct span content)
{
    struct buf body = {0};
    struct multipart m;
    struct multipart_part part = {0};
    struct err err;

    must(buf_print(&body, "--b\r\nContent-Disposition: form-data; name=n\r\n\r\n") == 0);
    must(buf_append(&body, content.data, content.len) == 0);
    must(buf_append(&body, "\r\n--b--", 7) == 0);
    must(multipart_init(&m, SPAN("b"), buf_span(&body), &err) == 0);
    must(multipart_next(&m, &part, &err) == MULTIPART_PART);
    must(part.content.len == content.len && memcmp(part.content.data, content.data, content.len) == 0);
    must(multipart_next(&m, &part, &err) == MULTIPART_END);
    multipart_part_done(&part);
    buf_done(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span body = {len ? (const char *)data : "", len};
    const char *at = body.data, *end = body.data + len;
    struct multipart m;
    struct multipart_part part = {0};
    struct err err = {0};
    int r;

    must(multipart_init(&m, SPAN("b"), body, &err) == 0);
    while ((r = multipart_next(&m, &part, &err)) == MULTIPART_PART) {
        must(part.content.data > at && part.content.data + part.content.len <= end);
        must(!part.type.data || (part.type.data > at && part.type.data < part.content.data));
        at = part.content.data + part.content.len;
        check_back(part.content);
    }
    must(r == MULTIPART_END || ((r == ERR_INVALID || r == ERR_LIMIT) && err.text[0]));
    multipart_part_done(&part);
    return 0;
}

/* fuzz_mime.c - any bytes as a Content-Type: what is read is read the same again,
 * and the parameters in it are found. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf type = {0}, again = {0}, boundary = {0};
    struct span essence;
    int has;

    must(mime_extract((struct span){len ? (const char *)data : "", len}, &type) == 0);
    essence = mime_essence(buf_span(&type));
    must(buf_len(&type) == 0 || memchr(essence.data, '/', essence.len));
    must(mime_extract(buf_span(&type), &again) == 0);
    must(buf_len(&type) == buf_len(&again) &&
         memcmp(buf_data(&type), buf_data(&again), buf_len(&type)) == 0);
    has = mime_param(buf_span(&type), SPAN("boundary"), &boundary);
    must(has == 0 ? buf_len(&boundary) == 0 : has == 1);
    buf_done(&type);
    buf_done(&again);
    buf_done(&boundary);
    return 0;
}

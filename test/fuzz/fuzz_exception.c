/* fuzz_exception.c - any bytes as an exception and as a URL: spans stay inside the text. */
#include <stdint.h>
#include <stdlib.h>

#include "live/exception.h"
#include "live/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(struct span part, struct span text)
{
    bool is_literal = part.len == 0 || span_is(part, "Error") || span_is(part, "PythonError");

    if (!is_literal && (part.data < text.data || part.data + part.len > text.data + text.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span text = {(const char *)data, len};
    struct buf out = {0};
    struct exception e;

    exception_read(text, &e);
    check(e.name, text);
    check(e.message, text);
    check(e.stack, text);
    if (redact_url(&out, text) < 0)
        abort();
    buf_done(&out);
    return 0;
}

/* fuzz_traceback.c - any bytes as a traceback: the place stays inside the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/traceback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct span text = {(const char *)data, len};
    struct traceback_place p;

    if (!traceback_place(text, &p))
        return 0;
    if (p.line < 1 || p.line > TRACEBACK_LINE_MAX || p.file.len == 0 || p.file.data < text.data ||
        p.file.data + p.file.len > text.data + text.len || memchr(p.file.data, '\n', p.file.len))
        abort();
    return 0;
}

/* fuzz_dotenv.c - any bytes as .dev.vars: reading ends, names are names, lines
 * go up, and a text of one's own making comes back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/dotenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

/* A value without quotes, backslashes and returns survives NAME="value". */
static void check_back(struct span value)
{
    struct buf text = {0}, out = {0};
    struct dotenv e;
    struct span name;

    for (size_t i = 0; i < value.len; i++)
        if (strchr("\"\\\r", value.data[i]))        /* NUL too */
            return;
    must(buf_append(&text, "N=\"", 3) == 0 && buf_append(&text, value.data, value.len) == 0 &&
         buf_append(&text, "\" # c\nM=1", 9) == 0);
    e = (struct dotenv){.text = buf_span(&text)};
    must(dotenv_next(&e, &name, &out) == DOTENV_PAIR && span_is(name, "N"));
    must(buf_len(&out) == value.len &&
         (value.len == 0 || memcmp(buf_data(&out), value.data, value.len) == 0));
    must(dotenv_next(&e, &name, &out) == DOTENV_PAIR && span_is(name, "M"));
    buf_done(&text);
    buf_done(&out);
}

static struct span find(void *self, struct span name)
{
    must(name.data != NULL);         /* "${-x}" asks for "" */
    return name.len % 2 ? *(struct span *)self : (struct span){NULL, 0};
}

/* Expanding ends, within its limit. */
static void check_expand(struct span value)
{
    struct buf out = {0};
    int r = dotenv_expand(value, find, &value, &out);

    must(r == 0 || r == ERR_LIMIT);
    must(buf_len(&out) <= DOTENV_VALUE_MAX);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct dotenv e = {.text = {(const char *)data, len}};
    struct buf value = {0};
    struct span name;
    size_t steps = 0;
    int line = 0, r;

    if (len == 0)
        return 0;
    while ((r = dotenv_next(&e, &name, &value)) > DOTENV_END) {
        must(e.line >= line && e.at <= len && ++steps <= len);
        must(name.len > 0 && name.data >= e.text.data && name.data + name.len <= e.text.data + len);
        line = e.line;
    }
    must(r == DOTENV_END);
    check_back(e.text);
    check_expand(e.text);
    buf_done(&value);
    return 0;
}

/* fuzz_api.c - any bytes as a path, a query and a form: what is found is found whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/match.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct api_endpoint ROWS[] = {
    {.method = "GET", .path = "/a/:x/b/:y", .scope = SCOPE_READ, .body = API_NO_BODY},
    {.method = "GET", .path = "/a/:x/b/c", .scope = SCOPE_READ, .body = API_NO_BODY},
    {.method = "GET", .path = "/a/*x", .scope = SCOPE_READ, .body = API_NO_BODY},
    {.method = "GET", .path = "/:x/:y/*z", .scope = SCOPE_READ, .body = API_NO_BODY, .is_raw = true},
    {0}};
static const struct api_endpoint *const TABLES[] = {ROWS, NULL};

static void must(int cond)
{
    if (!cond)
        abort();
}

static void try_path(struct span path)
{
    struct match match;
    struct err err = {0};
    int r = match_find(TABLES, SPAN("GET"), path, &match, &err);

    must(r == MATCH_NONE || r == MATCH_FOUND || r == ERR_INVALID);
    for (int i = 0; r == MATCH_FOUND && i < API_PARAMS_MAX && match.params[i].name; i++)
        must(match.params[i].value && strlen(match.params[i].value) <= path.len);
    match_done(&match);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct api_call_inside c = {.call.content_type = (char *)(uintptr_t)"multipart/form-data; boundary=b"};
    char *text = mem_copy((const char *)data, len), *value;
    struct api_part *parts;
    unsigned page, per_page;
    struct err err = {0};
    size_t count;

    try_path((struct span){text, len});
    c.call.query = text;
    value = api_query(&c.call, "page", 0);
    must(!value || strlen(value) <= len);
    mem_free(value);
    api_page(&c.call, 10, 100, &page, &per_page);
    must(page >= 1 && per_page >= 1 && per_page <= 100);
    c.call.bytes = (struct span){text, len};
    if (api_parts(&c.call, &parts, &count, &err) == 0) {
        for (size_t i = 0; i < count; i++)
            must(parts[i].name && parts[i].type && parts[i].bytes.data >= text &&
                 parts[i].bytes.data + parts[i].bytes.len <= text + len);
        api_parts_done(parts, count);
    }
    mem_free(text);
    return 0;
}

/* fuzz_link.c - any bytes as what the bundler says, as a source map and as names of modules: what
 * comes out is text, names are clean and stay so, and nobody leads anywhere else. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "link/awaits.h"
#include "link/inputs.h"
#include "link/late.h"
#include "link/map.h"
#include "link/modules.h"
#include "link/said.h"
#include "link/statics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

/* Without what was inserted the script is what it was; and any bytes as mappings. */
static void try_awaits(struct span all)
{
    struct buf out = {0}, shifted = {0};
    struct awaits awaits;
    struct err err = {0};

    if (awaits_rewrite(all, &out, &awaits, &err) == 1) {
        const char *at = buf_data(&out);
        size_t from = 0;
        for (size_t i = 0; i < awaits.count; i++) {
            const struct awaits_one *one = &awaits.items[i];
            must(from <= one->at && one->at <= all.len);
            must(memcmp(at, all.data + from, one->at - from) == 0);
            at += one->at - from;
            must(memcmp(at, one->text, one->len) == 0);
            at += one->len;
            from = one->at;
        }
        must((size_t)(buf_data(&out) + buf_len(&out) - at) == all.len - from);
        (void)!awaits_shift(&awaits, all, &shifted, &err);
    }
    awaits_done(&awaits);
    buf_done(&out);
    buf_done(&shifted);
}

static void try_late(struct span all)
{
    for (size_t from = 0; late_find_relative(all, &from); from++)
        must(from + 6 <= all.len && memcmp(all.data + from, "import", 6) == 0);
    struct said_late one;
    struct span rest = all;
    size_t at;

    while (said_next_late(&rest, "/tmp/.stage-0", &one) == 1) {
        if (said_find(all, one.line, one.column, one.word, &at)) {
            must(at + strlen(one.word) <= all.len);
            (void)said_is_typeof(all, at);
        }
        mem_free(one.file);
    }
}

/* Is it absolute, or is one of its parts ".."? */
static int leads_away(const char *path)
{
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2]))
            return 1;
    }
    return path[0] == '/';
}

static void try_names(const char *text)
{
    struct buf once = {0}, twice = {0}, path = {0}, place = {0};
    struct err err = {0};

    if (module_name(text, &once, &err) == 0) {
        must(module_name(buf_data(&once), &twice, &err) == 0);
        must(strcmp(buf_data(&once), buf_data(&twice)) == 0);
        must(module_path(text, &path, &err) == 0);
        must(!leads_away(buf_data(&path)));
        must(module_place(MODULE_UP_MAX, buf_data(&once), &place) == 0);
        must(!leads_away(buf_data(&place)));
        if (strncmp(buf_data(&once), "../", 3) != 0)
            must(strcmp(module_of_place(buf_data(&place)), buf_data(&once)) == 0);
    }
    buf_eat(&once, buf_len(&once));
    (void)!module_resolve("src/a.js", text, &once, &err);
    (void)module_kind(text, text);
    buf_done(&once);
    buf_done(&twice);
    buf_done(&path);
    buf_done(&place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct span all = {(const char *)data, len};
    char *text = mem_copy(all.data, len);
    struct buf out = {0};
    struct err err = {0};
    struct said said;

    must(said_read(all, "/tmp/.stage-0", &said, &err) == 0);
    for (size_t i = 0; i < said.count; i++) {
        must(said.items[i].text && said.items[i].file);
        (void)said_is_dynamic(all, said.items[i].line, said.items[i].column);
    }
    said_done(&said);
    try_late(all);
    try_awaits(all);
    (void)said_too_much(all, 0);
    {
        struct buf detail = {0};
        bool has;
        (void)!inputs_check(all, ".stage-0", "/in/.ours/a", &has, &detail, &err);
        map_disarm(text, len, "src/a.js", &(struct modules){0});
        {
            char *copy = mem_copy(all.data, len);
            (void)statics_rewrite(copy, len);
            must(!copy || strlen(copy) >= strnlen(all.data, len));
            mem_free(copy);
        }
        buf_done(&detail);
    }
    if (map_rewrite(all, &(struct awaits){0}, &out, &err) == 0)
        must(buf_len(&out) > 0);
    buf_eat(&out, buf_len(&out));
    must(map_script(all, ".stage-0", &out, &err) == 0 && buf_len(&out) <= len);
    buf_done(&out);
    if (len < 4096)
        try_names(text);
    mem_free(text);
    return 0;
}

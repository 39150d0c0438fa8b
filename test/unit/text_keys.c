/* text_keys.c - src/text/keys.c, jsonc.c, toml_keys.c: keys stand where the
 * eye finds them, whatever surrounds them. */
#include "text/keys.h"

#include <stdlib.h>

#include "base/mem.h"
#include "test.h"
#include "text/jsonc.h"
#include "text/position.h"

typedef int (*scan_fn)(struct keys *k, struct span text);

struct place_case {
    const char *path;           /* segments with '/' between; the table ends with NULL */
    const char *key, *value;    /* the text must begin like this at both offsets */
};

static const struct key *find(const struct keys *k, const char *path)
{
    const char *parts[16];
    char text[256];
    size_t n = 0;

    snprintf(text, sizeof text, "%s", path);
    for (char *at = text; at; n++) {
        parts[n] = at;
        at = strchr(at, '/');
        if (at)
            *at++ = '\0';
    }
    return keys_find(k, parts, n);
}

static void check_places(scan_fn scan, const char *text, const struct place_case *cases)
{
    struct keys k = {0};

    CHECK(scan(&k, span_of(text)) == 0);
    for (; cases->path; cases++) {
        const struct key *key = find(&k, cases->path);
        int is_good = key && strncmp(text + key->key_at, cases->key, strlen(cases->key)) == 0 &&
                      strncmp(text + key->value_at, cases->value, strlen(cases->value)) == 0;
        CHECK(is_good);
        if (!is_good)
            printf("  %s: '%.10s' '%.10s'\n", cases->path, key ? text + key->key_at : "none",
                   key ? text + key->value_at : "none");
    }
    keys_done(&k);
}

static void finds_the_keys_of_json(void)
{
    static const char TEXT[] =
        "{ \"a\" : 1, \"b\": {\"a\": [10, {\"x\": true}, \"a\\\"}\"], \"c\": {}},\n"
        "  \"e\\\"sc\": 3, \"d.e\": [[1], [2, 3]], \"last\": \"v\" }";
    static const struct place_case CASES[] = {
        {"a", "\"a\" : 1", "1"},        {"b", "\"b\"", "{\"a\""},
        {"b/a", "\"a\": [10", "[10"},   {"b/a/0", "10", "10"},
        {"b/a/1", "{\"x\"", "{\"x\""},  {"b/a/1/x", "\"x\"", "true"},
        {"b/a/2", "\"a\\\"}\"", "\"a"}, {"b/c", "\"c\"", "{}"},
        {"d.e", "\"d.e\"", "[[1]"},     {"d.e/1/1", "3", "3"},
        {"last", "\"last\"", "\"v\""},  {"e\\\"sc", "\"e", "3"},
        {0},
    };

    check_places(keys_scan_json, TEXT, CASES);
}

static void finds_the_keys_of_toml(void)
{
    static const char TEXT[] =
        "# name = \"no\"\n"
        "name = \"w\" # vars = 1\n"
        "'quo ted' = 1\n"
        "\"dou.ble\" = [1, # ]\n  [2, 3], {x = 1, y.z = \"}\"}, ]\n"
        "long = \"\"\"\nfake = 1\n[fake]\n\\\"\"\"\\\"\"\"\" # end\n"
        "raw = '''\n[fake]\n''''\n"
        "a.b . \"c\" = 2\r\n"
        "[vars]\n"
        "X = 1\n"
        "[env.live.vars]\n"
        "X = 2\n"
        "  [[ kv ]]\n"
        "binding = \"A\"\n"
        "[[kv]]\n"
        "binding = \"B\"\n"
        "[kv.more]\n"
        "deep = 1\n"
        "[[kv.list]]\n"
        "z = 0\n"
        "[[kv.list]]\n"
        "z = 1\n"
        "[last]\n"
        "when = 2026-03-01T10:00:00Z";
    static const struct place_case CASES[] = {
        {"name", "name = \"w\"", "\"w\""},
        {"quo ted", "'quo", "1\n"},
        {"dou.ble", "\"dou", "[1, #"},
        {"dou.ble/0", "1,", "1,"},
        {"dou.ble/1/1", "3]", "3]"},
        {"dou.ble/2/x", "x = 1", "1"},
        {"dou.ble/2/y/z", "z = ", "\"}\""},
        {"long", "long", "\"\"\""},
        {"raw", "raw", "'''"},
        {"a", "a.b", ""},
        {"a/b/c", "\"c\"", "2"},
        {"vars", "vars]", ""},
        {"vars/X", "X = 1", "1"},
        {"env/live", "live.", ""},
        {"env/live/vars/X", "X = 2", "2"},
        {"kv", "kv ]]", ""},
        {"kv/0/binding", "binding", "\"A\""},
        {"kv/1/binding", "binding", "\"B\""},
        {"kv/1/more/deep", "deep", "1"},
        {"kv/1/list/1/z", "z = 1", "1"},
        {"last/when", "when", "2026"},
        {0},
    };

    check_places(keys_scan_toml, TEXT, CASES);
}

static void finds_nothing_inside_strings(void)
{
    struct keys k = {0};

    CHECK(keys_scan_toml(&k, SPAN("a = '''\nfake = 1\n'''\nb = \"\"\"\nfake = 1\n\"\"\"\n")) == 0);
    CHECK(!find(&k, "fake") && find(&k, "a") && find(&k, "b") && k.count == 2);
    keys_done(&k);
    CHECK(keys_scan_json(&k, SPAN("{\"a\": \"{\\\"fake\\\": 1}\", \"b\": 2}")) == 0);
    CHECK(!find(&k, "fake") && k.count == 2);
    keys_done(&k);
}

static void goes_on_behind_a_wrong_line(void)
{
    struct keys k = {0};

    CHECK(keys_scan_toml(&k, SPAN("= 1\n!!\n[\n[]\nx\ny = {1}\nz = 2\n")) == 0);
    CHECK(find(&k, "z") != NULL);
    keys_done(&k);
}

static void stops_at_its_limits(void)
{
    struct buf text = {0};
    struct keys k = {0};

    for (int i = 0; i < KEYS_DEPTH_MAX; i++)
        CHECK(buf_append(&text, "[", 1) == 0);
    CHECK(keys_scan_json(&k, buf_span(&text)) == 0);
    keys_done(&k);
    CHECK(buf_append(&text, "[", 1) == 0);
    CHECK(keys_scan_json(&k, buf_span(&text)) == ERR_LIMIT && k.deep_at == KEYS_DEPTH_MAX);
    keys_done(&k);
    buf_done(&text);
    CHECK(buf_append(&text, "a = ", 4) == 0);
    for (int i = 0; i <= KEYS_DEPTH_MAX; i++)
        CHECK(buf_append(&text, "[", 1) == 0);
    CHECK(keys_scan_toml(&k, buf_span(&text)) == ERR_LIMIT && k.deep_at == 4 + KEYS_DEPTH_MAX);
    keys_done(&k);
    buf_done(&text);
    for (int i = 0; i < KEYS_MAX + 10; i++)
        CHECK(buf_print(&text, "k%d = %d\n", i, i) == 0);
    CHECK(keys_scan_toml(&k, buf_span(&text)) == 0 && k.count == KEYS_MAX);
    keys_done(&k);
    buf_done(&text);
}

static void copes_without_memory(void)
{
    static const struct span TOML = SPAN("a.b = [1, {c = 2}]\n[[x]]\ny = 1\n[x.z]\nq = 1\n");
    static const struct span JSON = SPAN("{\"a\": [1, {\"b\": 2}], \"c\": {\"d\": 3}}");
    scan_fn scans[] = {keys_scan_toml, keys_scan_json};

    for (int i = 0; i < 2; i++) {
        int r = ERR_NOMEM;
        for (int n = 0; n < 100 && r != 0; n++) {
            struct keys k = {0};
            mem_fail_after(n);
            r = scans[i](&k, i == 0 ? TOML : JSON);
            mem_fail_after(-1);
            CHECK(r == 0 || r == ERR_NOMEM);
            keys_done(&k);
        }
        CHECK(r == 0);
    }
}

static void blanks_comments_and_trailing_commas(void)
{
    static const char *const CASES[][2] = {
        {"{}", "{}"},
        {"\xef\xbb\xbf{}", "   {}"},
        {"{\"a\": 1,}", "{\"a\": 1 }"},
        {"[1, 2 , \n]", "[1, 2   \n]"},
        {"[1,/* , */]", "[1        ]"},
        {"[1,// x\r\n]", "[1     \r\n]"},
        {"// all", "      "},
        {"/**/1", "    1"},
        {"/* a\nb */1", "    \n    1"},
        {"\"// no /* no */ ,]\"", "\"// no /* no */ ,]\""},
        {"\"\\\"//\" //", "\"\\\"//\"   "},
        {"\"\\\\\" //", "\"\\\\\"   "},
        {"[\",\",]", "[\",\" ]"},
        {"[,]", "[ ]"},
        {"[1,,]", "[1,,]"},             /* two commas are a mistake: left to the parser */
        {"/* never", "/* never"},
        {"/", "/"},
        {"1 / 2", "1 / 2"},
        {"\"open , ]", "\"open , ]"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *text = mem_strdup(CASES[i][0]);
        jsonc_blank(text, strlen(text));
        CHECK(strcmp(text, CASES[i][1]) == 0);
        if (strcmp(text, CASES[i][1]) != 0)
            printf("  <<%s>> -> <<%s>>\n", CASES[i][0], text);
        mem_free(text);
    }
}

static void counts_lines_and_characters(void)
{
    static const struct span TEXT = SPAN("one\r\n\nzw\xc3\xb6lf \xf0\x9f\x90\xb4!\nend");
    static const struct {
        size_t at;
        int line, column;
        const char *source;
    } CASES[] = {
        {0, 1, 1, "one"},  {3, 1, 4, "one"},   {5, 2, 1, ""},
        {6, 3, 1, "zw\xc3\xb6lf \xf0\x9f\x90\xb4!"},
        {10, 3, 4, "zw\xc3\xb6lf \xf0\x9f\x90\xb4!"},
        {17, 3, 8, "zw\xc3\xb6lf \xf0\x9f\x90\xb4!"},
        {19, 4, 1, "end"}, {999, 4, 4, "end"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct position p = position_of(TEXT, CASES[i].at);
        CHECK(p.line == CASES[i].line && p.column == CASES[i].column);
        CHECK(span_is(p.source, CASES[i].source));
        if (p.line != CASES[i].line || p.column != CASES[i].column)
            printf("  %zu: %d:%d\n", CASES[i].at, p.line, p.column);
        if (CASES[i].at < TEXT.len)
            CHECK(position_offset(TEXT, p.line, p.column) == CASES[i].at);
    }
    CHECK(position_offset(TEXT, 1, 99) == 3);
    CHECK(position_offset(TEXT, 99, 1) == TEXT.len);
    CHECK(position_of((struct span){"", 0}, 5).line == 1);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"finds_the_keys_of_json", finds_the_keys_of_json},
        {"finds_the_keys_of_toml", finds_the_keys_of_toml},
        {"finds_nothing_inside_strings", finds_nothing_inside_strings},
        {"goes_on_behind_a_wrong_line", goes_on_behind_a_wrong_line},
        {"stops_at_its_limits", stops_at_its_limits},
        {"copes_without_memory", copes_without_memory},
        {"blanks_comments_and_trailing_commas", blanks_comments_and_trailing_commas},
        {"counts_lines_and_characters", counts_lines_and_characters},
        {0},
    };

    return test_main("text_keys", TESTS, argc, argv);
}

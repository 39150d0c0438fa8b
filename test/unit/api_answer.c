/* api_answer.c - src/api/answer.c, form.c, bindings.c, zone.c: envelopes, parts, what a version is bound to. */
#include <string.h>
#include <unistd.h>

#include "api/bindings.h"
#include "api/call.h"
#include "api/zone.h"
#include "base/mem.h"
#include "test.h"

static struct api_call_inside *fresh(void)
{
    struct api_call_inside *c = mem_alloc(sizeof *c);

    c->out.fd = -1;
    return c;
}

static bool says(struct api_call_inside *c, unsigned status, const char *text)
{
    bool is_it = c->out.status == status && span_is(buf_span(&c->out.body), text);

    if (!is_it)
        printf("  %u %.*s\n", c->out.status, SPAN_ARG(buf_span(&c->out.body)));
    api_answer_done(&c->out);
    mem_free(c);
    return is_it;
}

#define END "\"success\":true,\"errors\":[],\"messages\":[]"

static void envelopes_are_cloudflares(void)
{
    struct api_call_inside *c = fresh();

    api_result(&c->call, json_pack("{s:i}", "a", 1));
    CHECK(says(c, 200, "{\"result\":{\"a\":1}," END "}"));
    c = fresh();
    api_result(&c->call, NULL);
    CHECK(says(c, 200, "{\"result\":null," END "}"));
    c = fresh();
    api_error(&c->call, 404, 10007, "no '%s'", "\xff");
    CHECK(says(c, 404,
               "{\"result\":null,\"success\":false,\"errors\":[{\"code\":10007,\"message\":\"no '?'\"}],"
               "\"messages\":[]}"));
    c = fresh();
    api_no_route(&c->call, SPAN("/client/v4/x"));
    CHECK(says(c, 404,
               "{\"result\":null,\"success\":false,\"errors\":[{\"code\":7003,\"message\":\"Could not route "
               "to /x, perhaps your object identifier is invalid?\"},{\"code\":7000,\"message\":\"No route "
               "for that URI\"}],\"messages\":[]}"));
}

static void pages_end_with_an_empty_one(void)
{
    struct api_call_inside *c = fresh();

    api_result_page(&c->call, json_pack("[i,i,i]", 1, 2, 3), 2, 2);
    CHECK(says(c, 200,
               "{\"result\":[3]," END
               ",\"result_info\":{\"page\":2,\"per_page\":2,\"count\":1,\"total_count\":3,\"total_pages\":2}}"));
    c = fresh();
    api_result_page(&c->call, json_pack("[i,i,i]", 1, 2, 3), 1000000, 1000);
    CHECK(says(c, 200,
               "{\"result\":[]," END ",\"result_info\":{\"page\":1000000,\"per_page\":1000,\"count\":0,"
               "\"total_count\":3,\"total_pages\":1}}"));
}

static void errors_of_lower_rooms_get_a_status(void)
{
    static const struct {
        enum err_code code;
        unsigned status;
    } CASES[] = {{ERR_NOT_FOUND, 404}, {ERR_INVALID, 400}, {ERR_LIMIT, 409},
                 {ERR_GONE, 503},      {ERR_NOMEM, 503},   {ERR_SYSTEM, 500}};

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct err err = {.code = CASES[i].code, .text = "/secret/path", .hint = ""};
        struct api_call_inside *c = fresh();
        api_fail(&c->call, 1, &err);
        CHECK(c->out.status == CASES[i].status);
        if (CASES[i].code == ERR_SYSTEM) {
            CHECK(!memmem(buf_data(&c->out.body), buf_len(&c->out.body), "secret", 6));
            CHECK(strcmp(c->out.log, "/secret/path") == 0);
        }
        api_answer_done(&c->out);
        mem_free(c);
    }
}

static void a_header_cannot_begin_a_line(void)
{
    struct api_call_inside *c = fresh();

    api_header(&c->call, "X", "a\r\nSet-Cookie: b");
    CHECK(c->out.header_count == 0);
    api_header(&c->call, "X", "a");
    CHECK(c->out.header_count == 1);
    api_answer_done(&c->out);
    mem_free(c);
}

static void times_have_microseconds(void)
{
    char text[API_TIME_SIZE];

    api_time(1700000000123, text);
    CHECK(strcmp(text, "2023-11-14T22:13:20.123000Z") == 0);
}

static int parts(const char *type, struct span body, struct api_part **ret, size_t *count)
{
    struct api_call_inside c = {.call = {.content_type = (char *)(uintptr_t)type, .bytes = body}};
    struct err err = {0};

    return api_parts(&c.call, ret, count, &err);
}

static void reads_the_parts_of_a_form(void)
{
    struct api_part *found = NULL;
    size_t count = 0;

    CHECK(parts("multipart/form-data; boundary=b",
                SPAN("--b\r\nContent-Disposition: form-data; name=\"m\"\r\n\r\n{}\r\n--b\r\n"
                     "Content-Disposition: form-data; name=\"a/b.py\"; filename=\"a/b.py\"\r\n"
                     "Content-Type: text/x-python\r\n\r\nx=1\r\n--b--\r\n"),
                &found, &count) == 0);
    CHECK(count == 2 && strcmp(found[0].name, "m") == 0 && strcmp(found[0].filename, "") == 0);
    CHECK(strcmp(found[1].name, "a/b.py") == 0 && strcmp(found[1].type, "text/x-python") == 0);
    CHECK(span_is(found[1].bytes, "x=1"));
    api_parts_done(found, count);
    CHECK(parts("application/json", SPAN("{}"), &found, &count) == ERR_INVALID);
    CHECK(parts("", SPAN("{}"), &found, &count) == ERR_INVALID);
    CHECK(parts("multipart/form-data", SPAN("--b--"), &found, &count) == ERR_INVALID);
    CHECK(parts("multipart/form-data; boundary=b", SPAN("--c--"), &found, &count) == ERR_INVALID);
}

/* ---- bindings ---- */

static char *resolved(const char *asked, const char *keep, const char *before,
                      enum bindings_missing missing)
{
    json_t *a = json_loads(asked, 0, NULL), *k = keep ? json_loads(keep, 0, NULL) : NULL;
    json_t *b = before ? json_loads(before, 0, NULL) : NULL, *out = NULL;
    struct err err = {0};
    char *text = NULL;

    if (bindings_resolve(a, k, b, missing, &out, &err) == 0) {
        text = json_dumps(out, JSON_COMPACT);
    } else {
        text = strdup(err.code == ERR_NOT_FOUND ? "missing" : "invalid");
    }
    json_decref(a);
    json_decref(k);
    json_decref(b);
    json_decref(out);
    return text;
}

#define BEFORE                                                                                     \
    "[{\"name\":\"V\",\"type\":\"plain_text\",\"text\":\"v\"},{\"name\":\"S\",\"type\":\"secret_text\"}]"
#define V "{\"name\":\"V\",\"type\":\"plain_text\",\"text\":\"v\"}"
#define S "{\"name\":\"S\",\"type\":\"secret_text\"}"

static void bindings_stay_as_is_said(void)
{
    static const struct {
        const char *asked, *keep, *before, *result;
        enum bindings_missing missing;
    } CASES[] = {
        {"[]", NULL, BEFORE, "[" S "]", BINDINGS_LENIENT},
        {"[]", "[]", BEFORE, "[" S "]", BINDINGS_LENIENT},
        {"[]", "[\"plain_text\"]", BEFORE, "[" V "," S "]", BINDINGS_LENIENT},
        {"[]", "[\"secret_key\"]", BEFORE, "[]", BINDINGS_LENIENT},
        {"[]", "[\"secret_text\",\"secret_key\"]", BEFORE, "[" S "]", BINDINGS_LENIENT},
        {"[]", "[7]", BEFORE, "[" S "]", BINDINGS_LENIENT},
        {"[{\"type\":\"plain_text\",\"name\":\"V\"}]", NULL, BEFORE, "[" V "," S "]", BINDINGS_STRICT},
        {"[{\"type\":\"inherit\",\"name\":\"V\"}," S "]", NULL, BEFORE, "[" V "," S "]", BINDINGS_STRICT},
        {"[{\"type\":\"inherit\",\"name\":\"N\"}]", NULL, BEFORE, "missing", BINDINGS_STRICT},
        {"[{\"type\":\"inherit\",\"name\":\"N\"}]", NULL, BEFORE, "[" S "]", BINDINGS_LENIENT},
        {"[{\"type\":\"inherit\",\"name\":\"N\",\"old_name\":\"S\"}]", NULL, BEFORE, "invalid", BINDINGS_STRICT},
        {"[{\"type\":\"json\",\"name\":\"V\"}]", NULL, BEFORE, "missing", BINDINGS_LENIENT},
        {"[{\"type\":\"d1\",\"name\":\"DB\"}]", NULL, NULL, "invalid", BINDINGS_LENIENT},
        {"[{\"type\":\"ai\",\"name\":\"AI\"}]", NULL, NULL, "[{\"type\":\"ai\",\"name\":\"AI\"}]", BINDINGS_STRICT},
        {"[7]", NULL, NULL, "invalid", BINDINGS_LENIENT},
        {"[{\"name\":\"A\"}]", NULL, NULL, "invalid", BINDINGS_LENIENT},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *text = resolved(CASES[i].asked, CASES[i].keep, CASES[i].before, CASES[i].missing);
        CHECK(strcmp(text, CASES[i].result) == 0);
        if (strcmp(text, CASES[i].result) != 0)
            printf("  case %zu: %s\n", i, text);
        free(text);
    }
}

static void a_patch_takes_secrets_only(void)
{
    json_t *before = json_loads(BEFORE, 0, NULL), *out = NULL;
    json_t *changes = json_loads("{\"V\":null,\"S\":null,\"N\":null,\"T\":{\"type\":\"secret_text\","
                                 "\"text\":\"t\"}}",
                                 0, NULL);
    struct err err = {0};
    char *text;

    CHECK(bindings_patch(changes, before, &out, &err) == 0);
    text = json_dumps(out, JSON_COMPACT);
    CHECK(strcmp(text, "[" V ",{\"type\":\"secret_text\",\"text\":\"t\",\"name\":\"T\"}]") == 0);
    free(text);
    json_decref(before);
    json_decref(changes);
    json_decref(out);
}

static void a_route_is_of_the_zones_above_it(void)
{
    static const struct {
        const char *pattern, *zone, *name;
        bool is_in;
    } CASES[] = {
        {"https://a.example.com/x", "", "example.com", true}, {"*.example.com/*", "", "example.com", true},
        {"*example.com/*", "", "EXAMPLE.com", true},          {"example.com", "", "example.com", true},
        {"example.com/", "", "ample.com", false},             {"x.test/", "example.com", "example.com", true},
        {"", "", "example.com", false},                       {"*", "", "com", false},
        {"**", "", "com", false},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct route route = {.pattern = (char *)(uintptr_t)CASES[i].pattern,
                              .zone = (char *)(uintptr_t)CASES[i].zone};
        char id[ID_SIZE];
        zone_id(span_of(CASES[i].name), id);
        CHECK(strlen(id) == ID_SIZE - 1 && zone_has(id, &route) == CASES[i].is_in);
    }
}

static const struct test TESTS[] = {
    {"envelopes_are_cloudflares", envelopes_are_cloudflares},
    {"pages_end_with_an_empty_one", pages_end_with_an_empty_one},
    {"errors_of_lower_rooms_get_a_status", errors_of_lower_rooms_get_a_status},
    {"a_header_cannot_begin_a_line", a_header_cannot_begin_a_line},
    {"times_have_microseconds", times_have_microseconds},
    {"reads_the_parts_of_a_form", reads_the_parts_of_a_form},
    {"bindings_stay_as_is_said", bindings_stay_as_is_said},
    {"a_patch_takes_secrets_only", a_patch_takes_secrets_only},
    {"a_route_is_of_the_zones_above_it", a_route_is_of_the_zones_above_it},
    {0},
};

int main(int argc, char **argv)
{
    return test_main("api_answer", TESTS, argc, argv);
}

/* live_filter.c - src/live/filter.c, redact.c, exception.c: what a tail wants and may see. */
#include "live/filter.h"

#include <stdlib.h>
#include <string.h>

#include "live/exception.h"
#include "live/redact.h"
#include "test.h"

static const char LOGS[] = "[{\"message\": [\"one foo two\"], \"level\": \"log\"}]";
static const char HEADERS[] = "{\"x-tag\": \"red green\", \"accept\": \"*/*\"}";

static bool passes(const char *filters, bool is_request, double random)
{
    json_t *json = json_loads(filters, 0, NULL), *logs = json_loads(LOGS, 0, NULL),
           *headers = json_loads(HEADERS, 0, NULL);
    struct filter *filter = NULL;
    struct err err = {0};
    struct filter_facts facts = {.outcome = "exception",
                                 .version_id = "11111111-2222-4333-8444-555555555555",
                                 .is_request = is_request,
                                 .method = is_request ? SPAN("GET") : SPAN(""),
                                 .headers = is_request ? headers : NULL,
                                 .client = is_request ? SPAN("192.0.2.7") : SPAN(""),
                                 .logs = logs};
    bool is_passed;

    CHECK(filter_new(json, "192.0.2.7", &filter, &err) == 0);
    json_decref(json);
    is_passed = filter && filter_passes(filter, &facts, random);
    filter_free(filter);
    json_decref(logs);
    json_decref(headers);
    return is_passed;
}

static void passes_what_is_wanted(void)
{
    static const struct {
        const char *filters;
        bool request, event; /* does a request pass, does a scheduled run? */
    } CASES[] = {
        {"[]", true, true},
        {"null", true, true},
        {"[{\"sampling_rate\": 0.5}]", true, true},
        {"[{\"sampling_rate\": 0.2}]", false, false},
        {"[{\"sampling_rate\": 1}]", true, true},
        {"[{\"outcome\": [\"exception\", \"exceededCpu\", \"exceededMemory\", \"unknown\"]}]", true, true},
        {"[{\"outcome\": [\"ok\"]}]", false, false},
        {"[{\"outcome\": []}]", false, false},
        {"[{\"method\": [\"POST\", \"get\"]}]", true, false},
        {"[{\"method\": [\"POST\"]}]", false, false},
        {"[{\"header\": {\"key\": \"X-Tag\"}}]", true, false},
        {"[{\"header\": {\"key\": \"x-tag\", \"query\": \"green\"}}]", true, false},
        {"[{\"header\": {\"key\": \"x-tag\", \"query\": \"blue\"}}]", false, false},
        {"[{\"header\": {\"key\": \"x-other\"}}]", false, false},
        {"[{\"client_ip\": [\"self\"]}]", true, false},
        {"[{\"client_ip\": [\"192.0.2.7\"]}]", true, false},
        {"[{\"client_ip\": [\"192.0.2.8\"]}]", false, false},
        {"[{\"client_ip\": [\"192.0.2.8\", \"self\"]}]", true, false},
        {"[{\"query\": \"foo\"}]", true, true},
        {"[{\"query\": \"bar\"}]", false, false},
        {"[{\"query\": \"\"}]", true, true},
        {"[{\"scriptVersion\": \"11111111-2222-4333-8444-555555555555\"}]", true, true},
        {"[{\"scriptVersion\": \"21111111-2222-4333-8444-555555555555\"}]", false, false},
        {"[{\"query\": \"foo\"}, {\"method\": [\"POST\"]}]", false, false},
        {"[{\"query\": \"foo\"}, {\"method\": [\"GET\"]}, {\"outcome\": [\"exception\"]}]", true, false},
        {"[{\"query\": \"foo\", \"method\": [\"POST\"]}]", false, false},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (passes(CASES[i].filters, true, 0.3) != CASES[i].request ||
            passes(CASES[i].filters, false, 0.3) != CASES[i].event) {
            printf("  %s\n", CASES[i].filters);
            CHECK(!"as expected");
        }
    }
}

static void refuses_what_is_no_filter(void)
{
    static const char *const CASES[] = {
        "{}", "3", "[3]", "[{\"colour\": \"red\"}]", "[{\"sampling_rate\": \"much\"}]", "[{\"sampling_rate\": 2}]",
        "[{\"sampling_rate\": -0.1}]", "[{\"outcome\": \"ok\"}]", "[{\"outcome\": [1]}]", "[{\"header\": \"x\"}]",
        "[{\"header\": {}}]", "[{\"header\": {\"key\": \"x\", \"query\": 1}}]", "[{\"client_ip\": \"self\"}]",
        "[{\"query\": 1}]", "[{\"scriptVersion\": null}]",
    };
    struct filter *filter;
    struct err err;

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        json_t *json = json_loads(CASES[i], JSON_DECODE_ANY, NULL);
        CHECK(json && filter_new(json, "", &filter, &err) == ERR_INVALID);
        json_decref(json);
    }
}

static void self_without_an_address_is_nobody(void)
{
    json_t *json = json_loads("[{\"client_ip\": [\"self\"]}]", 0, NULL);
    struct filter_facts facts = {.outcome = "ok", .version_id = "", .is_request = true, .client = SPAN("")};
    struct filter *filter = NULL;
    struct err err;

    CHECK(filter_new(json, NULL, &filter, &err) == 0 && !filter_passes(filter, &facts, 0));
    filter_free(filter);
    json_decref(json);
}

static void hides_secrets_in_headers(void)
{
    static const char *const SECRET[] = {"Authorization", "cookie", "Set-Cookie", "X-API-Key", "x-auth-user", "CLIENT-SECRET",
                                         "csrftoken", "cf-access-jwt-assertion", "x-monkey"},
                      *const PLAIN[] = {"accept", "host", "x-cookie-jar", "user-agent", "", "ke"};

    for (size_t i = 0; i < sizeof SECRET / sizeof *SECRET; i++)
        CHECK(redact_is_header_secret(span_of(SECRET[i])));
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        CHECK(!redact_is_header_secret(span_of(PLAIN[i])));
}

static void hides_identifiers_in_urls(void)
{
    static const struct {
        const char *url, *want;
    } CASES[] = {
        {"", ""},
        {"https://h.example/path?a=1&b=2", "https://h.example/path?a=1&b=2"},
        {"https://h/00112233445566778899aabbccddeeff/x", "https://h/REDACTED/x"},
        {"https://h/0011223344556677-8899aabbccddeeff/x", "https://h/REDACTED/x"},
        {"https://h/?t=00112233445566778899aabbccddeeff", "https://h/?t=REDACTED"},
        {"https://h/00112233445566778899aabbccddeef/x", "https://h/00112233445566778899aabbccddeef/x"},
        {"https://h/00112233445566778899aabbccddeeffg/x", "https://h/00112233445566778899aabbccddeeffg/x"},
        {"https://h/a-b", "https://h/a-b"},
        {"https://h/?k=abcdefghijklmnoABCD01&x=1", "https://h/?k=REDACTED&x=1"},
        {"https://h/?k=abcdefghijklmnoABC01&x=1", "https://h/?k=abcdefghijklmnoABC01&x=1"},
        {"https://h/abcdefghijklmnopqrsA01", "https://h/abcdefghijklmnopqrsA01"},
        {"https://h/abcdefghijklmnopqrsAB1", "https://h/abcdefghijklmnopqrsAB1"},
        {"https://h/ABCDEFGHIJKLMNOPQRSa01", "https://h/ABCDEFGHIJKLMNOPQRSa01"},
        {"00112233445566778899aabbccddeeff", "REDACTED"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out = {0};
        CHECK(redact_url(&out, span_of(CASES[i].url)) == 0);
        if (!span_is(buf_span(&out), CASES[i].want)) {
            printf("  %s -> %.*s\n", CASES[i].url, SPAN_ARG(buf_span(&out)));
            CHECK(!"as expected");
        }
        buf_done(&out);
    }
}

static void cuts_up_exceptions(void)
{
    static const struct {
        const char *text, *name, *message, *stack;
    } CASES[] = {
        {"Traceback (most recent call last):\n  File \"a.py\", line 7, in f\n    x()\nValueError: two\n", "PythonError",
         "Traceback (most recent call last):\n  File \"a.py\", line 7, in f\n    x()\nValueError: two", ""},
        {"GET http://h/x?a=b: Traceback (most recent call last):\n  File \"a.py\", line 7\nKeyError", "PythonError",
         "Traceback (most recent call last):\n  File \"a.py\", line 7\nKeyError", ""},
        {"waitUntil: Traceback (most recent call last):\n  x", "PythonError", "Traceback (most recent call last):\n  x", ""},
        {"GET http://h/: Task exception was never retrieved\n  | Traceback (most recent call last):\nx", "PythonError",
         "Task exception was never retrieved\n  | Traceback (most recent call last):\nx", ""},
        {"TypeError: x is not a function\n    at f (src/a.js:3:9)", "TypeError", "x is not a function", "    at f (src/a.js:3:9)"},
        {"POST http://h/: Error: boom", "Error", "boom", ""},
        {"waitUntil: RangeError: far\n    at f", "RangeError", "far", "    at f"},
        {"Uncaught (in promise) Error: x", "Error", "x", ""},
        {"the handler gave no Response", "Error", "the handler gave no Response", ""},
        {"", "Error", "", ""},
        {"\n\n", "Error", "", ""},
        {": x", "Error", ": x", ""},
        {"a:b", "Error", "a:b", ""},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct exception e;
        exception_read(span_of(CASES[i].text), &e);
        if (!span_is(e.name, CASES[i].name) || !span_is(e.message, CASES[i].message) || !span_is(e.stack, CASES[i].stack)) {
            printf("  %zu: '%.*s' '%.*s' '%.*s'\n", i, SPAN_ARG(e.name), SPAN_ARG(e.message), SPAN_ARG(e.stack));
            CHECK(!"as expected");
        }
    }
}

static const struct test TESTS[] = {
    {"passes_what_is_wanted", passes_what_is_wanted},
    {"refuses_what_is_no_filter", refuses_what_is_no_filter},
    {"self_without_an_address_is_nobody", self_without_an_address_is_nobody},
    {"hides_secrets_in_headers", hides_secrets_in_headers},
    {"hides_identifiers_in_urls", hides_identifiers_in_urls},
    {"cuts_up_exceptions", cuts_up_exceptions},
    {0},
};

int main(int argc, char **argv) { return test_main("live_filter", TESTS, argc, argv); }

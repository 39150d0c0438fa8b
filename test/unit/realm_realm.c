/* realm_realm.c - src/realm/realm.c: a realm through its three generations. */
#include "realm_host.h"

static void check_hello(void)
{
    uint32_t stream = send_request("GET", "http://localhost/", 0, NULL, 0);
    struct answer *a = answer_of(stream);

    CHECK(a->is_done && a->is_ended && a->status == 200 && a->length == 12);
    CHECK(strcmp(body_of(stream), "Hello world!") == 0);
    CHECK(strcmp(a->headers, "content-type: text/plain;charset=UTF-8\n") == 0);
}

static void answers_hello_within_the_call(void)
{
    in_instance("from js import Response\n"
                "async def on_fetch(request, env):\n"
                "    return Response.new('Hello world!')\n",
                check_hello);
}

static const struct test tests[] = {
    {"answers_hello_within_the_call", answers_hello_within_the_call},
    {0},
};

int main(int argc, char **argv)
{
    start_realm(argv);
    return test_main("realm_realm", tests, argc, argv);
}

/* http_upgrade.c - src/http/upgrade.c: who asks for a WebSocket, and who does it wrong. */
#include "http/upgrade.h"

#include "test.h"

#define HOST "Host: a\r\n"
#define MEANT "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static void check(const char *request, enum upgrade wanted)
{
    struct head h;
    struct err err = {0};

    head_init(&h);
    CHECK(head_scan(&h, request, strlen(request), 1000, &err) == 1);
    CHECK(upgrade_of(&h, request) == wanted);
    if (upgrade_of(&h, request) != wanted)
        printf("  <<%s>>\n", request);
}

#define GET(headers) "GET / HTTP/1.1\r\n" HOST headers "\r\n"

static void knows_who_asks(void)
{
    check(GET(MEANT KEY VERSION), UPGRADE_WEBSOCKET);
    check(GET("connection: upgrade\r\nUPGRADE: h2c, WebSocket\r\n" VERSION KEY), UPGRADE_WEBSOCKET);
    check(GET("Connection: close\r\nConnection: Upgrade\r\nUpgrade: a\r\nUpgrade: websocket\r\n" VERSION KEY),
          UPGRADE_WEBSOCKET);
}

static void takes_others_for_what_they_are(void)
{
    check(GET(""), UPGRADE_NONE);
    check(GET("Upgrade: websocket\r\n" KEY VERSION), UPGRADE_NONE);
    check(GET("Connection: Upgrade\r\n" KEY VERSION), UPGRADE_NONE);
    check(GET("Connection: Upgrade\r\nUpgrade: h2c\r\n" KEY), UPGRADE_NONE);
    check(GET("Connection: Upgrade\r\nUpgrade: websockets\r\n"), UPGRADE_NONE);
    check("POST / HTTP/1.1\r\n" HOST MEANT KEY VERSION "\r\n", UPGRADE_NONE);
    check("GET / HTTP/1.0\r\n" HOST MEANT KEY VERSION "\r\n", UPGRADE_NONE);
    check(GET("Content-Length: 1\r\n" MEANT KEY VERSION), UPGRADE_NONE);
    check(GET("Transfer-Encoding: chunked\r\n" MEANT KEY VERSION), UPGRADE_NONE);
}

static void refuses_who_does_it_wrong(void)
{
    check(GET(MEANT KEY), UPGRADE_BAD_VERSION);
    check(GET(MEANT KEY "Sec-WebSocket-Version: 8\r\n"), UPGRADE_BAD_VERSION);
    check(GET(MEANT KEY "Sec-WebSocket-Version: 13, 8\r\n"), UPGRADE_BAD_VERSION);
    check(GET(MEANT KEY VERSION VERSION), UPGRADE_BAD_VERSION);
    check(GET(MEANT VERSION), UPGRADE_BAD_KEY);
    check(GET(MEANT VERSION KEY KEY), UPGRADE_BAD_KEY);
    check(GET(MEANT VERSION "Sec-WebSocket-Key: \r\n"), UPGRADE_BAD_KEY);
    check(GET(MEANT VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n"), UPGRADE_BAD_KEY);
    check(GET(MEANT VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n"), UPGRADE_BAD_KEY);
    check(GET(MEANT VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n"), UPGRADE_BAD_KEY);
    check(GET(MEANT VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25-ZQ==\r\n"), UPGRADE_BAD_KEY);
    check(GET(MEANT VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n"), UPGRADE_BAD_KEY);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"knows_who_asks", knows_who_asks},
        {"takes_others_for_what_they_are", takes_others_for_what_they_are},
        {"refuses_who_does_it_wrong", refuses_who_does_it_wrong},
        {0},
    };

    return test_main("http_upgrade", TESTS, argc, argv);
}

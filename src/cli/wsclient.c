/* wsclient.c - a handshake, then frames, over a connection of libcurl's. */
#include "cli/wsclient.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum { HEAD_MAX = 16 * 1024, KEY_BYTES = 16, READ_BYTES = 32 * 1024, TEXT_SIZE = 64 };

struct wsclient {
    CURL *easy;
    curl_socket_t fd;
    char detail[CURL_ERROR_SIZE];
    char key[TEXT_SIZE];
    struct buf in; /* not read yet */
    struct websocket_reader reader;
};

/* ---- bytes ---- */

static int wait_for(const struct wsclient *ws, short events, int64_t until_ms, struct err *err)
{
    int64_t left = until_ms - clock_now_ms();
    struct pollfd p = {.fd = ws->fd, .events = events};

    if (left <= 0 || poll(&p, 1, (int)left) == 0)
        return err_set(err, ERR_GONE, "the node is too slow to answer");
    return 0;
}

static int send_all(struct wsclient *ws, struct span bytes, struct err *err)
{
    int64_t until_ms = clock_now_ms() + WSCLIENT_CONNECT_MS;
    CURLcode c;
    size_t n;

    while (bytes.len > 0) {
        c = curl_easy_send(ws->easy, bytes.data, bytes.len, &n);
        if (c == CURLE_AGAIN) {
            if (wait_for(ws, POLLOUT, until_ms, err) < 0)
                return err->code;
            continue;
        }
        if (c != CURLE_OK)
            return err_set(err, ERR_GONE, "the connection to the node is lost: %s",
                           curl_easy_strerror(c));
        bytes = (struct span){bytes.data + n, bytes.len - n};
    }
    return 0;
}

/* What is there: 1; 0: nothing now. */
static int receive(struct wsclient *ws, struct err *err)
{
    char *room;
    CURLcode c;
    size_t n;

    if (buf_reserve(&ws->in, READ_BYTES, &room) < 0)
        return err_nomem(err);
    c = curl_easy_recv(ws->easy, room, READ_BYTES, &n);
    if (c == CURLE_AGAIN)
        return 0;
    if (c != CURLE_OK || n == 0)
        return err_set(err, ERR_GONE, "the connection to the node is lost%s%s",
                       c != CURLE_OK ? ": " : "", c != CURLE_OK ? curl_easy_strerror(c) : "");
    buf_commit(&ws->in, n);
    return 1;
}

/* ---- handshake ---- */

static void make_key(struct wsclient *ws)
{
    unsigned char bytes[KEY_BYTES] = {0};

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        memset(bytes, 1, sizeof bytes); /* it guards nothing */
    EVP_EncodeBlock((unsigned char *)ws->key, bytes, sizeof bytes);
}

static int put_request(const struct wsclient *ws, const char *url, const char *protocol,
                       struct buf *out)
{
    const char *host = strstr(url, "://") + 3, *path = host + strcspn(host, "/?#");

    return buf_print(out,
                     "GET %s%s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Protocol: %s\r\nUser-Agent: corral/" CORRAL_VERSION "\r\n\r\n",
                     *path == '/' ? "" : "/", path, (int)(path - host), host, ws->key, protocol);
}

/* Where the head ends, 0: not yet. */
static size_t head_len(const struct buf *in)
{
    const char *end = memmem(buf_data(in), buf_len(in), "\r\n\r\n", 4);

    return end ? (size_t)(end + 4 - buf_data(in)) : 0;
}

/* The value of a header in the head, without spaces around it. */
static struct span header_of(struct span head, const char *name)
{
    size_t n = strlen(name);

    for (size_t at = 0; at < head.len;) {
        const char *line = head.data + at, *end = memmem(line, head.len - at, "\r\n", 2);
        struct span l = {line, end ? (size_t)(end - line) : head.len - at};
        at += l.len + 2;
        if (l.len <= n || l.data[n] != ':' || strncasecmp(l.data, name, n) != 0)
            continue;
        l = (struct span){l.data + n + 1, l.len - n - 1};
        while (l.len > 0 && (*l.data == ' ' || *l.data == '\t'))
            l = (struct span){l.data + 1, l.len - 1};
        while (l.len > 0 && (l.data[l.len - 1] == ' ' || l.data[l.len - 1] == '\t'))
            l.len--;
        return l;
    }
    return SPAN("");
}

static bool is_accepted(const struct wsclient *ws, struct span head)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char both[2 * TEXT_SIZE], wanted[TEXT_SIZE];
    unsigned len;
    int n = snprintf(both, sizeof both, "%s" GUID, ws->key);

    if (EVP_Digest(both, (size_t)n, digest, &len, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)wanted, digest, (int)len);
    return span_is(header_of(head, "sec-websocket-accept"), wanted) &&
           span_is_nocase(header_of(head, "upgrade"), "websocket");
}

static int check_head(const struct wsclient *ws, struct span head, const char *protocol,
                      struct err *err)
{
    long status = 0;

    if (head.len > 12 && memcmp(head.data, "HTTP/1.", 7) == 0)
        status = strtol(head.data + 9, NULL, 10);
    if (status == 404)
        return err_set(err, ERR_NOT_FOUND, "the tail has ended already");
    if (status != 101)
        return err_set(err, ERR_INVALID, "what answers is no tail: status %ld", status);
    if (!is_accepted(ws, head) || !span_is(header_of(head, "sec-websocket-protocol"), protocol))
        return err_set(err, ERR_INVALID, "what answers is no WebSocket of sub-protocol %s",
                       protocol);
    return 0;
}

static int shake_hands(struct wsclient *ws, const char *url, const char *protocol, struct err *err)
{
    int64_t until_ms = clock_now_ms() + WSCLIENT_CONNECT_MS;
    struct buf out = {0};
    size_t n;
    int r;

    make_key(ws);
    r = put_request(ws, url, protocol, &out) < 0 ? err_nomem(err)
                                                 : send_all(ws, buf_span(&out), err);
    buf_done(&out);
    while (r == 0) {
        n = head_len(&ws->in);
        if (n > 0) {
            r = check_head(ws, (struct span){buf_data(&ws->in), n - 2}, protocol, err);
            if (r == 0)
                buf_eat(&ws->in, n);
            return r;
        }
        if (buf_len(&ws->in) > HEAD_MAX)
            return err_set(err, ERR_INVALID, "what answers is no WebSocket");
        r = receive(ws, err);
        if (r == 0)
            r = wait_for(ws, POLLIN, until_ms, err);
        else if (r > 0)
            r = 0;
    }
    return r;
}

/* ---- */

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (strncmp(host, "localhost", 9) == 0 && strchr(":/", host[9]));
}

/* Only the connection: what goes over it is ours. */
static int connect_to(struct wsclient *ws, const char *url, struct err *err)
{
    const char *ca = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");
    struct buf text = {0};
    char *http;
    CURLcode c;

    if (strncmp(url, "ws://", 5) != 0 && strncmp(url, "wss://", 6) != 0)
        return err_set(err, ERR_INVALID, "the node gave a tail the address '%.200s'", url);
    http = buf_print(&text, "http%s", url + 2) == 0 ? buf_detach(&text) : NULL;
    buf_done(&text);
    if (!http)
        return err_nomem(err);
    curl_easy_setopt(ws->easy, CURLOPT_URL, http);
    curl_easy_setopt(ws->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(ws->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(ws->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(ws->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(ws->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(ws->easy, CURLOPT_ERRORBUFFER, ws->detail);
    curl_easy_setopt(ws->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)WSCLIENT_CONNECT_MS);
    if (is_loopback(strstr(http, "://") + 3))
        curl_easy_setopt(ws->easy, CURLOPT_PROXY, "");
    if (ca && ca[0])
        curl_easy_setopt(ws->easy, CURLOPT_CAINFO, ca);
    if (folder && folder[0])
        curl_easy_setopt(ws->easy, CURLOPT_CAPATH, folder);
    c = curl_easy_perform(ws->easy);
    mem_free(http);
    if (c == CURLE_OK)
        c = curl_easy_getinfo(ws->easy, CURLINFO_ACTIVESOCKET, &ws->fd);
    if (c == CURLE_OK)
        return 0;
    return err_set(err, ERR_GONE, "connect to the node: %s",
                   ws->detail[0] ? ws->detail : curl_easy_strerror(c));
}

int wsclient_open(const char *url, const char *protocol, struct wsclient **ret, struct err *err)
{
    struct wsclient *ws = mem_alloc(sizeof *ws);
    int r;

    if (!ws)
        return err_nomem(err);
    websocket_init(&ws->reader, false, WSCLIENT_MESSAGE_MAX);
    ws->easy = curl_easy_init();
    r = ws->easy ? connect_to(ws, url, err) : err_nomem(err);
    if (r == 0)
        r = shake_hands(ws, url, protocol, err);
    if (r < 0) {
        wsclient_close(ws);
        return r;
    }
    *ret = ws;
    return 0;
}

void wsclient_close(struct wsclient *ws)
{
    if (!ws)
        return;
    if (ws->easy)
        curl_easy_cleanup(ws->easy);
    websocket_done(&ws->reader);
    buf_done(&ws->in);
    mem_free(ws);
}

int wsclient_fd(const struct wsclient *ws)
{
    return (int)ws->fd;
}

int wsclient_send(struct wsclient *ws, enum websocket_opcode kind, struct span payload,
                  struct err *err)
{
    uint8_t mask[4] = {0};
    struct buf out = {0};
    int r;

    if (getrandom(mask, sizeof mask, 0) != sizeof mask)
        return err_set(err, ERR_SYSTEM, "the kernel gives no random bytes");
    r = kind == WEBSOCKET_CLOSE ? websocket_put_close(&out, WEBSOCKET_NORMAL, mask, payload)
                                : websocket_put(&out, kind, mask, payload);
    r = r < 0 ? err_nomem(err) : send_all(ws, buf_span(&out), err);
    buf_done(&out);
    return r;
}

int wsclient_read(struct wsclient *ws, struct websocket_item *ret, struct err *err)
{
    int r;

    for (;;) {
        struct span in = buf_span(&ws->in);
        r = websocket_read(&ws->reader, &in, ret, err);
        buf_eat(&ws->in, buf_len(&ws->in) - in.len);
        if (r < 0)
            return r == ERR_NOMEM ? r : err_wrap(err, "what the node sends is no tail");
        if (r == 0)
            r = receive(ws, err);
        else if (ret->kind != WEBSOCKET_PING)
            return 1;
        else
            r = wsclient_send(ws, WEBSOCKET_PONG, ret->bytes, err) < 0 ? err->code : 1;
        if (r <= 0)
            return r;
    }
}

/* transfer.c - one fetch: an outcall on one side, a libcurl easy handle on the other.
 *
 * Bodies are bounded in both directions by the outcall's credit: upwards
 * libcurl is paused while the worker has sent nothing, and what it takes is
 * credited; downwards it is paused while the window is shorter than a chunk.
 *
 * Invariants
 *   1. outcall is NULL from its last word (END, fail, gone) on.
 *   2. Nothing is removed from libcurl inside its own callbacks: they refuse to
 *      go on, and transfer_ended follows.
 *   3. Every byte of the request's body is credited once, also when libcurl
 *      reads it twice (a dead connection from the pool). */
#include "service/transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "service/ask.h"
#include "service/berth.h"
#include "service/guard.h"
#include "service/lane.h"

void transfer_free(struct transfer *t)
{
    berth_leave(t);
    if (t->easy)
        curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->fields);
    curl_slist_free_all(t->proxy_fields);
    curl_slist_free_all(t->names);
    t->egress->h2 -= t->is_h2;
    t->egress->wide -= t->is_wide;
    ring_drop(&t->ring);
    replyhead_done(&t->head);
    buf_done(&t->up);
    if (t->tap)
        t->tap->gone(t->tap_self);
    mem_free(t);
}

/* What a tap has said. */
static int heard(struct transfer *t, int r)
{
    t->is_refused |= r < 0;
    return r;
}

static void moved(struct transfer *t)
{
    t->progress_ms = clock_now_ms();
}

/* ---- the server's answer ---- */

static bool has_no_body(const struct transfer *t)
{
    return t->is_head || t->head.status == 204 || t->head.status == 205 || t->head.status == 304;
}

/* A body that must not be is not waited for: nobody would bound it. */
static bool is_overlong(const struct transfer *t, curl_off_t length)
{
    return t->head.status == 205 && length != 0 && !t->is_head;
}

/* "1.1" */
static struct span version_of(const struct transfer *t)
{
    long version = 0;

    curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_1_0   ? SPAN("1.0")
           : version == CURL_HTTP_VERSION_2_0 ? SPAN("2")
                                              : SPAN("1.1");
}

static int say_reply(struct transfer *t, struct err *err)
{
    struct replyhead *h = &t->head;
    struct reply reply = {.status = h->status, .headers = {buf_span(&h->fields), h->count}};
    struct buf results = {0};
    curl_off_t length = -1;
    bool is_end;
    int r;

    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    reply.body_length = has_no_body(t)                         ? 0
                        : length < 0 || replyhead_is_switch(h) ? -1
                                                               : (int64_t)length;
    /* While the request's body is still coming the stream must stay open. */
    if (t->tap) {
        r = heard(t, t->tap->head(t->tap_self, h->status, reply.body_length, err));
        if (r < 0)
            return r;
    }
    /* With a tap, the end is said when it has agreed. */
    is_end = is_overlong(t, length) ||
             (!t->tap && reply.body_length == 0 && t->has_up_end && t->up_at == buf_len(&t->up));
    if (pairs_add(&results, SPAN("statusText"), buf_span(&h->reason)) < 0 ||
        (t->is_exact && pairs_add(&results, SPAN("httpVersion"), version_of(t)) < 0)) {
        buf_done(&results);
        return err_nomem(err);
    }
    reply.results = (struct pairs){buf_span(&results), t->is_exact ? 2 : 1};
    r = outcall_reply(t->outcall, &reply, is_end, err);
    buf_done(&results);
    if (r == 0 && is_end)
        t->outcall = NULL;
    return r == 0 && is_overlong(t, length) ? ERR_GONE : r;
}

static void unpause(struct transfer *t)
{
    moved(t);
    curl_easy_pause(t->easy, (t->is_down_paused ? CURLPAUSE_RECV : 0) |
                                 (t->is_up_paused ? CURLPAUSE_SEND : 0));
}

static bool has_more_up(const struct transfer *t)
{
    return t->up_at < buf_len(&t->up) || t->has_up_end;
}

/* The server has answered: with 101, and what waits may leave; or with anything else, and none of
 * it will. */
static void on_upgraded(struct transfer *t)
{
    if (!replyhead_is_switch(&t->head)) {
        buf_eat(&t->up, buf_len(&t->up));
        t->up_at = t->up_credited = 0;
        t->has_up_end = true;
    }
    if (t->is_up_paused && has_more_up(t)) {
        t->is_up_paused = false;
        unpause(t);
    }
}

static size_t on_header(char *data, size_t size, size_t count, void *self)
{
    struct transfer *t = self;
    size_t len = size * count;
    int r;

    moved(t);
    r = replyhead_line(&t->head, (struct span){data, len}, &t->why);
    if (r == 1)
        berth_look(t);
    if (r == 1 && t->head.is_upgrade)
        on_upgraded(t);
    /* Many long heads are more than an instance that computes is given at once. */
    if (r == 1 && t->outcall && !outcall_is_ready(t->outcall))
        t->is_reply_due = true;
    else if (r == 1 && t->outcall)
        r = say_reply(t, &t->why);
    return r < 0 ? 0 : len;
}

static size_t on_data(char *data, size_t size, size_t count, void *self)
{
    struct transfer *t = self;
    size_t len = size * count;

    if (!t->outcall)
        return CURL_WRITEFUNC_ERROR;
    if (!t->head.is_whole) {
        err_set(&t->why, ERR_INVALID, "the server sent a body before its head");
        return CURL_WRITEFUNC_ERROR;
    }
    if (t->is_reply_due || outcall_window(t->outcall) < len) {
        t->is_down_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    moved(t);
    if (t->tap && heard(t, t->tap->data(t->tap_self, (struct span){data, len}, &t->why)) < 0)
        return CURL_WRITEFUNC_ERROR;
    outcall_body(t->outcall, (struct span){data, len}, false);
    return len;
}

/* ---- the request's body ---- */

/* Whose timeouts of connecting end here, it is told. */
static int on_connected(void *self, char *server, char *own, int server_port, int own_port)
{
    struct transfer *t = self;

    (void)server, (void)own, (void)server_port, (void)own_port;
    moved(t);
    if (t->outcall)
        outcall_connected(t->outcall);
    return CURL_PREREQFUNC_OK;
}

/* Give back what libcurl has taken for the first time; drop what need not be kept. */
static void credit(struct transfer *t)
{
    size_t fresh = t->up_at > t->up_credited ? t->up_at - t->up_credited : 0;

    if (fresh > 0 && t->outcall)
        outcall_credit(t->outcall, fresh);
    t->up_credited += fresh;
    if (t->has_eaten || t->up_at > TRANSFER_KEEP) {
        t->has_eaten = true;
        buf_eat(&t->up, t->up_at);
        t->up_credited -= t->up_at;
        t->up_at = 0;
    }
}

static size_t on_read(char *room, size_t size, size_t count, void *self)
{
    struct transfer *t = self;
    size_t max = size * count, n = buf_len(&t->up) - t->up_at;

    if (n == 0 && t->has_up_end)
        return 0;
    if (n == 0 || (t->head.is_upgrade && !t->head.is_whole)) {
        t->is_up_paused = true;
        berth_look(t);
        return CURL_READFUNC_PAUSE;
    }
    if (n > max)
        n = max;
    memcpy(room, buf_data(&t->up) + t->up_at, n);
    t->up_at += n;
    moved(t);
    credit(t);
    return n;
}

static int on_seek(void *self, curl_off_t offset, int origin)
{
    struct transfer *t = self;

    if (origin != SEEK_SET || offset != 0 || t->has_eaten)
        return CURL_SEEKFUNC_FAIL;
    t->up_at = 0;
    return CURL_SEEKFUNC_OK;
}

/* ---- from the outcall ---- */

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct transfer *t = self;

    /* Of what was refused a WebSocket. */
    if (t->head.is_upgrade && t->head.is_whole && !replyhead_is_switch(&t->head))
        return;
    if (buf_append(&t->up, bytes.data, bytes.len) < 0) {
        outcall_fail(t->outcall, SPAN("The node is out of memory."));
        t->outcall = NULL;
        transfer_free(t);
        return;
    }
    t->has_up_end = is_end;
    if (t->is_up_paused && (!t->head.is_upgrade || t->head.is_whole)) {
        t->is_up_paused = false;
        berth_look(t);
        unpause(t);
    }
}

/* libcurl has ended well: the last word to the outcall. */
static void say_end(struct transfer *t)
{
    struct err err = {0};

    if (t->tap && t->tap->end(t->tap_self, &err) < 0)
        outcall_fail(t->outcall, span_of(err.text));
    else
        outcall_body(t->outcall, SPAN(""), true);
}

/* false: the transfer is gone. */
static bool say_due_reply(struct transfer *t)
{
    struct err err = {0};
    int r;

    t->is_reply_due = false;
    r = say_reply(t, &err);
    if (r == 0 && t->outcall && t->is_through)
        say_end(t);
    else if (r < 0 && t->outcall)
        outcall_fail(t->outcall, span_of(err.text));
    if (r == 0 && t->outcall && !t->is_through)
        return true;
    t->outcall = NULL;
    transfer_free(t);
    return false;
}

static void on_writable(void *self)
{
    struct transfer *t = self;

    if (t->is_reply_due && (!outcall_is_ready(t->outcall) || !say_due_reply(t)))
        return;
    if (!t->is_down_paused || outcall_window(t->outcall) < TRANSFER_CHUNK)
        return;
    t->is_down_paused = false;
    unpause(t);
}

static void on_gone(void *self)
{
    struct transfer *t = self;

    t->outcall = NULL;
    transfer_free(t);
}

/* ---- the end ---- */

/* What libraries tell apart, for a transfer that is exact. */
static const char *kind_of(const struct transfer *t, CURLcode result)
{
    long connect_code = 0;

    if (t->has_proxy)
        curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
    if (connect_code >= 300 || result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_PROXY)
        return "proxy";
    if (t->why.code)
        return "protocol";
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "resolve";
    case CURLE_COULDNT_CONNECT:
        return "connect";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "certificate";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
        return "tls";
    case CURLE_OPERATION_TIMEDOUT:
        return "connect-timeout";
    case CURLE_URL_MALFORMAT:
        return "invalid";
    case CURLE_GOT_NOTHING:
        return "disconnected";
    case CURLE_PARTIAL_FILE:
        return "partial";
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
        return "protocol";
    default:
        return "reset";
    }
}

/* The first line is the message that the worker's code sees, the second why. */
static int describe(const struct transfer *t, CURLcode result, char *text, size_t max)
{
    const char *detail = t->detail[0] ? t->detail : curl_easy_strerror(result);
    const char *place = t->place;
    long os_errno = 0;
    int host_len = (int)(strrchr(place, ':') - place);

    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
    switch (result) {
    case CURLE_COULDNT_CONNECT:
        if (guard_has_barred(t))
            return guard_describe(t, text, max);
        return snprintf(text, max, "No connection to %s: %s.\n%s", place,
                        os_errno ? strerror((int)os_errno) : detail, detail);
    case CURLE_COULDNT_RESOLVE_HOST:
        return snprintf(text, max, "The name of the host '%.*s' could not be resolved.\n%s",
                        host_len, place, detail);
    case CURLE_PEER_FAILED_VERIFICATION:
        return snprintf(text, max, "The TLS certificate of %s is not accepted: %s.\n%s", place,
                        detail, detail);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
        return snprintf(text, max, "TLS with %s failed: %s.\n%s", place, detail, detail);
    case CURLE_OPERATION_TIMEDOUT:
        return snprintf(text, max, "No connection to %s within %.*g s.\n%s", place,
                        t->connect_ms < 1000 ? 2 : 6, t->connect_ms / 1000.0, detail);
    case CURLE_URL_MALFORMAT:
        return snprintf(text, max, "Invalid URL for fetch: %s.", detail);
    default:
        return snprintf(text, max, "Network connection lost.\n%s: %s", place, detail);
    }
}

/* The last word to the outcall. */
static void say_failure(struct transfer *t, CURLcode result)
{
    char text[1024];
    size_t at = 0;
    long os_errno = 0;
    int n;

    if (t->is_exact) {
        curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
        /* What a firewall would say. */
        if (result == CURLE_COULDNT_CONNECT && guard_has_barred(t))
            os_errno = ECONNREFUSED;
        at = (size_t)snprintf(text, sizeof text, "%s %ld\n", kind_of(t, result), os_errno);
    }
    if (t->why.code)
        n = snprintf(text + at, sizeof text - at, "Network connection lost.\n%s: %s", t->place,
                     t->why.text);
    else
        n = describe(t, result, text + at, sizeof text - at);
    n = n < (int)(sizeof text - at) ? n : (int)(sizeof text - at) - 1;
    log_debug("fetch from %s: %.*s", t->place, n, text + at);
    outcall_fail(t->outcall, (struct span){text, at + (size_t)n});
}

/* A kept connection that died before the server said a byte: libcurl sends such a request again by
 * itself when it hears of the death, not when it meets it while it writes the body.  A connection
 * of this transfer's own that dies is a failure. */
static bool repeat(struct transfer *t, CURLcode result)
{
    long made = 0;

    if (result != CURLE_SEND_ERROR || t->has_eaten || t->head.heard > 0 || !t->outcall ||
        t->has_proxy || t->repeats == TRANSFER_REPEATS_MAX)
        return false;
    if (curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &made) != CURLE_OK || made > 0)
        return false;
    curl_multi_remove_handle(t->lane->multi, t->easy);
    t->up_at = 0;
    t->is_up_paused = false;
    t->repeats++;
    t->detail[0] = 0;
    moved(t);
    berth_look(t);
    return curl_multi_add_handle(t->lane->multi, t->easy) == CURLM_OK;
}

void transfer_ended(struct transfer *t, CURLcode result)
{
    if (repeat(t, result))
        return;
    /* Behind a 101 libcurl takes an end without a byte for no answer at all. */
    if (result == CURLE_GOT_NOTHING && t->head.is_whole && replyhead_is_switch(&t->head))
        result = CURLE_OK;
    /* Of a name that was found or is none, no thread goes on looking. */
    if (result != CURLE_OPERATION_TIMEDOUT)
        t->has_name = false;
    if (t->outcall && result == CURLE_OK && t->is_reply_due) {
        curl_multi_remove_handle(t->lane->multi, t->easy);
        t->is_through = true;
        return; /* waits for: on_writable */
    }
    if (t->outcall && result == CURLE_OK && t->head.is_whole) {
        say_end(t);
    } else if (t->outcall && t->is_refused) {
        outcall_fail(t->outcall, span_of(t->why.text));
    } else if (t->outcall) {
        say_failure(t, result);
    }
    t->outcall = NULL;
    transfer_free(t);
}

bool transfer_unwatched(struct transfer *t)
{
    t->has_hung_up = t->head.is_upgrade && t->is_up_paused && !t->is_down_paused && t->outcall;
    return t->has_hung_up;
}

void transfer_hang_up(struct transfer *t)
{
    if (!t->has_hung_up)
        return;
    t->has_hung_up = t->is_up_paused = false;
    buf_eat(&t->up, buf_len(&t->up));
    t->up_at = t->up_credited = 0;
    t->has_up_end = true;
    unpause(t);
}

void transfer_fail(struct transfer *t, const struct err *err)
{
    char text[sizeof err->text + 16];
    int n = snprintf(text, sizeof text, "%s%s", t->is_exact ? "reset 0\n" : "", err->text);

    if (t->outcall)
        outcall_fail(t->outcall, (struct span){text, (size_t)n});
    t->outcall = NULL;
    transfer_free(t);
}

/* Nobody waits for a connection for ever. */
static void look_at_waiting(struct transfer *t, int64_t now_ms)
{
    struct err err;

    if (now_ms - t->progress_ms < t->egress->silence_ms)
        return;
    (void)!err_set(
        &err, ERR_LIMIT,
        "No connection to %s: %d s have gone by, and others of this worker have them all.",
        t->place, t->egress->silence_ms / 1000);
    transfer_fail(t, &err);
}

void transfer_look(struct transfer *t, int64_t now_ms)
{
    char text[400];
    int n;

    if (t->is_waiting) {
        look_at_waiting(t, now_ms);
        return;
    }

    if (t->is_down_paused || t->is_reply_due ||
        (t->is_up_paused && (!t->head.is_upgrade || t->head.is_whole)) ||
        now_ms - t->progress_ms < t->silence_ms)
        return;
    /* Of HTTP/2 only the stream would end, and the next one wait on a dead connection too. */
    curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
    n = snprintf(text, sizeof text, "%s%s has been silent for %d s.",
                 t->is_exact ? "read-timeout 0\n" : "", t->place, (t->silence_ms + 999) / 1000);
    if (t->outcall)
        outcall_fail(t->outcall, (struct span){text, (size_t)n});
    t->outcall = NULL;
    transfer_free(t);
}

/* ---- the beginning ---- */

/* "host:port" of a URL that has been checked. */
static void name_place(struct transfer *t, struct span url)
{
    bool is_tls = url.data[4] == 's';
    const char *at = url.data + (is_tls ? 8 : 7), *end = url.data + url.len, *stop = at;
    bool has_port = false;

    while (stop < end && *stop != '/' && *stop != '?') {
        has_port = *stop == ':' || (has_port && *stop != ']');
        stop++;
    }
    /* Cut off, it still ends in a port. */
    has_port = has_port && stop - at <= 256;
    snprintf(t->place, sizeof t->place, "%.*s%s", stop - at < 256 ? (int)(stop - at) : 256, at,
             has_port ? ""
             : is_tls ? ":443"
                      : ":80");
}

/* Is the host an address, so that no name has to be looked up? */
static bool is_address(const struct transfer *t)
{
    char host[sizeof t->place];
    struct in_addr address;

    snprintf(host, sizeof host, "%.*s", (int)(strrchr(t->place, ':') - t->place), t->place);
    return host[0] == '[' || inet_pton(AF_INET, host, &address) == 1;
}

#define SET(option, value) (is_set = is_set && curl_easy_setopt(e, option, value) == CURLE_OK)

static bool set_common(struct transfer *t)
{
    CURL *e = t->easy;
    bool is_set = true;

    SET(CURLOPT_PRIVATE, t);
    SET(CURLOPT_ERRORBUFFER, t->detail);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HTTPHEADER, t->fields);
    SET(CURLOPT_BUFFERSIZE, (long)(t->is_wide ? TRANSFER_CHUNK : TRANSFER_NARROW));
    SET(CURLOPT_NOSIGNAL, 1L);
    /* A name that is given up is left to its thread: waiting for it would stop the loop. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect_ms);
    if (t->is_exact) {
        SET(CURLOPT_PREREQFUNCTION, on_connected);
        SET(CURLOPT_PREREQDATA, t);
    }
    /* A connection of its own, of which nobody says for long whether there is still somebody. */
    if (t->head.is_upgrade) {
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
        SET(CURLOPT_TCP_KEEPALIVE, 1L);
    }
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_PIPEWAIT, (long)t->is_h2);
    SET(CURLOPT_HTTP_VERSION, (long)(t->is_h2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    if (t->egress->ca_file)
        SET(CURLOPT_CAINFO, t->egress->ca_file);
    return is_set;
}

static bool set_body(struct transfer *t, int64_t length)
{
    CURL *e = t->easy;
    bool is_set = true;

    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)length);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, t);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)(t->is_wide ? TRANSFER_CHUNK : TRANSFER_NARROW));
    return is_set;
}

static int set_proxy(struct transfer *t, const struct ask *ask, struct err *err)
{
    char *proxy = mem_copy(ask->proxy.data, ask->proxy.len);
    struct buf line = {0};
    CURL *e = t->easy;
    bool is_set = proxy != NULL;

    if (is_set && guard_set(t, proxy, err) < 0) {
        mem_free(proxy);
        return err->code;
    }
    SET(CURLOPT_PROXY, proxy);
    SET(CURLOPT_NOPROXY, "");
    /* A tunnel is his who has named himself to the proxy. */
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    if (t->egress->ca_file)
        SET(CURLOPT_PROXY_CAINFO, t->egress->ca_file);
    if (ask->proxy_authorization.len > 0 &&
        buf_print(&line, "Proxy-Authorization: %.*s", SPAN_ARG(ask->proxy_authorization)) == 0 &&
        buf_append(&line, "", 1) == 0) {
        t->proxy_fields = curl_slist_append(NULL, buf_data(&line));
        is_set = is_set && t->proxy_fields;
        SET(CURLOPT_PROXYHEADER, t->proxy_fields);
    }
    buf_done(&line);
    mem_free(proxy);
    return is_set ? 0 : err_set(err, ERR_INVALID, "The node could not use this proxy.");
}

static int set_up(struct transfer *t, const struct ask *ask, int64_t body_length, struct err *err)
{
    char *url = mem_copy(ask->url.data, ask->url.len);
    CURL *e = t->easy;
    char method[65];
    bool is_set;

    if (!url)
        return err_nomem(err);
    snprintf(method, sizeof method, "%.*s", SPAN_ARG(ask->method));
    is_set = set_common(t);
    SET(CURLOPT_URL, url);
    if (!t->has_proxy && guard_set(t, url, err) < 0) {
        mem_free(url);
        return err->code;
    }
    if (body_length != 0)
        is_set = is_set && set_body(t, body_length);
    /* Set behind UPLOAD, which means PUT by itself. */
    if (t->is_head)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, method);
    mem_free(url);
    if (is_set && t->has_proxy)
        return set_proxy(t, ask, err);
    return is_set ? 0 : err_set(err, ERR_INVALID, "Fetch API cannot load this URL.");
}

#undef SET

/* Whose request this is: the worker can neither leave that out nor say otherwise. */
static int mark(struct transfer *t, struct err *err)
{
    unsigned hops = outcall_hops(t->outcall) + 1;
    struct curl_slist *more;
    char line[48];

    if (!t->egress->is_edge)
        return 0;
    if (hops > CALL_HOPS_MAX)
        return err_set(err, ERR_LIMIT,
                       "Workers fetch one another in a circle: this request has gone through %d of "
                       "them already.",
                       CALL_HOPS_MAX);
    snprintf(line, sizeof line, "CDN-Loop: corral; hops=%u", hops);
    more = curl_slist_append(t->fields, line);
    if (!more)
        return err_nomem(err);
    t->fields = more;
    return 0;
}

int transfer_start(struct egress *egress, const struct outlets *outlets, struct outcall *outcall,
                   const struct outcall_head *head, bool is_end, const struct transfer_tap *tap,
                   void *tap_self, struct err *err)
{
    static const struct outcall_events EVENTS = {on_body, on_writable, on_gone};
    struct transfer *t;
    struct ask ask;
    int r;

    r = ask_read(head, &ask, err);
    if (r == 0 && ask.is_upgrade && head->body_length != -1)
        r = err_set(err, ERR_INVALID, "Nobody knows how much a WebSocket will send.");
    t = r < 0 ? NULL : mem_alloc(sizeof *t);
    if (!t) {
        if (tap)
            tap->gone(tap_self);
        return r < 0 ? r : err_nomem(err);
    }
    t->tap = tap;
    t->tap_self = tap_self;
    t->egress = egress;
    t->outcall = outcall;
    snprintf(t->who, sizeof t->who, "%s", outlets->worker ? outlets->worker : "the worker");
    ring_init(&t->ring);
    ring_init(&t->berth);
    ring_push(&egress->transfers, &t->ring);
    t->is_head = span_is(ask.method, "HEAD");
    t->is_exact = t->head.is_exact = ask.is_exact;
    t->head.is_upgrade = t->has_eaten = ask.is_upgrade; /* nothing of it is sent twice */
    t->connect_ms = ask.connect_ms > 0 ? ask.connect_ms : egress->connect_ms;
    t->silence_ms = ask.is_exact ? EGRESS_PATIENCE_MS : egress->silence_ms;
    t->has_up_end = is_end;
    t->is_h2 = ask.is_h2 && ask.url.data[4] == 's' && egress->h2 < EGRESS_H2_MAX;
    egress->h2 += t->is_h2;
    t->is_wide = egress->wide < EGRESS_WIDE_MAX;
    egress->wide += t->is_wide;
    t->has_proxy = ask.proxy.len > 0;
    name_place(t, t->has_proxy ? ask.proxy : ask.url);
    moved(t);
    t->has_name = !is_address(t);
    r = !t->has_name || !egress_is_searching(egress)
            ? ask_fields(&ask, head, is_end, &t->fields, err)
            : err_set(err, ERR_LIMIT, "Too many names of hosts are being looked up at once.");
    r = r < 0 ? r : mark(t, err);
    t->easy = r == 0 ? curl_easy_init() : NULL;
    if (r == 0)
        r = t->easy ? set_up(t, &ask, is_end ? 0 : head->body_length, err) : err_nomem(err);
    r = r < 0 ? r : lane_need(egress, outlets->account, &t->lane, err);
    r = r < 0 ? r : berth_ask(t, err);
    if (r < 0) {
        transfer_free(t);
        return r;
    }
    outcall_accept(outcall, &EVENTS, t);
    return 0;
}

/* cache.c - calls on answers.c.
 *
 *   match   found --ready--> reply --window--> pieces of the body, the answer held meanwhile
 *   put     bytes as they come, up to what one may have --end--> in the table
 *
 * Bytes on their way into the table count against the same bound as those in it: `arriving`. */
#include "service/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "service/answers.h"

struct cache {
    struct answers *answers;
    int64_t bytes_max;
    int64_t arriving; /* bytes of bodies that are not whole yet */
};

/* One call that has not ended with its head. */
struct visit {
    struct cache *cache;
    struct outcall *outcall;
    struct answer *answer; /* held: what is sent, or what arrives; NULL: it was too long */
    int64_t from, end;     /* match: bytes of the body that are to be sent */
    bool is_put, is_partial, is_replied;
    size_t arrived; /* put: in cache->arriving */
    unsigned char key[ANSWERS_KEY];
    size_t account_len;
    char account[];
};

int cache_open(int64_t bytes, struct cache **ret_cache, struct err *err)
{
    struct cache *cache = mem_alloc(sizeof *cache);
    int r;

    if (!cache)
        return err_nomem(err);
    cache->bytes_max = bytes > 0 ? bytes : CACHE_BYTES;
    r = answers_open(cache->bytes_max, &cache->answers, err);
    if (r < 0) {
        mem_free(cache);
        return r;
    }
    *ret_cache = cache;
    return 0;
}

void cache_close(struct cache *cache)
{
    answers_close(cache->answers);
    mem_free(cache);
}

static void visit_free(struct visit *visit)
{
    visit->cache->arriving -= (int64_t)visit->arrived;
    answer_drop(visit->answer);
    mem_free(visit);
}

static void fail(struct outcall *outcall, const char *text)
{
    outcall_fail(outcall, span_of(text));
}

/* The whole of an answer that is a status. */
static void say(struct outcall *outcall, uint32_t status)
{
    const struct reply reply = {.status = status};
    struct err err = {0};

    if (outcall_reply(outcall, &reply, true, &err) < 0)
        fail(outcall, err.text);
}

/* ---- match ---- */

static int reply_with(struct visit *visit, struct err *err)
{
    const struct answer *a = visit->answer;
    struct reply reply = {.status = visit->is_partial ? 206 : 200,
                          .headers = {buf_span(&a->headers), a->header_count},
                          .body_length = visit->end - visit->from};
    struct buf results = {0};
    char status[16], age[24], length[24], range[48];
    int r;

    snprintf(status, sizeof status, "%u", a->status);
    snprintf(age, sizeof age, "%lld", (long long)(clock_now_ms() - a->since_ms) / 1000);
    snprintf(length, sizeof length, "%zu", buf_len(&a->body));
    snprintf(range, sizeof range, "%lld-%lld", (long long)visit->from, (long long)visit->end - 1);
    r = pairs_add(&results, SPAN("status"), span_of(status));
    r = r < 0 ? r : pairs_add(&results, SPAN("age"), span_of(age));
    r = r < 0 ? r : pairs_add(&results, SPAN("length"), span_of(length));
    r = r < 0 ? r : pairs_add(&results, SPAN("range"), span_of(range));
    reply.results = (struct pairs){buf_span(&results), 4};
    r = r < 0 ? err_nomem(err)
              : outcall_reply(visit->outcall, &reply, visit->from == visit->end, err);
    buf_done(&results);
    visit->is_replied = true;
    return r;
}

/* As far as the worker takes it; frees the visit when all has been sent. */
static void go_on(struct visit *visit)
{
    struct err err = {0};

    if (!visit->is_replied) {
        if (!outcall_is_ready(visit->outcall))
            return; /* waits for: on_writable */
        if (reply_with(visit, &err) < 0) {
            fail(visit->outcall, err.text);
            visit_free(visit);
            return;
        }
        if (visit->from == visit->end) {
            visit_free(visit);
            return;
        }
    }
    while (visit->from < visit->end) {
        size_t window = outcall_window(visit->outcall), n = (size_t)(visit->end - visit->from);
        struct span piece = {buf_data(&visit->answer->body) + visit->from, n};
        if (window == 0)
            return;
        if (piece.len > window)
            piece.len = window;
        visit->from += (int64_t)piece.len;
        outcall_body(visit->outcall, piece, visit->from == visit->end);
    }
    visit_free(visit);
}

/* false: no byte of the body is in it. */
static bool take_range(struct visit *visit, struct span range)
{
    char text[64], *at = text;
    int64_t length = (int64_t)buf_len(&visit->answer->body), first, last = length - 1;

    if (range.len == 0)
        return true;
    snprintf(text, sizeof text, "%.*s", range.len < 60 ? (int)range.len : 60, range.data);
    visit->is_partial = true;
    if (*at == '-') {
        last = strtoll(at + 1, NULL, 10);
        visit->from = last < length ? length - last : 0;
        return last > 0 && length > 0;
    }
    first = strtoll(at, &at, 10);
    if (at[0] == '-' && at[1] >= '0' && at[1] <= '9' && strtoll(at + 1, NULL, 10) < last)
        last = strtoll(at + 1, NULL, 10);
    if (first < 0 || first >= length || last < first)
        return false;
    visit->from = first;
    visit->end = last + 1;
    return true;
}

static void match(struct visit *visit, struct span range)
{
    struct answer *answer = answers_find(visit->cache->answers, visit->key, clock_now_ms());
    struct outcall *outcall = visit->outcall;

    if (!answer) {
        visit_free(visit);
        say(outcall, 404);
        return;
    }
    visit->answer = answer_hold(answer);
    visit->end = (int64_t)buf_len(&answer->body);
    if (!take_range(visit, range)) {
        visit_free(visit);
        say(outcall, 416);
        return;
    }
    go_on(visit);
}

/* ---- put ---- */

static void finish_put(struct visit *visit)
{
    struct cache *cache = visit->cache;
    struct outcall *outcall = visit->outcall;
    struct err err = {0};
    int r = ERR_LIMIT;

    if (visit->answer) {
        visit->answer->until_ms += clock_now_ms() - visit->answer->since_ms;
        visit->answer->since_ms = clock_now_ms();
        r = answers_put(cache->answers, (struct span){visit->account, visit->account_len},
                        visit->key, visit->answer, &err);
    } else {
        (void)answers_remove(cache->answers, visit->key, 0);
    }
    visit_free(visit);
    if (r == 0 || r == ERR_LIMIT)
        say(outcall, r == 0 ? 204 : 413);
    else
        fail(outcall, "The node is out of memory for what is put into a cache.");
}

static void give_up(struct visit *visit)
{
    visit->cache->arriving -= (int64_t)visit->arrived;
    visit->arrived = 0;
    answer_drop(visit->answer);
    visit->answer = NULL;
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct visit *visit = self;
    struct cache *cache = visit->cache;

    if (visit->answer && ((int64_t)(visit->arrived + bytes.len) > answers_one_max(cache->answers) ||
                          cache->arriving + (int64_t)bytes.len > cache->bytes_max ||
                          buf_append(&visit->answer->body, bytes.data, bytes.len) < 0))
        give_up(visit);
    if (visit->answer) {
        visit->arrived += bytes.len;
        cache->arriving += (int64_t)bytes.len;
    }
    if (is_end)
        finish_put(visit);
    else
        outcall_credit(visit->outcall, bytes.len);
}

static bool keep_head(struct visit *visit, const struct outcall_head *head, uint32_t status,
                      int64_t ttl_ms)
{
    struct answer *a = visit->answer = answer_new();

    if (!a || buf_append(&a->headers, head->headers.bytes.data, head->headers.bytes.len) < 0)
        return false;
    a->header_count = head->headers.count;
    a->status = status;
    a->since_ms = clock_now_ms();
    a->until_ms = a->since_ms + ttl_ms;
    return true;
}

/* ---- the call ---- */

static void on_writable(void *self)
{
    struct visit *visit = self;

    if (!visit->is_put)
        go_on(visit);
}

static void on_gone(void *self)
{
    visit_free(self);
}

struct wish {
    struct span cache, url, range;
    uint32_t status;
    int64_t ttl_ms;
};

static int64_t number_of(struct span text)
{
    int64_t n = 0;

    for (size_t i = 0; i < text.len && text.data[i] >= '0' && text.data[i] <= '9' && i < 15; i++)
        n = n * 10 + (text.data[i] - '0');
    return n;
}

static void read_wish(const struct outcall_head *head, struct wish *ret)
{
    struct span name, value;
    size_t at = 0;

    while (pairs_next(&head->arguments, &at, &name, &value)) {
        if (span_is(name, "cache"))
            ret->cache = value;
        else if (span_is(name, "url"))
            ret->url = value;
        else if (span_is(name, "range"))
            ret->range = value;
        else if (span_is(name, "status"))
            ret->status = (uint32_t)number_of(value);
        else if (span_is(name, "ttl_ms"))
            ret->ttl_ms = number_of(value);
    }
}

bool cache_knows(struct span method)
{
    return method.len > 6 && memcmp(method.data, "cache.", 6) == 0;
}

void cache_call(struct cache *cache, const struct outlets *outlets, struct outcall *outcall,
                const struct outcall_head *head, bool is_end)
{
    static const struct outcall_events EVENTS = {on_body, on_writable, on_gone};
    struct span account = span_of(outlets->account ? outlets->account : "");
    struct visit *visit = mem_alloc(sizeof *visit + account.len);
    struct wish wish = {0};
    bool was_there;

    read_wish(head, &wish);
    if (!visit || !answers_key(account, wish.cache, wish.url, visit->key)) {
        mem_free(visit);
        fail(outcall, "The node is out of memory for a call on a cache.");
        return;
    }
    visit->cache = cache;
    visit->outcall = outcall;
    visit->account_len = account.len;
    memcpy(visit->account, account.data, account.len);
    outcall_accept(outcall, &EVENTS, visit);
    if (span_is(head->method, "cache.match")) {
        match(visit, wish.range);
    } else if (span_is(head->method, "cache.put") && wish.status >= 200 && wish.status <= 599) {
        visit->is_put = true;
        if (!keep_head(visit, head, wish.status, wish.ttl_ms))
            give_up(visit);
        if (is_end)
            finish_put(visit);
    } else if (span_is(head->method, "cache.delete")) {
        was_there = answers_remove(cache->answers, visit->key, clock_now_ms());
        visit_free(visit);
        say(outcall, was_there ? 200 : 404);
    } else {
        visit_free(visit);
        fail(outcall, "A cache knows match, put and delete.");
    }
}

/* fuzz_websocket.c - any bytes as frames: the first byte says how they are cut and who reads.
 * Cut or not, the same is told; what is told is sound, and comes back when it is sent again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { MAX = 1000 };

static void must(int cond)
{
    if (!cond)
        abort();
}

static void check_back(const struct websocket_item *item)
{
    static const uint8_t MASK[4] = {9, 8, 7, 200};
    struct buf out = {0};
    struct websocket_reader r;
    struct websocket_item back;
    struct err err;
    struct span in;

    if (item->kind == WEBSOCKET_CLOSE)
        must(websocket_put_close(&out, item->code, MASK, item->bytes) == 0);
    else
        must(websocket_put(&out, item->kind, MASK, item->bytes) == 0);
    in = buf_span(&out);
    websocket_init(&r, true, MAX);
    must(websocket_read(&r, &in, &back, &err) == 1 && in.len == 0);
    must(back.kind == item->kind && back.bytes.len == item->bytes.len);
    must(back.bytes.len == 0 || memcmp(back.bytes.data, item->bytes.data, back.bytes.len) == 0);
    websocket_done(&r);
    buf_done(&out);
}

/* All that is told, and the code of an error, as bytes. */
static void read_all(const uint8_t *data, size_t len, size_t step, bool is_server, struct buf *told)
{
    struct websocket_reader r;
    struct websocket_item item;
    struct err err = {0};
    int e = 0;

    websocket_init(&r, is_server, MAX);
    for (size_t at = 0; at < len && e >= 0; at += step) {
        struct span in = {(const char *)data + at, len - at < step ? len - at : step};
        while ((e = websocket_read(&r, &in, &item, &err)) == 1) {
            must(item.bytes.len <= MAX);
            check_back(&item);
            must(buf_print(told, "%d %u %zu ", item.kind, item.kind == WEBSOCKET_CLOSE ? item.code : 0,
                           item.bytes.len) == 0);
            must(buf_append(told, item.bytes.data, item.bytes.len) == 0);
        }
        must(e < 0 || in.len == 0);
    }
    must(e == 0 || ((e == ERR_INVALID || e == ERR_LIMIT) && err.text[0] && r.status >= 1002));
    must(buf_len(&r.message) <= MAX);
    must(buf_print(told, "%u", r.status) == 0);
    websocket_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf whole = {0}, cut = {0};

    if (len == 0)
        return 0;
    read_all(data + 1, len - 1, len, data[0] & 1, &whole);
    read_all(data + 1, len - 1, 1 + (data[0] >> 1), data[0] & 1, &cut);
    must(buf_len(&whole) == buf_len(&cut) && memcmp(buf_data(&whole), buf_data(&cut), buf_len(&cut)) == 0);
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}

/* fuzz_flate.c - any bytes into every coder in any steps: what is packed unpacks to the same, what is unpacked stays in its room. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "realm/flate.h"

enum { ROOM = 4096, TOTAL = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

static struct flate *open_mode(unsigned mode, const uint8_t *numbers)
{
    struct flate_how how = {(enum flate_mode)mode, (int)(numbers[0] % 12) - 1, 8 + numbers[1] % 9,
                            numbers[2] % 11,       numbers[3] % 6,             {"", 0}};

    if (numbers[4] & 1)
        how.dictionary = (struct span){(const char *)numbers, 5};
    return flate_new(&how);
}

/* All of it in steps of 1 to 256 bytes; returns what came, or (size_t)-1. */
static size_t run(struct flate *f, int flush, int finish, struct span in, size_t step, char *out,
                  size_t max)
{
    size_t total = 0, left, idle = 0;
    int status = FLATE_OK;

    while (status == FLATE_OK || status == FLATE_STUCK) {
        struct span piece = {in.data, in.len < step ? in.len : step};
        size_t before = piece.len, room = max - total < step ? max - total : step;
        status = flate_step(f, piece.len == in.len ? finish : flush, &piece, out + total, room, &left);
        must(left <= room && piece.len <= before);
        in.data += before - piece.len;
        in.len -= before - piece.len;
        total += room - left;
        idle = before == piece.len && left == room ? idle + 1 : 0;
        if (idle > 2 || (total == max && status != FLATE_END))
            return (size_t)-1;
    }
    (void)flate_message(f);
    return status == FLATE_END ? total : (size_t)-1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char out[TOTAL], packed[TOTAL];
    unsigned mode;
    struct flate *f;
    struct span in;
    size_t n;

    if (len < 8 || len > 64 * 1024)
        return 0;
    mode = 1 + data[0] % 9;
    f = open_mode(mode, data + 1);
    if (!f)
        return 0;
    if (mode == FLATE_BROTLI)
        (void)flate_set(f, 1, data[1] % 6);
    in = (struct span){(const char *)data + 8, len - 8};
    n = run(f, 0, mode == FLATE_BROTLI ? 2 : 4, in, (size_t)data[6] + 1, packed, TOTAL);
    if (n != (size_t)-1 && (mode == FLATE_DEFLATE || mode == FLATE_GZIP ||
                            mode == FLATE_DEFLATE_RAW || mode == FLATE_BROTLI)) {
        struct flate *u = open_mode(mode == FLATE_BROTLI ? FLATE_UNBROTLI : mode + 1,
                                    (const uint8_t[]){6, 7, 8, 0, 0});
        struct span back = {packed, n};
        if (!(data[5] & 1)) {
            must(u && run(u, 0, 0, back, (size_t)data[7] + 1, out, TOTAL) == in.len);
            must(in.len == 0 || memcmp(out, in.data, in.len) == 0);
        }
        flate_free(u);
    }
    (void)flate_reset(f);
    flate_free(f);
    return 0;
}

/* unpack.c - undo the Content-Encoding of a body: zlib and brotli behind one door. */
#include "realm/unpack.h"

#include <brotli/decode.h>
#include <limits.h>
#include <zlib.h>

#include "base/mem.h"

enum { GZIP_WINDOW = 15 + 16 }; /* the largest window, gzip's header wanted */

struct unpack {
    enum coding coding;
    z_stream zlib;
    BrotliDecoderState *brotli;
    bool has_begun, is_whole;
};

enum coding coding_of(struct span value)
{
    if (span_is_nocase(value, "gzip") || span_is_nocase(value, "x-gzip"))
        return CODING_GZIP;
    return span_is_nocase(value, "br") ? CODING_BR : CODING_NONE;
}

static void *take(void *self, size_t size)
{
    (void)self;
    return mem_alloc(size);
}

static void *take_items(void *self, unsigned count, unsigned size)
{
    return take(self, (size_t)count * size);
}

static void give(void *self, void *memory)
{
    (void)self;
    mem_free(memory);
}

struct unpack *unpack_new(enum coding coding)
{
    struct unpack *u = mem_alloc(sizeof *u);
    bool is_open = false;

    if (!u)
        return NULL;
    u->coding = coding;
    if (coding == CODING_GZIP) {
        u->zlib.zalloc = take_items;
        u->zlib.zfree = give;
        is_open = inflateInit2(&u->zlib, GZIP_WINDOW) == Z_OK;
    } else if (coding == CODING_BR) {
        u->brotli = BrotliDecoderCreateInstance(take, give, NULL);
        is_open = u->brotli != NULL;
    }
    if (is_open)
        return u;
    mem_free(u);
    return NULL;
}

void unpack_free(struct unpack *u)
{
    if (!u)
        return;
    if (u->coding == CODING_GZIP)
        inflateEnd(&u->zlib);
    else
        BrotliDecoderDestroyInstance(u->brotli);
    mem_free(u);
}

enum coding unpack_coding(const struct unpack *u)
{
    return u->coding;
}

bool unpack_is_whole(const struct unpack *u)
{
    return u->is_whole || !u->has_begun;
}

static void ignore(struct span *in)
{
    in->data += in->len;
    in->len = 0;
}

static long step_gzip(struct unpack *u, struct span *in, char *room, size_t max)
{
    z_stream *z = &u->zlib;
    int r = Z_OK;

    /* A second member, or garbage behind the first. */
    if (u->is_whole) {
        if (in->len < 2 && (unsigned char)in->data[0] == 0x1f)
            return 0;
        if ((unsigned char)in->data[0] != 0x1f || (unsigned char)in->data[1] != 0x8b) {
            ignore(in);
            return 0;
        }
        inflateReset(z);
        u->is_whole = false;
    }
    z->next_in = (Bytef *)(void *)(size_t)(const void *)in->data;
    z->avail_in = in->len < UINT_MAX ? (unsigned)in->len : UINT_MAX;
    z->next_out = (Bytef *)room;
    z->avail_out = (unsigned)max;
    r = inflate(z, Z_NO_FLUSH);
    in->len -= (size_t)((const char *)z->next_in - in->data);
    in->data = (const char *)z->next_in;
    if (r == Z_STREAM_END)
        u->is_whole = true;
    else if (r != Z_OK && r != Z_BUF_ERROR)
        return ERR_INVALID;
    return (long)(max - z->avail_out);
}

static long step_brotli(struct unpack *u, struct span *in, char *room, size_t max)
{
    const uint8_t *next_in = (const uint8_t *)in->data;
    uint8_t *next_out = (uint8_t *)room;
    size_t left = max;
    BrotliDecoderResult r;

    if (u->is_whole) {
        ignore(in);
        return 0;
    }
    r = BrotliDecoderDecompressStream(u->brotli, &in->len, &next_in, &left, &next_out, NULL);
    in->data = (const char *)next_in;
    if (r == BROTLI_DECODER_RESULT_ERROR)
        return ERR_INVALID;
    if (r == BROTLI_DECODER_RESULT_SUCCESS)
        u->is_whole = true;
    return (long)(max - left);
}

long unpack_step(struct unpack *u, struct span *in, char *room, size_t max)
{
    if (in->len > 0)
        u->has_begun = true;
    else if (!u->has_begun || u->is_whole)
        return 0;
    /* Without input there may still be output that did not fit. */
    return u->coding == CODING_GZIP ? step_gzip(u, in, room, max) : step_brotli(u, in, room, max);
}

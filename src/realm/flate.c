/* flate.c - zlib and brotli a step at a time, both ways.
 *
 * Brotli's packer ends the process when it gets no memory, as its library is built: it is left by a
 * jump out of the allocation instead, and what it had taken is freed, of which we keep a list. */
#include "realm/flate.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <limits.h>
#include <setjmp.h>
#include <stddef.h>
#include <zlib.h>

#include "base/mem.h"

enum { GZIP_BITS = 16, EITHER_BITS = 32 };

/* Before each piece of memory of a packer of brotli. */
struct piece {
    _Alignas(max_align_t) struct piece *next;
    struct piece **place; /* what points to it */
};

struct flate {
    enum flate_mode mode;
    z_stream zlib;
    BrotliDecoderState *decoder;
    BrotliEncoderState *encoder;
    char *dictionary;
    size_t dictionary_len;
    struct piece *pieces; /* of encoder */
    jmp_buf *way_out;     /* while it runs */
    bool is_broken;       /* brotli's */
};

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

static void *take_piece(void *self, size_t size)
{
    struct flate *f = self;
    struct piece *piece = size > SIZE_MAX - sizeof *piece ? NULL : mem_alloc(sizeof *piece + size);

    if (!piece && f->way_out)
        longjmp(*f->way_out, 1);
    if (!piece)
        return NULL;
    piece->next = f->pieces;
    piece->place = &f->pieces;
    if (piece->next)
        piece->next->place = &piece->next;
    f->pieces = piece;
    return piece + 1;
}

static void give_piece(void *self, void *memory)
{
    struct piece *piece = memory ? (struct piece *)memory - 1 : NULL;

    (void)self;
    if (!piece)
        return;
    *piece->place = piece->next;
    if (piece->next)
        piece->next->place = piece->place;
    mem_free(piece);
}

static void give_all_pieces(struct flate *f)
{
    while (f->pieces)
        give_piece(f, f->pieces + 1);
}

static bool is_brotli(const struct flate *f)
{
    return f->mode == FLATE_BROTLI || f->mode == FLATE_UNBROTLI;
}

static bool is_deflater(const struct flate *f)
{
    return f->mode == FLATE_DEFLATE || f->mode == FLATE_GZIP || f->mode == FLATE_DEFLATE_RAW;
}

static bool is_raw(const struct flate *f)
{
    return f->mode == FLATE_DEFLATE_RAW || f->mode == FLATE_INFLATE_RAW;
}

/* zlib's window bits, which also say what stands around the data. */
static int bits_of(enum flate_mode mode, int window)
{
    switch (mode) {
    case FLATE_GZIP:
    case FLATE_GUNZIP:
        return window + GZIP_BITS;
    case FLATE_UNZIP:
        return window + EITHER_BITS;
    case FLATE_DEFLATE_RAW:
    case FLATE_INFLATE_RAW:
        return -window;
    default:
        return window;
    }
}

static Bytef *bytes_of(const char *data)
{
    return (Bytef *)(size_t)(const void *)data;
}

/* What is known of the dictionary before the data says that it wants one. */
static bool set_dictionary(struct flate *f)
{
    const Bytef *data = bytes_of(f->dictionary);
    unsigned len = (unsigned)f->dictionary_len;

    if (!f->dictionary)
        return true;
    if (is_deflater(f))
        return f->mode == FLATE_GZIP || deflateSetDictionary(&f->zlib, data, len) == Z_OK;
    return !is_raw(f) || inflateSetDictionary(&f->zlib, data, len) == Z_OK;
}

static bool open_zlib(struct flate *f, const struct flate_how *how)
{
    int bits = bits_of(how->mode, how->window);

    f->zlib.zalloc = take_items;
    f->zlib.zfree = give;
    if (how->dictionary.len > 0) {
        f->dictionary = mem_copy(how->dictionary.data, how->dictionary.len);
        f->dictionary_len = how->dictionary.len;
        if (!f->dictionary || how->dictionary.len > INT_MAX)
            return false;
    }
    if (is_deflater(f) ? deflateInit2(&f->zlib, how->level, Z_DEFLATED, bits, how->memory,
                                      how->strategy) != Z_OK
                       : inflateInit2(&f->zlib, bits) != Z_OK)
        return false;
    return set_dictionary(f);
}

static bool open_brotli(struct flate *f)
{
    if (f->mode == FLATE_UNBROTLI) {
        f->decoder = BrotliDecoderCreateInstance(take, give, NULL);
        return f->decoder != NULL;
    }
    f->encoder = BrotliEncoderCreateInstance(take_piece, give_piece, f);
    return f->encoder != NULL;
}

static void close_brotli(struct flate *f)
{
    if (f->decoder)
        BrotliDecoderDestroyInstance(f->decoder);
    if (f->encoder)
        BrotliEncoderDestroyInstance(f->encoder);
    f->decoder = NULL;
    f->encoder = NULL;
}

struct flate *flate_new(const struct flate_how *how)
{
    struct flate *f = mem_alloc(sizeof *f);

    if (!f)
        return NULL;
    f->mode = how->mode;
    if (is_brotli(f) ? open_brotli(f) : open_zlib(f, how))
        return f;
    flate_free(f);
    return NULL;
}

void flate_free(struct flate *f)
{
    if (!f)
        return;
    if (is_brotli(f))
        close_brotli(f);
    else if (is_deflater(f))
        deflateEnd(&f->zlib);
    else
        inflateEnd(&f->zlib);
    mem_free(f->dictionary);
    mem_free(f);
}

static int inflate_with_dictionary(struct flate *f, int flush)
{
    int r = inflate(&f->zlib, flush);

    if (r != Z_NEED_DICT || !f->dictionary)
        return r;
    r = inflateSetDictionary(&f->zlib, bytes_of(f->dictionary), (unsigned)f->dictionary_len);
    if (r != Z_OK) {
        f->zlib.msg = "Bad dictionary";
        return r;
    }
    return inflate(&f->zlib, flush);
}

static int step_zlib(struct flate *f, int flush, struct span *in, char *room, size_t len,
                     size_t *ret_left)
{
    z_stream *z = &f->zlib;
    size_t max = len < UINT_MAX ? len : UINT_MAX;
    bool is_cut = in->len > UINT_MAX;
    int r;

    z->next_in = bytes_of(in->data);
    z->avail_in = is_cut ? UINT_MAX : (unsigned)in->len;
    z->next_out = (Bytef *)room;
    z->avail_out = (unsigned)max;
    if (is_cut)
        flush = Z_NO_FLUSH;
    r = is_deflater(f) ? deflate(z, flush) : inflate_with_dictionary(f, flush);
    in->len -= (size_t)((const char *)z->next_in - in->data);
    in->data = (const char *)z->next_in;
    *ret_left = len - (max - z->avail_out);
    return r;
}

static int unbrotli(struct flate *f, struct span *in, uint8_t *room, size_t *ret_left)
{
    const uint8_t *next_in = (const uint8_t *)in->data;
    BrotliDecoderResult r =
        BrotliDecoderDecompressStream(f->decoder, &in->len, &next_in, ret_left, &room, NULL);

    in->data = (const char *)next_in;
    if (r == BROTLI_DECODER_RESULT_ERROR)
        f->is_broken = true;
    return f->is_broken ? FLATE_BROKEN : r == BROTLI_DECODER_RESULT_SUCCESS ? FLATE_END : FLATE_OK;
}

static int brotli(struct flate *f, int flush, struct span *in, uint8_t *room, size_t *ret_left)
{
    const uint8_t *next_in = (const uint8_t *)in->data;
    jmp_buf way_out;
    BROTLI_BOOL is_done;

    if (setjmp(way_out) != 0) {
        f->way_out = NULL;
        f->encoder = NULL;
        f->is_broken = true;
        give_all_pieces(f);
        return FLATE_BROKEN;
    }
    f->way_out = &way_out;
    is_done = BrotliEncoderCompressStream(f->encoder, (BrotliEncoderOperation)flush, &in->len,
                                          &next_in, ret_left, &room, NULL);
    f->way_out = NULL;
    in->data = (const char *)next_in;
    if (!is_done)
        f->is_broken = true;
    if (f->is_broken)
        return FLATE_BROKEN;
    return BrotliEncoderIsFinished(f->encoder) ? FLATE_END : FLATE_OK;
}

int flate_step(struct flate *f, int flush, struct span *in, char *room, size_t len,
               size_t *ret_left)
{
    *ret_left = len;
    if (f->is_broken || flush < 0 ||
        flush > (is_brotli(f) ? BROTLI_OPERATION_EMIT_METADATA : Z_BLOCK))
        return FLATE_BROKEN;
    if (f->decoder)
        return unbrotli(f, in, (uint8_t *)room, ret_left);
    if (f->encoder)
        return brotli(f, flush, in, (uint8_t *)room, ret_left);
    return step_zlib(f, flush, in, room, len, ret_left);
}

int flate_reset(struct flate *f)
{
    int r;

    if (is_brotli(f)) {
        close_brotli(f);
        f->is_broken = !open_brotli(f);
        return f->is_broken ? Z_MEM_ERROR : Z_OK;
    }
    r = is_deflater(f) ? deflateReset(&f->zlib) : inflateReset(&f->zlib);
    return r == Z_OK && !set_dictionary(f) ? Z_STREAM_ERROR : r;
}

int flate_tune(struct flate *f, int level, int strategy, char *room, size_t len, size_t *ret_left)
{
    int r;

    *ret_left = len;
    if (!is_deflater(f) || len > UINT_MAX)
        return Z_STREAM_ERROR;
    f->zlib.next_in = bytes_of("");
    f->zlib.avail_in = 0;
    f->zlib.next_out = (Bytef *)room;
    f->zlib.avail_out = (unsigned)len;
    r = deflateParams(&f->zlib, level, strategy);
    *ret_left = f->zlib.avail_out;
    return r;
}

bool flate_set(struct flate *f, uint32_t name, uint32_t value)
{
    if (f->decoder)
        return BrotliDecoderSetParameter(f->decoder, (BrotliDecoderParameter)name, value);
    return f->encoder && BrotliEncoderSetParameter(f->encoder, (BrotliEncoderParameter)name, value);
}

const char *flate_message(const struct flate *f)
{
    if (f->decoder)
        return BrotliDecoderErrorString(BrotliDecoderGetErrorCode(f->decoder));
    return !is_brotli(f) && f->zlib.msg ? f->zlib.msg : "";
}

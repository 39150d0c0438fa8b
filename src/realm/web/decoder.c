/* decoder.c - the C half of TextDecoder for what is not UTF-8.
 *
 * A TextDecoder holds a handle: a JavaScript object whose private data is the
 * decoder and, for a set of one-byte characters, its table. */
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/charset_tables.h"
#include "realm/web/web.h"

enum { NAME_MAX_LEN = 32 };

struct decoder {
    struct charset_decoder state;
    uint16_t single[CHARSET_HALF];
};

static const struct {
    const char *name;
    enum charset charset;
    enum charset_table tables[2]; /* TABLE_SINGLE: none */
} multis[] = {
    {"utf-16le", CHARSET_UTF16LE, {TABLE_SINGLE}},
    {"utf-16be", CHARSET_UTF16BE, {TABLE_SINGLE}},
    {"gbk", CHARSET_GB18030, {TABLE_GB18030}},
    {"gb18030", CHARSET_GB18030, {TABLE_GB18030}},
    {"big5", CHARSET_BIG5, {TABLE_BIG5}},
    {"euc-jp", CHARSET_EUC_JP, {TABLE_JIS0208, TABLE_JIS0212}},
    {"iso-2022-jp", CHARSET_ISO_2022_JP, {TABLE_JIS0208}},
    {"shift_jis", CHARSET_SHIFT_JIS, {TABLE_SHIFT_JIS}},
    {"euc-kr", CHARSET_EUC_KR, {TABLE_EUC_KR}},
};

static JSClassRef decoder_class;

static void finalize(JSObjectRef handle)
{
    mem_free(JSObjectGetPrivate(handle));
}

bool web_open_decoder(struct charset_decoder *d, uint16_t *single, const char *name)
{
    for (size_t i = 0; i < sizeof multis / sizeof *multis; i++)
        if (strcmp(name, multis[i].name) == 0) {
            charset_init(d, multis[i].charset, charset_tables_look_up, NULL);
            return charset_tables_has(multis[i].tables[0]) &&
                   charset_tables_has(multis[i].tables[1]);
        }
    charset_init(d, CHARSET_SINGLE, charset_tables_look_up, single);
    return charset_tables_single(name, single);
}

/* decoderNew(name) -> handle; the name is one of the standard's, in lower case */
static JSValueRef decoder_new(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct decoder *d = mem_alloc(sizeof *d);
    JSStringRef string = JSValueToStringCopy(js, arguments[0], ret_thrown);
    char name[NAME_MAX_LEN] = "";

    (void)function, (void)self, (void)count;
    if (string) {
        JSStringGetUTF8CString(string, name, sizeof name);
        JSStringRelease(string);
    }
    if (!d || !web_open_decoder(&d->state, d->single, name)) {
        mem_free(d);
        return engine_throw(ret_thrown, "RangeError", "out of memory for the encoding %s", name);
    }
    return JSObjectMake(js, decoder_class, d);
}

/* decoderRun(handle, bytes, isLast, isFatal) -> string, or null when it is ill-formed and isFatal
 */
static JSValueRef decoder_run(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct decoder *d = JSObjectGetPrivate((JSObjectRef)arguments[0]);
    struct span bytes;
    JSStringRef string;
    JSValueRef value;
    uint16_t *units;
    long n;

    (void)function, (void)self, (void)count;
    if (!web_bytes(arguments[1], &bytes))
        return engine_throw(ret_thrown, "TypeError", "expected bytes");
    units = mem_alloc(charset_room(bytes.len) * sizeof *units);
    if (!units)
        return engine_throw(ret_thrown, "RangeError", "out of memory");
    n = charset_decode(&d->state, (const unsigned char *)bytes.data, bytes.len,
                       JSValueToBoolean(js, arguments[2]), JSValueToBoolean(js, arguments[3]),
                       units);
    if (n < 0) {
        mem_free(units);
        return JSValueMakeNull(js);
    }
    string = JSStringCreateWithCharacters(units, (size_t)n);
    mem_free(units);
    value = JSValueMakeString(js, string);
    JSStringRelease(string);
    return value;
}

void web_define_decoder(void)
{
    decoder_class = engine_class("Decoder", finalize);
    engine_native("decoderNew", decoder_new);
    engine_native("decoderRun", decoder_run);
}

/* url.c - the C half of url.js: the URL parser, and names of hosts by ICU.
 *
 * A call leaves the marks of its result (text/url.h) in native.urlMarks, which
 * is memory of ours, so that a URL costs one call and, when it was in its
 * normal form already, no new string. */
#include "text/url.h"

#include <unicode/uidna.h>

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"
#include "text/percent.h"

enum { DOMAIN_MAX = 4096 }; /* UTF-16 units or bytes of a domain for ICU, before and after */

static struct url parsed, parsed_base; /* scratch of one call */
static struct buf input;
static uint32_t marks[URL_MARKS];

/* Domain to ASCII; the lengths and hyphens that ICU also checks are no errors in a URL. */
static int domain_to_ascii(struct span domain, struct buf *out)
{
    static const uint32_t harmless = UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG |
                                     UIDNA_ERROR_DOMAIN_NAME_TOO_LONG | UIDNA_ERROR_LEADING_HYPHEN |
                                     UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4;
    static UIDNA *rules;
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    UErrorCode error = U_ZERO_ERROR;
    char *room;
    int32_t len;

    if (domain.len > DOMAIN_MAX)
        return ERR_LIMIT;
    if (!rules)
        rules =
            uidna_openUTS46(UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
                            &error);
    if (U_FAILURE(error) || buf_reserve(out, DOMAIN_MAX, &room) < 0)
        return ERR_NOMEM;
    len = uidna_nameToASCII_UTF8(rules, domain.data, (int32_t)domain.len, room, DOMAIN_MAX, &info,
                                 &error);
    if (error == U_BUFFER_OVERFLOW_ERROR)
        return ERR_LIMIT;
    if (U_FAILURE(error) || info.errors & ~harmless)
        return ERR_INVALID;
    buf_commit(out, (size_t)len);
    return 0;
}

int web_parse_url(struct url *u, struct span text)
{
    return url_parse(u, text, NULL, domain_to_ascii);
}

struct span web_head_url(const struct head *head)
{
    static struct url u;

    return url_parse(&u, head->url, NULL, domain_to_ascii) == 0 ? buf_span(&u.href) : head->url;
}

JSValueRef web_url_value(struct span text)
{
    int r = url_parse(&parsed, text, NULL, domain_to_ascii);

    memcpy(marks, parsed.mark, sizeof marks);
    if (r == 0)
        return text_value(buf_span(&parsed.href));
    marks[URL_SCHEME_END] = UINT32_MAX;
    return text_value(text);
}

/* The string as UTF-8 in `input`, which is emptied first. */
static int take_input(JSValueRef string, JSValueRef *ret_thrown)
{
    buf_eat(&input, buf_len(&input));
    return text_append_value(&input, string, ret_thrown);
}

static int parse(JSContextRef js, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct url *base = NULL;
    int r;

    if (!JSValueIsUndefined(js, arguments[1])) {
        r = take_input(arguments[1], ret_thrown);
        if (r == 0)
            r = url_parse(&parsed_base, buf_span(&input), NULL, domain_to_ascii);
        if (r < 0)
            return r;
        base = &parsed_base;
    }
    r = take_input(arguments[0], ret_thrown);
    return r < 0 ? r : url_parse(&parsed, buf_span(&input), base, domain_to_ascii);
}

static JSValueRef refuse(JSContextRef js, int r, JSValueRef *ret_thrown)
{
    if (*ret_thrown)
        return engine.undefined;
    if (r == ERR_NOMEM)
        return engine_throw(ret_thrown, "RangeError", "out of memory");
    if (r == ERR_LIMIT)
        return engine_throw(ret_thrown, "TypeError",
                            "The URL is too long: %d MiB at most, and %d bytes for its host.",
                            URL_MAX >> 20, DOMAIN_MAX);
    return JSValueMakeNull(js);
}

/* Give `parsed` out: its text, or `same` when that is the same text, and its marks. */
static JSValueRef give(JSValueRef same)
{
    memcpy(marks, parsed.mark, sizeof marks);
    if (buf_len(&parsed.href) == buf_len(&input) &&
        memcmp(buf_data(&parsed.href), buf_data(&input), buf_len(&input)) == 0)
        return same;
    return text_value(buf_span(&parsed.href));
}

/* urlParse(text, base or undefined) -> href, or null when it is no URL */
static JSValueRef parse_call(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    int r = parse(js, arguments, ret_thrown);

    (void)function, (void)self, (void)count;
    return r < 0 ? refuse(js, r, ret_thrown) : give(arguments[0]);
}
ENGINE_LOCKED(parse_call)

/* urlCan(text, base or undefined) -> is it a URL? */
static JSValueRef can_call(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    int r = parse(js, arguments, ret_thrown);

    (void)function, (void)self, (void)count;
    return JSValueMakeBoolean(js, r == 0);
}
ENGINE_LOCKED(can_call)

/* urlSet(href, part, value) -> href */
static JSValueRef set_call(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    int r = take_input(arguments[0], ret_thrown);

    (void)function, (void)self, (void)count;
    if (r == 0)
        r = url_parse(&parsed, buf_span(&input), NULL, domain_to_ascii);
    if (r == 0)
        r = take_input(arguments[2], ret_thrown);
    if (r == 0)
        r = url_set(&parsed, (enum url_part)JSValueToNumber(js, arguments[1], NULL),
                    buf_span(&input), domain_to_ascii);
    if (r < 0)
        return refuse(js, r, ret_thrown);
    buf_eat(&input, buf_len(&input));
    return give(engine.undefined);
}
ENGINE_LOCKED(set_call)

/* The string through percent_encode or percent_decode_form. */
static JSValueRef through(JSValueRef string, bool is_encoding, JSValueRef *ret_thrown)
{
    struct buf out = {0};
    JSValueRef value = NULL;
    int r = take_input(string, ret_thrown);

    if (r == 0)
        r = is_encoding ? percent_encode(&out, buf_span(&input), PERCENT_FORM)
                        : percent_decode_form(&out, buf_span(&input));
    if (r == 0)
        value = text_value(buf_span(&out));
    buf_done(&out);
    if (*ret_thrown)
        return engine.undefined;
    return value ? value : engine_throw(ret_thrown, "RangeError", "out of memory");
}

/* formEncode(string) -> string, formDecode(string) -> string: application/x-www-form-urlencoded */
static JSValueRef encode_call(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count;
    return through(arguments[0], true, ret_thrown);
}

static JSValueRef decode_call(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count;
    return through(arguments[0], false, ret_thrown);
}

void web_define_url(void)
{
    JSStringRef name = JSStringCreateWithUTF8CString("urlMarks");
    JSObjectRef array = JSObjectMakeTypedArrayWithBytesNoCopy(
        engine.context, kJSTypedArrayTypeUint32Array, marks, sizeof marks, NULL, NULL, NULL);

    JSObjectSetProperty(engine.context, engine.native, name, array, kJSPropertyAttributeNone, NULL);
    JSStringRelease(name);
    url_init(&parsed);
    url_init(&parsed_base);
    engine_native("urlParse", parse_call_locked);
    engine_native("urlCan", can_call_locked);
    engine_native("urlSet", set_call_locked);
    engine_native("formEncode", encode_call);
    engine_native("formDecode", decode_call);
}

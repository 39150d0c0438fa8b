/* html.c - the C half of HTMLRewriter: text/html_rewrite.h for sdk/js/html_rewriter.js.
 *
 * A rewriter is a handle: an object whose private data it is.  sdk/js drives it:
 * feeds bytes, asks for the next event, tells the handlers, takes what was
 * written.  So nothing here calls JavaScript, and a handler may take its time.
 *
 * Documents that are not UTF-8 are rewritten in their own bytes; only what
 * handlers see is decoded, and what they put in is encoded, with what the
 * encoding has not as references. */
#include <stdio.h>
#include <unicode/ucnv.h>

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/charset_tables.h"
#include "realm/web/web.h"
#include "text/html_rewrite.h"

enum {
    MEMORY_MAX = 4 * 1024 * 1024, /* bytes of one rewriter, without what it has written */
    NAME_MAX_LEN = 32,
};

struct rewriter {
    struct html_rewriter *rw;
    bool is_utf8;
    char charset[NAME_MAX_LEN];
    struct charset_decoder decoder; /* of text, piece by piece */
    uint16_t single[CHARSET_HALF];
    UConverter *converter, *strict; /* with references for what is missing; or an error */
};

static JSClassRef rewriter_class;
static struct buf scratch, encoded; /* of one call */

static void free_rewriter(struct rewriter *r)
{
    if (!r)
        return;
    html_rewriter_free(r->rw);
    if (r->converter)
        ucnv_close(r->converter);
    if (r->strict)
        ucnv_close(r->strict);
    mem_free(r);
}

static void finalize(JSObjectRef handle)
{
    free_rewriter(JSObjectGetPrivate(handle));
}

static struct rewriter *rewriter_of(JSValueRef handle)
{
    return JSObjectGetPrivate((JSObjectRef)handle);
}

static JSValueRef out_of_memory(JSValueRef *ret_thrown)
{
    return engine_throw(ret_thrown, "RangeError", "out of memory");
}

static JSValueRef undefined_fails(JSValueRef value, JSValueRef *ret_thrown)
{
    return value == engine.undefined ? out_of_memory(ret_thrown) : value;
}

/* ---- bytes of the document to strings and back ---- */

static const char *icu_name(const char *charset)
{
    static const char *const names[][2] = {
        {"gbk", "windows-936"},          {"big5", "Big5-HKSCS"},
        {"shift_jis", "windows-31j"},    {"euc-kr", "windows-949-2000"},
        {"ibm866", "ibm-866_P100-1995"}, {"x-mac-cyrillic", "x-mac-cyrillic"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(charset, names[i][0]) == 0)
            return names[i][1];
    return charset;
}

static bool open_converters(struct rewriter *r)
{
    UErrorCode error = U_ZERO_ERROR;

    r->converter = ucnv_open(icu_name(r->charset), &error);
    r->strict = ucnv_open(icu_name(r->charset), &error);
    if (U_SUCCESS(error))
        ucnv_setFromUCallBack(r->converter, UCNV_FROM_U_CALLBACK_ESCAPE, UCNV_ESCAPE_XML_DEC, NULL,
                              NULL, &error);
    if (U_SUCCESS(error))
        ucnv_setFromUCallBack(r->strict, UCNV_FROM_U_CALLBACK_STOP, NULL, NULL, NULL, &error);
    return U_SUCCESS(error);
}

static bool is_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

/* UTF-8 to the document's encoding, appended.  ERR_INVALID: is_strict, and it has no such
 * character. */
static int encode(struct rewriter *r, struct span utf8, bool is_strict, struct buf *out)
{
    UConverter *converter = is_strict ? r->strict : r->converter;
    UErrorCode error = U_ZERO_ERROR;
    uint16_t *units;
    int32_t n, len;
    char *room;

    if (r->is_utf8 || is_ascii(utf8))
        return buf_append(out, utf8.data, utf8.len);
    units = mem_alloc((utf8.len + 1) * sizeof *units);
    if (!units)
        return ERR_NOMEM;
    n = (int32_t)text_decode((const unsigned char *)utf8.data, utf8.len, units, false);
    len = n * 12 + 16; /* "&#1114111;" is the longest */
    if (buf_reserve(out, (size_t)len, &room) < 0) {
        mem_free(units);
        return ERR_NOMEM;
    }
    ucnv_reset(converter);
    len = ucnv_fromUChars(converter, room, len, units, n, &error);
    mem_free(units);
    if (U_FAILURE(error))
        return is_strict ? ERR_INVALID : ERR_NOMEM;
    buf_commit(out, (size_t)len);
    return 0;
}

static int encode_selector(void *self, struct span utf8, struct buf *out)
{
    struct rewriter *r = self;
    int e = encode(r, utf8, true, out);

    return e == ERR_INVALID ? buf_append(out, utf8.data, utf8.len) : e;
}

static JSValueRef decoded(struct charset_decoder *d, struct span bytes, bool is_last)
{
    uint16_t *units = mem_alloc(charset_room(bytes.len) * sizeof *units);
    JSStringRef string;
    JSValueRef value;
    long n;

    if (!units)
        return engine.undefined;
    n = charset_decode(d, (const unsigned char *)bytes.data, bytes.len, is_last, false, units);
    string = JSStringCreateWithCharacters(units, (size_t)(n < 0 ? 0 : n));
    mem_free(units);
    value = JSValueMakeString(engine.context, string);
    JSStringRelease(string);
    return value;
}

/* A string of the document. */
static JSValueRef value_of(struct rewriter *r, struct span bytes)
{
    struct charset_decoder d = r->decoder;

    if (r->is_utf8 || is_ascii(bytes))
        return text_value(bytes);
    charset_init(&d, r->decoder.charset, r->decoder.lookup, r->decoder.self);
    return decoded(&d, bytes, true);
}

/* The same with ASCII in lower case. */
static JSValueRef lower_value(struct rewriter *r, struct span bytes)
{
    buf_eat(&scratch, buf_len(&scratch));
    if (buf_append(&scratch, bytes.data, bytes.len) < 0)
        return engine.undefined;
    for (size_t i = 0; i < bytes.len; i++)
        if (html_is_alpha(scratch.mem[scratch.head + i]))
            scratch.mem[scratch.head + i] |= 32;
    return value_of(r, buf_span(&scratch));
}

/* A JavaScript string as UTF-8 in `scratch`. */
static int take_string(JSValueRef string, JSValueRef *ret_thrown)
{
    buf_eat(&scratch, buf_len(&scratch));
    return text_append_value(&scratch, string, ret_thrown);
}

static int append_escaped(struct buf *out, struct span text)
{
    int r = 0;

    for (size_t i = 0, from = 0; i <= text.len && r == 0; i++) {
        char c = i < text.len ? text.data[i] : '\0';
        const char *by = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
        if (!by && i < text.len)
            continue;
        r = buf_append(out, text.data + from, i - from);
        if (by && r == 0)
            r = buf_append(out, by, strlen(by));
        from = i + 1;
    }
    return r;
}

/* Content that a handler gives, as the document has it, in `encoded`. */
static int take_content(struct rewriter *r, JSValueRef string, bool is_html, JSValueRef *ret_thrown)
{
    struct buf escaped = {0};
    int e = take_string(string, ret_thrown);

    buf_eat(&encoded, buf_len(&encoded));
    if (e == 0 && !is_html)
        e = append_escaped(&escaped, buf_span(&scratch));
    if (e == 0)
        e = encode(r, is_html ? buf_span(&scratch) : buf_span(&escaped), false, &encoded);
    buf_done(&escaped);
    return e;
}

/* ---- life ---- */

#define CALL(f)                                                                                    \
    static JSValueRef f(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,     \
                        const JSValueRef *arguments, JSValueRef *ret_thrown)
#define UNUSED() ((void)js, (void)function, (void)self, (void)count, (void)ret_thrown)

/* htmlCheck(selector): throws when it is none */
CALL(check_call)
{
    struct html_selectors set;
    struct err err = {0};
    int r = take_string(arguments[0], ret_thrown);

    UNUSED();
    if (r < 0)
        return *ret_thrown ? engine.undefined : out_of_memory(ret_thrown);
    html_selectors_init(&set);
    r = html_selectors_add(&set, buf_span(&scratch), &err);
    html_selectors_done(&set);
    return r < 0 ? engine_throw(ret_thrown, "TypeError", "Parser error: %s", err.text)
                 : engine.undefined;
}

/* htmlNew(charset) -> handle; one of the standard's names in lower case */
CALL(new_call)
{
    struct rewriter *r = mem_alloc(sizeof *r);
    JSStringRef name = JSValueToStringCopy(js, arguments[0], ret_thrown);

    UNUSED();
    if (r && name) {
        JSStringGetUTF8CString(name, r->charset, sizeof r->charset);
        r->is_utf8 = strcmp(r->charset, "utf-8") == 0;
        r->rw = html_rewriter_new(MEMORY_MAX, r->is_utf8);
    }
    if (name)
        JSStringRelease(name);
    if (!r || !r->rw ||
        (!r->is_utf8 &&
         (!web_open_decoder(&r->decoder, r->single, r->charset) || !open_converters(r)))) {
        free_rewriter(r);
        return out_of_memory(ret_thrown);
    }
    if (!r->is_utf8) {
        r->rw->selectors.encode = encode_selector;
        r->rw->selectors.encode_self = r;
    }
    return JSObjectMake(js, rewriter_class, r);
}

/* htmlSelect(handle, selector or null for the document, wishes) */
CALL(select_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    unsigned wishes = (unsigned)engine_number_of(arguments[2]);
    struct err err = {0};
    int e;

    UNUSED();
    if (JSValueIsNull(js, arguments[1])) {
        e = html_rewriter_document(r->rw, wishes);
    } else {
        e = take_string(arguments[1], ret_thrown);
        if (e == 0)
            e = html_rewriter_select(r->rw, buf_span(&scratch), wishes, &err);
    }
    return e < 0 ? out_of_memory(ret_thrown) : engine.undefined;
}

/* htmlStart(handle, seed) */
CALL(start_call)
{
    UNUSED();
    if (html_rewriter_start(rewriter_of(arguments[0])->rw,
                            (uint64_t)engine_number_of(arguments[1])) < 0)
        return out_of_memory(ret_thrown);
    return engine.undefined;
}

/* htmlFeed(handle, bytes or null at the end, how many of them) */
CALL(feed_call)
{
    struct html_rewriter *rw = rewriter_of(arguments[0])->rw;
    struct span bytes;
    size_t size;

    UNUSED();
    if (!web_bytes(arguments[1], &bytes)) {
        html_rewriter_end(rw);
        return engine.undefined;
    }
    size = (size_t)engine_number_of(arguments[2]);
    bytes.len = size < bytes.len ? size : bytes.len;
    return html_rewriter_feed(rw, bytes) < 0 ? out_of_memory(ret_thrown) : engine.undefined;
}

/* htmlNext(handle) -> enum html_event */
CALL(next_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    int event = html_rewriter_next(r->rw);

    UNUSED();
    if (event >= 0)
        return engine_number(event);
    if (event == ERR_LIMIT)
        return engine_throw(ret_thrown, "TypeError",
                            "Parser error: The memory limit has been exceeded.");
    if (event != ERR_INVALID)
        return out_of_memory(ret_thrown);
    return engine_throw(
        ret_thrown, "TypeError",
        "Parser error: The parser has encountered a text content tag (`<%s>`) in the context where "
        "it is ambiguous whether this tag should be ignored or not. And, thus, it is unclear "
        "whether consequent content should be parsed as raw text or HTML markup.\n\nThis error "
        "occurs due to the limited capabilities of the streaming parsing. However, almost all of "
        "the cases of this error are caused by a non-conforming markup (e.g. a `<script>` element "
        "in `<select>` element).",
        r->rw->html.ambiguous);
}

/* htmlHit(handle, i) -> who is to be told, -1: nobody more */
CALL(hit_call)
{
    const struct html_rewriter *rw = rewriter_of(arguments[0])->rw;
    size_t i = (size_t)engine_number_of(arguments[1]);
    uint32_t hit;

    UNUSED();
    if (i >= buf_len(&rw->hits) / sizeof hit)
        return engine_number(-1);
    memcpy(&hit, buf_data(&rw->hits) + i * sizeof hit, sizeof hit);
    return engine_number(hit);
}

/* All of `out`, without a copy; it is ours no more. */
static JSValueRef take_all(struct buf *out)
{
    size_t len = buf_len(out);
    bool is_loose = out->cap > len + len / 4 || out->cap == len; /* one more byte would double it */
    char *bytes = buf_detach(out), *fits;

    if (!bytes)
        return engine.undefined;
    fits = is_loose ? mem_resize(bytes, len + 1) : NULL;
    return web_take_bytes(fits ? fits : bytes, len);
}

/* htmlTake(handle) -> Uint8Array of what was written up to a stream's place, or null */
CALL(take_call)
{
    struct html_rewriter *rw = rewriter_of(arguments[0])->rw;
    uint32_t stream;
    struct span bytes = html_rewriter_output(rw, &stream);
    JSValueRef value;

    UNUSED();
    if (bytes.len == 0)
        return JSValueMakeNull(js);
    if (bytes.len == buf_len(&rw->out))
        return undefined_fails(take_all(&rw->out), ret_thrown);
    value = web_new_bytes(bytes);
    if (!JSValueIsUndefined(js, value))
        html_rewriter_eat(rw, bytes.len);
    return undefined_fails(value, ret_thrown);
}

/* htmlMark(handle) -> the stream that belongs here, which is forgotten then; 0: none */
CALL(mark_call)
{
    struct html_rewriter *rw = rewriter_of(arguments[0])->rw;
    uint32_t stream;

    UNUSED();
    html_rewriter_output(rw, &stream);
    if (stream)
        html_rewriter_eat_mark(rw);
    return engine_number(stream);
}

/* ---- the token at hand ---- */

/* htmlName(handle) -> the tag's name in lower case, or the comment's text */
CALL(name_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    struct span name = html_rewriter_name(r->rw);

    UNUSED();
    return r->rw->token.kind == HTML_COMMENT ? value_of(r, name) : lower_value(r, name);
}

/* htmlText(handle) -> string */
CALL(text_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);

    UNUSED();
    return r->is_utf8 ? text_value(r->rw->text) : decoded(&r->decoder, r->rw->text, r->rw->is_last);
}

/* htmlIs(handle, 0: removed, 1: last piece of a text) -> boolean */
CALL(is_call)
{
    const struct html_rewriter *rw = rewriter_of(arguments[0])->rw;

    UNUSED();
    return JSValueMakeBoolean(js, engine_number_of(arguments[1]) == 0 ? html_rewriter_is_removed(rw)
                                                                      : rw->is_last);
}

/* htmlSpace(handle) -> enum html_space */
CALL(space_call)
{
    UNUSED();
    return engine_number(rewriter_of(arguments[0])->rw->token.space);
}

/* htmlDoctype(handle, part) -> string or null */
CALL(doctype_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    int part = (int)engine_number_of(arguments[1]);
    struct span text = r->rw->token.doctype[part];

    UNUSED();
    if (!text.data)
        return JSValueMakeNull(js);
    return part == 0 ? lower_value(r, text) : value_of(r, text);
}

/* htmlInsert(handle, place, string, isHtml) */
CALL(insert_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    int e = take_content(r, arguments[2], JSValueToBoolean(js, arguments[3]), ret_thrown);

    UNUSED();
    if (e == 0)
        e = html_rewriter_insert(r->rw, (enum html_place)engine_number_of(arguments[1]),
                                 buf_span(&encoded), 0);
    return e < 0 && !*ret_thrown ? out_of_memory(ret_thrown) : engine.undefined;
}

/* htmlInsertStream(handle, place, number) */
CALL(insert_stream_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);

    UNUSED();
    if (html_rewriter_insert(r->rw, (enum html_place)engine_number_of(arguments[1]),
                             (struct span){NULL, 0}, (uint32_t)engine_number_of(arguments[2])) < 0)
        return out_of_memory(ret_thrown);
    return engine.undefined;
}

/* htmlContent(handle, string, isHtml) -> Uint8Array: a stream's content as the document has it */
CALL(content_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    int e = take_content(r, arguments[1], JSValueToBoolean(js, arguments[2]), ret_thrown);

    UNUSED();
    if (e < 0)
        return *ret_thrown ? engine.undefined : out_of_memory(ret_thrown);
    return web_new_bytes(buf_span(&encoded));
}

/* htmlRemove(handle, keepsContent) */
CALL(remove_call)
{
    UNUSED();
    html_rewriter_remove(rewriter_of(arguments[0])->rw, JSValueToBoolean(js, arguments[1]));
    return engine.undefined;
}

/* htmlOnEnd(handle, number) -> has it an end tag? */
CALL(on_end_call)
{
    UNUSED();
    return JSValueMakeBoolean(js, html_rewriter_on_end(rewriter_of(arguments[0])->rw,
                                                       (uint32_t)engine_number_of(arguments[1])));
}

/* ---- names ---- */

static const char *first_of(struct span text, const char *set)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] && strchr(set, text.data[i]))
            return text.data + i;
    return NULL;
}

/* The string in `scratch` as the document's in `encoded`; or what is wrong with it. */
static bool take_name(struct rewriter *r, const char *what, JSValueRef *ret_thrown)
{
    int e;

    buf_eat(&encoded, buf_len(&encoded));
    e = encode(r, buf_span(&scratch), true, &encoded);
    if (e == ERR_INVALID)
        engine_throw(ret_thrown, "TypeError",
                     "Parser error: The %s contains a character that can't be represented in the "
                     "document's character encoding.",
                     what);
    else if (e < 0)
        out_of_memory(ret_thrown);
    return e == 0;
}

static bool check_tag_name(struct span name, JSValueRef *ret_thrown)
{
    const char *bad = first_of(name, " \n\r\t\f/>");

    if (name.len == 0)
        engine_throw(ret_thrown, "TypeError", "Parser error: Tag name can't be empty.");
    else if (!html_is_alpha(*name.data))
        engine_throw(ret_thrown, "TypeError",
                     "Parser error: The first character of the tag name should be an ASCII "
                     "alphabetical character.");
    else if (bad)
        engine_throw(ret_thrown, "TypeError",
                     "Parser error: `%c` character is forbidden in the tag name", *bad);
    else
        return true;
    return false;
}

static bool closes_comment(struct span text)
{
    return memmem(text.data, text.len, "-->", 3) || memmem(text.data, text.len, "--!>", 4) ||
           (text.len > 0 && text.data[0] == '>') ||
           (text.len > 1 && text.data[0] == '-' && text.data[1] == '>');
}

/* htmlRename(handle, string, 0: an element, 1: an end tag, 2: a comment) */
CALL(rename_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    int kind = (int)engine_number_of(arguments[2]);
    int e = take_string(arguments[1], ret_thrown);

    UNUSED();
    if (e < 0)
        return *ret_thrown ? engine.undefined : out_of_memory(ret_thrown);
    if (kind == 0 && !check_tag_name(buf_span(&scratch), ret_thrown))
        return engine.undefined;
    if (kind == 2 && closes_comment(buf_span(&scratch)))
        return engine_throw(
            ret_thrown, "TypeError",
            "Parser error: Comment text shouldn't contain a comment-closing sequence.");
    if (!take_name(r, kind == 2 ? "comment text" : "tag name", ret_thrown))
        return engine.undefined;
    return html_rewriter_rename(r->rw, buf_span(&encoded)) < 0 ? out_of_memory(ret_thrown)
                                                               : engine.undefined;
}

/* ---- attributes ---- */

/* htmlAttributes(handle) -> [name, value, name ...] */
CALL(attributes_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    size_t n = html_rewriter_attributes(r->rw);
    JSObjectRef array = JSObjectMakeArray(js, 0, NULL, ret_thrown);

    UNUSED();
    for (size_t i = 0; array && i < n; i++) {
        struct span name, value;
        html_rewriter_attribute(r->rw, i, &name, &value);
        JSObjectSetPropertyAtIndex(js, array, (unsigned)i * 2, lower_value(r, name), ret_thrown);
        JSObjectSetPropertyAtIndex(js, array, (unsigned)i * 2 + 1, value_of(r, value), ret_thrown);
    }
    return array ? array : engine.undefined;
}

/* htmlGet(handle, name) -> string or null */
CALL(get_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    struct span name, value;
    long at = -1;

    UNUSED();
    if (take_string(arguments[1], ret_thrown) < 0)
        return *ret_thrown ? engine.undefined : out_of_memory(ret_thrown);
    buf_eat(&encoded, buf_len(&encoded));
    if (encode(r, buf_span(&scratch), true, &encoded) == 0)
        at = html_rewriter_find(r->rw, buf_span(&encoded));
    if (at < 0)
        return JSValueMakeNull(js);
    html_rewriter_attribute(r->rw, (size_t)at, &name, &value);
    return value_of(r, value);
}

/* htmlSet(handle, name, value) */
CALL(set_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);
    struct buf value = {0};
    const char *bad;
    int e = take_string(arguments[2], ret_thrown);

    UNUSED();
    if (e == 0)
        e = encode(r, buf_span(&scratch), false, &value);
    if (e == 0)
        e = take_string(arguments[1], ret_thrown);
    bad = first_of(buf_span(&scratch), " \n\r\t\f/>=");
    if (e < 0) {
        if (!*ret_thrown)
            out_of_memory(ret_thrown);
    } else if (buf_len(&scratch) == 0) {
        engine_throw(ret_thrown, "TypeError", "Parser error: Attribute name can't be empty.");
    } else if (bad) {
        engine_throw(ret_thrown, "TypeError",
                     "Parser error: `%c` character is forbidden in the attribute name", *bad);
    } else if (take_name(r, "attribute name", ret_thrown)) {
        for (size_t i = 0; i < buf_len(&encoded); i++)
            if (html_is_alpha(encoded.mem[encoded.head + i]))
                encoded.mem[encoded.head + i] |= 32;
        if (html_rewriter_set(r->rw, buf_span(&encoded), buf_span(&value)) < 0)
            out_of_memory(ret_thrown);
    }
    buf_done(&value);
    return engine.undefined;
}

/* htmlUnset(handle, name) */
CALL(unset_call)
{
    struct rewriter *r = rewriter_of(arguments[0]);

    UNUSED();
    if (take_string(arguments[1], ret_thrown) < 0)
        return *ret_thrown ? engine.undefined : out_of_memory(ret_thrown);
    buf_eat(&encoded, buf_len(&encoded));
    if (encode(r, buf_span(&scratch), true, &encoded) == 0 &&
        html_rewriter_unset(r->rw, buf_span(&encoded)) < 0)
        return out_of_memory(ret_thrown);
    return engine.undefined;
}

ENGINE_LOCKED(insert_call)
ENGINE_LOCKED(attributes_call)
ENGINE_LOCKED(get_call)
ENGINE_LOCKED(set_call)

void web_define_html(void)
{
    rewriter_class = engine_class("Rewriter", finalize);
    engine_native("htmlCheck", check_call);
    engine_native("htmlNew", new_call);
    engine_native("htmlSelect", select_call);
    engine_native("htmlStart", start_call);
    engine_native("htmlFeed", feed_call);
    engine_native("htmlNext", next_call);
    engine_native("htmlHit", hit_call);
    engine_native("htmlTake", take_call);
    engine_native("htmlMark", mark_call);
    engine_native("htmlName", name_call);
    engine_native("htmlText", text_call);
    engine_native("htmlIs", is_call);
    engine_native("htmlSpace", space_call);
    engine_native("htmlDoctype", doctype_call);
    engine_native("htmlInsert", insert_call_locked);
    engine_native("htmlInsertStream", insert_stream_call);
    engine_native("htmlContent", content_call);
    engine_native("htmlRemove", remove_call);
    engine_native("htmlOnEnd", on_end_call);
    engine_native("htmlRename", rename_call);
    engine_native("htmlAttributes", attributes_call_locked);
    engine_native("htmlGet", get_call_locked);
    engine_native("htmlSet", set_call_locked);
    engine_native("htmlUnset", unset_call);
}

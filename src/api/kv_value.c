/* kv_value.c - keys and values of a KV namespace, one by one and as a list. */
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/kv.h"
#include "base/clock.h"
#include "base/mem.h"
#include "text/value.h"

enum wish { WISH_VALUE, WISH_METADATA, WISH_LIST };

struct access { /* to one namespace */
    struct api_call *call;
    char *folder;
    enum wish wish;
    struct kv_call *kv;
};

static void access_free(void *state)
{
    struct access *a = state;

    if (a->kv)
        kv_cancel(a->kv);
    mem_free(a->folder);
    mem_free(a);
}

/* In the desk. */
static void find(struct api_call *call, struct catalog *catalog)
{
    struct access *a = mem_alloc(sizeof *a);
    struct err err = {0};

    if (!a) {
        (void)err_nomem(&err);
        api_fail(call, KV_FAILED, &err);
        return;
    }
    a->call = call;
    call->state = a;
    call->free_state = access_free;
    (void)kv_look_up(call, catalog, &a->folder);
}

static struct kv_place place_of(const struct access *a)
{
    return (struct kv_place){a->call->api->loop, a->call->api->keeper, a->folder};
}

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

/* ---- put and delete ---- */

static void on_changed(void *self, int result, const struct err *err)
{
    struct access *a = self;

    a->kv = NULL;
    if (result < 0)
        kv_refuse(a->call, err);
    else
        api_result(a->call, NULL);
    api_reply(a->call);
}

static void change(struct access *a, struct kv_changes *changes)
{
    struct kv_place place = place_of(a);
    struct err err = {0};

    if (kv_change(&place, changes, on_changed, a, &a->kv, &err) < 0)
        kv_refuse(a->call, &err);
    else
        api_wait(a->call);
}

/* A whole number; -1: it is not there; ERR_INVALID. */
static int read_seconds(const struct api_call *call, const char *name, int64_t *ret,
                        struct err *err)
{
    char *text = api_query(call, name, 0), *end;
    bool is_bad;

    *ret = -1;
    if (!text)
        return 0;
    is_bad = !(*text >= '0' && *text <= '9') || strlen(text) > 15;
    *ret = strtoll(text, &end, 10);
    is_bad = is_bad || *end;
    mem_free(text);
    return is_bad ? err_set(err, ERR_INVALID, "%s is not a whole number of seconds", name) : 0;
}

int kv_expiry(int64_t expiration, int64_t ttl, int64_t *ret, struct err *err)
{
    int64_t now = now_s();

    *ret = 0;
    if (ttl >= 0 && ttl < KV_TTL_MIN_S)
        return err_set(err, ERR_INVALID,
                       "Invalid expiration_ttl of %lld. Expiration TTL must be at least %d.",
                       (long long)ttl, KV_TTL_MIN_S);
    if (ttl < 0 && expiration >= 0 && expiration < now + KV_TTL_MIN_S)
        return err_set(err, ERR_INVALID,
                       "Invalid expiration of %lld. Expiration times must be at least %d seconds "
                       "in the future.",
                       (long long)expiration, KV_TTL_MIN_S);
    *ret = ttl >= 0 ? now + ttl : expiration >= 0 ? expiration : 0;
    return 0;
}

static int read_expiry(const struct api_call *call, int64_t *ret, struct err *err)
{
    int64_t expiration, ttl;
    int r = read_seconds(call, "expiration", &expiration, err);

    r = r < 0 ? r : read_seconds(call, "expiration_ttl", &ttl, err);
    return r < 0 ? r : kv_expiry(expiration, ttl, ret, err);
}

static int check_metadata(struct span text, struct err *err)
{
    json_t *json = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);

    if (!json)
        return err_set(err, ERR_INVALID, "metadata is not JSON");
    json_decref(json);
    return 0;
}

static int read_form(struct api_call *call, struct kv_pair *pair, struct err *err)
{
    struct api_part *parts = NULL;
    size_t count = 0;
    bool has_value = false;
    int r = api_parts(call, &parts, &count, err);

    for (size_t i = 0; i < count && r == 0; i++) {
        if (strcmp(parts[i].name, "value") == 0) {
            pair->value = parts[i].bytes;
            has_value = true;
        } else if (strcmp(parts[i].name, "metadata") == 0 && parts[i].bytes.len > 0) {
            pair->metadata = parts[i].bytes;
        }
    }
    api_parts_done(parts, count);
    if (r == 0 && !has_value)
        r = err_set(err, ERR_INVALID, "the form has no part 'value'");
    if (r == 0 && pair->metadata.data)
        r = check_metadata(pair->metadata, err);
    return r;
}

static void put(struct api_call *call)
{
    struct kv_pair pair = {.key = span_of(api_param(call, "key")), .value = call->bytes};
    struct kv_changes changes = {.now_s = now_s()};
    struct err err = {0};
    int r = 0;

    if (api_is_answered(call))
        return;
    if (strncasecmp(call->content_type, "multipart/form-data", 19) == 0)
        r = read_form(call, &pair, &err);
    r = r < 0 ? r : read_expiry(call, &pair.expires_s, &err);
    r = r < 0 ? r : kv_changes_put(&changes, &pair, &err);
    if (r < 0)
        kv_refuse(call, &err);
    else
        change(call->state, &changes);
    kv_changes_done(&changes);
}

static void drop(struct api_call *call)
{
    struct kv_changes changes = {.now_s = now_s()};
    struct err err = {0};

    if (api_is_answered(call))
        return;
    if (kv_changes_delete(&changes, span_of(api_param(call, "key")), &err) < 0)
        kv_refuse(call, &err);
    else
        change(call->state, &changes);
    kv_changes_done(&changes);
}

/* ---- get ---- */

static void answer_value(struct access *a, const struct kv_entry *entry)
{
    char expiration[32];

    if (entry->expires_s > 0) {
        snprintf(expiration, sizeof expiration, "%lld", (long long)entry->expires_s);
        api_header(a->call, "expiration", expiration);
    }
    api_raw(a->call, 200, "application/octet-stream", entry->value);
}

static json_t *metadata_of(const struct kv_entry *entry)
{
    json_t *json = NULL;

    if (entry->metadata.data)
        json = json_loadb(entry->metadata.data, entry->metadata.len, JSON_DECODE_ANY, NULL);
    return json ? json : json_null();
}

/* A key as JSON writes it: what is no UTF-8 cannot be said. */
static json_t *pack_key(const struct kv_entry *entry)
{
    json_t *key = json_pack("{s:o}", "name", json_stringn(entry->key.data, entry->key.len));

    if (key && entry->expires_s > 0)
        json_object_set_new(key, "expiration", json_integer(entry->expires_s));
    if (key && entry->metadata.data)
        json_object_set_new(key, "metadata", metadata_of(entry));
    return key;
}

/* The last key, in base64 as it can stand in an address; to be freed. */
static char *make_cursor(struct span key)
{
    char *text = mem_alloc(key.len * 2 + 8);

    if (!text)
        return NULL;
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)key.data, (int)key.len);
    for (char *at = text; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '.' : *at;
    return text;
}

static int read_cursor(char *text, struct span *ret, struct err *err)
{
    size_t n = strlen(text), padding = 0;
    int len;

    for (char *at = text; *at; at++) {
        padding += *at == '.';
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at == '.' ? '=' : *at;
    }
    len = n > KV_KEY_MAX * 2 || n % 4 || padding > 2
              ? -1
              : EVP_DecodeBlock((unsigned char *)text, (unsigned char *)text, (int)n);
    if (len < 0 || (size_t)len < padding)
        return err_set(err, ERR_INVALID, "cursor is not one that a list has given");
    *ret = (struct span){text, (size_t)len - padding};
    return 0;
}

static void answer_list(struct access *a, const struct kv_found *found)
{
    json_t *array = json_array();
    char *cursor = NULL;

    for (size_t i = 0; i < found->count; i++)
        json_array_append_new(array, pack_key(&found->items[i]));
    if (found->is_more && found->count > 0)
        cursor = make_cursor(found->items[found->count - 1].key);
    api_result_list(
        a->call, array,
        json_pack("{s:I, s:s}", "count", (json_int_t)found->count, "cursor", cursor ? cursor : ""));
    mem_free(cursor);
}

static void on_found(void *self, int result, const struct kv_found *found, const struct err *err)
{
    struct access *a = self;

    a->kv = NULL;
    if (result < 0)
        kv_refuse(a->call, err);
    else if (a->wish == WISH_LIST)
        answer_list(a, found);
    else if (found->count == 0)
        api_error(a->call, 404, KV_NO_KEY, "get: 'key not found'");
    else if (a->wish == WISH_METADATA)
        api_result(a->call, metadata_of(&found->items[0]));
    else
        answer_value(a, &found->items[0]);
    api_reply(a->call);
}

static void ask_one(struct api_call *call, enum wish wish)
{
    struct span key = span_of(api_param(call, "key"));
    struct access *a = call->state;
    struct kv_place place;
    struct err err = {0};

    if (api_is_answered(call))
        return;
    a->wish = wish;
    place = place_of(a);
    if (kv_check_key(key, &err) < 0 ||
        kv_get(&place, &key, 1, now_s(), wish == WISH_VALUE, on_found, a, &a->kv, &err) < 0)
        kv_refuse(call, &err);
    else
        api_wait(call);
}

static void get(struct api_call *call)
{
    ask_one(call, WISH_VALUE);
}

static void get_metadata(struct api_call *call)
{
    ask_one(call, WISH_METADATA);
}

static int read_limit(const struct api_call *call, unsigned *ret, struct err *err)
{
    int64_t limit;
    int r = read_seconds(call, "limit", &limit, err);

    if (r < 0 || limit == 0 || limit > KV_LIST_MAX)
        return err_set(err, ERR_INVALID, "limit is a whole number from 1 to %d", KV_LIST_MAX);
    *ret = limit < 0 ? KV_LIST_MAX : (unsigned)limit;
    return 0;
}

static void list(struct api_call *call)
{
    char *prefix = api_query(call, "prefix", 0), *cursor = api_query(call, "cursor", 0);
    struct span after = {0};
    struct access *a = call->state;
    struct kv_place place;
    struct err err = {0};
    unsigned limit = 0;
    int r;

    if (api_is_answered(call))
        goto done;
    a->wish = WISH_LIST;
    place = place_of(a);
    r = read_limit(call, &limit, &err);
    if (r == 0 && cursor && *cursor)
        r = read_cursor(cursor, &after, &err);
    r = r < 0 ? r
              : kv_list(&place, span_of(prefix ? prefix : ""), after, limit, now_s(), on_found, a,
                        &a->kv, &err);
    if (r < 0)
        kv_refuse(call, &err);
    else
        api_wait(call);
done:
    mem_free(prefix);
    mem_free(cursor);
}

const struct api_endpoint KV_VALUE_ENDPOINTS[] = {
    {"GET", KV_NAMESPACE "/keys", SCOPE_READ, API_NO_BODY, .work = find, .after = list},
    {"GET", KV_NAMESPACE "/values/:key", SCOPE_READ, API_NO_BODY, .work = find, .after = get},
    {"GET", KV_NAMESPACE "/metadata/:key", SCOPE_READ, API_NO_BODY, .work = find,
     .after = get_metadata},
    {"PUT", KV_NAMESPACE "/values/:key", SCOPE_DEPLOY, API_BYTES, .work = find, .after = put},
    {"DELETE", KV_NAMESPACE "/values/:key", SCOPE_DEPLOY, API_NO_BODY, .work = find, .after = drop},
    {0}};

/* kv_bulk.c - many keys at once: put, delete, get.
 *
 *   PUT    bulk            [{"key", "value", "expiration"?, "expiration_ttl"?, "metadata"?,
 * "base64"?}, ...] DELETE bulk            ["key", ...] or [{"name": "key"}, ...]; also POST
 * bulk/delete POST   bulk/get        {"keys": [...], "type"?: "text" | "json", "withMetadata"?:
 * true}
 *
 * Puts and deletions are one transaction.  Their bodies may be large: they come as files and are
 * read in a thread, where they become the call of the store. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "api/call.h"
#include "api/kv.h"
#include "base/clock.h"
#include "base/mem.h"
#include "text/value.h"

enum { BULK_BYTES_MAX = 100 * 1000 * 1000 };

struct bulk {
    struct api_call *call;
    char *folder;
    uv_work_t work;
    int (*add)(struct kv_changes *changes, json_t *item, struct err *err);
    struct kv_changes changes;
    struct kv_call *kv;
    size_t count;
    json_t *keys; /* of a get, borrowed from the call's body */
    bool is_json, wants_metadata;
    int result;
    struct err err;
};

static void bulk_free(void *state)
{
    struct bulk *b = state;

    if (b->kv)
        kv_cancel(b->kv);
    kv_changes_done(&b->changes);
    mem_free(b->folder);
    mem_free(b);
}

/* In the desk. */
static void find(struct api_call *call, struct catalog *catalog)
{
    struct bulk *b = mem_alloc(sizeof *b);
    struct err err = {0};

    if (!b) {
        (void)err_nomem(&err);
        api_fail(call, KV_FAILED, &err);
        return;
    }
    b->call = call;
    call->state = b;
    call->free_state = bulk_free;
    (void)kv_look_up(call, catalog, &b->folder);
}

static struct kv_place place_of(const struct bulk *b)
{
    return (struct kv_place){b->call->api->loop, b->call->api->keeper, b->folder};
}

/* ---- one item: in the thread ---- */

static int decode(struct span text, struct buf *ret, struct err *err)
{
    size_t padding = 0;
    char *room;
    int n;

    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
        padding++;
    if (text.len % 4 || text.len > (size_t)KV_VALUE_MAX * 2)
        return err_set(err, ERR_INVALID, "a value is not base64");
    if (buf_reserve(ret, text.len + 4, &room) < 0)
        return err_nomem(err);
    n = EVP_DecodeBlock((unsigned char *)room, (const unsigned char *)text.data, (int)text.len);
    if (n < 0)
        return err_set(err, ERR_INVALID, "a value is not base64");
    buf_commit(ret, (size_t)n - padding);
    return 0;
}

static int read_number(json_t *item, const char *name, int64_t *ret, struct err *err)
{
    json_t *value = json_object_get(item, name);

    *ret = -1;
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return err_set(err, ERR_INVALID, "%s is not a whole number of seconds", name);
    *ret = json_integer_value(value);
    return 0;
}

static int read_pair(json_t *item, struct kv_pair *pair, struct buf *plain, char **ret_metadata,
                     struct err *err)
{
    json_t *key = json_object_get(item, "key"), *value = json_object_get(item, "value"),
           *metadata = json_object_get(item, "metadata");
    int64_t expiration, ttl;

    if (!json_is_string(key) || !json_is_string(value))
        return err_set(err, ERR_INVALID, "each pair has a key and a value, both strings");
    pair->key = (struct span){json_string_value(key), json_string_length(key)};
    pair->value = (struct span){json_string_value(value), json_string_length(value)};
    if (json_is_true(json_object_get(item, "base64"))) {
        if (decode(pair->value, plain, err) < 0)
            return err->code;
        pair->value = buf_span(plain);
    }
    if (metadata && !json_is_null(metadata)) {
        *ret_metadata = json_dumps(metadata, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!*ret_metadata)
            return err_nomem(err);
        pair->metadata = span_of(*ret_metadata);
    }
    if (read_number(item, "expiration", &expiration, err) < 0 ||
        read_number(item, "expiration_ttl", &ttl, err) < 0)
        return err->code;
    return kv_expiry(expiration, ttl, &pair->expires_s, err);
}

static int add_pair(struct kv_changes *changes, json_t *item, struct err *err)
{
    struct kv_pair pair = {0};
    struct buf plain = {0};
    char *metadata = NULL;
    int r = read_pair(item, &pair, &plain, &metadata, err);

    r = r < 0 ? r : kv_changes_put(changes, &pair, err);
    free(metadata);
    buf_done(&plain);
    return r;
}

static int add_deletion(struct kv_changes *changes, json_t *item, struct err *err)
{
    json_t *key = json_is_object(item) ? json_object_get(item, "name") : item;

    if (!json_is_string(key))
        return err_set(err, ERR_INVALID, "each key is a string, or an object with a name");
    return kv_changes_delete(changes,
                             (struct span){json_string_value(key), json_string_length(key)}, err);
}

/* ---- changes ---- */

static int add_all(struct bulk *b, json_t *json, struct err *err)
{
    json_t *item;
    size_t i;
    int r = 0;

    if (!json_is_array(json))
        return err_set(err, ERR_INVALID, "the body is no JSON array");
    b->count = json_array_size(json);
    if (b->count > KV_CHANGES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d keys in one call", KV_CHANGES_MAX);
    json_array_foreach(json, i, item)
    {
        r = b->add(&b->changes, item, err);
        if (r < 0)
            break;
    }
    return r < 0 ? err_wrap(err, "item %zu", i) : 0;
}

static int read_body(struct bulk *b, struct err *err)
{
    json_error_t why;
    json_t *json = NULL;
    struct stat st;
    void *map;
    int r;

    if (fstat(b->call->file, &st) < 0)
        return err_set(err, ERR_SYSTEM, "the body cannot be read");
    if (st.st_size > BULK_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the body is larger than %d MB", BULK_BYTES_MAX / 1000000);
    if (st.st_size == 0)
        return err_set(err, ERR_INVALID, "the body is empty");
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, b->call->file, 0);
    if (map == MAP_FAILED)
        return err_nomem(err);
    r = value_parse((struct span){map, (size_t)st.st_size}, &json, &why);
    if (r == ERR_NOMEM)
        (void)err_nomem(err);
    else if (r < 0)
        err_set(err, ERR_INVALID, "the body is not JSON: line %d: %.200s", why.line, why.text);
    r = r < 0 ? r : add_all(b, json, err);
    json_decref(json);
    munmap(map, (size_t)st.st_size);
    return r;
}

static void read_in_thread(uv_work_t *work)
{
    struct bulk *b = work->data;

    b->result = read_body(b, &b->err);
}

static void on_changed(void *self, int result, const struct err *err)
{
    struct bulk *b = self;

    b->kv = NULL;
    if (result < 0)
        kv_refuse(b->call, err);
    else
        api_result(b->call, json_pack("{s:I, s:[]}", "successful_key_count", (json_int_t)b->count,
                                      "unsuccessful_keys"));
    api_reply(b->call);
}

static void on_read(uv_work_t *work, int status)
{
    struct bulk *b = work->data;
    struct kv_place place = place_of(b);
    struct err err = b->err;
    int r = status < 0 ? err_set(&err, ERR_CANCELLED, "the node ends") : b->result;

    if (r == 0 && b->count == 0) {
        on_changed(b, 0, &err);
        return;
    }
    r = r < 0 ? r : kv_change(&place, &b->changes, on_changed, b, &b->kv, &err);
    if (r == 0)
        return; /* waits for: on_changed */
    kv_refuse(b->call, &err);
    api_reply(b->call);
}

static void change(struct api_call *call,
                   int (*add)(struct kv_changes *changes, json_t *item, struct err *err))
{
    struct bulk *b = call->state;

    if (api_is_answered(call))
        return;
    b->add = add;
    b->changes.now_s = clock_wall_ms() / 1000;
    b->work.data = b;
    if (uv_queue_work(call->api->loop, &b->work, read_in_thread, on_read) < 0)
        api_error(call, 503, KV_FAILED, "The node has too much to do: try again in a moment");
    else
        api_wait(call);
}

static void put(struct api_call *call)
{
    change(call, add_pair);
}

static void drop(struct api_call *call)
{
    change(call, add_deletion);
}

/* ---- get ---- */

static const struct kv_entry *entry_of(const struct kv_found *found, json_t *key)
{
    size_t n = json_string_length(key);

    for (size_t i = 0; i < found->count; i++)
        if (found->items[i].key.len == n &&
            memcmp(found->items[i].key.data, json_string_value(key), n) == 0)
            return &found->items[i];
    return NULL;
}

/* Bytes that are no UTF-8 become U+FFFD there; here they cannot be said. */
static json_t *value_of(const struct bulk *b, const struct kv_entry *entry)
{
    json_t *value, *metadata;

    value = b->is_json ? json_loadb(entry->value.data, entry->value.len, JSON_DECODE_ANY, NULL)
                       : json_stringn(entry->value.data, entry->value.len);
    if (!value)
        return NULL;
    if (!b->wants_metadata)
        return value;
    metadata = entry->metadata.data
                   ? json_loadb(entry->metadata.data, entry->metadata.len, JSON_DECODE_ANY, NULL)
                   : NULL;
    value = json_pack("{s:o, s:o}", "value", value, "metadata", metadata ? metadata : json_null());
    if (value && entry->expires_s > 0)
        json_object_set_new(value, "expiration", json_integer(entry->expires_s));
    return value;
}

static void on_found(void *self, int result, const struct kv_found *found, const struct err *err)
{
    struct bulk *b = self;
    json_t *values = json_object(), *key;
    bool is_good = result == 0;
    size_t i;

    b->kv = NULL;
    if (!is_good)
        kv_refuse(b->call, err);
    json_array_foreach(b->keys, i, key)
    {
        const struct kv_entry *entry = is_good ? entry_of(found, key) : NULL;
        json_t *value = entry ? value_of(b, entry) : json_null();
        if (is_good && !value) {
            api_error(b->call, 400, KV_MALFORMED, "The value of the key '%.200s' is no %s",
                      json_string_value(key), b->is_json ? "JSON" : "text: get it by itself");
            is_good = false;
        }
        if (is_good)
            json_object_set_new(values, json_string_value(key), value);
        else
            json_decref(value);
    }
    if (is_good)
        api_result(b->call, json_pack("{s:O}", "values", values));
    json_decref(values);
    api_reply(b->call);
}

static int read_keys(struct bulk *b, struct span *keys, struct err *err)
{
    json_t *json = b->call->json, *key;
    const char *type = "text";
    size_t i;

    b->keys = json_object_get(json, "keys");
    if (!json_is_array(b->keys) || json_unpack(json, "{s?s}", "type", &type) < 0)
        return err_set(err, ERR_INVALID, "keys is missing, or is no array");
    if (strcmp(type, "text") != 0 && strcmp(type, "json") != 0)
        return err_set(err, ERR_INVALID, "type is \"text\" or \"json\"");
    b->is_json = strcmp(type, "json") == 0;
    b->wants_metadata = json_is_true(json_object_get(json, "withMetadata"));
    if (json_array_size(b->keys) > KV_GET_MAX)
        return err_set(err, ERR_INVALID, "more than %d keys in one call", KV_GET_MAX);
    json_array_foreach(b->keys, i, key)
    {
        keys[i] = (struct span){json_string_value(key), json_string_length(key)};
        if (!json_is_string(key))
            return err_set(err, ERR_INVALID, "item %zu of keys is no string", i);
        if (memchr(keys[i].data, 0, keys[i].len))
            return err_set(err, ERR_INVALID, "item %zu of keys has a NUL in it", i);
        if (kv_check_key(keys[i], err) < 0)
            return err->code;
    }
    return 0;
}

static void get(struct api_call *call)
{
    struct span keys[KV_GET_MAX];
    struct bulk *b = call->state;
    struct kv_place place;
    struct err err = {0};
    int r;

    if (api_is_answered(call))
        return;
    place = place_of(b);
    r = read_keys(b, keys, &err);
    r = r < 0 ? r
              : kv_get(&place, keys, json_array_size(b->keys), clock_wall_ms() / 1000, true,
                       on_found, b, &b->kv, &err);
    if (r < 0)
        kv_refuse(call, &err);
    else
        api_wait(call);
}

const struct api_endpoint KV_BULK_ENDPOINTS[] = {
    {"PUT", KV_NAMESPACE "/bulk", SCOPE_DEPLOY, API_FILE, .work = find, .after = put},
    {"DELETE", KV_NAMESPACE "/bulk", SCOPE_DEPLOY, API_FILE, .work = find, .after = drop},
    {"POST", KV_NAMESPACE "/bulk/delete", SCOPE_DEPLOY, API_FILE, .work = find, .after = drop},
    {"POST", KV_NAMESPACE "/bulk/get", SCOPE_READ, API_JSON, .work = find, .after = get},
    {0}};

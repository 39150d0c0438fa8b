/* limits.c - who gave wrong tokens lately.  See limits.h.
 *
 * Two tables of fixed size, hashed, each slot with the time of its last use; a key lives in one of
 * WAYS slots beside each other, and the longest unused one of them gives way.  So nothing grows,
 * and what a stranger can push out by making keys is what stands in the same few slots.  Keys are
 * SipHash-like secrets: nobody outside can choose slots. */
#include "api/limits.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"

enum { WAYS = 8, BEGINNING = 12 /* bytes of a token: "crl_" and eight more */ };

struct slot {
    uint64_t key; /* 0: empty */
    int64_t used_ms;
    int64_t open_ms; /* tries that wait are let go from here on */
    unsigned failures, waiting;
};

struct limits {
    unsigned char secret[32];
    struct slot bad[LIMITS_MAX];
    struct slot good[LIMITS_GOOD_MAX];
};

struct limits *limits_new(void)
{
    struct limits *limits = mem_alloc(sizeof *limits);

    if (!limits)
        return NULL;
    if (getrandom(limits->secret, sizeof limits->secret, 0) != sizeof limits->secret) {
        mem_free(limits);
        return NULL;
    }
    return limits;
}

void limits_free(struct limits *limits)
{
    mem_free(limits);
}

static uint64_t hash(const struct limits *limits, char kind, struct span text)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    uint64_t key = 0;

    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
        EVP_DigestUpdate(ctx, limits->secret, sizeof limits->secret) == 1 &&
        EVP_DigestUpdate(ctx, &kind, 1) == 1 && EVP_DigestUpdate(ctx, text.data, text.len) == 1 &&
        EVP_DigestFinal_ex(ctx, digest, NULL) == 1)
        memcpy(&key, digest, sizeof key);
    EVP_MD_CTX_free(ctx);
    return key ? key : 1;
}

/* Of an IPv6 address its first four groups: who has one has all of them. */
static struct span net_of(struct span address)
{
    unsigned colons = 0;

    if (!memchr(address.data, ':', address.len) || memchr(address.data, '.', address.len))
        return address;
    for (size_t i = 0; i < address.len; i++) {
        bool is_gap = address.data[i] == ':' && i > 0 && address.data[i - 1] == ':';
        if (address.data[i] == ':' && (++colons == 4 || is_gap))
            return (struct span){address.data, i};
    }
    return address;
}

struct limits_keys limits_keys(const struct limits *limits, struct span address, struct span token)
{
    struct span beginning = {token.data, token.len < BEGINNING ? token.len : BEGINNING};

    return (struct limits_keys){
        .address = hash(limits, 'a', net_of(address)),
        .beginning = hash(limits, 'b', beginning),
        .token = hash(limits, 't', token),
    };
}

static struct slot *find(struct slot *table, size_t size, uint64_t key)
{
    size_t first = (size_t)(key % (size / WAYS)) * WAYS;

    for (size_t i = first; i < first + WAYS; i++)
        if (table[i].key == key)
            return &table[i];
    return NULL;
}

static struct slot *need(struct slot *table, size_t size, uint64_t key)
{
    size_t first = (size_t)(key % (size / WAYS)) * WAYS;
    struct slot *slot = find(table, size, key);

    if (!slot) {
        slot = &table[first];
        for (size_t i = first + 1; i < first + WAYS; i++)
            if (table[i].used_ms < slot->used_ms)
                slot = &table[i];
        *slot = (struct slot){.key = key};
    }
    slot->used_ms = clock_now_ms();
    return slot;
}

static void forget(struct slot *slot)
{
    int64_t now = clock_now_ms();

    while (slot->failures > 0 && now - slot->used_ms >= LIMITS_FORGET_MS) {
        slot->failures /= 2;
        slot->used_ms += LIMITS_FORGET_MS;
    }
}

static int64_t delay_of(const struct slot *slot)
{
    unsigned over;

    if (slot->failures < LIMITS_FREE)
        return 0;
    over = slot->failures - LIMITS_FREE;
    if (over > 7 || LIMITS_FIRST_MS << over > LIMITS_WAIT_MAX_MS)
        return LIMITS_WAIT_MAX_MS;
    return LIMITS_FIRST_MS << over;
}

int64_t limits_enter(struct limits *limits, const struct limits_keys *keys, int64_t *ret_retry_ms)
{
    struct slot *slots[2] = {find(limits->bad, LIMITS_MAX, keys->address),
                             find(limits->bad, LIMITS_MAX, keys->beginning)};
    int64_t now = clock_now_ms(), open = now;
    bool is_full = false;

    if (find(limits->good, LIMITS_GOOD_MAX, keys->token))
        return 0;
    for (int i = 0; i < 2; i++) {
        struct slot *slot = slots[i];
        if (!slot)
            continue;
        forget(slot);
        is_full |= slot->waiting >= LIMITS_WAITING_MAX;
        /* One behind the other: many tries at once are no faster than one at a time. */
        if (delay_of(slot) > 0) {
            int64_t from = slot->open_ms > now ? slot->open_ms : now;
            open = from + delay_of(slot) > open ? from + delay_of(slot) : open;
        }
    }
    if (open == now)
        return 0;
    if (is_full) {
        *ret_retry_ms = open - now;
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        if (slots[i]) {
            slots[i]->waiting++;
            slots[i]->open_ms = open;
        }
    }
    return open - now;
}

void limits_waited(struct limits *limits, const struct limits_keys *keys)
{
    struct slot *slots[2] = {find(limits->bad, LIMITS_MAX, keys->address),
                             find(limits->bad, LIMITS_MAX, keys->beginning)};

    for (int i = 0; i < 2; i++)
        if (slots[i] && slots[i]->waiting > 0)
            slots[i]->waiting--;
}

void limits_good(struct limits *limits, const struct limits_keys *keys)
{
    need(limits->good, LIMITS_GOOD_MAX, keys->token);
}

static void count(struct limits *limits, uint64_t key)
{
    struct slot *slot = need(limits->bad, LIMITS_MAX, key);

    if (slot->failures < 1000)
        slot->failures++;
}

void limits_bad(struct limits *limits, const struct limits_keys *keys)
{
    struct slot *good = find(limits->good, LIMITS_GOOD_MAX, keys->token);

    if (good) /* it was revoked */
        *good = (struct slot){0};
    count(limits, keys->address);
    count(limits, keys->beginning);
}

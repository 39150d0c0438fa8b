/* answers.c - a table of answers by hash, and what each account has of it.
 *
 * Invariants
 *   1. `bytes` is the sum of all shares', a share's that of its answers; neither is over its bound
 *      when a call returns.
 *   2. An answer in the table has one reference that is the table's; one without is in no list. */
#include "service/answers.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"

enum { BUCKETS = 16384, ONE_PART = 4 };

struct share {
    struct ring ring; /* answers->shares */
    struct ring used;
    int64_t bytes;
    size_t account_len;
    char account[];
};

struct answers {
    int64_t bytes_max, bytes;
    struct ring shares;
    struct answer *buckets[BUCKETS];
};

/* ---- one ---- */

struct answer *answer_new(void)
{
    struct answer *answer = mem_alloc(sizeof *answer);

    if (answer) {
        answer->refs = 1;
        ring_init(&answer->used);
    }
    return answer;
}

struct answer *answer_hold(struct answer *answer)
{
    answer->refs++;
    return answer;
}

void answer_drop(struct answer *answer)
{
    if (!answer || --answer->refs > 0)
        return;
    buf_done(&answer->headers);
    buf_done(&answer->body);
    mem_free(answer);
}

static int64_t size_of(const struct answer *answer)
{
    return (int64_t)(buf_len(&answer->headers) + buf_len(&answer->body)) + ANSWERS_OVERHEAD;
}

/* ---- all ---- */

int answers_open(int64_t bytes_max, struct answers **ret_answers, struct err *err)
{
    struct answers *answers = mem_alloc(sizeof *answers);

    if (!answers)
        return err_nomem(err);
    answers->bytes_max = bytes_max;
    ring_init(&answers->shares);
    *ret_answers = answers;
    return 0;
}

static struct answer **bucket_of(struct answers *answers, const unsigned char key[ANSWERS_KEY])
{
    uint32_t n;

    memcpy(&n, key, sizeof n);
    return &answers->buckets[n % BUCKETS];
}

static void take_out(struct answers *answers, struct answer *answer)
{
    struct answer **at = bucket_of(answers, answer->key);
    struct share *share = answer->share;

    while (*at != answer)
        at = &(*at)->next;
    *at = answer->next;
    answers->bytes -= size_of(answer);
    share->bytes -= size_of(answer);
    ring_drop(&answer->used);
    answer->share = NULL;
    answer_drop(answer);
    if (!ring_is_empty(&share->used))
        return;
    ring_drop(&share->ring);
    mem_free(share);
}

void answers_close(struct answers *answers)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (answers->buckets[i])
            take_out(answers, answers->buckets[i]);
    mem_free(answers);
}

bool answers_key(struct span account, struct span cache, struct span url,
                 unsigned char ret[ANSWERS_KEY])
{
    const struct span parts[] = {account, cache, url};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_made = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && is_made; i++) {
        uint64_t len = parts[i].len; /* first, so that no two lists of texts are the same bytes */
        is_made = EVP_DigestUpdate(ctx, &len, sizeof len) == 1 &&
                  EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
    }
    is_made = is_made && EVP_DigestFinal_ex(ctx, ret, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return is_made;
}

static struct share *share_of(struct answers *answers, struct span account)
{
    struct share *share;

    RING_EACH(at, &answers->shares) {
        share = RING_OF(at, struct share, ring);
        if (share->account_len == account.len &&
            memcmp(share->account, account.len ? account.data : "", account.len) == 0)
            return share;
    }
    share = mem_alloc(sizeof *share + account.len);
    if (!share)
        return NULL;
    share->account_len = account.len;
    memcpy(share->account, account.len ? account.data : "", account.len);
    ring_init(&share->ring);
    ring_init(&share->used);
    ring_push(&answers->shares, &share->ring);
    return share;
}

static struct answer *oldest_of_the_biggest(struct answers *answers)
{
    struct share *biggest = NULL;

    RING_EACH(at, &answers->shares) {
        struct share *share = RING_OF(at, struct share, ring);
        if (!biggest || share->bytes > biggest->bytes)
            biggest = share;
    }
    return RING_OF(biggest->used.next, struct answer, used);
}

static struct answer *find(struct answers *answers, const unsigned char key[ANSWERS_KEY])
{
    struct answer *answer = *bucket_of(answers, key);

    while (answer && memcmp(answer->key, key, ANSWERS_KEY) != 0)
        answer = answer->next;
    return answer;
}

int answers_put(struct answers *answers, struct span account, const unsigned char key[ANSWERS_KEY],
                struct answer *answer, struct err *err)
{
    struct answer **bucket = bucket_of(answers, key), *before = find(answers, key);
    int64_t size = size_of(answer);
    struct share *share;

    if (before)
        take_out(answers, before);
    if (size > answers_one_max(answers))
        return err_set(err, ERR_LIMIT, "it is longer than %lld bytes",
                       (long long)answers_one_max(answers));
    while (answers->bytes + size > answers->bytes_max)
        take_out(answers, oldest_of_the_biggest(answers));
    share = share_of(answers, account);
    if (!share)
        return err_nomem(err);
    memcpy(answer->key, key, ANSWERS_KEY);
    answer->share = share;
    answer->next = *bucket;
    *bucket = answer_hold(answer);
    ring_push(&share->used, &answer->used);
    share->bytes += size;
    answers->bytes += size;
    return 0;
}

struct answer *answers_find(struct answers *answers, const unsigned char key[ANSWERS_KEY],
                            int64_t now_ms)
{
    struct answer *answer = find(answers, key);

    if (!answer)
        return NULL;
    if (now_ms >= answer->until_ms) {
        take_out(answers, answer);
        return NULL;
    }
    ring_push(&answer->share->used, &answer->used);
    return answer;
}

bool answers_remove(struct answers *answers, const unsigned char key[ANSWERS_KEY], int64_t now_ms)
{
    struct answer *answer = answers_find(answers, key, now_ms);

    if (answer)
        take_out(answers, answer);
    return answer != NULL;
}

int64_t answers_bytes(const struct answers *answers)
{
    return answers->bytes;
}

int64_t answers_one_max(const struct answers *answers)
{
    return answers->bytes_max / ONE_PART;
}

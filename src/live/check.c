/* check.c - a version before it is one: does it load here?
 *
 *     live_check -> packages, databases -> template -> verdict -> live_adopt or live_dismiss
 *
 * A good one keeps its room, which becomes the version's when it is adopted: the first request
 * after the switch finds it warm. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "live/room.h"
#include "text/value.h"

enum {
    CHECKS_MAX = 32,
    CHECKS_ACCOUNT_MAX = 8,
    LEAVING_MAX = 64,          /* older versions of an account that still end requests */
    CHECK_MS = 10 * 60 * 1000, /* packages may have to be built */
};

struct live_check {
    struct ring ring; /* live->checks */
    struct live *live;
    struct live_account *account;
    struct room *room;
    int64_t deadline_ms; /* 0: the verdict has been given */
    void (*verdict)(void *self, struct live_check *check, const struct live_verdict *v);
    void *self;
};

static void check_free(struct live_check *check)
{
    ring_drop(&check->ring);
    check->live->check_count--;
    check->account->checks--;
    mem_free(check);
}

static void tell(struct live_check *check, const struct live_verdict *verdict)
{
    check->deadline_ms = 0;
    check->verdict(check->self, check, verdict);
}

void check_orphan(struct live_check *check)
{
    check->room = NULL;
}

void check_free_all(struct live *live)
{
    while (!ring_is_empty(&live->checks))
        check_free(RING_OF(live->checks.next, struct live_check, ring));
}

void check_ready(struct live_check *check)
{
    const struct live_verdict verdict = {.is_good = true,
                                         .handlers = check->room->handlers,
                                         .startup_ms = room_startup_ms(check->room),
                                         .message = SPAN("")};

    if (check->deadline_ms)
        tell(check, &verdict);
}

void check_failed(struct live_check *check, const struct failed *why)
{
    struct live_verdict verdict = {.code = check->room->code, .is_ours = check->room->is_ours};
    struct buf text = {0};

    if (!check->deadline_ms)
        return;
    verdict.message = failure_print(check->room, why, &text) < 0 ? SPAN("it does not load, and memory is short")
                                                    : buf_span(&text);
    while (verdict.message.len > 0 && verdict.message.data[verdict.message.len - 1] == '\n')
        verdict.message.len--;
    if (verdict.is_ours)
        log_error("an upload of '%s' is refused, for no fault of its own: %.*s", check->room->name,
                  SPAN_ARG(verdict.message));
    tell(check, &verdict);
    buf_done(&text);
}

void check_sweep(struct live *live, int64_t now_ms)
{
    static const struct failed WHY = {.text = {"its packages were not there in ten minutes", 42},
                                      .hint = {"deploy again: what was fetched is kept", 38}};
    struct ring *at = live->checks.next, *next;

    for (; at != &live->checks; at = next) {
        struct live_check *check = RING_OF(at, struct live_check, ring);
        next = at->next;
        if (check->deadline_ms && now_ms >= check->deadline_ms) {
            if (check->room->code == 0)
                check->room->code = 10021;
            check_failed(check, &WHY);
            break; /* the callback may have ended others */
        }
    }
}

static int copy_candidate(const struct live_candidate *c, struct recipe *recipe, struct err *err)
{
    value_init();
    strncpy(recipe->account_id, c->account_id, ID_SIZE - 1);
    strncpy(recipe->version_id, c->version_id ? c->version_id : "", UUID_SIZE - 1);
    recipe->created_ms = c->created_ms ? c->created_ms : clock_wall_ms();
    recipe->name = mem_strdup(c->worker_name);
    recipe->folder = mem_strdup(c->folder);
    recipe->main = mem_strdup(c->main);
    recipe->tag = mem_strdup(c->tag ? c->tag : "");
    recipe->metadata = c->metadata ? json_deep_copy(c->metadata) : json_object();
    recipe->bindings = c->bindings ? json_deep_copy(c->bindings) : json_array();
    recipe->secrets = c->secrets ? json_deep_copy(c->secrets) : json_object();
    if (recipe->name && recipe->folder && recipe->main && recipe->tag && recipe->metadata &&
        recipe->bindings && recipe->secrets)
        return 0;
    recipe_done(recipe);
    return err_nomem(err);
}

static int open_check(struct live_check *check, const struct live_candidate *candidate,
                      struct err *err)
{
    struct recipe recipe = {0};
    int r = copy_candidate(candidate, &recipe, err);

    if (r < 0)
        return r;
    r = room_new(check->account, NULL, candidate->worker_name, &check->room, err);
    if (r < 0) {
        recipe_done(&recipe);
        return r;
    }
    check->room->check = check;
    r = room_prepare(check->room, &recipe, err);
    if (r < 0)
        room_let_go(check->room);
    return r;
}

int live_check(struct live *live, const struct live_candidate *candidate,
               void (*verdict)(void *self, struct live_check *check, const struct live_verdict *v),
               void *self, struct live_check **ret_check, struct err *err)
{
    struct live_account *account = live_account_need(live, candidate->account_id);
    struct live_check *check;
    int r;

    if (!account)
        return err_nomem(err);
    if (live->is_closing)
        return err_set(err, ERR_GONE, "the node is being closed");
    if (live->check_count >= CHECKS_MAX || account->checks >= CHECKS_ACCOUNT_MAX) {
        err_set(err, ERR_LIMIT, "%u uploads are being checked already",
                account->checks >= CHECKS_ACCOUNT_MAX ? account->checks : live->check_count);
        return err_hint(err, "try again in a moment");
    }
    if (account->leaving >= LEAVING_MAX) {
        err_set(err, ERR_LIMIT, "%u older versions still end the requests that they have",
                account->leaving);
        return err_hint(err, "try again in half a minute");
    }
    check = mem_alloc(sizeof *check);
    if (!check)
        return err_nomem(err);
    ring_init(&check->ring);
    check->live = live;
    check->account = account;
    check->deadline_ms = clock_now_ms() + CHECK_MS;
    check->verdict = verdict;
    check->self = self;
    ring_push(&live->checks, &check->ring);
    live->check_count++;
    account->checks++;
    r = open_check(check, candidate, err);
    if (r < 0)
        check_free(check);
    else
        *ret_check = check;
    return r;
}

static void note_preview(struct live_worker *worker, const char *version_id)
{
    char(*more)[UUID_SIZE];

    if (!worker->has_previews)
        return;
    for (size_t i = 0; i < worker->preview_count; i++)
        if (strcmp(worker->previews[i], version_id) == 0)
            return;
    more = mem_resize(worker->previews, (worker->preview_count + 1) * sizeof *more);
    if (!more)
        return; /* it is read again with the next change */
    memcpy(more[worker->preview_count++], version_id, UUID_SIZE);
    worker->previews = more;
}

void live_adopt(struct live_check *check, const char *worker_id, const char *version_id)
{
    struct room *room = check->room;
    struct live_worker *worker = live_worker_need(check->account, worker_id);
    struct live_version *version = NULL;

    if (!room) {
        check_free(check);
        return;
    }
    if (worker && !worker->is_deleted && room->state == ROOM_UP && room->pool)
        version = live_version_need(worker, version_id);
    if (worker)
        note_preview(worker, version_id);
    if (!version || version->room) {
        room_let_go(room);
    } else {
        if (!worker->name[0])
            live_worker_name(worker, room->name);
        room_settle(room, version);
        live_version_adopt(version, room);
    }
    check_free(check);
}

void live_dismiss(struct live_check *check)
{
    if (check->room)
        room_let_go(check->room);
    check_free(check);
}

/* wheels.c - one download of a wheel: from the shelf, or from its server onto the shelf.
 *
 *   looking --found--> reading: chunks of the file under the outcall's credit
 *      |
 *      +--not there--> transfer.c has the outcall; this is its tap
 *
 * A tap sees the bytes on their way to the instance, hashes them, and gives them to a *copy*, which
 * writes behind: what it cannot keep up with it does not keep.
 *
 * Invariants
 *   1. wheel->outcall is NULL when another has it, or nobody.
 *   2. A wheel, and a copy, have at most one request of libuv's under way, and are freed when it is
 *      through.
 *   3. What is on the shelf under a name had its hash when it was put there. */
#include "service/wheels.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/token.h"
#include "service/shelf.h"
#include "service/transfer.h"

struct wheels {
    uv_loop_t *loop;
    char *folder; /* or NULL */
    int64_t all_max;
    unsigned busy; /* wheels and copies */
    int64_t
        unfinished; /* bytes that copies have taken: they are on the disk, and no sweep sees them */
    bool is_closing;
    void (*closed)(void *self);
    void *self;
};

/* What is written beside.  A thread of libuv's has `fd`, `path`, `written`, is_last, is_kept and
 * has_failed while is_working. */
struct copy {
    struct wheels *wheels;
    char name[SHELF_NAME];
    char *path; /* of the file on its way */
    int fd;
    int64_t length; /* so far */
    struct buf waiting, written;
    uv_work_t work;
    bool is_working, is_over;
    bool is_wanted;        /* it is over, whole and right */
    bool has_overrun;      /* the disk is slower than the server, or all are too large */
    bool is_last, is_kept; /* of what is worked on: nothing follows; it gets its name */
    bool has_failed;
};

struct wheel {
    struct wheels *wheels;
    struct egress *egress;
    const struct outlets *outlets; /* whose it is */
    struct outcall *outcall;
    struct outcall_head head; /* into `text` */
    struct buf text;
    unsigned char hash[SHELF_HASH];
    char name[SHELF_NAME]; /* on the shelf; "": is not kept */
    EVP_MD_CTX *digest;    /* of what the server sends */
    int64_t length;        /* so far */
    bool is_checked;       /* the answer is a 200 */
    struct copy *copy;
    union {
        uv_work_t work;
        uv_fs_t fs;
    } request;
    bool is_working;
    int fd; /* of the file that is read */
    int64_t size, at;
    char *room;
};

static void let_go(struct wheels *wheels)
{
    if (--wheels->busy > 0 || !wheels->is_closing)
        return;
    wheels->closed(wheels->self);
    mem_free(wheels->folder);
    mem_free(wheels);
}

/* ---- a copy ---- */

static void copy_free(struct copy *copy)
{
    struct wheels *wheels = copy->wheels;

    wheels->unfinished -= copy->length;
    buf_done(&copy->waiting);
    buf_done(&copy->written);
    mem_free(copy->path);
    mem_free(copy);
    let_go(wheels);
}

static void write_all(struct copy *copy)
{
    const char *at = buf_data(&copy->written);
    size_t left = buf_len(&copy->written);

    while (left > 0 && !copy->has_failed) {
        ssize_t n = write(copy->fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        copy->has_failed = n <= 0;
        at += n;
        left -= n > 0 ? (size_t)n : 0;
    }
}

/* On a thread of libuv's. */
static void work_on_copy(uv_work_t *work)
{
    struct copy *copy = work->data;
    struct wheels *wheels = copy->wheels;

    if (!copy->path && !copy->has_failed)
        copy->fd = shelf_begin(wheels->folder, copy->name, &copy->path);
    copy->has_failed |= copy->fd < 0;
    write_all(copy);
    if (!copy->is_last || copy->fd < 0)
        return;
    copy->has_failed |= close(copy->fd) < 0;
    copy->fd = -1;
    if (!copy->is_kept || copy->has_failed || !shelf_end(wheels->folder, copy->name, copy->path))
        unlink(copy->path);
    else
        shelf_sweep(wheels->folder, wheels->all_max);
}

static void copy_go_on(struct copy *copy);

static void on_copy_worked(uv_work_t *work, int status)
{
    struct copy *copy = work->data;

    (void)status;
    copy->is_working = false;
    buf_eat(&copy->written, buf_len(&copy->written));
    copy_go_on(copy);
}

static void copy_go_on(struct copy *copy)
{
    struct buf empty = copy->written;

    if (copy->is_working)
        return;
    if (copy->is_last) {
        copy_free(copy);
        return;
    }
    if (!copy->is_over && buf_len(&copy->waiting) == 0)
        return;
    copy->written = copy->waiting;
    copy->waiting = empty;
    copy->is_last = copy->is_over;
    copy->is_kept = copy->is_wanted && !copy->has_overrun;
    copy->work.data = copy;
    copy->is_working = true;
    if (uv_queue_work(copy->wheels->loop, &copy->work, work_on_copy, on_copy_worked) < 0)
        abort(); /* it has no reason to, with a function given */
}

static void copy_add(struct copy *copy, struct span bytes)
{
    struct wheels *wheels = copy->wheels;

    if (copy->has_overrun)
        return;
    if (buf_len(&copy->waiting) + bytes.len > WHEELS_UNWRITTEN_MAX ||
        wheels->unfinished + (int64_t)bytes.len > wheels->all_max ||
        buf_append(&copy->waiting, bytes.data, bytes.len) < 0) {
        copy->has_overrun = true;
        buf_eat(&copy->waiting, buf_len(&copy->waiting));
        return;
    }
    copy->length += (int64_t)bytes.len;
    wheels->unfinished += (int64_t)bytes.len;
    copy_go_on(copy);
}

static void copy_end(struct copy *copy, bool is_wanted)
{
    copy->is_over = true;
    copy->is_wanted = is_wanted;
    copy_go_on(copy);
}

static struct copy *copy_new(struct wheels *wheels, const char *name)
{
    struct copy *copy = mem_alloc(sizeof *copy);

    if (!copy)
        return NULL;
    copy->wheels = wheels;
    copy->fd = -1;
    snprintf(copy->name, sizeof copy->name, "%s", name);
    wheels->busy++;
    return copy;
}

/* ---- the end of one ---- */

static void wheel_free(struct wheel *wheel)
{
    struct wheels *wheels = wheel->wheels;

    if (wheel->copy)
        copy_end(wheel->copy, false);
    EVP_MD_CTX_free(wheel->digest);
    if (wheel->fd >= 0)
        close(wheel->fd);
    buf_done(&wheel->text);
    mem_free(wheel->room);
    mem_free(wheel);
    let_go(wheels);
}

static void wheel_fail(struct wheel *wheel, const char *text)
{
    if (wheel->outcall)
        outcall_fail(wheel->outcall, span_of(text));
    wheel->outcall = NULL;
    wheel_free(wheel);
}

/* ---- the tap of a transfer ---- */

static int tap_head(void *self, uint32_t status, int64_t length, struct err *err)
{
    struct wheel *wheel = self;

    if (status != 200)
        return 0;
    wheel->is_checked = true;
    if (length > WHEELS_ONE_MAX)
        return err_set(err, ERR_LIMIT, "This file is longer than %d MiB.", WHEELS_ONE_MAX >> 20);
    if (wheel->name[0])
        wheel->copy = copy_new(wheel->wheels, wheel->name);
    return 0;
}

static int tap_data(void *self, struct span bytes, struct err *err)
{
    struct wheel *wheel = self;

    if (!wheel->is_checked)
        return 0;
    wheel->length += (int64_t)bytes.len;
    if (wheel->length > WHEELS_ONE_MAX)
        return err_set(err, ERR_LIMIT, "This file is longer than %d MiB.", WHEELS_ONE_MAX >> 20);
    if (EVP_DigestUpdate(wheel->digest, bytes.data, bytes.len) != 1)
        return err_nomem(err);
    if (wheel->copy)
        copy_add(wheel->copy, bytes);
    return 0;
}

static int tap_end(void *self, struct err *err)
{
    struct wheel *wheel = self;
    unsigned char found[EVP_MAX_MD_SIZE];
    char text[2][SHELF_NAME];

    if (!wheel->is_checked)
        return 0;
    if (EVP_DigestFinal_ex(wheel->digest, found, NULL) != 1)
        return err_nomem(err);
    if (memcmp(found, wheel->hash, SHELF_HASH) == 0) {
        if (wheel->copy)
            copy_end(wheel->copy, true);
        wheel->copy = NULL;
        return 0;
    }
    for (size_t i = 0; i < SHELF_HASH; i++) {
        snprintf(text[0] + 2 * i, 3, "%02x", wheel->hash[i]);
        snprintf(text[1] + 2 * i, 3, "%02x", found[i]);
    }
    return err_set(err, ERR_INVALID, "Invalid checksum: expected sha256 %s, got %s", text[0],
                   text[1]);
}

static void tap_gone(void *self)
{
    wheel_free(self);
}

static void wheel_transfer(struct wheel *wheel)
{
    static const struct transfer_tap TAP = {tap_head, tap_data, tap_end, tap_gone};
    struct outcall *outcall = wheel->outcall;

    wheel->outcall = NULL;
    egress_tap(wheel->egress, wheel->outlets, outcall, &wheel->head, true, &TAP, wheel);
}

/* ---- from the shelf ---- */

static void wheel_read(struct wheel *wheel);

static void on_read(uv_fs_t *fs)
{
    struct wheel *wheel = fs->data;
    ssize_t n = fs->result;

    uv_fs_req_cleanup(fs);
    wheel->is_working = false;
    if (!wheel->outcall) {
        wheel_free(wheel);
        return;
    }
    if (n <= 0) {
        wheel_fail(wheel, "The copy that the node keeps of this file cannot be read. Ask again.");
        return;
    }
    wheel->at += n;
    outcall_body(wheel->outcall, (struct span){wheel->room, (size_t)n}, wheel->at >= wheel->size);
    if (wheel->at >= wheel->size) {
        wheel->outcall = NULL;
        wheel_free(wheel);
        return;
    }
    wheel_read(wheel);
}

static void wheel_read(struct wheel *wheel)
{
    size_t window = outcall_window(wheel->outcall);
    int64_t left = wheel->size - wheel->at;
    uv_buf_t room;

    if (wheel->is_working || window < (left < FRAME_BODY_MAX ? (size_t)left : FRAME_BODY_MAX))
        return; /* waits for: the worker to read */
    room = uv_buf_init(wheel->room, (unsigned)(left < FRAME_BODY_MAX ? left : FRAME_BODY_MAX));
    wheel->request.fs.data = wheel;
    wheel->is_working = true;
    if (uv_fs_read(wheel->wheels->loop, &wheel->request.fs, wheel->fd, &room, 1, wheel->at,
                   on_read) < 0) {
        wheel->is_working = false;
        wheel_fail(wheel, "The copy that the node keeps of this file cannot be read.");
    }
}

static void wheel_serve(struct wheel *wheel)
{
    struct reply reply = {.status = 200, .body_length = wheel->size};
    struct buf headers = {0};
    struct err err = {0};
    char length[24];
    int r;

    snprintf(length, sizeof length, "%lld", (long long)wheel->size);
    r = pairs_add(&headers, SPAN("content-length"), span_of(length));
    reply.headers = (struct pairs){buf_span(&headers), 1};
    wheel->room = mem_alloc(FRAME_BODY_MAX);
    r = r < 0 || !wheel->room ? err_nomem(&err)
                              : outcall_reply(wheel->outcall, &reply, wheel->size == 0, &err);
    buf_done(&headers);
    if (r < 0) {
        wheel_fail(wheel, err.text);
    } else if (wheel->size == 0) {
        wheel->outcall = NULL;
        wheel_free(wheel);
    } else {
        wheel_read(wheel);
    }
}

static void look(uv_work_t *work)
{
    struct wheel *wheel = work->data;

    wheel->fd =
        shelf_take(wheel->wheels->folder, wheel->name, wheel->hash, WHEELS_ONE_MAX, &wheel->size);
}

static void on_looked(uv_work_t *work, int status)
{
    struct wheel *wheel = work->data;

    (void)status;
    wheel->is_working = false;
    if (!wheel->outcall || wheel->wheels->is_closing)
        wheel_fail(wheel, "The node is closing.");
    else if (wheel->fd < 0)
        wheel_transfer(wheel);
    else if (!outcall_is_ready(wheel->outcall))
        return; /* waits for: on_writable */
    else
        wheel_serve(wheel);
}

/* ---- from the outcall ---- */

static void on_body(void *self, struct span bytes, bool is_end)
{
    (void)self, (void)bytes, (void)is_end; /* it has none */
}

static void on_writable(void *self)
{
    struct wheel *wheel = self;

    if (wheel->is_working || wheel->fd < 0)
        return;
    if (wheel->room)
        wheel_read(wheel);
    else if (outcall_is_ready(wheel->outcall))
        wheel_serve(wheel);
}

static void on_gone(void *self)
{
    struct wheel *wheel = self;

    wheel->outcall = NULL;
    if (!wheel->is_working)
        wheel_free(wheel);
}

/* ---- the beginning ---- */

/* The head is the frame's, and the disk takes longer. */
static int keep_head(struct wheel *wheel, const struct outcall_head *head)
{
    const struct span parts[] = {head->arguments.bytes, head->headers.bytes};
    struct pairs *into[] = {&wheel->head.arguments, &wheel->head.headers};
    size_t at = 0;

    wheel->head = (struct outcall_head){.request = head->request,
                                        .binding = SPAN(""),
                                        .method = SPAN("fetch"),
                                        .arguments = {.count = head->arguments.count},
                                        .headers = {.count = head->headers.count}};
    for (int i = 0; i < 2; i++)
        if (buf_append(&wheel->text, parts[i].data, parts[i].len) < 0)
            return ERR_NOMEM;
    for (int i = 0; i < 2; i++) {
        into[i]->bytes = (struct span){buf_data(&wheel->text) + at, parts[i].len};
        at += parts[i].len;
    }
    return 0;
}

static bool is_private(const struct outcall_head *head)
{
    struct span name, value;
    size_t at = 0;

    while (pairs_next(&head->arguments, &at, &name, &value))
        if (span_is(name, "private"))
            return true;
    at = 0;

    while (pairs_next(&head->headers, &at, &name, &value))
        if (span_is_nocase(name, "authorization") || span_is_nocase(name, "cookie"))
            return true;
    return false;
}

static int read_arguments(struct wheel *wheel, struct err *err)
{
    struct span name, value, digits = SPAN(""), url = SPAN(""), origin = SPAN("");
    size_t at = 0;

    while (pairs_next(&wheel->head.arguments, &at, &name, &value)) {
        if (span_is(name, "sha256"))
            digits = value;
        else if (span_is(name, "origin"))
            origin = value;
        else if (span_is(name, "url"))
            url = value;
        else if (span_is(name, "method") && !span_is(value, "GET"))
            return err_set(err, ERR_INVALID, "A wheel is asked for by GET.");
    }
    if (!shelf_read_hash(digits, wheel->hash))
        return err_set(err, ERR_INVALID, "A SHA-256 hash has 64 hexadecimal digits.");
    origin = origin.len > 0 ? origin : url;
    if (origin.len > EGRESS_URL_MAX)
        return err_set(err, ERR_LIMIT, "The URL is longer than %d bytes.", EGRESS_URL_MAX);
    wheel->digest = EVP_MD_CTX_new();
    if (!wheel->digest || EVP_DigestInit_ex(wheel->digest, EVP_sha256(), NULL) != 1)
        return err_nomem(err);
    if (wheel->wheels->folder && !is_private(&wheel->head) &&
        !shelf_name(wheel->hash, origin, wheel->name))
        return err_nomem(err);
    return 0;
}

void wheels_call(struct wheels *wheels, struct egress *egress, const struct outlets *outlets,
                 struct outcall *outcall, const struct outcall_head *head, bool is_end)
{
    static const struct outcall_events EVENTS = {on_body, on_writable, on_gone};
    struct wheel *wheel = mem_alloc(sizeof *wheel);
    struct err err = {0};

    if (!wheel) {
        outcall_fail(outcall, SPAN("The node is out of memory."));
        return;
    }
    wheel->wheels = wheels;
    wheel->egress = egress;
    wheel->outlets = outlets;
    wheel->outcall = outcall;
    wheel->fd = -1;
    wheels->busy++;
    if (!is_end)
        err_set(&err, ERR_INVALID, "A wheel is asked for without a body.");
    else if (keep_head(wheel, head) < 0)
        (void)!err_nomem(&err);
    else
        (void)!read_arguments(wheel, &err);
    if (err.code) {
        wheel_fail(wheel, err.text);
        return;
    }
    if (!wheel->name[0]) {
        wheel_transfer(wheel);
        return;
    }
    outcall_accept(outcall, &EVENTS, wheel);
    wheel->request.work.data = wheel;
    wheel->is_working = true;
    if (uv_queue_work(wheels->loop, &wheel->request.work, look, on_looked) < 0)
        abort(); /* it has no reason to, with a function given */
}

/* ---- open, close ---- */

int wheels_open(uv_loop_t *loop, const char *folder, int64_t all_max, struct wheels **ret_wheels,
                struct err *err)
{
    struct wheels *wheels = mem_alloc(sizeof *wheels);

    if (!wheels)
        return err_nomem(err);
    wheels->loop = loop;
    wheels->all_max = all_max > 0 ? all_max : WHEELS_ALL_MAX;
    wheels->folder = folder ? mem_strdup(folder) : NULL;
    if (folder && !wheels->folder) {
        mem_free(wheels);
        return err_nomem(err);
    }
    wheels->busy = 1;
    *ret_wheels = wheels;
    return 0;
}

void wheels_close(struct wheels *wheels, void (*closed)(void *self), void *self)
{
    wheels->closed = closed;
    wheels->self = self;
    wheels->is_closing = true;
    let_go(wheels);
}

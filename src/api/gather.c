/* gather.c - the body of a call: in memory while it is small, then in a file without a name.
 *
 * Small bodies stay in memory.  When more comes, or the endpoint wants a file, blocks are written
 * by a thread of libuv's, one at a time, while the next one fills; the front's window is what fits.
 * At the end the file is mapped (or handed over): how large a body is costs no memory of ours.
 *
 * Who calls it: call.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/call.h"
#include "base/log.h"
#include "base/mem.h"

static bool wants_file(const struct api_call_inside *c)
{
    return c->call.endpoint->body == API_FILE;
}

size_t gather_room(const struct api_call_inside *c)
{
    const struct gathered *in = &c->in;

    if (in->has_failed || in->is_ended)
        return 0;
    return buf_len(&in->memory) < API_SMALL_MAX ? API_SMALL_MAX - buf_len(&in->memory) : 0;
}

/* A file that is gone with its last descriptor, also when we are killed. */
int api_unnamed(const struct api *api, int *ret_fd, struct err *err)
{
    struct buf path = {0};
    char *name = NULL;
    int fd = -1, e;

    if (buf_print(&path, "%s/tmp", api->data_folder) < 0 || !(name = buf_detach(&path)))
        return err_nomem(err);
    fd = open(name, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT && (mkdir(name, 0700) == 0 || errno == EEXIST))
        fd = open(name, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        struct buf other = {0};
        char *made = buf_print(&other, "%s/XXXXXX", name) == 0 ? buf_detach(&other) : NULL;
        fd = made ? mkostemp(made, O_CLOEXEC) : -1;
        if (fd >= 0)
            unlink(made);
        mem_free(made);
        buf_done(&other);
    }
    e = errno;
    mem_free(name);
    if (fd < 0)
        return err_errno(err, e, "make a file in DATA/tmp");
    *ret_fd = fd;
    return 0;
}

static int start_file(struct api_call_inside *c, struct err *err)
{
    struct api *api = c->call.api;
    int r;

    if (c->in.fd >= 0)
        return 0;
    if (api->spill_count == API_SPILLS_MAX)
        return err_set(err, ERR_LIMIT, "%d uploads are under way already", API_SPILLS_MAX);
    if (c->payer[0] && api_calls_of(c, true) >= API_ACCOUNT_SPILLS_MAX)
        return err_set(err, ERR_LIMIT, "%d uploads of your account are under way already",
                       API_ACCOUNT_SPILLS_MAX);
    r = api_unnamed(api, &c->in.fd, err);
    if (r < 0)
        return r;
    api->spill_count++;
    c->in.is_counted = true;
    return 0;
}

static void write_block(struct api_call_inside *c);

/* Half of the room at a time: fewer writes. */
static bool is_block_due(const struct gathered *in)
{
    return in->is_ended || buf_len(&in->writing) > 0 || buf_len(&in->memory) >= API_SMALL_MAX / 2;
}

static void on_written(uv_fs_t *fs)
{
    struct api_call_inside *c = fs->data;
    struct gathered *in = &c->in;
    ssize_t n = fs->result;

    uv_fs_req_cleanup(fs);
    in->is_writing = false;
    if (n <= 0) {
        log_warn("write what was uploaded: %s", n == 0 ? "nothing was taken" : uv_strerror((int)n));
        in->has_failed = true;
    } else {
        in->written += (uint64_t)n;
        buf_eat(&in->writing, (size_t)n);
        if (is_block_due(in))
            write_block(c);
    }
    api_wake(c);
}

static void write_block(struct api_call_inside *c)
{
    struct gathered *in = &c->in;
    uv_buf_t block;
    int r;

    if (in->is_writing || in->has_failed)
        return;
    if (buf_len(&in->writing) == 0) {
        struct buf swap = in->writing;
        in->writing = in->memory;
        in->memory = swap;
    }
    if (buf_len(&in->writing) == 0)
        return;
    block = uv_buf_init((char *)(uintptr_t)buf_data(&in->writing), (unsigned)buf_len(&in->writing));
    in->fs.data = c;
    r = uv_fs_write(c->call.api->loop, &in->fs, in->fd, &block, 1, (int64_t)in->written,
                    on_written);
    if (r < 0)
        in->has_failed = true;
    else
        in->is_writing = true;
}

int gather_take(struct api_call_inside *c, struct span bytes, bool is_end, struct err *err)
{
    struct gathered *in = &c->in;
    int r = 0;

    in->bytes += bytes.len;
    if (in->bytes > in->max)
        return err_set(err, ERR_LIMIT, "The request body is larger than %llu bytes",
                       (unsigned long long)in->max);
    if (bytes.len > 0 && buf_append(&in->memory, bytes.data, bytes.len) < 0)
        return err_nomem(err);
    in->is_ended |= is_end;
    /* There must be room for more, and nobody unknown makes us keep a file. */
    if (c->state >= API_CALL_GATHERING && (wants_file(c) || in->bytes >= API_SMALL_MAX))
        r = start_file(c, err);
    if (r < 0)
        return r;
    if (in->fd >= 0 && is_block_due(in))
        write_block(c);
    return 0;
}

bool gather_is_done(const struct api_call_inside *c)
{
    const struct gathered *in = &c->in;

    if (in->has_failed)
        return !in->is_writing;
    return in->is_ended && (in->fd < 0 || (!in->is_writing && buf_len(&in->memory) == 0 &&
                                           buf_len(&in->writing) == 0));
}

/* How deep a document goes: jansson follows it with its stack, and so does who frees it. */
static unsigned depth_of(struct span text)
{
    unsigned depth = 0, deepest = 0;
    bool is_quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char ch = text.data[i];
        if (is_quoted) {
            i += ch == '\\';
            is_quoted = ch != '"';
        } else if (ch == '"') {
            is_quoted = true;
        } else if (ch == '{' || ch == '[') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if ((ch == '}' || ch == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

/* "invalid token near 'xyz'": what it repeats of a body may be a secret. */
static int words_of(const json_error_t *e)
{
    const char *near = strstr(e->text, " near ");

    return near ? (int)(near - e->text) : (int)strlen(e->text);
}

int api_json(struct span text, json_t **ret, struct err *err)
{
    json_error_t e;
    json_t *value;

    if (text.len > API_JSON_MAX)
        return err_set(err, ERR_INVALID, "it is longer than %d bytes", API_JSON_MAX);
    if (depth_of(text) > API_JSON_DEPTH_MAX)
        return err_set(err, ERR_INVALID, "it goes deeper than %d levels", API_JSON_DEPTH_MAX);
    value = json_loadb(text.data, text.len, JSON_DECODE_ANY, &e);
    if (!value)
        return err_set(err, ERR_INVALID, "%.*s (line %d, column %d)", words_of(&e), e.text, e.line,
                       e.column);
    *ret = value;
    return 0;
}

static void parse(struct api_call *call)
{
    struct span text = call->bytes;
    struct err err = {0};

    while (text.len > 0 && strchr(" \t\r\n", text.data[0])) {
        text.data++;
        text.len--;
    }
    if (text.len > 0 && api_json(text, &call->json, &err) < 0)
        api_error(call, 400, 10026, "Could not parse the request body as JSON: %s", err.text);
}

void gather_finish(struct api_call_inside *c)
{
    struct api_call *call = &c->call;
    struct gathered *in = &c->in;

    if (in->has_failed) {
        api_error(call, 500, 10013, "The upload could not be written to this node's disk");
        return;
    }
    if (wants_file(c) && in->fd >= 0) {
        call->file = in->fd;
        in->fd = -1;
        if (lseek(call->file, 0, SEEK_SET) < 0)
            api_error(call, 500, 10013, "The upload could not be read again");
        return;
    }
    call->bytes = buf_span(&in->memory);
    if (in->fd >= 0 && in->written > 0) {
        in->map = mmap(NULL, in->written, PROT_READ, MAP_PRIVATE, in->fd, 0);
        if (in->map == MAP_FAILED) {
            in->map = NULL;
            api_error(call, 500, 10013, "The upload could not be read again");
            return;
        }
        in->map_len = in->written;
        call->bytes = (struct span){in->map, in->written};
    }
    if (call->endpoint->body == API_JSON)
        parse(call);
}

/* Bodies may tell secrets. */
static void wipe(struct buf *buf)
{
    if (buf->mem)
        explicit_bzero(buf->mem, buf->cap);
    buf_done(buf);
}

void gather_done(struct api_call_inside *c)
{
    struct gathered *in = &c->in;

    if (in->map)
        munmap(in->map, in->map_len);
    if (in->fd >= 0)
        close(in->fd);
    if (c->call.file >= 0)
        close(c->call.file);
    if (in->is_counted)
        c->call.api->spill_count--;
    wipe(&in->memory);
    wipe(&in->writing);
    in->map = NULL;
    in->fd = c->call.file = -1;
    in->is_counted = false;
}

/* template.c - frames of one template, and the pipe that it prints to.
 *
 * Output that does not come as LOG frames (C code that writes to descriptor 1,
 * the engine's last words) comes by a pipe that the instances share.  It is
 * read line by line under the template's ration of log text. */
#include "herd/template.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"

static void close_if_done(struct template *template)
{
    if (!template->is_kin_gone || !template->is_output_gone)
        return;
    template->events->gone(template->self);
    lines_done(&template->lines);
    mem_free(template);
}

static void on_gone(void *self)
{
    struct template *template = self;

    template->is_kin_gone = true;
    close_if_done(template);
}

static void on_output_closed(uv_handle_t *handle)
{
    struct template *template = handle->data;

    template->is_output_gone = true;
    close_if_done(template);
}

static void take_line(void *self, struct span line)
{
    struct template *template = self;

    kin_log(&template->kin, LOG_INFO, line);
}

static void close_output(struct template *template)
{
    if (uv_is_closing((uv_handle_t *)&template->output))
        return;
    lines_flush(&template->lines, take_line, template);
    uv_close((uv_handle_t *)&template->output, on_output_closed);
}

static void on_output_room(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    struct template *template = handle->data;

    (void)size;
    *ret = uv_buf_init(template->output_bytes, sizeof template->output_bytes);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct template *template = stream->data;

    if (n > 0)
        lines_add(&template->lines, (struct span){bytes->base, (size_t)n}, take_line, template);
    else if (n < 0)
        close_output(template);
}

static void on_up(void *self, const struct hello *hello)
{
    struct template *template = self;

    (void)hello;
    template->events->up(template->self);
}

static void on_log(void *self, enum log_level level, struct span text)
{
    struct template *template = self;

    template->events->log(template->self, level, text);
}

/* What is still in the pipe is read: last words are the useful ones.  As much as a
 * second's ration: instances that are not dead yet may go on writing. */
static void drain_output(struct template *template)
{
    char bytes[4096];
    ssize_t n;
    int fd;

    if (uv_is_closing((uv_handle_t *)&template->output) ||
        uv_fileno((uv_handle_t *)&template->output, &fd) < 0)
        return;
    for (size_t left = RATION_BYTES; left >= sizeof bytes; left -= (size_t)n) {
        do
            n = read(fd, bytes, sizeof bytes);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            break;
        lines_add(&template->lines, (struct span){bytes, (size_t)n}, take_line, template);
    }
    close_output(template);
}

static void on_ended(void *self, enum kin_end how, const char *why)
{
    struct template *template = self;

    drain_output(template);
    template->events->ended(template->self, how, why);
}

static int on_frame(void *self, const struct frame *frame, struct err *err)
{
    struct template *template = self;
    const struct template_events *events = template->events;
    union {
        struct loaded loaded;
        struct failed failed;
        struct spawned spawned;
        struct spawn_failed spawn_failed;
        struct exited exited;
    } m;
    int r;

    if (frame->stream != 0)
        return err_set(err, ERR_INVALID, "%s frame with a stream", frame_name(frame->type));
    switch (frame->type) {
    case FRAME_EVALUATED:
        return events->evaluated(template->self, err);
    case FRAME_LOADED:
        r = loaded_get(frame, &m.loaded, err);
        return r < 0 ? r : events->loaded(template->self, &m.loaded, err);
    case FRAME_FAILED:
        r = failed_get(frame, &m.failed, err);
        return r < 0 ? r : events->refused(template->self, &m.failed, err);
    case FRAME_SPAWNED:
        r = spawned_get(frame, &m.spawned, err);
        return r < 0 ? r : events->spawned(template->self, &m.spawned, err);
    case FRAME_SPAWN_FAILED:
        r = spawn_failed_get(frame, &m.spawn_failed, err);
        return r < 0 ? r : events->spawn_failed(template->self, &m.spawn_failed, err);
    case FRAME_EXITED:
        r = exited_get(frame, &m.exited, err);
        if (r == 0)
            events->exited(template->self, &m.exited);
        return r;
    default:
        return err_set(err, ERR_INVALID, "%s frame from a template", frame_name(frame->type));
    }
}

int template_open(struct turn *turn, int take_fd, int take_output_fd, pid_t zygote, uint32_t id,
                  const struct template_events *events, void *self, struct template **ret,
                  struct err *err)
{
    static const struct kin_events KIN = {on_up, on_frame, on_log, NULL, on_ended, on_gone};
    struct template *template = mem_alloc(sizeof *template);
    int r;

    if (!template) {
        close(take_fd);
        close(take_output_fd);
        return err_nomem(err);
    }
    template->events = events;
    template->self = self;
    template->id = id;
    r = kin_open(&template->kin, turn, take_fd, ROLE_TEMPLATE, zygote, &KIN, template, err);
    if (r < 0) {
        close(take_output_fd);
        mem_free(template);
        return r;
    }
    /* From here on the handles want to be closed: errors are told by `ended`. */
    (void)uv_pipe_init(turn->prepare.loop, &template->output, 0);
    template->output.data = template;
    if (uv_pipe_open(&template->output, take_output_fd) < 0) {
        close(take_output_fd);
        kin_kill(&template->kin, "its output cannot be read");
    } else {
        uv_read_start((uv_stream_t *)&template->output, on_output_room, on_output);
    }
    *ret = template;
    return 0;
}

int template_load(struct template *template, const struct load *load, struct err *err)
{
    return load_put(peer_out(&template->kin.peer), 0, 0, load, err);
}

int template_fork(struct template *template, const struct spawn *spawn, int take_fd,
                  struct err *err)
{
    struct buf *out = peer_out(&template->kin.peer);
    size_t start = buf_len(out);
    int r;

    r = spawn_put(out, FRAME_FORK, spawn, err);
    if (r < 0) {
        close(take_fd);
        return r;
    }
    return peer_attach(&template->kin.peer, start, &take_fd, 1, err);
}

/* template.c - frames of one template, and the pipe that it prints to.
 *
 * Output that does not come as LOG frames (C code that writes to descriptor 1,
 * the engine's last words) comes by a pipe that the instances share.  It is
 * read line by line under the template's ration of log text.  Above the ration it
 * is dropped unseen, OUTPUT_DROP bytes at each beat (turn.h): who prints without end
 * waits for the pipe, and the loop has a few microseconds of it. */
#include "herd/template.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    OUTPUT_READ = 8192,      /* bytes of the pipe taken in one turn at most */
    OUTPUT_DROP = 64 * 1024, /* likewise, of what nobody will see: 6 MB a second */
};

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
    if (template->is_output_gone || uv_is_closing((uv_handle_t *)&template->output))
        return;
    lines_flush(&template->lines, take_line, template);
    fair_done(&template->fair);
    turn_drop(&template->rest);
    uv_close((uv_handle_t *)&template->output, on_output_closed);
    close(template->output_fd);
}

/* Returns how many bytes came; 0 or less at the end, or when there is nothing now. */
static ssize_t read_output(struct template *template, size_t most)
{
    bool is_heard = kin_hears_log(&template->kin);
    uint64_t start_ns = uv_hrtime();
    char bytes[OUTPUT_DROP];
    ssize_t n;

    do
        n = read(template->output_fd, bytes, is_heard ? most : OUTPUT_DROP);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n;
    /* What would be dropped line by line is dropped at once. */
    if (is_heard)
        lines_add(&template->lines, (struct span){bytes, (size_t)n}, take_line, template);
    else
        lines_flush(&template->lines, take_line, template);
    fair_account(&template->fair, (size_t)n, start_ns);
    return n;
}

static void on_output(uv_poll_t *handle, int status, int events);

static void run_rest(struct turn_item *item)
{
    struct template *template = RING_OF(item, struct template, rest);

    uv_poll_start(&template->output, UV_READABLE, on_output);
}

/* As kin.c does with the socket: above the ration a little at a time. */
static void rest(struct template *template)
{
    turn_drop(&template->fair.late);
    turn_add(template->kin.turn, TURN_REST, &template->rest);
    uv_poll_stop(&template->output);
}

static void read_some(struct template *template)
{
    ssize_t n = read_output(template, fair_quantum(&template->fair));

    if (n == 0 || (n < 0 && errno != EAGAIN))
        close_output(template);
    else if (!kin_hears_log(&template->kin))
        rest(template);
}

static void read_late(struct turn_item *item)
{
    read_some(RING_OF(item, struct template, fair.late));
}

static void on_output(uv_poll_t *handle, int status, int events)
{
    struct template *template = handle->data;

    (void)status, (void)events;
    if (fair_is_due(&template->fair, template->kin.turn))
        read_some(template);
}

static void on_up(void *self, const struct hello *hello)
{
    struct template *template = self;

    (void)hello;
    template->events->up(template->self);
}

static void on_log(void *self, uint32_t stream, enum log_level level, struct span text,
                   struct span told, bool is_raised)
{
    struct template *template = self;

    (void)stream, (void)told, (void)is_raised;
    template->events->log(template->self, level, text);
}

/* What is still in the pipe is read: last words are the useful ones.  As much as a
 * second's ration: instances that are not dead yet may go on writing. */
static void drain_output(struct template *template)
{
    size_t left = RATION_BYTES;
    ssize_t n;

    if (template->is_output_gone || uv_is_closing((uv_handle_t *)&template->output))
        return;
    do {
        n = read_output(template, OUTPUT_READ);
        left -= n > 0 ? (size_t)n : 0;
    } while (n > 0 && left >= OUTPUT_DROP);
    close_output(template);
}

static void on_ended(void *self, enum kin_end how, const char *why)
{
    struct template *template = self;

    drain_output(template);
    template->events->ended(template->self, how, why);
}

static int on_met(struct template *template, const struct frame *frame, struct err *err)
{
    struct met met;
    int r = met_get(frame, &met, err);

    if (r < 0)
        return r;
    if (met.limit >= LIMITS || !(LIMITS_INSIDE & 1u << met.limit))
        return err_set(err, ERR_INVALID, "MET of limit %u", met.limit);
    if (!(template->met & 1u << met.limit))
        template->events->met(template->self, (enum limit)met.limit);
    template->met |= 1u << met.limit;
    return 0;
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
    r = kin_noise(&template->kin, NOISE_EMPTY, err);
    if (r < 0)
        return r;
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
    case FRAME_MET:
        return on_met(template, frame, err);
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
    template->output_fd = take_output_fd;
    turn_item_init(&template->rest, run_rest);
    fair_init(&template->fair, OUTPUT_READ, read_late);
    if (uv_poll_init(turn->prepare.loop, &template->output, take_output_fd) < 0) {
        close(take_output_fd);
        template->is_output_gone = true;
        kin_kill(&template->kin, "its output cannot be read");
    } else {
        template->output.data = template;
        uv_poll_start(&template->output, UV_READABLE, on_output);
    }
    *ret = template;
    return 0;
}

int template_load(struct template *template, const struct load *load, struct err *err)
{
    return load_put(peer_out(&template->kin.peer), 0, 0, load, err);
}

int template_fork(struct template *template, const struct spawn *spawn, const int *take_fds,
                  unsigned count, struct err *err)
{
    struct buf *out = peer_out(&template->kin.peer);
    size_t start = buf_len(out);
    int r;

    r = spawn_put(out, FRAME_FORK, spawn, err);
    if (r < 0) {
        for (unsigned i = 0; i < count; i++)
            close(take_fds[i]);
        return r;
    }
    return peer_attach(&template->kin.peer, start, take_fds, count, err);
}

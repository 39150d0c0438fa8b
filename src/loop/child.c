/* child.c - uv_spawn with everything said. */
#include "loop/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/terminal.h"

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
    struct child *child = process->data;

    child->is_running = false;
    child->exited(child->self, status, signal);
}

int child_open(struct child *child, uv_loop_t *loop, const char *program, char *const *arguments,
               char *const *environment, int fd,
               void (*exited)(void *self, int64_t status, int signal), void *self, struct err *err)
{
    int words = terminal_for_words();
    uv_stdio_container_t stdio[] = {{.flags = UV_IGNORE},
                                    {.flags = UV_INHERIT_FD, .data.fd = words},
                                    {.flags = UV_INHERIT_FD, .data.fd = words},
                                    {.flags = UV_INHERIT_FD, .data.fd = fd}};
    uv_process_options_t options = {.exit_cb = on_process_exit,
                                    .file = program,
                                    .args = (char **)arguments,
                                    .env = (char **)environment,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 4,
                                    .stdio = stdio};
    int r;

    *child = (struct child){.exited = exited, .self = self};
    child->process.data = child;
    /* A failed spawn leaves an initialized handle behind: child_close is due either way. */
    r = uv_spawn(loop, &child->process, &options);
    terminal_done(words);
    if (r < 0)
        return err_set(err, ERR_SYSTEM, "start '%s': %s", program, uv_strerror(r));
    child->is_running = true;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    child->closed(child->self);
}

void child_close(struct child *child, void (*closed)(void *self))
{
    child->closed = closed;
    uv_close((uv_handle_t *)&child->process, on_closed);
}

void child_kill(struct child *child)
{
    if (child->is_running)
        (void)uv_process_kill(&child->process, SIGKILL);
}

int child_pid(const struct child *child)
{
    return uv_process_get_pid(&child->process);
}

char *child_inherited(const char *name, char *room, size_t size)
{
    const char *value = getenv(name);

    if (!value || (size_t)snprintf(room, size, "%s=%s", name, value) >= size)
        return NULL;
    return room;
}

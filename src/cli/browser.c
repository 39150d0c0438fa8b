/* browser.c - start the opener, detached, and forget it.
 *
 * $BROWSER is a command line, as for xdg-open: of several, separated by colons,
 * the first; "%s" in it is not understood. */
#include "cli/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { COMMAND_MAX = 1024 };

struct browser {
    uv_process_t process;
    char url[256];
};

static void on_closed(uv_handle_t *handle) { mem_free(handle->data); }

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct browser *b = process->data;

    if (status != 0 || signal != 0)
        log_warn("no browser was opened: go to %s yourself", b->url);
    uv_close((uv_handle_t *)process, on_closed);
}

static int start(uv_loop_t *loop, char **arguments, const char *url)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
    uv_process_options_t options = {.exit_cb = on_exit_of, .file = arguments[0],
                                    .args = arguments, .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = 3, .stdio = stdio};
    struct browser *b = mem_alloc(sizeof *b);
    int r;

    if (!b)
        return UV_ENOMEM;
    b->process.data = b;
    snprintf(b->url, sizeof b->url, "%s", url);
    r = uv_spawn(loop, &b->process, &options);
    if (r < 0) {
        uv_close((uv_handle_t *)&b->process, on_closed);
        return r;
    }
    /* Some openers live as long as the window. */
    uv_unref((uv_handle_t *)&b->process);
    return 0;
}

int browser_open(uv_loop_t *loop, const char *url, struct err *err)
{
    static const char *const OPENERS[] = {"xdg-open", "open"};
    const char *chosen = getenv("BROWSER");
    char command[COMMAND_MAX];
    int r = UV_ENOENT;

    if (chosen && chosen[0] && strlen(chosen) < COMMAND_MAX - 8) {
        char *arguments[] = {"/bin/sh", "-c", command, "sh", (char *)url, NULL};
        snprintf(command, sizeof command, "exec %.*s \"$1\"", (int)strcspn(chosen, ":"), chosen);
        r = start(loop, arguments, url);
    }
    for (size_t i = 0; i < sizeof OPENERS / sizeof *OPENERS && r < 0; i++) {
        char *arguments[] = {(char *)OPENERS[i], (char *)url, NULL};
        r = start(loop, arguments, url);
    }
    if (r == 0)
        return 0;
    err_set(err, ERR_SYSTEM, "no browser can be opened: neither xdg-open nor $BROWSER is there");
    return err_hint(err, "Open %s yourself.", url);
}

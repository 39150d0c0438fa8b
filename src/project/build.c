/* build.c - run the command of [build], as wrangler does before it looks at main. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/helper.h"
#include "project/script.h"

enum { BUILD_TIMEOUT_MS = 15 * 60 * 1000, BUILD_LINE_MAX = 8192 };

struct said {
    const struct project_options *options;
    struct buf line;
};

static int tell(struct said *said, struct err *err)
{
    if (buf_append(&said->line, "", 1) < 0)
        return err_nomem(err);
    if (said->options->say)
        said->options->say(said->options->say_self, buf_data(&said->line));
    buf_eat(&said->line, buf_len(&said->line));
    return 0;
}

static int on_output(void *self, struct span bytes, struct err *err)
{
    static const char MARK[] = "[custom build] ";
    struct said *said = self;
    int r = 0;

    for (size_t at = 0; at < bytes.len && r == 0; at++) {
        char c = bytes.data[at];
        if (buf_len(&said->line) == 0 && buf_append(&said->line, MARK, sizeof MARK - 1) < 0)
            return err_nomem(err);
        if (c == '\n' || buf_len(&said->line) >= BUILD_LINE_MAX)
            r = tell(said, err);
        else if (c != '\0' && c != '\r' && buf_append(&said->line, &c, 1) < 0)
            r = err_nomem(err);
    }
    return r;
}

int build_run(const struct project_options *options, const struct project *p, struct diagnostics *d,
              struct err *err)
{
    const char *argv[] = {"/bin/sh", "-c", p->build.command, NULL};
    struct said said = {.options = options};
    int status = 0, r;
    const struct helper helper = {.what = "the custom build",
                                  .argv = argv,
                                  .envp = (const char *const *)environ,
                                  .folder = p->build.folder,
                                  .takes_words = true,
                                  .ret_exit = &status,
                                  .input = SPAN(""),
                                  .timeout_ms = BUILD_TIMEOUT_MS,
                                  .is_cancelled = options->is_cancelled,
                                  .output = on_output,
                                  .self = &said};

    if (options->say) {
        struct err ignored = {0};
        if (buf_print(&said.line, "[custom build] Running: %s", p->build.command) == 0 &&
            tell(&said, &ignored) < 0)
            buf_eat(&said.line, buf_len(&said.line));
    }
    r = helper_run(&helper, err);
    if (r == 0 && buf_len(&said.line) > 0)
        r = tell(&said, err);
    buf_done(&said.line);
    if (r == ERR_SYSTEM && err->hint[0])
        err_hint(err, "is the folder '%.150s' there? (build.cwd)", p->build.folder);
    if (r == 0 && status != 0) {
        diagnostics_add(d, SEVERITY_ERROR, (struct place){.file = p->shown}, NULL,
                        "build.command ended with %d: %s", status, p->build.command);
        r = err_set(err, ERR_INVALID, "the custom build failed");
    }
    return r;
}

/* programs.c - which programs a node finds here, and of what versions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/helper.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/program.h"
#include "cli/report.h"
#include "link/link.h"
#include "packages/packages.h"

enum { VERSION_MS = 20 * 1000, VERSION_MAX = 400 };

static int take_output(void *self, struct span bytes, struct err *err)
{
    struct buf *out = self;
    size_t room = VERSION_MAX - buf_len(out), n = bytes.len < room ? bytes.len : room;

    return buf_append(out, bytes.data, n) < 0 ? err_nomem(err) : 0;
}

/* The first line of what `PROGRAM --version` says; NULL: nothing, and why. */
static char *version_of(const char *path, struct err *err)
{
    const char *argv[] = {path, "--version", NULL};
    const char *home = getenv("HOME"), *search = getenv("PATH");
    char home_line[4200], search_line[8200];
    const char *envp[] = {home_line, search_line, "LC_ALL=C.UTF-8", NULL};
    struct buf out = {0};
    const struct helper helper = {.what = path,
                                  .argv = argv,
                                  .envp = envp,
                                  .input = SPAN(""),
                                  .timeout_ms = VERSION_MS,
                                  .output = take_output,
                                  .self = &out};
    char *text = NULL;

    snprintf(home_line, sizeof home_line, "HOME=%s", home ? home : "/");
    snprintf(search_line, sizeof search_line, "PATH=%s", search ? search : "/usr/bin:/bin");
    if (helper_run(&helper, err) == 0) {
        size_t n = strcspn(buf_len(&out) ? buf_data(&out) : "", "\r\n");
        text = n > 0 && n <= buf_len(&out) ? mem_copy(buf_data(&out), n) : NULL;
    }
    buf_done(&out);
    return text;
}

static void add(struct report *report, const char *name, const char *path, const char *version,
                bool is_needed, const char *what)
{
    json_t *one = json_pack(
        "{s:s, s:o, s:o, s:b, s:s}", "name", name, "path", path ? report_text(path) : json_null(),
        "version", version ? report_text(version) : json_null(), "needed", is_needed, "what", what);

    if (json_array_append_new(json_object_get(report->json, "programs"), one) < 0)
        report->is_short = true;
}

/* Is the one beside us of the same build? */
static void check_version(struct report *report, const char *name, const char *path,
                          const char *version, const struct err *err)
{
    char wanted[64], text[PROGRAM_PATH_MAX + 200];

    snprintf(wanted, sizeof wanted, "%s " CORRAL_VERSION " ", name);
    if (version && strncmp(version, wanted, strlen(wanted)) == 0)
        return;
    if (version)
        snprintf(text, sizeof text, "'%s' is not of this corral (" CORRAL_VERSION "): %.100s", path,
                 version);
    else
        snprintf(text, sizeof text, "'%s' does not run: %.100s", path,
                 err->code ? err->text : "it says nothing");
    report_complain(report, REPORT_PROBLEM, text,
                    "Install all three programs from one build: `make MODE=rel install`.");
}

static void add_own(struct report *report, const char *name, const char *what)
{
    char path[PROGRAM_PATH_MAX];
    struct err err = {0};
    char *version = NULL;
    bool is_there = program_find(name, path, &err) == 0;

    if (is_there) {
        version = version_of(path, &err);
        check_version(report, name, path, version, &err);
    } else {
        report_complain_of(report, REPORT_PROBLEM, &err);
    }
    add(report, name, is_there ? path : NULL, version, true, what);
    mem_free(version);
}

static void add_self(struct report *report)
{
    char path[PROGRAM_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n < 0) {
        report_complain(report, REPORT_PROBLEM, "/proc is not there, or not to be read",
                        "A node finds its programs and watches its processes by /proc: mount it.");
        n = 0;
    }
    path[n] = '\0';
    add(report, "corral", n > 0 ? path : NULL, CORRAL_VERSION, true, "this program, the node");
}

static void ignore(void *self, const char *line)
{
    (void)self;
    (void)line;
}

/* What the packager says of itself: its sets, and what it installs with. */
static void ask_packager(struct report *report)
{
    char worker[PROGRAM_PATH_MAX], *home = NULL;
    struct packages_run run = {.worker_program = worker, .progress = ignore};
    json_t *done = NULL, *sets, *tool;
    struct err err = {0};
    int r = program_find("corral-worker", worker, &err);

    if (r < 0)
        return; /* it was said */
    r = packages_home(&home, &err);
    run.job = r == 0 ? json_pack("{s:s, s:s}", "job", "about", "home", home) : NULL;
    if (r == 0)
        r = run.job ? packages_run(&run, &done, &err) : err_nomem(&err);
    sets = json_object_get(done, "sets");
    tool = json_object_get(done, "tool");
    if (r < 0) {
        report_complain_of(report, REPORT_PROBLEM, &err);
    } else {
        const char *path = json_string_value(json_object_get(tool, "path"));
        const char *name = json_string_value(json_object_get(tool, "name"));
        add(report, name ? name : "pip", path, json_string_value(json_object_get(tool, "version")),
            false, "installs Python packages that no set has");
        if (!path)
            report_complain(report, REPORT_ADVICE,
                            "neither uv nor pip is there: requirements that "
                            "no package set has cannot be installed",
                            "apt install python3-pip, or uv from https://docs.astral.sh/uv");
        if (json_array_size(sets) == 0)
            report_complain(report, REPORT_ADVICE, "there are no package sets yet",
                            "`corral packages sync debian` makes the default one; the first "
                            "project that names a package does, too.");
        report_set(report, "package_sets", sets ? json_incref(sets) : json_array());
    }
    json_decref(done);
    json_decref(run.job);
    mem_free(home);
}

/* The one that links JavaScript's modules: ESBUILD, or of $PATH. */
static void add_bundler(struct report *report)
{
    char *path = NULL, *version;
    struct err err = {0};

    if (link_bundler(&path, &err) < 0)
        report_complain_of(report, REPORT_ADVICE, &err);
    version = path ? version_of(path, &err) : NULL;
    add(report, "esbuild", path, version, false, "links the modules of JavaScript workers");
    mem_free(version);
    mem_free(path);
}

void report_programs(struct report *report)
{
    add_self(report);
    add_own(report, "corral-worker", "runs workers: JavaScriptCore and CPython");
    add_own(report, "corral-store", "holds databases: SQLite");
    add_bundler(report);
    ask_packager(report);
}

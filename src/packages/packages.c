/* packages.c - start the packager with a job, follow its lines to the last one. */
#include "packages/packages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/helper.h"
#include "base/mem.h"
#include "text/value.h"

static const char WHAT[] = "the packager";

/* BASE/REST, when BASE is an absolute path: others are to be ignored, says the XDG specification.
 */
static int join(const char *base, const char *rest, char **ret_path, struct err *err)
{
    struct buf path = {0};

    if (buf_print(&path, "%s%s", base, rest) < 0 || !(*ret_path = buf_detach(&path))) {
        buf_done(&path);
        return err_nomem(err);
    }
    return 0;
}

int packages_home(char **ret_home, struct err *err)
{
    static const struct {
        const char *variable, *rest;
    } PLACES[] = {{"CORRAL_PACKAGES", ""},
                  {"XDG_DATA_HOME", "/corral/packages"},
                  {"HOME", "/.local/share/corral/packages"}};

    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        const char *base = getenv(PLACES[i].variable);
        if (base && base[0] == '/')
            return join(base, PLACES[i].rest, ret_home, err);
    }
    err_set(err, ERR_NOT_FOUND, "nobody says where Python packages are kept");
    return err_hint(err, "set CORRAL_PACKAGES or HOME to the absolute path of a folder");
}

/* ---- the environment ---- */

/* What a packager of strangers' projects gets to know of the node's: how Python, pip and uv reach
 * an index.  Keys and tokens of all kinds stand there, too. */
static const char *const PASSED_ON[] = {
    "PATH",        "HOME",      "USER",      "LOGNAME",      "LANG",          "LC_",
    "TMPDIR",      "NETRC",     "SSL_CERT_", "REQUESTS_",    "CURL_CA_",      "HTTP_PROXY",
    "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",  "http_proxy",   "https_proxy",   "all_proxy",
    "no_proxy",    "PIP_",      "UV_",       "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};

/* Names that end in "_" stand for all that begin so. */
bool packages_passes_on(const char *variable)
{
    for (size_t i = 0; i < sizeof PASSED_ON / sizeof *PASSED_ON; i++) {
        size_t n = strlen(PASSED_ON[i]);
        if (strncmp(variable, PASSED_ON[i], n) == 0 &&
            (PASSED_ON[i][n - 1] == '_' || variable[n] == '='))
            return true;
    }
    return false;
}

/* The texts are borrowed. */
static const char **filtered_environment(void)
{
    size_t n = 0, kept = 0;
    const char **list;

    while (environ[n])
        n++;
    list = mem_alloc((n + 1) * sizeof *list);
    for (size_t i = 0; list && i < n; i++)
        if (packages_passes_on(environ[i]))
            list[kept++] = environ[i];
    return list;
}

/* ---- one run ---- */

struct answer {
    const struct packages_run *run;
    struct buf line; /* that has not ended yet */
    json_t *last;    /* what "done" or "error" said */
    bool is_error;
};

static int refuse(struct err *err)
{
    return err_set(err, ERR_SYSTEM, "%s said what is no answer", WHAT);
}

/* One of: progress, warning, done, error. */
static int take_line(struct answer *a, struct span line, struct err *err)
{
    json_error_t ignored;
    json_t *said = NULL, *value;
    int r = value_parse(line, &said, &ignored);

    if (r < 0)
        return r == ERR_NOMEM ? err_nomem(err) : refuse(err);
    if (a->last || json_object_size(said) != 1) {
        r = refuse(err);
    } else if ((value = json_object_get(said, "progress")) && json_is_string(value)) {
        if (a->run->progress)
            a->run->progress(a->run->self, json_string_value(value));
    } else if ((value = json_object_get(said, "warning")) && json_is_object(value)) {
        if (a->run->warning)
            a->run->warning(a->run->self, value);
    } else if ((value = json_object_get(said, "done")) && json_is_object(value)) {
        a->last = json_incref(value);
    } else if ((value = json_object_get(said, "error")) && json_is_object(value)) {
        a->last = json_incref(value);
        a->is_error = true;
    } else {
        r = refuse(err);
    }
    json_decref(said);
    return r;
}

static int take_bytes(void *self, struct span bytes, struct err *err)
{
    struct answer *a = self;
    const char *end;
    int r = 0;

    while (r == 0 && bytes.len > 0) {
        end = memchr(bytes.data, '\n', bytes.len);
        size_t n = end ? (size_t)(end - bytes.data) : bytes.len;
        if (buf_len(&a->line) + n > PACKAGES_LINE_MAX)
            return err_set(err, ERR_LIMIT, "%s said more than %d MiB in one line", WHAT,
                           PACKAGES_LINE_MAX >> 20);
        if (buf_append(&a->line, bytes.data, n) < 0)
            return err_nomem(err);
        bytes.data += n + !!end;
        bytes.len -= n + !!end;
        if (!end)
            break;
        r = take_line(a, buf_span(&a->line), err);
        buf_eat(&a->line, buf_len(&a->line));
    }
    return r;
}

/* The packager's error as ours. */
static int fail(json_t *said, struct err *err)
{
    const char *text = json_string_value(json_object_get(said, "text"));
    const char *hint = json_string_value(json_object_get(said, "hint"));

    err_set(err, ERR_INVALID, "%s", text ? text : "the packager failed and does not say why");
    return err_hint(err, "%s", hint ? hint : "");
}

int packages_run(const struct packages_run *run, json_t **ret_answer, struct err *err)
{
    char uid[32];
    const char *argv[] = {run->worker_program, "packages", helper_box(), NULL, NULL};
    struct answer answer = {.run = run};
    struct helper helper = {.what = WHAT,
                            .argv = argv,
                            .envp = (const char *const *)environ,
                            .timeout_ms = PACKAGES_TIMEOUT_MS,
                            .is_cancelled = run->is_cancelled,
                            .output = take_bytes,
                            .self = &answer};
    const char **few = run->is_stranger ? filtered_environment() : NULL;
    char *job;
    int r;

    snprintf(uid, sizeof uid, "--uid=%u", run->box_uid);
    if (run->is_stranger && run->box_uid > 0)
        argv[3] = uid;
    *ret_answer = NULL;
    value_init();
    job = json_dumps(run->job, JSON_COMPACT);
    if (!job || (run->is_stranger && !few)) {
        mem_free(job);
        mem_free(few);
        return err_nomem(err);
    }
    if (few)
        helper.envp = few;
    helper.input = span_of(job);
    r = helper_run(&helper, err);
    if (r == 0 && !answer.last)
        r = err_set(err, ERR_SYSTEM, "%s ended without an answer", WHAT);
    if (r == 0) {
        *ret_answer = json_incref(answer.last);
        r = answer.is_error ? fail(answer.last, err) : 0;
    }
    json_decref(answer.last);
    buf_done(&answer.line);
    mem_free(few);
    mem_free(job);
    return r;
}

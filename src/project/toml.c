/* toml.c - run the helper that reads TOML.
 *
 * The last text that was read well is kept with its values: in development
 * nearly every reload comes from a saved source file, and the configuration is
 * what it was.  Values are shared, so nobody may change them. */
#include "project/toml.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/helper.h"
#include "base/mem.h"
#include "text/value.h"

static int add_output(void *self, struct span bytes, struct err *err)
{
    struct buf *out = self;

    if (buf_len(out) + bytes.len > TOML_OUTPUT_MAX)
        return err_set(err, ERR_LIMIT, "the TOML helper said more than %d MiB",
                       TOML_OUTPUT_MAX >> 20);
    return buf_append(out, bytes.data, bytes.len) < 0 ? err_nomem(err) : 0;
}

static int run(const char *program, struct span text, struct buf *out, struct err *err)
{
    const char *argv[] = {program, "toml", helper_box(), NULL}, *envp[] = {NULL};
    const struct helper helper = {.what = "the TOML helper",
                                  .argv = argv,
                                  .envp = envp,
                                  .input = text,
                                  .timeout_ms = TOML_TIMEOUT_MS,
                                  .output = add_output,
                                  .self = out};
    int r = helper_run(&helper, err);

    if (r < 0 && err->hint[0])
        r = err_hint(err, "corral-worker belongs beside corral; a wrangler.json needs no helper");
    return r;
}

/* The helper's answer: {"ok": {...}} or {"error": {...}}. */
static int understand(json_t *answer, json_t **ret_root, struct toml_error *ret_error,
                      struct err *err)
{
    json_t *ok = json_object_get(answer, "ok"), *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));

    if (json_is_object(ok)) {
        *ret_root = json_incref(ok);
        return 0;
    }
    if (!message)
        return err_set(err, ERR_SYSTEM, "the TOML helper gave no answer");
    *ret_error = (struct toml_error){
        .answer = json_incref(answer),
        .message = message,
        .line = (int)json_integer_value(json_object_get(error, "line")),
        .column = (int)json_integer_value(json_object_get(error, "column")),
        .path = json_object_get(error, "path"),
    };
    return err_set(err, ERR_INVALID, "this is not TOML: %s", message);
}

/* ---- the last one ---- */

static struct {
    char *text;
    size_t len;
    json_t *root;
} last;

static bool is_last(struct span text)
{
    return last.root && last.len == text.len &&
           (text.len == 0 || memcmp(last.text, text.data, text.len) == 0);
}

/* Without memory nothing is kept: the helper runs again. */
static void keep_last(struct span text, json_t *root)
{
    char *copy = mem_copy(text.data, text.len);

    if (!copy)
        return;
    mem_free(last.text);
    json_decref(last.root);
    last.text = copy;
    last.len = text.len;
    last.root = json_incref(root);
}

int toml_read(const char *worker_program, struct span text, json_t **ret_root,
              struct toml_error *ret_error, struct err *err)
{
    struct buf out = {0};
    json_error_t e;
    json_t *answer = NULL;
    int r;

    if (is_last(text)) {
        *ret_root = json_incref(last.root);
        return 0;
    }
    if (!worker_program)
        return err_set(err, ERR_NOT_FOUND, "there is no corral-worker to read TOML with");
    r = run(worker_program, text, &out, err);
    if (r < 0)
        goto done;
    r = value_parse(buf_len(&out) ? buf_span(&out) : SPAN(""), &answer, &e);
    if (r == ERR_NOMEM)
        err_nomem(err);
    else
        r = understand(answer, ret_root, ret_error, err);
    if (r == 0)
        keep_last(text, *ret_root);
done:
    json_decref(answer);
    buf_done(&out);
    return r;
}

void toml_error_done(struct toml_error *e)
{
    json_decref(e->answer);
    *e = (struct toml_error){0};
}

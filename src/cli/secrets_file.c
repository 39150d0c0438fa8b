/* secrets_file.c - see secrets_file.h. */
#include "cli/secrets_file.h"

#include <stdint.h>
#include <string.h>

#include "cli/prompt.h"
#include "text/dotenv.h"
#include "text/value.h"

static int check_json(const json_t *object, const char *what, struct err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (!name[0])
            return err_set(err, ERR_INVALID, "%s: a secret has no name", what);
        if (!json_is_string(value) && !json_is_null(value)) {
            err_set(err, ERR_INVALID, "%s: the value of '%.64s' is neither a string nor null", what,
                    name);
            return err_hint(err, "Put quotes around it.");
        }
    }
    return 0;
}

static int read_lines(struct span text, const char *what, json_t *out, struct err *err)
{
    struct dotenv e = {.text = text};
    struct buf value = {0};
    struct span name;
    int r;

    while ((r = dotenv_next(&e, &name, &value)) > DOTENV_END) {
        if (r == DOTENV_SKIPPED) {
            r = err_set(err, ERR_INVALID, "%s:%d: this line is not NAME=value", what, e.line);
            break;
        }
        r = value_set_string(out, name, buf_len(&value) ? buf_span(&value) : SPAN(""));
        if (r == ERR_INVALID)
            err_set(err, ERR_INVALID, "%s:%d: the value of '%.*s' is not UTF-8", what, e.line,
                    SPAN_ARG(name));
        if (r < 0)
            break;
    }
    prompt_wipe(&value);
    return r == ERR_NOMEM ? err_nomem(err) : r;
}

int secrets_parse(struct span text, const char *what, json_t **ret, struct err *err)
{
    struct span rest = text;
    json_error_t at;
    int r;

    value_init();
    *ret = NULL;
    while (rest.len > 0 && strchr(" \t\r\n", *rest.data))
        rest.data++, rest.len--;
    if (rest.len == 0)
        return err_set(err, ERR_INVALID, "there is nothing in %s", what);
    if (*rest.data == '{') {
        r = value_parse(text, ret, &at);
        if (r == ERR_INVALID)
            err_set(err, ERR_INVALID, "%s:%d:%d: this is no JSON", what, at.line, at.column);
        else if (r == 0)
            r = check_json(*ret, what, err);
    } else {
        *ret = json_object();
        r = *ret ? read_lines(text, what, *ret, err) : ERR_NOMEM;
    }
    if (r == 0 && json_object_size(*ret) == 0)
        r = err_set(err, ERR_INVALID, "there is no secret in %s", what);
    if (r < 0) {
        secrets_wipe(*ret);
        *ret = NULL;
    }
    return r == ERR_NOMEM ? err_nomem(err) : r;
}

int secrets_read(const char *file, json_t **ret, struct err *err)
{
    const char *what = file ? file : "standard input";
    struct buf text = {0};
    int r = prompt_read(file, what, SECRETS_FILE_MAX, &text, err);

    *ret = NULL;
    if (r == 0)
        r = secrets_parse(buf_span(&text), what, ret, err);
    prompt_wipe(&text);
    return r;
}

void secrets_wipe(json_t *object)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach(object, key, value)
    {
        if (json_is_string(value))
            explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
        else if (json_is_object(value) || json_is_array(value))
            secrets_wipe(json_incref(value));
    }
    json_array_foreach(object, i, value) secrets_wipe(json_incref(value));
    json_decref(object);
}

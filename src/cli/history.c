/* history.c - see history.h. */
#include "cli/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/labels.h"

enum { DATE_SIZE = 40 };

const char *history_text(json_t *object, const char *key, const char *inside)
{
    const char *text =
        json_string_value(inside ? json_object_get(json_object_get(object, key), inside)
                                 : json_object_get(object, key));

    return text ? text : "";
}

/* ---- ask ---- */

/* `rest` of the worker's script; the list at `key` of its answer, NULL: the answer itself. */
static int ask(struct remote *r, const char *rest, const char *key, json_t **ret, struct err *err)
{
    struct client_answer answer;
    int code = remote_ask(r, &(struct client_request){.method = "GET"}, &answer, err,
                          "/scripts/%s/%s", r->name, rest);

    *ret = NULL;
    if (code < 0)
        code = remote_explain(r, &answer, err);
    else
        *ret = json_incref(key ? json_object_get(answer.result, key) : answer.result);
    client_answer_done(&answer);
    if (code == 0 && !*ret)
        code = err_set(err, ERR_GONE, "the node's answer about '%s' lacks what was asked for",
                       r->name);
    return code;
}

static int by_version_date(const void *a, const void *b)
{
    return strcmp(history_text(*(json_t *const *)a, "metadata", "created_on"),
                  history_text(*(json_t *const *)b, "metadata", "created_on"));
}

static int by_date(const void *a, const void *b)
{
    return strcmp(history_text(*(json_t *const *)a, "created_on", NULL),
                  history_text(*(json_t *const *)b, "created_on", NULL));
}

/* Oldest first. */
static int sort(json_t *list, int (*order)(const void *, const void *), json_t **ret,
                struct err *err)
{
    size_t count = json_array_size(list), i;
    json_t **items = mem_alloc((count + 1) * sizeof *items), *sorted = json_array(), *item;
    int r = items && sorted ? 0 : err_nomem(err);

    if (r == 0) {
        json_array_foreach(list, i, item) items[i] = item;
        qsort(items, count, sizeof *items, order);
    }
    for (i = 0; i < count && r == 0; i++)
        if (json_array_append(sorted, items[i]) < 0)
            r = err_nomem(err);
    mem_free(items);
    *ret = r == 0 ? sorted : NULL;
    if (r < 0)
        json_decref(sorted);
    return r;
}

static void keep_newest(json_t *list)
{
    while (json_array_size(list) > HISTORY_SHOWN)
        json_array_remove(list, 0);
}

int history_all_versions(struct remote *r, json_t **ret, struct err *err)
{
    json_t *list;
    int code = ask(r, "versions?deployable=true", "items", &list, err);

    *ret = NULL;
    if (code == 0)
        code = sort(list, by_version_date, ret, err);
    json_decref(list);
    return code;
}

int history_all_deployments(struct remote *r, json_t **ret, struct err *err)
{
    json_t *list;
    int code = ask(r, "deployments", "deployments", &list, err);

    *ret = NULL;
    if (code == 0)
        code = sort(list, by_date, ret, err);
    json_decref(list);
    return code;
}

int history_versions(struct remote *r, json_t **ret, struct err *err)
{
    int code = history_all_versions(r, ret, err);

    keep_newest(*ret);
    return code;
}

int history_deployments(struct remote *r, json_t **ret, struct err *err)
{
    int code = history_all_deployments(r, ret, err);

    keep_newest(*ret);
    return code;
}

int history_version(struct remote *r, const char *id, json_t **ret, struct err *err)
{
    char *escaped = client_escape(id), *rest = NULL;
    struct buf path = {0};
    int code;

    *ret = NULL;
    if (escaped && buf_print(&path, "versions/%s", escaped) == 0)
        rest = buf_detach(&path);
    code = rest ? ask(r, rest, NULL, ret, err) : err_nomem(err);
    if (code == ERR_NOT_FOUND) {
        err_set(err, ERR_NOT_FOUND, "there is no version %.64s of a worker '%s'", id, r->name);
        err_hint(err, "`corral versions list` shows those there are.");
    }
    buf_done(&path);
    mem_free(escaped);
    mem_free(rest);
    return code;
}

/* ---- show ---- */

/* "2026-11-21T19:00:00.123456Z" -> "2026-11-21T19:00:00.123Z", as JavaScript has it. */
static void short_date(const char *text, char out[DATE_SIZE])
{
    const char *dot = strchr(text, '.');

    if (dot && strlen(dot) > 4)
        snprintf(out, DATE_SIZE, "%.*sZ", (int)(dot + 4 - text) < 30 ? (int)(dot + 4 - text) : 30,
                 text);
    else
        snprintf(out, DATE_SIZE, "%.32s", text);
}

/* Where it came from, by its annotation or else by who made it. */
static const char *source_of(const char *trigger, const char *source, char out[80])
{
    static const char *const WORDS[][2] = {
        {"upload", "Upload"},         {"version_upload", "Upload"}, {"secret", "Secret Change"},
        {"deployment", "Deployment"}, {"rollback", "Rollback"},     {"promotion", "Promotion"}};
    static const char *const SOURCES[][2] = {{"api", "API 📡"},
                                             {"dash", "Dashboard 🖥️"},
                                             {"wrangler", "Wrangler 🤠"},
                                             {"corral", "Corral"}};

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcmp(trigger, WORDS[i][0]) == 0)
            return WORDS[i][1];
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES && !trigger[0]; i++)
        if (strcmp(source, SOURCES[i][0]) == 0)
            return SOURCES[i][1];
    snprintf(out, 80, trigger[0] ? "Unknown (%.40s)" : "Other (%.40s)",
             trigger[0] ? trigger : source);
    return out;
}

int history_put_version(json_t *version, struct buf *out)
{
    char date[DATE_SIZE], other[80];
    const struct label LABELS[] = {
        {"Version ID", history_text(version, "id", NULL)},
        {"Created", date},
        {"Author", history_text(version, "metadata", "author_email")},
        {"Source", source_of(history_text(version, "annotations", "workers/triggered_by"),
                             history_text(version, "metadata", "source"), other)},
        {"Tag", history_text(version, "annotations", "workers/tag")},
        {"Message", history_text(version, "annotations", "workers/message")},
    };

    short_date(history_text(version, "metadata", "created_on"), date);
    return labels_put(out, LABELS, sizeof LABELS / sizeof *LABELS, LABELS_LEFT, 0);
}

static int put_share(json_t *version, double percentage, int indent, struct buf *out)
{
    char date[DATE_SIZE];
    const struct label LABELS[] = {
        {"Created", date},
        {"Tag", history_text(version, "annotations", "workers/tag")},
        {"Message", history_text(version, "annotations", "workers/message")},
    };
    int r = buf_print(out, "(%g%%) %s\n", percentage, history_text(version, "id", NULL));

    short_date(history_text(version, "metadata", "created_on"), date);
    return r < 0 ? r
                 : labels_put(out, LABELS, sizeof LABELS / sizeof *LABELS, LABELS_RIGHT, indent);
}

static int put_split(struct remote *r, json_t *deployment, int indent, struct buf *out,
                     struct err *err)
{
    json_t *shares = json_object_get(deployment, "versions"), *share, *version = NULL;
    int code = 0;
    size_t i;

    json_array_foreach(shares, i, share)
    {
        if (code == 0)
            code = history_version(r, history_text(share, "version_id", NULL), &version, err);
        if (code == 0 &&
            ((i > 0 && buf_print(out, "\n") < 0) ||
             put_share(version, json_number_value(json_object_get(share, "percentage")), indent,
                       out) < 0))
            code = err_nomem(err);
        json_decref(version);
        version = NULL;
    }
    return code;
}

int history_put_split(struct remote *r, json_t *deployment, struct buf *out, struct err *err)
{
    return put_split(r, deployment, 6, out, err);
}

int history_put_deployment(struct remote *r, json_t *deployment, struct buf *out, struct err *err)
{
    struct buf split = {0};
    char date[DATE_SIZE], other[80], *text = NULL;
    int code = put_split(r, deployment, 4, &split, err);

    if (code == 0) {
        text = buf_detach(&split);
        code = text ? 0 : err_nomem(err);
    }
    if (code == 0) {
        const struct label LABELS[] = {
            {"Created", date},
            {"Author", history_text(deployment, "author_email", NULL)},
            {"Source", source_of(history_text(deployment, "annotations", "workers/triggered_by"),
                                 history_text(deployment, "source", NULL), other)},
            {"Message", history_text(deployment, "annotations", "workers/message")},
            {"Version(s)", text},
        };
        size_t len = strlen(text);
        if (len > 0 && text[len - 1] == '\n')
            text[len - 1] = '\0';
        short_date(history_text(deployment, "created_on", NULL), date);
        if (labels_put(out, LABELS, sizeof LABELS / sizeof *LABELS, LABELS_LEFT, 0) < 0)
            code = err_nomem(err);
    }
    buf_done(&split);
    mem_free(text);
    return code;
}

int history_print_current(struct remote *r, struct err *err)
{
    json_t *list, *latest;
    struct buf out = {0};
    int code = history_deployments(r, &list, err);

    latest = code == 0 ? json_array_get(list, json_array_size(list) - 1) : NULL;
    if (latest)
        code = history_put_split(r, latest, &out, err);
    if (code == 0 && latest)
        printf("Your current deployment has %zu version(s):\n\n%.*s\n",
               json_array_size(json_object_get(latest, "versions")), SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    json_decref(list);
    return code;
}

/* ---- deploy ---- */

int history_deploy(struct remote *r, const struct history_share *shares, size_t count,
                   json_t *take_annotations, struct err *err)
{
    json_t *list = json_array(), *body;
    struct client_answer answer;
    int code = list ? 0 : err_nomem(err);

    for (size_t i = 0; i < count && code == 0; i++)
        if (json_array_append_new(list, json_pack("{s:s, s:f}", "version_id", shares[i].version_id,
                                                  "percentage", shares[i].percentage)) < 0)
            code = err_nomem(err);
    body = json_pack("{s:s, s:O?, s:o}", "strategy", "percentage", "versions", list, "annotations",
                     take_annotations ? take_annotations : json_object());
    json_decref(list);
    if (code == 0 && !body)
        code = err_nomem(err);
    if (code == 0) {
        code = remote_ask(
            r,
            &(struct client_request){.method = "POST", .json = body, .timeout_ms = CLIENT_LONG_MS},
            &answer, err, "/scripts/%s/deployments", r->name);
        if (code < 0)
            code = remote_explain(r, &answer, err);
        client_answer_done(&answer);
    }
    json_decref(body);
    return code;
}

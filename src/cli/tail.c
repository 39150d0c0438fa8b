/* tail.c - `corral tail [WORKER]`: what a deployed worker does, as it does it.
 *
 *     POST .../tails -> WebSocket -> events ... -> Ctrl-C -> DELETE .../tails/ID
 *
 * A connection that is lost is made again, with a tail of its own, RETRIES times in a row.  Format
 * and options are those of `wrangler tail`. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/tail_view.h"
#include "cli/wsclient.h"

enum {
    PING_MS = 10 * 1000, /* between two; the pong is due before the next */
    RETRIES = 5,
    RETRY_FIRST_MS = 500,
};

enum format { FORMAT_AUTO, FORMAT_PRETTY, FORMAT_JSON };

struct tail {
    struct remote remote;
    enum format format;
    bool is_debug, is_coloured;
    json_t *statuses, *methods, *clients;        /* arrays; NULL: not wanted */
    json_t *rate, *header, *search, *version_id; /* likewise, values */
    int signals;                                 /* signalfd of SIGINT and SIGTERM */
    char *id;                                    /* of the tail, NULL: none */
    struct wsclient *ws;
};

/* ---- options ---- */

static const struct option OPTIONS[] = {
    {"--format", NULL, "FORMAT", "pretty or json (pretty on a terminal)"},
    {"--status", NULL, "STATUS", "only what ended so: ok, error or canceled"},
    {"--header", NULL, "NAME[:TEXT]", "only requests with this header, with this in its value"},
    {"--method", NULL, "METHOD", "only requests of these methods"},
    {"--sampling-rate", NULL, "RATE", "only this part of all: 0.25 is a quarter"},
    {"--search", NULL, "TEXT", "only what has logged this text"},
    {"--ip", NULL, "ADDRESS", "only requests from there; self: from here"},
    {"--version-id", NULL, "ID", "only this version"},
    {"--debug", NULL, NULL, NULL},
    {0},
};
static const char *const LISTS[] = {"--status", "--method", "--ip", NULL};

static int add_text(json_t **list, const char *text, struct err *err)
{
    if (!*list)
        *list = json_array();
    if (!*list || json_array_append_new(*list, json_string(text)) < 0)
        return err_set(err, ERR_INVALID, "'%.64s' is no text", text);
    return 0;
}

static int set_text(json_t **value, const char *text, struct err *err)
{
    json_decref(*value);
    *value = json_string(text);
    return *value ? 0 : err_set(err, ERR_INVALID, "'%.64s' is no text", text);
}

static int take_format(struct tail *t, const char *value, struct err *err)
{
    if (strcmp(value, "pretty") != 0 && strcmp(value, "json") != 0)
        return err_set(err, ERR_INVALID, "--format is pretty or json, not '%.64s'", value);
    t->format = strcmp(value, "json") == 0 ? FORMAT_JSON : FORMAT_PRETTY;
    return 0;
}

/* "error" is all that is none of the others, as in wrangler. */
static int take_status(struct tail *t, const char *value, struct err *err)
{
    static const char *const ERRORS[] = {"exception", "exceededCpu", "exceededMemory", "unknown"};
    int r = 0;

    if (strcmp(value, "ok") == 0 || strcmp(value, "canceled") == 0)
        return add_text(&t->statuses, value, err);
    if (strcmp(value, "error") != 0)
        return err_set(err, ERR_INVALID, "--status is ok, error or canceled, not '%.64s'", value);
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS && r == 0; i++)
        r = add_text(&t->statuses, ERRORS[i], err);
    return r;
}

static int take_rate(struct tail *t, const char *value, struct err *err)
{
    char *end;
    double rate = strtod(value, &end);

    if (*end || end == value || !(rate > 0 && rate < 1)) {
        err_set(err, ERR_INVALID, "--sampling-rate is a number between 0 and 1, not '%.64s'",
                value);
        return err_hint(err, "0.25 shows a quarter of all events.");
    }
    json_decref(t->rate);
    t->rate = json_real(rate);
    return t->rate ? 0 : err_nomem(err);
}

static struct span trim(struct span s)
{
    while (s.len > 0 && s.data[0] == ' ')
        s = (struct span){s.data + 1, s.len - 1};
    while (s.len > 0 && s.data[s.len - 1] == ' ')
        s.len--;
    return s;
}

static int take_header(struct tail *t, const char *value, struct err *err)
{
    const char *colon = strchr(value, ':');
    struct span key = trim((struct span){value, colon ? (size_t)(colon - value) : strlen(value)});
    json_t *header = json_pack("{s:s%}", "key", key.data, key.len);
    struct span query = trim(span_of(colon ? colon + 1 : ""));

    if (header && colon)
        (void)json_object_set_new(header, "query", json_stringn(query.data, query.len));
    json_decref(t->header);
    t->header = header;
    return header ? 0 : err_set(err, ERR_INVALID, "'%.64s' is no header", value);
}

static int take_number(struct tail *t, size_t number, const char *value, struct err *err)
{
    switch (number) {
    case 0:
        return take_format(t, value, err);
    case 1:
        return take_status(t, value, err);
    case 2:
        return take_header(t, value, err);
    case 3:
        return add_text(&t->methods, value, err);
    case 4:
        return take_rate(t, value, err);
    case 5:
        return set_text(&t->search, value, err);
    case 6:
        return add_text(&t->clients, value, err);
    case 7:
        return set_text(&t->version_id, value, err);
    default:
        t->is_debug = option_is_on(value);
        return 0;
    }
}

/* `option` stands in a table that is a copy: it is known by its name. */
static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    size_t number = 0;

    while (OPTIONS[number].name && strcmp(OPTIONS[number].name, option->name) != 0)
        number++;
    return take_number(self, number, value, err);
}

/* ---- the tail on the node ---- */

/* [{NAME: value}] of what was asked for. */
static json_t *filters_of(const struct tail *t)
{
    const struct {
        const char *name;
        json_t *value;
    } ALL[] = {{"sampling_rate", t->rate},      {"outcome", t->statuses},  {"method", t->methods},
               {"header", t->header},           {"client_ip", t->clients}, {"query", t->search},
               {"scriptVersion", t->version_id}};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++)
        if (ALL[i].value &&
            json_array_append_new(list, json_pack("{s:O}", ALL[i].name, ALL[i].value)) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static void delete (struct tail *t)
{
    const struct client_request request = {.method = "DELETE"};
    struct client_answer answer = {0};
    char *name = client_escape(t->remote.name);
    struct err ignored = {0};

    if (t->id && name &&
        remote_ask(&t->remote, &request, &answer, &ignored, "/scripts/%s/tails/%s", name, t->id) <
            0)
        log_debug("delete the tail: %s", ignored.text);
    client_answer_done(&answer);
    mem_free(name);
    mem_free(t->id);
    t->id = NULL;
}

static int create(struct tail *t, char **ret_url, struct err *err)
{
    json_t *body = json_pack("{s:o?}", "filters", filters_of(t));
    const struct client_request request = {.method = "POST", .json = body};
    struct client_answer answer = {0};
    char *name = client_escape(t->remote.name);
    const char *id, *url;
    int r;

    r = body && name ? remote_ask(&t->remote, &request, &answer, err, "/scripts/%s/tails", name)
                     : err_nomem(err);
    if (r < 0)
        r = remote_explain(&t->remote, &answer, err);
    if (r == 0) {
        id = json_string_value(json_object_get(answer.result, "id"));
        url = json_string_value(json_object_get(answer.result, "url"));
        t->id = id ? client_escape(id) : NULL;
        *ret_url = url ? mem_strdup(url) : NULL;
        if (!t->id || !*ret_url)
            r = err_set(err, ERR_INVALID, "the node made a tail and did not say where it is");
    }
    client_answer_done(&answer);
    json_decref(body);
    mem_free(name);
    return r;
}

static int open_tail(struct tail *t, struct err *err)
{
    struct buf hello = {0};
    char *url = NULL;
    int r = create(t, &url, err);

    r = r < 0 ? r : wsclient_open(url, "trace-v1", &t->ws, err);
    if (r == 0)
        r = buf_print(&hello, "{\"debug\":%s}", t->is_debug ? "true" : "false") < 0
                ? err_nomem(err)
                : wsclient_send(t->ws, WEBSOCKET_TEXT, buf_span(&hello), err);
    buf_done(&hello);
    mem_free(url);
    return r;
}

static void close_tail(struct tail *t)
{
    wsclient_close(t->ws);
    t->ws = NULL;
    delete (t);
}

/* ---- events ---- */

static void show(const struct tail *t, struct span text)
{
    json_t *event = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    struct buf out = {0}, errors = {0};
    struct err ignored = {0};

    if (!json_is_object(event)) {
        log_warn("the node sent an event that is none");
    } else if (t->format == FORMAT_JSON) {
        if (cli_print_json(json_incref(event), &ignored) < 0)
            log_warn("%s", ignored.text);
    } else if (tail_view_print(event, t->is_coloured, &out, &errors) == 0) {
        fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    }
    fflush(stdout);
    fwrite(buf_data(&errors), 1, buf_len(&errors), stderr);
    buf_done(&out);
    buf_done(&errors);
    json_decref(event);
}

enum ending { ENDING_ASKED, ENDING_OVER, ENDING_LOST };

/* Everything that has come; ENDING_ASKED: go on waiting. */
static enum ending take_all(struct tail *t, bool *is_pinged, struct err *err)
{
    struct websocket_item item;
    int r;

    for (;;) {
        r = wsclient_read(t->ws, &item, err);
        if (r <= 0)
            return r < 0 ? ENDING_LOST : ENDING_ASKED;
        if (item.kind == WEBSOCKET_PONG)
            *is_pinged = false;
        else if (item.kind != WEBSOCKET_CLOSE)
            show(t, item.bytes);
        else if (item.code == WEBSOCKET_NORMAL)
            return ENDING_OVER;
        else {
            err_set(err, ERR_GONE, "the node closed the connection (%u)%s%.*s", item.code,
                    item.bytes.len ? ": " : "", SPAN_ARG(item.bytes));
            return ENDING_LOST;
        }
    }
}

/* Until somebody says that it is enough. */
static enum ending follow(struct tail *t, struct err *err)
{
    struct pollfd waits[] = {{.fd = wsclient_fd(t->ws), .events = POLLIN},
                             {.fd = t->signals, .events = POLLIN}};
    int64_t ping_ms = clock_now_ms() + PING_MS;
    bool is_pinged = false;
    enum ending ending;

    for (;;) {
        int64_t left;
        ending = take_all(t, &is_pinged, err);
        if (ending != ENDING_ASKED)
            return ending;
        left = ping_ms - clock_now_ms();
        if (left <= 0) {
            if (is_pinged) {
                err_set(err, ERR_GONE, "the node does not answer any more");
                return ENDING_LOST;
            }
            is_pinged = true;
            ping_ms = clock_now_ms() + PING_MS;
            if (wsclient_send(t->ws, WEBSOCKET_PING, SPAN("corral tail ping"), err) < 0)
                return ENDING_LOST;
            continue;
        }
        if (poll(waits, 2, (int)left) < 0 && errno != EINTR)
            return ENDING_LOST;
        if (waits[1].revents)
            return ENDING_ASKED;
    }
}

/* true: a signal came first. */
static bool pause_ms(const struct tail *t, int ms)
{
    struct pollfd wait = {.fd = t->signals, .events = POLLIN};

    return poll(&wait, 1, ms) > 0;
}

static int run(struct tail *t, struct err *err)
{
    bool is_pretty = t->format == FORMAT_PRETTY;
    enum ending ending;
    int tries = 0, r;

    for (;;) {
        r = open_tail(t, err);
        if (r == 0) {
            if (is_pretty)
                printf("%s to %s, waiting for logs...\n", tries ? "Reconnected" : "Connected",
                       t->remote.name);
            fflush(stdout);
            tries = 0;
            ending = follow(t, err);
            if (ending != ENDING_LOST)
                break;
        } else if (tries == 0 || r == ERR_NOT_FOUND || r == ERR_INVALID) {
            return r; /* it has never worked, or never will */
        }
        if (++tries > RETRIES)
            return err->code;
        fprintf(stderr, "%s: trying again\n", err->text);
        close_tail(t);
        if (pause_ms(t, RETRY_FIRST_MS << (tries - 1)))
            return 0;
    }
    if (ending == ENDING_OVER)
        fprintf(stderr, "The tail has ended: they last for six hours.\n");
    return 0;
}

static int catch_signals(struct tail *t, struct err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    t->signals = signalfd(-1, &set, SFD_CLOEXEC);
    return t->signals < 0 ? err_errno(err, errno, "wait for signals") : 0;
}

static void tail_done(struct tail *t)
{
    json_t *all[] = {t->statuses, t->methods, t->clients,   t->rate,
                     t->header,   t->search,  t->version_id};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        json_decref(all[i]);
    if (t->signals >= 0)
        close(t->signals);
}

int tail_command(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "tail [WORKER]",
        .about = "Show what a deployed worker does: requests, scheduled runs, what they log and "
                 "raise.\nCtrl-C ends it.\n",
        .words = "[WORKER]",
        .options = OPTIONS,
        .lists = LISTS,
        .take = take,
        .need = REMOTE_WORKER,
    };
    struct tail t = {.signals = -1};
    struct err err = {0};
    int code = remote_parse(&SPEC, args, &t, &t.remote), r;

    if (code != REMOTE_GO) {
        tail_done(&t);
        return code;
    }
    if (t.remote.word_count > 0)
        t.remote.options.name = t.remote.words[0];
    if (t.format == FORMAT_AUTO)
        t.format = isatty(STDOUT_FILENO) ? FORMAT_PRETTY : FORMAT_JSON;
    t.is_coloured = log_wants_colour(STDOUT_FILENO);
    r = remote_load(&t.remote, &err);
    r = r < 0 ? r : remote_connect(&t.remote, &err);
    r = r < 0 ? r : catch_signals(&t, &err);
    r = r < 0 ? r : run(&t, &err);
    close_tail(&t);
    code = remote_end(&t.remote, r, &err);
    tail_done(&t);
    return code;
}

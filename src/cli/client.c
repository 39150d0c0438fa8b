/* client.c - a libcurl easy handle that is kept, so that one connection serves a whole command.
 *
 * Everything a node may answer is hostile to us as well: bodies are bounded, texts are printed
 * without their control characters. */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/clean.h"
#include "cli/cli.h"
#include "text/percent.h"
#include "text/url.h"
#include "text/value.h"

enum { MESSAGE_MAX = 256 * 1024 }; /* of what the API refuses, shown */

struct client {
    CURL *easy;
    struct credentials credentials;
    char *authorization; /* the header */
    char *account;       /* once it was asked for */
    struct buf refusal;  /* text with a NUL behind it */
    bool is_known;       /* somebody has answered in HTTP */
    char path[256];      /* that was refused, as people know it */
    char detail[CURL_ERROR_SIZE];
};

/* One request, while it runs. */
struct exchange {
    struct client *client;
    const struct client_request *request;
    struct client_answer *answer;
    struct curl_slist *fields;
    curl_mime *mime;
    FILE *file;
    char *url, *json;
    struct err sink; /* what the sink said */
    bool is_too_long;
};

/* ---- life ---- */

int client_new(struct credentials *take, struct client **ret, struct err *err)
{
    struct client *client = mem_alloc(sizeof *client);
    struct buf header = {0};

    value_init();
    if (!client) {
        credentials_done(take);
        return err_nomem(err);
    }
    client->credentials = *take;
    *take = (struct credentials){0};
    if (buf_print(&header, "Authorization: Bearer %s", client->credentials.token) == 0)
        client->authorization = buf_detach(&header);
    if (buf_len(&header))
        explicit_bzero((char *)(uintptr_t)buf_data(&header), buf_len(&header));
    buf_done(&header);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        client->easy = curl_easy_init();
    if (!client->authorization || !client->easy) {
        client_close(client);
        return err_nomem(err);
    }
    *ret = client;
    return 0;
}

int client_open(const char *account_id, struct client **ret, struct err *err)
{
    struct credentials found;
    int r = credentials_find(account_id, &found, err);

    *ret = NULL;
    return r < 0 ? r : client_new(&found, ret, err);
}

void client_close(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    curl_global_cleanup();
    if (client->authorization)
        explicit_bzero(client->authorization, strlen(client->authorization));
    mem_free(client->authorization);
    mem_free(client->account);
    buf_done(&client->refusal);
    credentials_done(&client->credentials);
    mem_free(client);
}

const struct credentials *client_credentials(const struct client *client)
{
    return &client->credentials;
}

void client_answer_done(struct client_answer *answer)
{
    json_decref(answer->root);
    buf_done(&answer->body);
    *answer = (struct client_answer){0};
}

/* ---- what comes ---- */

static size_t on_header(char *data, size_t size, size_t n, void *self)
{
    struct exchange *x = self;
    struct span line = {data, size * n};
    size_t at = strlen("etag:"), len;

    if (line.len <= at || strncasecmp(line.data, "etag:", at) != 0)
        return line.len;
    while (at < line.len && strchr(" \t\"", line.data[at]))
        at++;
    for (len = 0; at + len < line.len && !strchr("\"\r\n", line.data[at + len]);)
        len++;
    snprintf(x->answer->etag, sizeof x->answer->etag, "%.*s", (int)len, line.data + at);
    return line.len;
}

static size_t on_data(char *data, size_t size, size_t n, void *self)
{
    struct exchange *x = self;
    struct span bytes = {data, size * n};
    long status = 0;

    if (x->request->sink) {
        curl_easy_getinfo(x->client->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status / 100 == 2)
            return x->request->sink(x->request->self, bytes, &x->sink) < 0 ? 0 : bytes.len;
    }
    if (buf_len(&x->answer->body) + bytes.len > CLIENT_ANSWER_MAX) {
        x->is_too_long = true;
        return 0;
    }
    return buf_append(&x->answer->body, bytes.data, bytes.len) < 0 ? 0 : bytes.len;
}

/* ---- what goes ---- */

static int add_field(struct exchange *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->fields, line);

    if (!longer)
        return ERR_NOMEM;
    x->fields = longer;
    return 0;
}

static int add_type(struct exchange *x, const char *type)
{
    char line[300];

    snprintf(line, sizeof line, "Content-Type: %s", type);
    return add_field(x, line);
}

static int set_parts(struct exchange *x)
{
    x->mime = curl_mime_init(x->client->easy);
    for (size_t i = 0; x->mime && i < x->request->part_count; i++) {
        const struct client_part *p = &x->request->parts[i];
        curl_mimepart *part = curl_mime_addpart(x->mime);
        CURLcode c = part ? curl_mime_name(part, p->name) : CURLE_OUT_OF_MEMORY;
        if (c == CURLE_OK)
            c = p->file ? curl_mime_filedata(part, p->file)
                        : curl_mime_data(part, p->bytes.data, p->bytes.len);
        if (c == CURLE_OK) /* behind filedata, which sets one */
            c = curl_mime_filename(part, p->filename);
        if (c == CURLE_OK && p->type)
            c = curl_mime_type(part, p->type);
        if (c != CURLE_OK)
            return ERR_NOMEM;
    }
    if (!x->mime)
        return ERR_NOMEM;
    curl_easy_setopt(x->client->easy, CURLOPT_MIMEPOST, x->mime);
    return 0;
}

static int set_file(struct exchange *x, struct err *err)
{
    CURL *easy = x->client->easy;
    struct stat st;

    x->file = fopen(x->request->file, "re");
    if (!x->file || fstat(fileno(x->file), &st) < 0)
        return err_errno(err, errno, "read '%s'", x->request->file);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READDATA, x->file);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)st.st_size);
    return add_type(x, x->request->type ? x->request->type : "application/octet-stream");
}

static int set_bytes(struct exchange *x, struct span bytes, const char *type)
{
    CURL *easy = x->client->easy;

    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes.data);
    return add_type(x, type);
}

static int set_body(struct exchange *x, struct err *err)
{
    const struct client_request *q = x->request;
    const char *type = q->type;
    int r = 0;

    if (q->parts)
        r = set_parts(x);
    else if (q->file)
        r = set_file(x, err);
    else if (q->json) {
        x->json = json_dumps(q->json, JSON_COMPACT | JSON_ENCODE_ANY);
        r = x->json ? set_bytes(x, span_of(x->json), type ? type : "application/json") : ERR_NOMEM;
    } else if (q->bytes.data)
        r = set_bytes(x, q->bytes, type ? type : "application/octet-stream");
    return r == ERR_NOMEM ? err_nomem(err) : r;
}

static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (strncmp(host, "localhost", 9) == 0 && strchr(":/", host[9]));
}

static int set_up(struct exchange *x, struct err *err)
{
    const char *ca = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");
    const struct client_request *q = x->request;
    CURL *easy = x->client->easy;
    struct buf url = {0};
    int r;

    curl_easy_reset(easy);
    r = q->url ? buf_print(&url, "%s", q->url)
               : buf_print(&url, "%s%s", x->client->credentials.api, q->path);
    x->url = r == 0 ? buf_detach(&url) : NULL;
    buf_done(&url);
    if (!x->url || add_field(x, "Expect:") < 0 || add_field(x, "Accept: application/json") < 0 ||
        (!q->url && add_field(x, x->client->authorization) < 0))
        return err_nomem(err);
    r = set_body(x, err);
    if (r < 0)
        return r;
    x->client->detail[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, x->url);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, q->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->fields);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "corral/" CORRAL_VERSION);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->client->detail);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     q->timeout_ms ? q->timeout_ms : (long)CLIENT_TIMEOUT_MS);
    /* On a connection of before, libcurl sends anew what got no answer: an INSERT would run twice.
     */
    if (strcmp(q->method, "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (is_loopback(x->url))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (ca && ca[0])
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    if (folder && folder[0])
        curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
    return 0;
}

static void tear_down(struct exchange *x)
{
    for (struct curl_slist *at = x->fields; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_easy_reset(x->client->easy);
    curl_slist_free_all(x->fields);
    curl_mime_free(x->mime);
    if (x->file)
        fclose(x->file);
    if (x->json)
        explicit_bzero(x->json, strlen(x->json)); /* it may hold a secret */
    mem_free(x->json);
    mem_free(x->url);
}

/* ---- what became of it ---- */

/* Scheme, host and port, for people. */
static void origin_of(const struct exchange *x, char out[256])
{
    const char *host = strstr(x->url, "://");
    size_t len = host ? (size_t)(host + 3 - x->url) : 0;

    len += strcspn(x->url + len, "/?#");
    snprintf(out, 256, "%.*s", (int)len, x->url);
}

/* It speaks HTTP, and has stopped. */
static int say_cut(const struct exchange *x, const char *origin, const char *why, struct err *err)
{
    err_set(err, ERR_GONE, "%s hung up in the middle: %.200s", origin, why);
    return strcmp(x->request->method, "GET") == 0
               ? err->code
               : err_hint(err, "It may be done all the same: look before you ask for it again.");
}

static int say_transport(struct exchange *x, CURLcode c, struct err *err)
{
    const char *from = x->request->url ? "the node" : x->client->credentials.api_from;
    const char *why = x->client->detail[0] ? x->client->detail : curl_easy_strerror(c);
    char origin[256];

    origin_of(x, origin);
    switch (c) {
    case CURLE_COULDNT_CONNECT:
        err_set(err, ERR_GONE, "nobody answers at %s", origin);
        return err_hint(err,
                        "The address is of %s. Does `corral serve` run there, with --api? (%.90s)",
                        from, why);
    case CURLE_COULDNT_RESOLVE_HOST:
        err_set(err, ERR_GONE, "there is no host by the name in %s", origin);
        return err_hint(err, "The address is of %s.", from);
    case CURLE_PEER_FAILED_VERIFICATION:
        err_set(err, ERR_GONE, "the certificate of %s is not to be trusted: %.200s", origin, why);
        return err_hint(err, "Of an authority of your own: SSL_CERT_FILE names the file with its "
                             "certificate.");
    case CURLE_SSL_CACERT_BADFILE:
        err_set(err, ERR_INVALID, "the certificates of SSL_CERT_FILE cannot be read: %.200s", why);
        return err_hint(err, "SSL_CERT_FILE names a PEM file.");
    case CURLE_SSL_CONNECT_ERROR:
        err_set(err, ERR_GONE, "%s does not speak TLS as we do: %.200s", origin, why);
        return err_hint(err, "Is its address one with http://? (It is of %s.)", from);
    case CURLE_OPERATION_TIMEDOUT:
        err_set(err, ERR_LIMIT, "%s takes too long: %.200s", origin, why);
        return err_hint(err, "What was asked for may still be done there.");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        if (x->client->is_known)
            return say_cut(x, origin, why, err);
        err_set(err, ERR_GONE, "%s hung up, or does not speak HTTP: %.200s", origin, why);
        return err_hint(err, "Is its address one with https://? (It is of %s.)", from);
    case CURLE_PARTIAL_FILE:
        return say_cut(x, origin, why, err);
    case CURLE_OUT_OF_MEMORY:
        return err_nomem(err);
    default:
        return err_set(err, ERR_SYSTEM, "%s: %.300s", origin, why);
    }
}

/* Append what a node says. */
static int put_text(struct buf *out, const char *text)
{
    size_t len = strlen(text);

    return clean_put(out, (struct span){text, len < MESSAGE_MAX ? len : MESSAGE_MAX});
}

/* Every error of the envelope, a line or more each; one without its message too. */
static int put_errors(struct buf *out, json_t *errors)
{
    json_t *one, *chain, *link;
    size_t i, j;
    int r = 0;

    json_array_foreach(errors, i, one)
    {
        const char *text = json_string_value(json_object_get(one, "message"));
        long long code = (long long)json_integer_value(json_object_get(one, "code"));
        if (r == 0 && i > 0)
            r = buf_append(out, "\n", 1);
        if (r == 0)
            r = put_text(out, text ? text : "no message");
        if (r == 0 && code)
            r = buf_print(out, " [code: %lld]", code);
        chain = json_object_get(one, "error_chain");
        json_array_foreach(chain, j, link)
        {
            text = json_string_value(json_object_get(link, "message"));
            if (r == 0 && text)
                r = buf_print(out, "\n- ");
            if (r == 0 && text)
                r = put_text(out, text);
        }
    }
    return r;
}

static void hint_refusal(const struct client *client, long status, struct err *err)
{
    const struct credentials *c = &client->credentials;

    if (status == 401)
        err_hint(err,
                 "The token is of %s; the node does not know it. `corral token create` there "
                 "makes one.",
                 c->token_from);
    else if (status == 403 && c->account_from[0])
        err_hint(err,
                 "The token is of %s, the account of %s: it is for another account, or does "
                 "not allow this. `corral whoami` shows its account.",
                 c->token_from, c->account_from);
    else if (status == 403)
        err_hint(err,
                 "The token (of %s) does not allow this: `corral token create --scope deploy` "
                 "on the node makes one that does.",
                 c->token_from);
    else if (status == 429)
        err_hint(err, "Too much was asked for. Wait a moment.");
}

/* The envelope says no, or there is none. */
static int say_refusal(struct exchange *x, struct err *err)
{
    struct client *client = x->client;
    struct client_answer *a = x->answer;
    json_t *errors = json_object_get(a->root, "errors");
    enum err_code kind = a->status == 404 ? ERR_NOT_FOUND : ERR_INVALID;
    bool is_envelope = json_object_get(a->root, "success") != NULL; /* pages may be JSON, too */
    char origin[256];
    struct span line;

    origin_of(x, origin);
    a->code = (int)json_integer_value(json_object_get(json_array_get(errors, 0), "code"));
    buf_done(&client->refusal);
    if (!json_is_array(errors) || json_array_size(errors) == 0) {
        err_set(err, a->status / 100 == 5 ? ERR_GONE : kind, "%s answered %ld without saying why%s",
                origin, a->status, is_envelope ? "" : ": it is no answer of a control API");
        if (!is_envelope)
            err_hint(err,
                     "The address is of %s. It is the one that `corral serve` shows as "
                     "\"API on\".",
                     client->credentials.api_from);
        return err->code;
    }
    if (put_errors(&client->refusal, errors) < 0 || buf_append(&client->refusal, "", 1) < 0)
        return err_nomem(err);
    snprintf(client->path, sizeof client->path, "%.*s",
             (int)strcspn(x->request->path ? x->request->path : x->request->url, "?"),
             x->request->path ? x->request->path : x->request->url);
    /* One line of it here, clean as the whole is. */
    line = (struct span){buf_data(&client->refusal), strcspn(buf_data(&client->refusal), "\n")};
    if (line.len > 400 || !memmem(line.data, line.len, "[code: ", 7))
        err_set(err, kind, "%.*s [code: %d]", (int)(line.len < 400 ? line.len : 400), line.data,
                a->code);
    else
        err_set(err, kind, "%.*s", SPAN_ARG(line));
    hint_refusal(client, a->status, err);
    return err->code;
}

static int judge(struct exchange *x, CURLcode c, struct err *err)
{
    struct client_answer *a = x->answer;
    json_error_t at;
    int r = 0;

    curl_easy_getinfo(x->client->easy, CURLINFO_RESPONSE_CODE, &a->status);
    if (x->sink.code) {
        *err = x->sink;
        return err->code;
    }
    if (x->is_too_long)
        return err_set(err, ERR_LIMIT, "the answer to %s is longer than %d bytes",
                       x->request->path ? x->request->path : "the download", CLIENT_ANSWER_MAX);
    if (c != CURLE_OK)
        return say_transport(x, c, err);
    x->client->is_known = true;
    if (buf_len(&a->body) > 0)
        r = value_parse(buf_span(&a->body), &a->root, &at);
    if (r == ERR_NOMEM)
        return err_nomem(err);
    a->result = json_object_get(a->root, "result");
    if (a->status / 100 == 2 &&
        (x->request->url || x->request->sink || json_is_true(json_object_get(a->root, "success"))))
        return 0;
    return say_refusal(x, err);
}

int client_ask(struct client *client, const struct client_request *request,
               struct client_answer *ret, struct err *err)
{
    struct exchange x = {.client = client, .request = request, .answer = ret};
    int r;

    *ret = (struct client_answer){0};
    buf_done(&client->refusal);
    r = set_up(&x, err);
    if (r == 0)
        r = judge(&x, curl_easy_perform(client->easy), err);
    tear_down(&x);
    return r;
}

/* ---- accounts and paths ---- */

static int choose_account(struct client *client, json_t *list, struct err *err)
{
    const char *id = json_string_value(json_object_get(json_array_get(list, 0), "id"));
    struct buf all = {0};
    json_t *one;
    size_t i;

    if (json_array_size(list) == 1 && id) {
        client->account = mem_strdup(id);
        return client->account ? 0 : err_nomem(err);
    }
    if (json_array_size(list) == 0)
        return err_set(err, ERR_NOT_FOUND, "the token (of %s) is of no account",
                       client->credentials.token_from);
    json_array_foreach(list, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        id = json_string_value(json_object_get(one, "id"));
        if (buf_print(&all, "%s%.40s (%.40s)", i ? ", " : "", id ? id : "?", name ? name : "") < 0)
            break;
    }
    err_set(err, ERR_INVALID, "the token is of several accounts, and nothing says which is meant");
    err_hint(err, "Set CORRAL_ACCOUNT_ID: %.*s", SPAN_ARG(buf_span(&all)));
    buf_done(&all);
    return ERR_INVALID;
}

int client_account(struct client *client, const char **ret, struct err *err)
{
    struct client_answer answer;
    int r = 0;

    if (client->credentials.account[0]) {
        *ret = client->credentials.account;
        return 0;
    }
    if (!client->account) {
        r = client_ask(client, &(struct client_request){.method = "GET", .path = "/accounts"},
                       &answer, err);
        if (r == 0)
            r = choose_account(client, answer.result, err);
        client_answer_done(&answer);
    }
    *ret = client->account;
    return r;
}

int client_path(struct client *client, char **ret, struct err *err, const char *fmt, ...)
{
    struct buf path = {0};
    const char *account;
    char *rest = NULL;
    va_list args;
    int r = client_account(client, &account, err), n;

    *ret = NULL;
    if (r < 0)
        return r;
    va_start(args, fmt);
    n = vasprintf(&rest, fmt, args);
    va_end(args);
    if (n >= 0 && buf_print(&path, "/accounts/%s%s", account, rest) == 0)
        *ret = buf_detach(&path);
    buf_done(&path);
    if (n >= 0)
        free(rest);
    return *ret ? 0 : err_nomem(err);
}

char *client_escape(const char *text)
{
    struct buf out = {0};
    char *escaped =
        percent_encode(&out, span_of(text), PERCENT_COMPONENT) == 0 ? buf_detach(&out) : NULL;

    buf_done(&out);
    return escaped;
}

/* ---- for people ---- */

const char *client_refusal(const struct client *client)
{
    return buf_len(&client->refusal) ? buf_data(&client->refusal) : "";
}

int client_fail(const struct client *client, const struct err *err)
{
    const char *at;

    if (!client || !client_refusal(client)[0] || !strstr(err->text, "[code: "))
        return cli_fail(err, 1);
    fprintf(stderr, "corral: A request to the Corral API (%s) failed.\n\n", client->path);
    for (at = client_refusal(client); *at; at += strcspn(at, "\n"), at += *at == '\n')
        fprintf(stderr, "%s%.*s\n", *at == '\n' ? "" : "  ", (int)strcspn(at, "\n"), at);
    if (err->hint[0])
        fprintf(stderr, "\n  %s\n", err->hint);
    return 1;
}

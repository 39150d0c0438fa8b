/* head.c - who asks, and what: a request's head, and whether its token may do that.
 *
 * What is wrong with a request is said in this order: no such path, no such method, no token or a
 * wrong one (401), another account's (403), too small a scope (403).  Nothing before the account's
 * check looks at what there is. */
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/match.h"
#include "base/mem.h"

enum { TOKEN_TEXT_MAX = 512 };

static char *copy(struct span s)
{
    return mem_copy(s.data, s.len);
}

/* "http://host:port" and "/path?query". */
static void split_url(struct span url, struct span *ret_origin, struct span *ret_path,
                      struct span *ret_query)
{
    const char *end = url.data + url.len;
    const char *scheme = memmem(url.data, url.len, "://", 3);
    const char *host = scheme ? scheme + 3 : url.data;
    const char *slash = memchr(host, '/', (size_t)(end - host));
    const char *path = slash ? slash : end;
    const char *mark = memchr(path, '?', (size_t)(end - path));

    *ret_origin = (struct span){url.data, (size_t)(path - url.data)};
    *ret_path = (struct span){path, (size_t)((mark ? mark : end) - path)};
    *ret_query = mark ? (struct span){mark + 1, (size_t)(end - mark - 1)} : SPAN("");
}

struct wanted {
    struct span authorization, content_type, client, websocket_key, agent;
    bool has_key_header, is_of_worker;
};

static void read_headers(struct api_call_inside *c, const struct pairs *headers, struct wanted *w)
{
    struct span name, value;
    size_t at = 0;

    *w = (struct wanted){SPAN(""), SPAN(""), SPAN(""), SPAN(""), SPAN(""), false, false};
    while (pairs_next(headers, &at, &name, &value)) {
        if (span_is_nocase(name, "authorization")) {
            if (w->authorization.len > 0)
                c->token_problem = "There is more than one Authorization header";
            w->authorization = value;
        } else if (span_is_nocase(name, "content-type")) {
            w->content_type = value;
        } else if (span_is_nocase(name, "cf-connecting-ip")) {
            w->client = value;
        } else if (span_is_nocase(name, "sec-websocket-key")) {
            w->websocket_key = value;
        } else if (span_is_nocase(name, "user-agent")) {
            w->agent = value;
        } else if (span_is_nocase(name, "x-auth-key") || span_is_nocase(name, "x-auth-email")) {
            w->has_key_header = true;
        } else if (span_is_nocase(name, "cdn-loop")) {
            w->is_of_worker |= memmem(value.data, value.len, "corral", 6) != NULL;
        }
    }
}

static int read_token(struct api_call_inside *c, const struct wanted *w)
{
    struct span text = w->authorization;

    if (c->token_problem)
        return 0;
    if (text.len == 0) {
        c->token_problem =
            w->has_key_header
                ? "Authentication error: this node knows no API keys (X-Auth-Key): use an API token"
                : "Authentication error: there is no Authorization header; say \"Authorization: "
                  "Bearer TOKEN\"";
        return 0;
    }
    if (text.len < 7 || strncasecmp(text.data, "bearer ", 7) != 0) {
        c->token_problem = "Authentication error: say \"Authorization: Bearer TOKEN\"";
        return 0;
    }
    text.data += 7;
    text.len -= 7;
    while (text.len > 0 && *text.data == ' ') {
        text.data++;
        text.len--;
    }
    if (text.len == 0 || text.len > TOKEN_TEXT_MAX) {
        c->token_problem = "Authentication error";
        return 0;
    }
    c->token_text = copy(text);
    return c->token_text ? 0 : ERR_NOMEM;
}

/* As Cloudflare's "source": which program it was. */
static const char *source_of(struct span agent)
{
    static const char *const KNOWN[] = {"wrangler", "corral"};

    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (agent.len > strlen(KNOWN[i]) && memcmp(agent.data, KNOWN[i], strlen(KNOWN[i])) == 0)
            return KNOWN[i];
    return "api";
}

static uint64_t body_max(enum api_body body)
{
    switch (body) {
    case API_NO_BODY:
        return 0;
    case API_JSON:
        return API_JSON_MAX;
    case API_BYTES:
        return API_BYTES_MAX;
    case API_FORM:
        return API_FORM_MAX;
    case API_FILE:
        return API_FILE_MAX;
    }
    return 0;
}

static int find(struct api_call_inside *c, struct span method, struct span path, struct err *err)
{
    struct match match;
    int r = match_find(API_TABLES, method, path, &match, err);

    if (r == ERR_NOMEM)
        return r;
    if (r < 0) {
        api_error(&c->call, 400, 7003, "%s", err->text);
    } else if (r == MATCH_NONE) {
        api_no_route(&c->call, path);
    } else if (r == MATCH_OTHER_METHOD) {
        api_error(&c->call, 405, 10405, "Method not allowed for this endpoint: it knows %s",
                  match.allow);
        api_header(&c->call, "Allow", match.allow);
    } else {
        c->call.endpoint = match.endpoint;
        c->in.max = body_max(match.endpoint->body);
        for (int i = 0; i < API_PARAMS_MAX; i++) {
            c->call.params[i].name = match.params[i].name;
            c->call.params[i].value = match.params[i].value;
            match.params[i].value = NULL;
        }
    }
    match_done(&match);
    return 0;
}

int api_head_read(struct api_call_inside *c, const struct request *request, struct err *err)
{
    const char *public_url = c->call.api->public_url;
    struct span origin, path, query;
    struct wanted w;
    int r;

    split_url(request->url, &origin, &path, &query);
    read_headers(c, &request->headers, &w);
    c->is_upgrade = request->is_upgrade;
    c->is_of_worker = w.is_of_worker;
    /* Its wrong tokens are not those of who else asks from this machine. */
    if (w.is_of_worker)
        w.client = SPAN("worker");
    c->content_length = request->body_length;
    c->call.query = copy(query);
    c->call.origin = public_url ? mem_strdup(public_url) : copy(origin);
    c->call.client = copy(w.client);
    c->call.content_type = copy(w.content_type);
    c->websocket_key = copy(w.websocket_key);
    c->agent = mem_strdup(source_of(w.agent));
    if (!c->call.query || !c->call.origin || !c->call.client || !c->call.content_type ||
        !c->websocket_key || !c->agent || read_token(c, &w) < 0)
        return err_nomem(err);
    r = find(c, request->method, path, err);
    if (r < 0)
        return r;
    if (c->token_text)
        c->keys = limits_keys(c->call.api->limits, w.client, span_of(c->token_text));
    return 0;
}

char *api_author(const struct api_call *call, char room[API_AUTHOR_MAX])
{
    if (call->token.name && call->token.name[0])
        snprintf(room, API_AUTHOR_MAX, "%s", call->token.name);
    else
        snprintf(room, API_AUTHOR_MAX, "%s@%s", call->account.subdomain, call->api->domain);
    return room;
}

void api_check_token(struct api_call_inside *c, struct catalog *catalog)
{
    struct api_call *call = &c->call;
    const char *account = api_param(call, "account");
    struct err err = {0};
    int r = token_verify(catalog, span_of(c->token_text), &call->token, &err);

    explicit_bzero(c->token_text, strlen(c->token_text));
    if (r == ERR_NOT_FOUND || r == ERR_INVALID) {
        c->is_token_bad = true;
        api_error(call, 401, 10000, "Authentication error");
        return;
    }
    if (r == 0)
        r = account_find(catalog, call->token.account_id, &call->account, &err);
    if (r < 0) {
        api_fail(call, 10000, &err);
        return;
    }
    if (account[0] && strcmp(account, call->token.account_id) != 0)
        api_error(call, 403, 10000, "Authentication error");
    else if (call->token.scope < call->endpoint->scope)
        api_error(call, 403, 10000,
                  "Authentication error: this token has the scope '%s', and this wants '%s'",
                  scope_name(call->token.scope), scope_name(call->endpoint->scope));
}

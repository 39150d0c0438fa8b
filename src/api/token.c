/* token.c - the token that asks, and for admins all tokens of the account. */
#include <string.h>
#include <time.h>

#include "api/inside.h"
#include "base/clock.h"
#include "base/mem.h"

static json_t *moment(int64_t ms)
{
    char text[API_TIME_SIZE];

    if (ms == 0)
        return json_null();
    api_time(ms, text);
    return json_string(text);
}

static void verify_token(struct api_call *call, struct catalog *catalog)
{
    json_t *out = json_pack("{s:s, s:s}", "id", call->token.id, "status", "active");

    (void)catalog;
    if (call->token.expires_ms)
        json_object_set_new(out, "expires_on", moment(call->token.expires_ms));
    api_result(call, out);
}

static json_t *describe_token(const struct token *token)
{
    bool is_over = token->expires_ms && token->expires_ms <= clock_wall_ms();

    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "id", token->id, "name",
                     token->name ? token->name : "", "status", is_over ? "expired" : "active",
                     "scope", scope_name(token->scope), "issued_on", moment(token->created_ms),
                     "expires_on", moment(token->expires_ms));
}

static void list_tokens(struct api_call *call, struct catalog *catalog)
{
    struct tokens tokens = {0};
    unsigned page, per_page;
    struct err err = {0};
    json_t *out;

    if (token_list(catalog, call->account.id, &tokens, &err) < 0) {
        api_fail(call, 10000, &err);
        return;
    }
    out = json_array();
    for (size_t i = 0; i < tokens.count; i++)
        json_array_append_new(out, describe_token(&tokens.items[i]));
    tokens_done(&tokens);
    api_page(call, 100, 1000, &page, &per_page);
    api_result_page(call, out, page, per_page);
}

/* "2026-12-31T23:59:59Z" in milliseconds; 0: not said; -1: not a moment. */
static int64_t read_moment(const json_t *value)
{
    const char *text = json_string_value(value), *end;
    struct tm tm = {0};

    if (!value || json_is_null(value))
        return 0;
    end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (end && *end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    return end && strcmp(end, "Z") == 0 ? (int64_t)timegm(&tm) * 1000 : -1;
}

static void create_token(struct api_call *call, struct catalog *catalog)
{
    const char *name = json_string_value(json_object_get(call->json, "name"));
    const char *scope_text = json_string_value(json_object_get(call->json, "scope"));
    int scope = scope_text ? scope_parse(scope_text) : -1;
    int64_t expires_ms = read_moment(json_object_get(call->json, "expires_on"));
    char text[TOKEN_SIZE];
    struct token token = {0};
    struct err err = {0};
    json_t *out;

    if (scope < 0)
        api_error(call, 400, 1001, "\"scope\" must be \"read\", \"deploy\" or \"admin\"");
    else if (expires_ms < 0 || (expires_ms > 0 && expires_ms <= clock_wall_ms()))
        api_error(call, 400, 1001,
                  "\"expires_on\" must be a moment to come, such as \"2027-01-01T00:00:00Z\"");
    else if (token_create(catalog, call->account.id, (enum scope)scope, name ? name : "",
                          expires_ms, text, &token, &err) < 0)
        api_fail(call, 1001, &err);
    else {
        out = describe_token(&token);
        json_object_set_new(out, "value", json_string(text));
        api_result(call, out);
        explicit_bzero(text, sizeof text);
    }
    token_done(&token);
}

static void revoke_token(struct api_call *call, struct catalog *catalog)
{
    struct err err = {0};

    if (token_revoke(catalog, call->account.id, api_param(call, "token"), &err) < 0)
        api_fail(call, 1003, &err);
    else
        api_result(call, json_pack("{s:s}", "id", api_param(call, "token")));
}

const struct api_endpoint TOKEN_ENDPOINTS[] = {
    {"GET", "/user/tokens/verify", SCOPE_READ, API_NO_BODY, .work = verify_token},
    {"GET", "/user/tokens", SCOPE_ADMIN, API_NO_BODY, .work = list_tokens},
    {"POST", "/user/tokens", SCOPE_ADMIN, API_JSON, .work = create_token},
    {"DELETE", "/user/tokens/:token", SCOPE_ADMIN, API_NO_BODY, .work = revoke_token},
    {0}};

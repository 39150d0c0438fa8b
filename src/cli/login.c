/* login.c - `corral login`, `corral logout`: keep the address of a node and a token for it.
 *
 * Nothing is kept before the node has said that it knows the token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/prompt.h"
#include "cli/remote.h"

static const struct option OPTIONS[] = {
    {"--api-url", NULL, "URL", "address of the node's API, as `corral serve` shows it"},
    {"--account-id", NULL, "ID", "the account, when the token is of several"},
    {"--browser", NULL, NULL, NULL}, /* of wrangler, as the next ones: nothing is opened here */
    {"--scopes", NULL, "SCOPES", NULL},
    {0},
};

struct login {
    const char *api, *account;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct login *login = self;

    (void)err;
    if (strcmp(option->name, "--api-url") == 0)
        login->api = value;
    if (strcmp(option->name, "--account-id") == 0)
        login->account = value;
    return 0;
}

/* The address: said, of the environment, or typed. */
static int get_api(const struct login *login, char **ret, struct err *err)
{
    const char *const NAMES[] = {"CORRAL_API_URL", "CLOUDFLARE_API_BASE_URL"};
    const char *known = login->api, *name = "--api-url";
    struct buf typed = {0};
    char *text;
    int r = 0;

    for (size_t i = 0; i < 2 && !known; i++) {
        known = getenv(NAMES[i]);
        known = known && known[0] ? known : NULL;
        name = NAMES[i];
    }
    if (known && (login->api || !isatty(STDIN_FILENO)))
        return credentials_api(name, known, ret, err);
    if (!isatty(STDIN_FILENO)) {
        err_set(err, ERR_INVALID, "which node is meant? There is no terminal to ask on");
        return err_hint(err, "Give its address with --api-url, and the token on standard input.");
    }
    r = prompt_text("Address of the node's API:", known ? known : "http://127.0.0.1:8788", &typed,
                    err);
    text = r == 0 ? buf_detach(&typed) : NULL;
    buf_done(&typed);
    if (!text)
        return r < 0 ? r : err_nomem(err);
    r = credentials_api("the address", text, ret, err);
    mem_free(text);
    return r;
}

static int get_token(char **ret, struct err *err)
{
    struct buf typed = {0};
    int r = isatty(STDIN_FILENO)
                ? prompt_secret("Token (`corral token create` on the node makes one):",
                                CREDENTIALS_TOKEN_MAX, &typed, err)
                : prompt_read(NULL, "the token on standard input", CREDENTIALS_TOKEN_MAX + 2,
                              &typed, err);

    while (r == 0 && buf_len(&typed) > 0 &&
           strchr(" \t\r\n", buf_data(&typed)[buf_len(&typed) - 1]))
        typed.tail--;
    *ret = r == 0 ? mem_copy(buf_data(&typed), buf_len(&typed)) : NULL;
    prompt_wipe(&typed);
    if (r < 0)
        return r;
    return *ret ? credentials_check_token("the token", *ret, err) : err_nomem(err);
}

static void warn_clear(const char *api)
{
    if (strncmp(api, "http://", 7) == 0 && strncmp(api, "http://127.", 11) != 0 &&
        strncmp(api, "http://localhost", 16) != 0 && strncmp(api, "http://[::1]", 12) != 0)
        log_warn("%s is not encrypted: whoever is on the way reads the token", api);
}

/* Ask the node, keep what it agrees to. */
static int check_and_keep(struct remote *r, const char *wanted, struct err *err)
{
    const struct credentials *c = client_credentials(r->client);
    struct client_answer answer;
    const char *account = wanted ? wanted : "", *name = "", *path;
    char *shown;
    int code;

    code = client_ask(r->client, &(struct client_request){.method = "GET", .path = "/accounts"},
                      &answer, err);
    if (code == 0 && json_array_size(answer.result) == 1 && !wanted) {
        path = json_string_value(json_object_get(json_array_get(answer.result, 0), "id"));
        account = path ? path : "";
        path = json_string_value(json_object_get(json_array_get(answer.result, 0), "name"));
        name = path ? path : "";
    }
    if (code == 0)
        code = credentials_store(c->api, c->token, account, err);
    if (code == 0) {
        shown = credentials_path();
        printf("✨ Logged in to %s%s%s%s.\n", c->api, name[0] ? ", account " : "", name,
               account[0] && !name[0] ? ", with the account that was named" : "");
        printf("The token is kept in %s; `corral logout` removes it.\n", shown ? shown : "?");
        mem_free(shown);
    }
    client_answer_done(&answer);
    return code;
}

static int login(struct remote *r, const struct login *wanted, struct err *err)
{
    struct credentials c = {
        .api_from = "`corral login`", .token_from = "`corral login`", .account_from = ""};
    int code;

    if (wanted->account && wanted->account[strspn(wanted->account, "0123456789abcdefABCDEF")])
        return err_set(err, ERR_INVALID, "--account-id is 32 hexadecimal digits");
    code = get_api(wanted, &c.api, err);
    if (code == 0)
        code = get_token(&c.token, err);
    c.account = mem_strdup("");
    if (code == 0 && !c.account)
        code = err_nomem(err);
    if (code < 0) {
        credentials_done(&c);
        return code;
    }
    warn_clear(c.api);
    code = client_new(&c, &r->client, err);
    return code < 0 ? code : check_and_keep(r, wanted->account, err);
}

int login_command(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "login",
        .about =
            "Keep the address of a node's API and a token for it, so that no variable has to be\n"
            "set. Both are asked for; without a terminal the token comes on standard input.\n",
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_NODE,
    };
    struct login wanted = {0};
    struct err err = {0};
    struct remote r;
    int code = remote_parse(&SPEC, args, &wanted, &r);

    return code == REMOTE_GO ? remote_end(&r, login(&r, &wanted, &err), &err) : code;
}

int logout_command(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "logout",
        .about =
            "Forget what `corral login` keeps. The token stays valid: `corral token revoke` on\n"
            "the node ends it.\n",
        .need = REMOTE_NODE,
    };
    struct err err = {0};
    struct remote r;
    int code = remote_parse(&SPEC, args, NULL, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = credentials_forget(&err);
    if (result >= 0)
        printf(result ? "Logged out.\n" : "Nobody was logged in.\n");
    return remote_end(&r, result, &err);
}

/* whoami.c - `corral whoami`: which node, which token, which account commands are for. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/table.h"

static int print_accounts(json_t *list, struct err *err)
{
    size_t count = json_array_size(list), i;
    struct span *cells = mem_alloc((count + 1) * 2 * sizeof *cells);
    struct buf out = {0};
    json_t *one;
    int r;

    if (!cells)
        return err_nomem(err);
    cells[0] = SPAN("Account Name");
    cells[1] = SPAN("Account ID");
    json_array_foreach(list, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *id = json_string_value(json_object_get(one, "id"));
        cells[2 * i + 2] = span_of(name ? name : "");
        cells[2 * i + 3] = span_of(id ? id : "");
    }
    r = table_print(&out, table_look(), cells, 2, count + 1);
    if (r == 0)
        printf("%.*s\n", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    mem_free(cells);
    return r < 0 ? err_nomem(err) : 0;
}

static int show(struct remote *r, void *unused, struct err *err)
{
    const struct credentials *c = client_credentials(r->client);
    const struct client_request USER = {.method = "GET", .path = "/user"};
    const struct client_request ACCOUNTS = {.method = "GET", .path = "/accounts"};
    struct client_answer user = {0}, accounts = {0};
    const char *email = NULL;
    struct err ignored;
    int code = client_ask(r->client, &ACCOUNTS, &accounts, err);

    (void)unused;
    if (code < 0)
        goto done;
    if (client_ask(r->client, &USER, &user, &ignored) == 0)
        email = json_string_value(json_object_get(user.result, "email"));
    if (r->is_json) {
        json_t *out = json_pack("{s:b, s:s, s:s, s:s, s:s?, s:O}", "loggedIn", 1, "authType",
                                "API Token", "api", c->api, "tokenFrom", c->token_from, "email",
                                email, "accounts", accounts.result);
        code = cli_print_json(out, err);
        goto done;
    }
    printf("👋 You are logged in to %s with the token of %s%s%s.\n", c->api, c->token_from,
           email ? ", associated with " : "", email ? email : "");
    code = print_accounts(accounts.result, err);
    if (code == 0 && c->account[0])
        printf("Commands are for the account %s (%s).\n", c->account, c->account_from);
done:
    client_answer_done(&user);
    client_answer_done(&accounts);
    return code;
}

int whoami_command(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "whoami",
        .about = "Show which node and which account commands are for.\n",
        .need = REMOTE_NODE,
        .has_json = true,
    };

    return remote_run(&SPEC, args, NULL, show);
}

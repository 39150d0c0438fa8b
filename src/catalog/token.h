/* token.h - API tokens: who may do what in which account.
 *
 * A token's text is "crl_" and 40 random characters; only its SHA-256 is kept, and the text is
 * shown once.  Scopes include those before them: read (GET), deploy (change workers, databases,
 * values), admin (also tokens, the subdomain and quotas). */
#ifndef CORRAL_CATALOG_TOKEN_H
#define CORRAL_CATALOG_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "catalog/catalog.h"

enum { TOKEN_SIZE = 45, TOKENS_MAX = 1000 }; /* of an account */

enum scope { SCOPE_READ, SCOPE_DEPLOY, SCOPE_ADMIN, SCOPES };
/* "read", "deploy", "admin"; -1: none of these. */
int scope_parse(const char *name);
const char *scope_name(enum scope scope);

struct token {
    char id[ID_SIZE];
    char account_id[ID_SIZE];
    enum scope scope;
    char *name; /* what people call it, or "" */
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
};
void token_done(struct token *token);

struct tokens {
    struct token *items; /* oldest first */
    size_t count;
};
void tokens_done(struct tokens *tokens);

int token_create(struct catalog *catalog, const char *account_id, enum scope scope,
                 const char *name, int64_t expires_ms, char ret_text[TOKEN_SIZE], struct token *ret,
                 struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: there is none like that, or it has expired. */
int token_verify(struct catalog *catalog, struct span text, struct token *ret,
                 struct err *err) MUST_CHECK;
int token_list(struct catalog *catalog, const char *account_id, struct tokens *ret,
               struct err *err) MUST_CHECK;
int token_revoke(struct catalog *catalog, const char *account_id, const char *token_id,
                 struct err *err) MUST_CHECK;

#endif

/* credentials.h - which node the command line talks to, as whom.
 *
 * Each of the three is the first that is given:
 *
 *     API      CORRAL_API_URL, CLOUDFLARE_API_BASE_URL, what `corral login` stored; with or without
 *              /client/v4 at its end
 *     token    CORRAL_API_TOKEN; CLOUDFLARE_API_TOKEN, when the API is of the environment too; what
 *              `corral login` stored for this API: a token goes to nobody it was not meant for
 *     account  CORRAL_ACCOUNT_ID, CLOUDFLARE_ACCOUNT_ID, account_id of the configuration, what was
 *              stored for this API; "": client_account asks the node
 *
 * The store is $XDG_CONFIG_HOME/corral/credentials.json (~/.config without it), a file of mode 0600
 * in a folder of mode 0700; one that others can read is refused.
 *
 * Errors: ERR_NOT_FOUND: nothing says which API or token, with a hint; ERR_INVALID: an address that
 * is none, a store that is not ours; ERR_SYSTEM; ERR_NOMEM. */
#ifndef CORRAL_CLI_CREDENTIALS_H
#define CORRAL_CLI_CREDENTIALS_H

#include "base/err.h"

enum { CREDENTIALS_TOKEN_MAX = 4096 };

struct credentials {
    char *api;                /* "http://127.0.0.1:8788/client/v4": no slash at its end */
    char *token;              /* never shown */
    char *account;            /* "": not said */
    const char *api_from;     /* "CORRAL_API_URL", "`corral login`" ...: for messages; static */
    const char *token_from;   /* likewise */
    const char *account_from; /* likewise; "" */
};

/* account_id: of the configuration, or NULL. */
int credentials_find(const char *account_id, struct credentials *ret, struct err *err) MUST_CHECK;
/* Wipes the token. */
void credentials_done(struct credentials *c);

/* An address as people write it, to the one of the API.  `name` is what it is called in errors. */
int credentials_api(const char *name, const char *text, char **ret, struct err *err) MUST_CHECK;
/* May it be a token?  ERR_INVALID, ERR_LIMIT. */
int credentials_check_token(const char *name, const char *token, struct err *err) MUST_CHECK;

/* What `corral login` keeps; account may be "". */
int credentials_store(const char *api, const char *token, const char *account,
                      struct err *err) MUST_CHECK;
/* 1: forgotten; 0: there was nothing. */
int credentials_forget(struct err *err) MUST_CHECK;
/* The file that keeps them, for people; to be freed.  NULL: no home, or no memory. */
char *credentials_path(void);

#endif

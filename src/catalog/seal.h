/* seal.h - secrets at rest: AES-256-GCM under the key of this node.
 *
 *   1 byte    the version of this layout: 1
 *   12 bytes  a random nonce
 *   16 bytes  the tag
 *   n bytes   the text, encrypted
 *
 * `context` is bound to it, not stored: what belongs to one account, worker and name does not open
 * in another's row.  Thread: any; the key is only read.  Inside catalog/ only. */
#ifndef CORRAL_CATALOG_SEAL_H
#define CORRAL_CATALOG_SEAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum { SEAL_KEY_BYTES = 32, SEAL_EXTRA_BYTES = 1 + 12 + 16 };

struct seal_key {
    unsigned char bytes[SEAL_KEY_BYTES];
};

/* Where the key is: `file`, else CORRAL_SECRETS_KEY, else DATA/secrets.key; that one is made when
 * it is not there and may_make.  Errors name the place and say what to do. */
enum seal_make { SEAL_FIND, SEAL_MAKE };
int seal_key_load(const char *data_folder, const char *file, enum seal_make make,
                  struct seal_key *ret, struct err *err) MUST_CHECK;
/* What seal_key_load reads, for errors: "CORRAL_SECRETS_KEY", "'/data/secrets.key'". */
void seal_key_place(const char *data_folder, const char *file, char out[512]);
void seal_key_done(struct seal_key *key);

/* Append it sealed. */
int seal_close(const struct seal_key *key, struct span context, struct span text, struct buf *out,
               struct err *err) MUST_CHECK;
/* *ret_text: with a NUL behind it; to be given to seal_wipe.  ERR_INVALID: another key, another
 * context, or it was changed. */
int seal_open(const struct seal_key *key, struct span context, struct span sealed, char **ret_text,
              size_t *ret_len, struct err *err) MUST_CHECK;
void seal_wipe(char *take_text, size_t len); /* NULL is fine */

#endif

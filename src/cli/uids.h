/* uids.h - user ids for accounts: a range that nobody else on this machine has.
 *
 * A node that root runs gives each account an id out of a range (box.uids).  Whose id is in it
 * already could signal its workers, and be limited with them; so it is looked up in the files that
 * say who has which, and held while the node runs by a lock of these numbers in UIDS_FOLDER/uids:
 * two nodes cannot have one at a time.  A node that was told none takes the first block that is
 * free.  Users of a directory (LDAP) stand in no file and are not seen. */
#ifndef CORRAL_CLI_UIDS_H
#define CORRAL_CLI_UIDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "box/tier.h"

#define UIDS_FOLDER "/run/corral"

enum { UIDS_BLOCKS = 200 }; /* that a node which was told none may take, one behind the other */

struct uids {
    struct box_uids range;
    bool is_told;   /* by the node's configuration */
    bool is_shared; /* ... and that they may be in /etc/subuid, or another node's */
};

/* "FIRST-LAST" or "FIRST-LAST,shared"; NULL: the default.  ERR_INVALID. */
int uids_read(const char *text, struct uids *ret, struct err *err) MUST_CHECK;
/* By the files passwd, group, subuid and subgid in `etc` ("/etc").  ERR_INVALID: one names somebody
 * in the range; who is told that it is shared may have what the last two name. */
int uids_check(const struct uids *uids, const char *etc, struct err *err) MUST_CHECK;
/* Check, and hold the range until this process ends; uids->range is what it has.  ERR_INVALID:
 * somebody else has it, and who.  *ret_is_held: false: nobody can tell (the lock cannot be made), and
 * *err says why. */
int uids_claim(struct uids *uids, const char *etc, const char *folder, bool *ret_is_held,
               struct err *err) MUST_CHECK;
/* Who holds some of the range; 0: nobody, or nobody can tell. */
pid_t uids_holder(const struct box_uids *range, const char *folder);

#endif

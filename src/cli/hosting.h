/* hosting.h - settings of the host that decide about namespaces and Landlock.
 *
 * Thread: any. */
#ifndef CORRAL_CLI_HOSTING_H
#define CORRAL_CLI_HOSTING_H

#include <stdbool.h>
#include <stdint.h>

#define HOSTING_MAX_USER_NAMESPACES "/proc/sys/user/max_user_namespaces"
/* Of Debian's kernels before 6, and others with that patch. */
#define HOSTING_USERNS_CLONE "/proc/sys/kernel/unprivileged_userns_clone"
/* Of Ubuntu's, from 23.10 on. */
#define HOSTING_APPARMOR_USERNS "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"

/* The number in a file; false: there is none. */
bool hosting_number(const char *path, int64_t *ret);
/* Is this one of the kernel's security modules?  *ret_is_known: could that be read? */
bool hosting_is_in_lsm(const char *name, bool *ret_is_known);

#endif

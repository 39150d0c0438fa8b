/* inside.h - what the files of this room share. */
#ifndef CORRAL_BOX_INSIDE_H
#define CORRAL_BOX_INSIDE_H

#include <stdbool.h>

#include "base/err.h"

/* AddressSanitizer reserves terabytes of address space and dies of a limit. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BOX_CAN_LIMIT_VM 0
#endif
#endif
#ifndef BOX_CAN_LIMIT_VM
#define BOX_CAN_LIMIT_VM 1
#endif

/* In this process's user namespace, effective. */
bool box_has_capability(int capability);
/* A user namespace in which we are BOX_INSIDE_UID and have every capability over what is made in
 * it. */
int box_user_enter(int proc_fd, struct err *err) MUST_CHECK;

#endif

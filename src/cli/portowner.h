/* portowner.h - who listens on a TCP port of this machine. */
#ifndef CORRAL_CLI_PORTOWNER_H
#define CORRAL_CLI_PORTOWNER_H

#include <stddef.h>
#include <sys/types.h>

/* The process whose listening on `port` is in the way of an address of this
 * family (AF_INET or AF_INET6): its pid and command name, as far as /proc lets
 * this user see.  Returns the pid, or -1 when it cannot be told. */
pid_t portowner_find(int port, int family, char *ret_name, size_t size);

#endif

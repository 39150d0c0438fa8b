/* process.h - what /proc says of a process, for messages. */
#ifndef CORRAL_CLI_PROCESS_H
#define CORRAL_CLI_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* "python3"; "?" when it cannot be told. */
void process_name(pid_t pid, char *ret_name, size_t size);
/* As it was started, without its options: "corral dev"; its name when that cannot be told. */
void process_command(pid_t pid, char *ret_command, size_t size);
/* -1 when it cannot be told. */
pid_t process_parent(pid_t pid);
/* Who has flock()ed this file; -1: nobody, or it cannot be told. */
pid_t process_that_locks(const char *path);

#endif

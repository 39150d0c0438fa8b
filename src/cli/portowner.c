/* portowner.c - from /proc/net/tcp to a socket's inode, from there to a process.
 *
 * proc(5): each line of /proc/net/tcp{,6} holds the local address as
 * HEXADDRESS:HEXPORT, the state (0A: listening) and the inode; a process that
 * has the socket open shows it as /proc/PID/fd/N -> socket:[INODE]. */
#include "cli/portowner.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/process.h"

enum { TCP_LISTEN_STATE = 0x0a };

static unsigned long inode_in(const char *table, int port)
{
    unsigned long inode = 0, found = 0;
    unsigned local_port, state;
    char line[512];
    FILE *f = fopen(table, "re");

    if (!f)
        return 0;
    while (!found && fgets(line, sizeof line, f)) {
        int n = sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                       &local_port, &state, &inode);
        if (n == 3 && (int)local_port == port && state == TCP_LISTEN_STATE)
            found = inode;
    }
    fclose(f);
    return found;
}

static int has_socket(const char *pid, unsigned long inode)
{
    char path[300], target[64], want[64];
    struct dirent *e;
    int found = 0;
    DIR *d;

    snprintf(want, sizeof want, "socket:[%lu]", inode);
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    d = opendir(path);
    if (!d)
        return 0;
    while (!found && (e = readdir(d))) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        found = strcmp(target, want) == 0;
    }
    closedir(d);
    return found;
}

pid_t portowner_find(int port, int family, char *ret_name, size_t size)
{
    unsigned long inode = family == AF_INET ? inode_in("/proc/net/tcp", port) : 0;
    struct dirent *e;
    pid_t pid = -1;
    DIR *d;

    /* A socket on [::] may take the port of IPv4 as well. */
    if (!inode)
        inode = inode_in("/proc/net/tcp6", port);
    d = inode ? opendir("/proc") : NULL;
    if (!d)
        return -1;
    while (pid < 0 && (e = readdir(d))) {
        if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(e->d_name, inode))
            continue;
        pid = (pid_t)strtol(e->d_name, NULL, 10);
        process_name(pid, ret_name, size);
    }
    closedir(d);
    return pid;
}

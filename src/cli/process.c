/* process.c - read /proc/PID/comm, /proc/PID/stat and /proc/locks (see proc(5)).
 *
 * All three tell everybody about every process, also about one that hides its
 * open files.  A lock's device is not compared: on btrfs and overlays stat(2)
 * has another one than the kernel's own list. */
#include "cli/process.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void process_name(pid_t pid, char *ret_name, size_t size)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    f = fopen(path, "re");
    if (!f || !fgets(ret_name, (int)size, f))
        snprintf(ret_name, size, "?");
    ret_name[strcspn(ret_name, "\n")] = '\0';
    if (f)
        fclose(f);
}

void process_command(pid_t pid, char *ret_command, size_t size)
{
    char path[64], line[1024];
    const char *program, *word;
    size_t n;
    FILE *f;

    process_name(pid, ret_command, size);
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return;
    n = fread(line, 1, sizeof line - 2, f);
    fclose(f);
    line[n] = line[n + 1] = '\0'; /* each word ends with one */
    program = strrchr(line, '/') ? strrchr(line, '/') + 1 : line;
    word = line + strlen(line) + 1;
    if (n > 0)
        snprintf(ret_command, size, word[0] && word[0] != '-' ? "%s %s" : "%s", program, word);
}

pid_t process_parent(pid_t pid)
{
    char path[64], line[512];
    const char *behind;
    int parent = -1;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return -1;
    behind = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL; /* a name may hold ')' */
    if (!behind || sscanf(behind, ") %*c %d", &parent) != 1)
        parent = -1;
    fclose(f);
    return parent;
}

pid_t process_that_locks(const char *path)
{
    FILE *f = fopen("/proc/locks", "re");
    unsigned long long inode;
    char line[256];
    struct stat st;
    int pid, found = -1;

    if (f && stat(path, &st) == 0) {
        while (found < 0 && fgets(line, sizeof line, f))
            if (sscanf(line, "%*d: FLOCK %*s %*s %d %*x:%*x:%llu", &pid, &inode) == 2 &&
                inode == st.st_ino)
                found = pid;
    }
    if (f)
        fclose(f);
    return found > 0 ? found : -1;
}

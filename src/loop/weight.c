/* weight.c - read statm, status, fd and maps of a process. */
#include "loop/weight.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FILES_MAX = 1024,
    WHOLE_PART = 200,       /* a whole look may take this part of its time at most */
    ENDS_FREE = 8,          /* pipes and sockets that its engines have */
    PIPE_BYTES = 64 * 1024, /* what waits in one, at most */
    SOCKET_BYTES = 256 * 1024,
    STATUS_BYTES = 4096,
    HIDDEN_FREE = 4 << 20, /* page tables and the like: who has no more hides nothing */
    MAPS_BYTES =
        8 * 1024 * 1024, /* of text that is read at a time: no process of ours needs more */
};

/* Files without a name that were seen, each once. */
struct seen {
    ino_t files[FILES_MAX];
    size_t count;
};

static bool is_new(struct seen *seen, ino_t number)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->files[i] == number)
            return false;
    if (seen->count < FILES_MAX)
        seen->files[seen->count++] = number;
    return true;
}

static int open_of(pid_t pid, const char *name)
{
    char path[48];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* All of it, what is there, and what is some file's.  false: it has ended. */
static bool read_statm(const struct weight *w, long long pages[static 3])
{
    char text[128];
    ssize_t n;

    if (w->statm_fd <= 0)
        return false;
    n = pread(w->statm_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return sscanf(text, "%lld %lld %lld", &pages[0], &pages[1], &pages[2]) == 3;
}

/* Private pages: those that are no file's. */
static bool read_private(struct weight *w)
{
    long long pages[3];

    if (!read_statm(w, pages))
        return false;
    w->private_bytes = (pages[1] - pages[2]) * sysconf(_SC_PAGESIZE);
    return true;
}

static int64_t field_of(const char *status, const char *name)
{
    const char *at = strstr(status, name);

    return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/* Page tables and what was swapped out; counts its threads; has it shared memory? */
static int64_t read_status(struct weight *w)
{
    char text[STATUS_BYTES];
    int fd = open_of(w->pid, "status");
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    w->threads = (unsigned)field_of(text, "\nThreads:");
    w->maps = w->maps || field_of(text, "\nRssShmem:") > 0;
    return (field_of(text, "\nVmPTE:") + field_of(text, "\nVmSwap:")) * 1024;
}

/* Files without a name that it has open, and what may wait in its pipes and sockets. */
static int64_t read_files(struct weight *w, struct seen *seen)
{
    const struct dirent *entry;
    int64_t bytes = 0;
    unsigned ends = 0;
    struct stat st;
    char path[40];
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)w->pid);
    dir = opendir(path);
    w->files = 0;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        w->files++;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
            continue;
        /* What the kernel keeps in them it tells nobody. */
        if ((S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode)) && ++ends > ENDS_FREE)
            bytes += S_ISSOCK(st.st_mode) ? SOCKET_BYTES : PIPE_BYTES;
        if (S_ISREG(st.st_mode) && st.st_nlink == 0 && is_new(seen, st.st_ino)) {
            bytes += (int64_t)st.st_blocks * 512;
            w->maps = true;
        }
    }
    if (dir)
        closedir(dir);
    return bytes;
}

/* One line of maps: "from-to perms offset device inode   path". */
static int64_t line_bytes(const char *line, struct seen *seen)
{
    unsigned long long from, to, offset, inode;
    unsigned major, minor;
    char perms[8];
    int at = 0;

    if (sscanf(line, "%llx-%llx %7s %llx %x:%x %llu %n", &from, &to, perms, &offset, &major, &minor,
               &inode, &at) < 7 ||
        perms[3] != 's' || !strstr(line + at, "(deleted)"))
        return 0;
    /* How much of it is there, nobody tells; a file that is open has been counted. */
    return is_new(seen, (ino_t)inode) ? (int64_t)(to - from) : 0;
}

/* What stands behind the part that is read may be all of its addresses. */
static int64_t unread_bytes(const struct weight *w)
{
    long long pages[3];

    return read_statm(w, pages) ? pages[0] * sysconf(_SC_PAGESIZE) : 0;
}

/* Shared memory that is mapped alone. */
static int64_t read_maps(const struct weight *w, struct seen *seen)
{
    int fd = open_of(w->pid, "maps");
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    char *line = NULL;
    size_t size = 0;
    int64_t bytes = 0, read = 0;
    ssize_t n;

    if (!file) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while (read < MAPS_BYTES && (n = getline(&line, &size, file)) > 0) {
        read += n;
        bytes += line_bytes(line, seen);
    }
    if (read >= MAPS_BYTES)
        bytes += unread_bytes(w);
    free(line);
    fclose(file);
    return bytes;
}

/* Of this thread: what others take of the processor meanwhile costs nobody. */
static int64_t own_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* The process may compute so long before this is worth its cost again. */
static int64_t put_off(int64_t since_us)
{
    int64_t us = (own_us() - since_us) * WHOLE_PART;

    return us > WEIGHT_WHOLE_US ? us : WEIGHT_WHOLE_US;
}

static void look_whole(struct weight *w, int64_t clock_us)
{
    int64_t start_us = own_us();
    struct seen seen = {.count = 0};

    w->hidden_bytes = read_status(w) + read_files(w, &seen);
    w->whole_us = clock_us + put_off(start_us);
    if (w->maps && clock_us >= w->maps_us) {
        start_us = own_us();
        w->mapped_bytes = read_maps(w, &seen);
        w->maps_us = clock_us + put_off(start_us);
    }
    w->hidden_bytes += w->mapped_bytes;
}

/* It hides memory, and goes on at its own pace: before that has filled what is left. */
static void look_sooner(struct weight *w, int64_t clock_us, int64_t limit_bytes)
{
    int64_t left_us = (limit_bytes - weight_bytes(w)) * 1000 / WEIGHT_RATE;

    if (limit_bytes == 0 || w->hidden_bytes < HIDDEN_FREE)
        return;
    if (left_us < WEIGHT_NEAR_US)
        left_us = WEIGHT_NEAR_US;
    if (clock_us + left_us < w->whole_us)
        w->whole_us = clock_us + left_us;
}

void weight_begin(struct weight *w, pid_t pid, int64_t now_ms)
{
    weight_done(w);
    *w = (struct weight){.pid = pid, .due_ms = now_ms};
    w->statm_fd = open_of(pid, "statm");
    if (read_private(w))
        w->base_bytes = w->private_bytes;
}

void weight_done(struct weight *w)
{
    if (w->statm_fd > 0)
        close(w->statm_fd);
    w->statm_fd = 0;
}

int64_t weight_bytes(const struct weight *w)
{
    int64_t bytes = w->private_bytes - w->base_bytes + w->hidden_bytes;

    return bytes > 0 ? bytes : 0;
}

void weight_look(struct weight *w, int64_t now_ms, int64_t clock_us, int64_t limit_bytes)
{
    int64_t left_ms = WEIGHT_LAST_MS;

    if (!read_private(w)) {
        w->due_ms = now_ms + WEIGHT_LAST_MS;
        return;
    }
    if (clock_us >= w->whole_us ||
        (clock_us > w->seldom_us + WEIGHT_SELDOM_US && now_ms >= w->seldom_ms)) {
        look_whole(w, clock_us);
        look_sooner(w, clock_us, limit_bytes);
        w->seldom_us = clock_us;
        w->seldom_ms = now_ms + WEIGHT_SELDOM_MS;
    }
    if (weight_bytes(w) > w->peak_bytes)
        w->peak_bytes = weight_bytes(w);
    if (limit_bytes > 0)
        left_ms = (limit_bytes - weight_bytes(w)) / WEIGHT_RATE;
    left_ms = left_ms < WEIGHT_FIRST_MS  ? WEIGHT_FIRST_MS
              : left_ms > WEIGHT_LAST_MS ? WEIGHT_LAST_MS
                                         : left_ms;
    w->due_ms = now_ms + left_ms;
}

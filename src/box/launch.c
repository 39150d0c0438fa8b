/* launch.c - arguments, the box, exec. */
#include "box/launch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box/confine.h"

enum {
    LAUNCH_PATHS_MAX = 32, /* of each kind */
    LAUNCH_CPU_S = 120,
    LAUNCH_NICE = 10,
};
#define LAUNCH_MEMORY_MAX (4ULL << 30)
#define LAUNCH_FILE_MAX   (256ULL << 20)

/* What the dynamic loader opens. */
static const char *const LIBRARIES[] = {"/lib",       "/lib32",     "/lib64",          "/usr/lib",
                                        "/usr/lib64", "/nix/store", "/etc/ld.so.cache"};
enum { LIBRARY_COUNT = sizeof LIBRARIES / sizeof *LIBRARIES };

struct paths {
    const char *list[LAUNCH_PATHS_MAX + LIBRARY_COUNT + 2];
    size_t count;
};

static int add(struct paths *p, const char *path, struct err *err)
{
    if (path[0] != '/')
        return err_set(err, ERR_INVALID, "confine: '%.200s' is no absolute path", path);
    if (p->count == LAUNCH_PATHS_MAX)
        return err_set(err, ERR_INVALID, "confine: more than %d paths", LAUNCH_PATHS_MAX);
    p->list[p->count++] = path;
    return 0;
}

static int take_uid(const char *text, unsigned *ret, struct err *err)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end || text[0] < '0' || text[0] > '9' || n == 0 || n > INT32_MAX)
        return err_set(err, ERR_INVALID, "confine: '%.200s' is no user id", text);
    *ret = (unsigned)n;
    return 0;
}

static int take_bytes(const char *option, uint64_t *ret, struct err *err)
{
    const char *text = strchr(option, '=') + 1;
    char *end;
    unsigned long long n = strtoull(text, &end, 10);

    if (*end || text[0] < '0' || text[0] > '9' || n == 0 || n == UINT64_MAX)
        return err_set(err, ERR_INVALID, "confine: '%.200s' is no number of bytes", option);
    *ret = n < *ret ? n : *ret;
    return 0;
}

static int take(const char *text, struct paths *owns, struct paths *writes, struct box_walls *walls,
                struct err *err)
{
    if (strncmp(text, "--box=", 6) == 0)
        return box_layers_get(span_of(text + 6), &walls->layers, err);
    if (strncmp(text, "--uid=", 6) == 0)
        return take_uid(text + 6, &walls->uid, err);
    if (strncmp(text, "--read=", 7) == 0)
        return add(owns, text + 7, err);
    if (strncmp(text, "--write=", 8) == 0)
        return add(writes, text + 8, err);
    if (strncmp(text, "--memory=", 9) == 0)
        return take_bytes(text, &walls->memory_bytes, err);
    if (strncmp(text, "--file=", 7) == 0)
        return take_bytes(text, &walls->file_bytes, err);
    return err_set(err, ERR_INVALID, "corral-worker confine does not know the option %.200s", text);
}

int box_launch(char **arguments, struct err *err)
{
    struct paths reads = {0}, owns = {0}, writes = {0};
    struct box_walls walls = {.stage = BOX_TOOL,
                              .layers = BOX_BIT(BOX_SECCOMP),
                              .reads = reads.list,
                              .owns = owns.list,
                              .writes = writes.list,
                              .memory_bytes = LAUNCH_MEMORY_MAX,
                              .file_bytes = LAUNCH_FILE_MAX,
                              .cpu_seconds = LAUNCH_CPU_S};
    int r = 0;

    for (; r == 0 && *arguments && strcmp(*arguments, "--") != 0; arguments++)
        r = take(*arguments, &owns, &writes, &walls, err);
    if (r == 0 && (!*arguments || !*++arguments || **arguments != '/'))
        r = err_set(err, ERR_INVALID, "corral-worker confine wants `-- PROGRAM`, an absolute path");
    if (r < 0)
        return r;
    for (size_t i = 0; i < LIBRARY_COUNT; i++)
        reads.list[reads.count++] = LIBRARIES[i];
    reads.list[reads.count++] = *arguments;
    (void)!nice(LAUNCH_NICE);
    r = box_confine(&walls, err);
    if (r < 0)
        return r;
    execv(*arguments, arguments);
    return err_errno(err, errno, "run '%s'", *arguments);
}

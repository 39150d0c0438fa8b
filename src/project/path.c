/* path.c - see path.h. */
#include "project/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

char *path_join(const char *folder, const char *name)
{
    struct buf b = {0};
    size_t n = strlen(folder);
    int r;

    if (name[0] == '/')
        return mem_strdup(name);
    r = buf_append(&b, folder, n);
    if (r == 0 && (n == 0 || folder[n - 1] != '/'))
        r = buf_append(&b, "/", 1);
    if (r == 0)
        r = buf_append(&b, name, strlen(name));
    if (r == 0)
        return buf_detach(&b);
    buf_done(&b);
    return NULL;
}

/* Take "", "." and ".." out of an absolute path, in place. */
static void squeeze(char *path)
{
    char *out = path;

    for (char *in = path; *in;) {
        size_t n;
        while (*in == '/')
            in++;
        n = strcspn(in, "/");
        if (n == 2 && in[0] == '.' && in[1] == '.') {
            while (out > path && *--out != '/')
                ;
        } else if (n > 0 && !(n == 1 && in[0] == '.')) {
            *out++ = '/';
            memmove(out, in, n);
            out += n;
        }
        in += n;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

char *path_normal(const char *path)
{
    char here[PATH_MAX] = "/";
    char *out;

    if (path[0] != '/' && !getcwd(here, sizeof here))
        return NULL;
    out = path_join(here, path);
    if (out)
        squeeze(out);
    return out;
}

char *path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_copy(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *path_real(const char *path)
{
    char real[PATH_MAX];
    char *out;

    if (!realpath(path, real))
        return NULL;
    out = mem_strdup(real);
    if (!out)
        errno = ENOMEM;
    return out;
}

char *path_real_parent(const char *path)
{
    char *normal = path_normal(path), *parent = NULL, *real = NULL, *out = NULL;

    if (normal)
        parent = path_parent(normal);
    if (!parent) {
        errno = ENOMEM;
        goto done;
    }
    real = path_real(parent);
    if (!real)
        goto done;
    out = path_join(real, path_base(normal));
    if (!out)
        errno = ENOMEM;
done:
    mem_free(real);
    mem_free(parent);
    mem_free(normal);
    return out;
}

const char *path_below(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    if (n == 1)
        return path[0] == '/' ? path + 1 : NULL;
    if (strncmp(folder, path, n) != 0 || (path[n] && path[n] != '/'))
        return NULL;
    return path[n] ? path + n + 1 : path + n;
}

char *path_shown(const char *path)
{
    char here[PATH_MAX];
    const char *rest;

    if (!getcwd(here, sizeof here))
        return mem_strdup(path);
    rest = path_below(here, path);
    if (!rest)
        return mem_strdup(path);
    return mem_strdup(rest[0] ? rest : ".");
}

bool path_is_line(const char *lines, const char *path)
{
    size_t n = strlen(path);

    for (const char *end; lines && (end = strchr(lines, '\n')); lines = end + 1)
        if ((size_t)(end - lines) == n && memcmp(lines, path, n) == 0)
            return true;
    return false;
}

/* plain.c - a path that is what it says: no symbolic link leads away from it.
 *
 * What a packager has made is bound into its account's boxes by whoever has the
 * rights to: a link that is put there later must not lead to anything else.  By
 * descriptors, part for part, so that there is no moment between look and use. */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box/layers.h"

const char *box_path_of(const char *path, bool *ret_is_plain)
{
    *ret_is_plain = path[0] == BOX_PLAIN;
    return path + *ret_is_plain;
}

int box_plain_open(const char *path, struct err *err)
{
    int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), next;
    char part[NAME_MAX + 1];
    struct stat st;

    while (at >= 0 && *(path += strspn(path, "/"))) {
        size_t n = strcspn(path, "/");
        if (n > NAME_MAX) {
            close(at);
            return err_set(err, ERR_INVALID, "a path with a name of %zu bytes", n);
        }
        memcpy(part, path, n);
        part[n] = '\0';
        path += n;
        next = openat(at, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        close(at);
        at = next;
        if (at >= 0 && (fstat(at, &st) < 0 || S_ISLNK(st.st_mode))) {
            close(at);
            return err_set(err, ERR_SYSTEM,
                           "a symbolic link '%s' is where a folder of the node's should be", part);
        }
    }
    if (at < 0)
        return err_errno(err, errno, "open '%s'", part);
    return at;
}

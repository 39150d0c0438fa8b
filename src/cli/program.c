/* program.c - see program.h. */
#include "cli/program.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

int program_find(const char *name, char ret_path[PROGRAM_PATH_MAX], struct err *err)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n < 0)
        return err_errno(err, errno, "find my own program");
    self[n] = '\0';
    snprintf(ret_path, PROGRAM_PATH_MAX, "%s/%.24s", dirname(self), name);
    if (access(ret_path, X_OK) == 0)
        return 0;
    err_errno(err, errno, "'%s'", ret_path);
    return err_hint(err, "%s belongs beside corral: run `make` in the source folder.", name);
}

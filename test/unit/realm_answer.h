/* realm_answer.h - a sub-command of corral-worker, called in a child of the test: a text in, its
 * output out. */
#ifndef CORRAL_TEST_REALM_ANSWER_H
#define CORRAL_TEST_REALM_ANSWER_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run a command on a text; its output in ret, or "exit N". */
static inline void answer(int (*run)(void), const char *text, char *ret, size_t cap)
{
    int in = memfd_create("in", 0), out = memfd_create("out", 0), status = 0;
    ssize_t n;
    pid_t pid;

    if (write(in, text, strlen(text)) < 0)
        return;
    lseek(in, 0, SEEK_SET);
    pid = fork();
    if (pid == 0) {
        dup2(in, 0);
        dup2(out, 1);
        _exit(run());
    }
    waitpid(pid, &status, 0);
    lseek(out, 0, SEEK_SET);
    n = read(out, ret, cap - 1);
    ret[n > 0 ? n : 0] = '\0';
    if (status != 0)
        snprintf(ret, cap, "exit %d", status);
    close(in);
    close(out);
}

#endif

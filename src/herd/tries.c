/* tries.c - see tries.h.  Called by: pool.c. */
#include "herd/tries.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "herd/obituary.h"

void tries_begin(struct tries *tries, unsigned round)
{
    tries->round = round;
    tries->pid_hint = 0;
    tries->has_status = false;
    tries->end = TRIES_JUDGED;
}

void tries_spawned(struct tries *tries, uint32_t pid)
{
    tries->pid_hint = pid;
}

void tries_exited(struct tries *tries, uint32_t pid, uint32_t status)
{
    if (pid == 0 || pid != tries->pid_hint)
        return;
    tries->status = status;
    tries->has_status = true;
}

void tries_ended(struct tries *tries, enum tries_end how)
{
    tries->end = how;
}

static bool is_killed(const struct tries *tries)
{
    int status = (int)tries->status;

    return tries->has_status && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* It is taken for a crash unless something says otherwise. */
static bool is_by_code(const struct tries *tries, unsigned round)
{
    return tries->end == TRIES_LIED ||
           (tries->end == TRIES_DIED && round == tries->round && !is_killed(tries));
}

enum tries_verdict tries_judge(struct tries *tries, unsigned round)
{
    if (tries->end != TRIES_JUDGED) {
        bool is_code = is_by_code(tries, round);
        tries->by_code += is_code;
        tries->by_node += !is_code;
    }
    tries->end = TRIES_JUDGED;
    if (tries->by_code >= TRIES_CODE)
        return TRIES_CODE_FAILS;
    return tries->by_node >= TRIES_NODE ? TRIES_NODE_FAILS : TRIES_GO_ON;
}

void tries_words(const struct tries *tries, const char *name, char *room, size_t size)
{
    char how[64] = "ended";

    if (tries->by_code < TRIES_CODE) {
        snprintf(room, size,
                 "'%.100s' could not be loaded: processes of this node ended %u times in a row "
                 "before its code had run",
                 name, tries->by_node);
        return;
    }
    if (tries->has_status && !is_killed(tries))
        obituary_words(tries->status, how, sizeof how);
    snprintf(room, size, "the process that loads '%.100s' ended %u times in a row: the last one %s",
             name, tries->by_code, how);
}

void tries_reset(struct tries *tries)
{
    *tries = (struct tries){.round = tries->round};
}

/* obituary.c - match the dead with the news of them. */
#include "herd/obituary.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"

void obituary_words(uint32_t status, char *room, size_t size)
{
    const char *name;

    if (WIFEXITED((int)status)) {
        snprintf(room, size, "ended with status %d", WEXITSTATUS((int)status));
        return;
    }
    name = sigabbrev_np(WTERMSIG((int)status));
    snprintf(room, size, "was ended by SIG%s", name ? name : "?");
}

static void publish(struct obituaries *o, struct obituary *one, const char *words)
{
    int pid = one->pid > 0 ? (int)one->pid : (int)one->pid_hint; /* it may have said nothing yet */

    log_rationed(&o->said, LOG_ERROR, "%s of '%s' (process %d) %s", one->what, o->name, pid, words);
    *one = (struct obituary){0};
}

/* The news of this process, if it came already; taken. */
static bool take_early(struct obituaries *o, uint32_t pid_hint, uint32_t *ret_status)
{
    for (unsigned i = 0; i < OBITUARIES_MAX; i++)
        if (pid_hint != 0 && o->early[i].pid == pid_hint) {
            *ret_status = o->early[i].status;
            o->early[i] = (struct exited){0};
            return true;
        }
    return false;
}

void obituary_add(struct obituaries *o, const char *what, pid_t pid, uint32_t pid_hint,
                  int64_t now_ms)
{
    struct obituary *one = NULL;
    uint32_t status;
    char words[64];

    for (unsigned i = 0; i < OBITUARIES_MAX && !one; i++)
        if (!o->open[i].what)
            one = &o->open[i];
    if (!one) {
        one = &o->open[0];
        publish(o, one, "ended");
    }
    *one = (struct obituary){what, pid, pid_hint, now_ms};
    if (take_early(o, pid_hint, &status)) {
        obituary_words(status, words, sizeof words);
        publish(o, one, words);
    } else if (pid_hint == 0) {
        publish(o, one, "ended");
    }
}

void obituary_exited(struct obituaries *o, const struct exited *exited)
{
    char words[64];

    for (unsigned i = 0; i < OBITUARIES_MAX; i++)
        if (o->open[i].what && o->open[i].pid_hint == exited->pid) {
            obituary_words(exited->status, words, sizeof words);
            publish(o, &o->open[i], words);
            return;
        }
    o->early[o->early_next++ % OBITUARIES_MAX] = *exited;
}

int64_t obituary_tick(struct obituaries *o, int64_t now_ms)
{
    int64_t due = INT64_MAX;

    for (unsigned i = 0; i < OBITUARIES_MAX; i++) {
        struct obituary *one = &o->open[i];
        if (one->what && now_ms - one->since_ms >= OBITUARY_WAIT_MS)
            publish(o, one, "ended");
        else if (one->what && one->since_ms + OBITUARY_WAIT_MS < due)
            due = one->since_ms + OBITUARY_WAIT_MS;
    }
    return due;
}

/* notify.c - see notify.h.  A message that cannot be sent at once is dropped: nothing waits for a
 * manager. */
#include "cli/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* Half of what the manager asks for, as its manual advises; only when it is about this process. */
static int64_t watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t ms = usec ? strtoll(usec, NULL, 10) / 2000 : 0;

    if (ms <= 0 || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return ms;
}

static bool take_address(struct notify *notify, const char *name)
{
    size_t len = strlen(name);
    struct sockaddr_un *address = &notify->address;

    if ((name[0] != '/' && name[0] != '@') || !name[1] || len >= sizeof address->sun_path)
        return false;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, len);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    notify->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

void notify_open(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");

    *notify = (struct notify){.fd = -1};
    if (!name || !name[0])
        return;
    if (!take_address(notify, name))
        log_warn("NOTIFY_SOCKET '%s' is no socket: the service manager is not told anything", name);
    else
        notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd >= 0)
        notify->watchdog_ms = watchdog_ms();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

void notify_say(const struct notify *notify, const char *fmt, ...)
{
    char text[512];
    va_list args;
    int len;

    if (notify->fd < 0)
        return;
    va_start(args, fmt);
    len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len < 0)
        return;
    if (len >= (int)sizeof text)
        len = (int)sizeof text - 1;
    if (sendto(notify->fd, text, (size_t)len, MSG_NOSIGNAL,
               (const struct sockaddr *)&notify->address, notify->address_len) < 0)
        log_debug("the service manager was not told '%s': %s", text, strerror(errno));
}

void notify_reloading(const struct notify *notify)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    notify_say(notify, "RELOADING=1\nMONOTONIC_USEC=%lld",
               (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

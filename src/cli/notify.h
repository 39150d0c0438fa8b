/* notify.h - tell the service manager how we are: systemd's sd_notify protocol.
 *
 * Datagrams to the socket that NOTIFY_SOCKET names ("/path" or "@abstract"); without one nothing is
 * said and nothing fails.  The variables are taken out of the environment: children must not speak for us.
 * Loop thread only. */
#ifndef CORRAL_CLI_NOTIFY_H
#define CORRAL_CLI_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody listens */
    struct sockaddr_un address;
    socklen_t address_len;
    int64_t watchdog_ms; /* say WATCHDOG=1 at least so often; 0: nobody asks */
};

/* What cannot be is logged; then nobody is told anything. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* Lines of VARIABLE=VALUE: "READY=1\nSTATUS=..." */
void notify_say(const struct notify *notify, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* With the time that Type=notify-reload wants. */
void notify_reloading(const struct notify *notify);

#endif

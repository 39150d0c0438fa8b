/* listener.c - sockets that wait for clients.
 *
 * IPv6 sockets take IPv6 only, so that "127.0.0.1" and "::1" can be listened on
 * side by side.  A connection too many is accepted and told so (crowd.c) rather
 * than left in the kernel's queue.
 *
 * Out of descriptors, the client that was silent the longest gives its own up.
 * When there is none, the listener rests until the next sweep: the kernel keeps
 * those who come, and nothing turns in circles.  (libuv's own listening would
 * close every client in the queue then, and may never return.)
 *
 * Who calls it: front.c. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { ACCEPTS_MAX = 128 }; /* in one turn of the loop */

static void on_closed(uv_handle_t *handle)
{
    struct listener *l = (struct listener *)handle;
    struct front *front = l->front;

    mem_free(l);
    front_forget(front);
}

/* Out of descriptors is a state, not an event: once in a while is enough. */
static void complain(struct front *front, int error, const char *what)
{
    int64_t now = clock_now_ms();

    if (front->warned_at != 0 && now - front->warned_at < 1000)
        return;
    front->warned_at = now;
    log_warn("accept: %s: %s", strerror(error), what);
}

/* What lasts until something is given back. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void rest(struct listener *l)
{
    uv_poll_stop(&l->poll);
    l->is_paused = l->front->has_paused = true;
    front_sweep(l->front);
}

/* false: nobody waits any more, or nobody can be taken. */
static bool accept_one(struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), error = errno;

    if (fd >= 0) {
        connection_take(l->front, fd, l->wire);
        return true;
    }
    if (is_shortage(error)) {
        if (crowd_shed(l->front)) {
            complain(l->front, error, "closed the client that was silent the longest");
            return true;
        }
        complain(l->front, error, "new clients wait until there is room");
        rest(l);
        return false;
    }
    /* Of a client that has left again. */
    return error == ECONNABORTED || error == EINTR;
}

static void on_clients(uv_poll_t *poll, int status, int events)
{
    struct listener *l = (struct listener *)poll;

    (void)events;
    if (status < 0) {
        complain(l->front, -status, "new clients wait");
        rest(l);
        return;
    }
    for (int i = 0; i < ACCEPTS_MAX && accept_one(l); i++)
        continue;
}

void listener_resume(struct front *front)
{
    front->has_paused = false;
    for (int i = 0; i < FRONT_LISTENERS_MAX; i++) {
        struct listener *l = front->listeners[i];
        if (!l || !l->is_paused)
            continue;
        l->is_paused = false;
        if (uv_poll_start(&l->poll, UV_READABLE, on_clients) < 0)
            rest(l);
    }
}

static int parse_address(const char *ip, int port, struct sockaddr_storage *ret)
{
    if (uv_ip4_addr(ip, port, (struct sockaddr_in *)ret) == 0)
        return 0;
    return uv_ip6_addr(ip, port, (struct sockaddr_in6 *)ret);
}

/* Bind, listen and ask for the port; 0 or an errno. */
static int start(struct listener *l, const struct sockaddr_storage *address, int *ret_port)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    int on = 1;

    l->fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return errno;
    len = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (address->ss_family == AF_INET6 &&
         setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
        bind(l->fd, (const struct sockaddr *)address, len) < 0 || listen(l->fd, FRONT_BACKLOG) < 0)
        return errno;
    len = sizeof name;
    if (getsockname(l->fd, (struct sockaddr *)&name, &len) < 0)
        return errno;
    /* sin_port and sin6_port lie at the same place. */
    *ret_port = ntohs(((struct sockaddr_in *)&name)->sin_port);
    return 0;
}

int front_listen(struct front *front, const char *ip, int port, int *ret_port, struct err *err)
{
    return front_listen_as(front, FRONT_HTTP, ip, port, ret_port, err);
}

int front_listen_as(struct front *front, enum front_wire wire, const char *ip, int port,
                    int *ret_port, struct err *err)
{
    struct sockaddr_storage address = {0};
    struct listener *l;
    int slot = 0, r;

    while (slot < FRONT_LISTENERS_MAX && front->listeners[slot])
        slot++;
    if (slot == FRONT_LISTENERS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d addresses to listen on", FRONT_LISTENERS_MAX);
    if (port < 0 || port > 65535 || parse_address(ip, port, &address) < 0)
        return err_set(err, ERR_INVALID, "'%s' port %d is no address to listen on", ip, port);
    if (wire == FRONT_HTTPS && !front->certificates)
        return err_set(err, ERR_INVALID, "listen on %s port %d: no certificate is loaded", ip,
                       port);
    l = mem_alloc(sizeof *l);
    if (!l)
        return err_nomem(err);
    l->front = front;
    l->wire = wire;
    r = start(l, &address, ret_port);
    if (r == 0)
        r = -uv_poll_init(front->loop, &l->poll, l->fd);
    if (r > 0) {
        if (l->fd >= 0)
            close(l->fd);
        mem_free(l);
        return err_set(err, ERR_SYSTEM, "listen on %s port %d: %s", ip, port, uv_strerror(-r));
    }
    front->handles++;
    front->listeners[slot] = l;
    uv_poll_start(&l->poll, UV_READABLE, on_clients); /* fails on a closing handle alone */
    return 0;
}

/* Closing a listener resets the clients in its queue, whose requests may be there already. */
static void accept_waiting(struct listener *l)
{
    for (int i = 0; i < FRONT_BACKLOG && accept_one(l); i++)
        continue;
}

void listener_accept_all(struct front *front)
{
    for (int i = 0; i < FRONT_LISTENERS_MAX; i++)
        if (front->listeners[i])
            accept_waiting(front->listeners[i]);
}

void listener_close_all(struct front *front)
{
    for (int i = 0; i < FRONT_LISTENERS_MAX; i++) {
        struct listener *l = front->listeners[i];
        front->listeners[i] = NULL;
        if (!l)
            continue;
        uv_close((uv_handle_t *)&l->poll, on_closed);
        close(l->fd);
    }
    front->has_paused = false;
}

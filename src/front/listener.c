/* listener.c - sockets that wait for clients.
 *
 * IPv6 sockets take IPv6 only, so that "127.0.0.1" and "::1" can be listened on
 * side by side.  libuv accepts in a loop; a connection too many is accepted and
 * told so (connection.c) rather than left in the kernel's queue. */
#include "front/inside.h"

#include "base/log.h"
#include "base/mem.h"

static void on_closed(uv_handle_t *handle)
{
    struct listener *l = (struct listener *)handle;
    struct front *front = l->front;

    mem_free(l);
    front_forget(front);
}

static void on_client(uv_stream_t *stream, int status)
{
    struct listener *l = (struct listener *)stream;

    if (status < 0) {
        log_warn("accept: %s", uv_strerror(status));
        return;
    }
    connection_accept(l->front, stream);
}

static int parse_address(const char *ip, int port, struct sockaddr_storage *ret)
{
    if (uv_ip4_addr(ip, port, (struct sockaddr_in *)ret) == 0)
        return 0;
    return uv_ip6_addr(ip, port, (struct sockaddr_in6 *)ret);
}

/* Bind, listen and ask for the port; returns a libuv error. */
static int start(struct listener *l, const struct sockaddr_storage *address, int *ret_port)
{
    struct sockaddr_storage name;
    int len = sizeof name, r;
    unsigned flags = address->ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;

    r = uv_tcp_bind(&l->tcp, (const struct sockaddr *)address, flags);
    if (r < 0)
        return r;
    r = uv_listen((uv_stream_t *)&l->tcp, FRONT_BACKLOG, on_client);
    if (r < 0)
        return r;
    r = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&name, &len);
    if (r < 0)
        return r;
    /* sin_port and sin6_port lie at the same place. */
    *ret_port = ntohs(((struct sockaddr_in *)&name)->sin_port);
    return 0;
}

int front_listen(struct front *front, const char *ip, int port, int *ret_port, struct err *err)
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
    l = mem_alloc(sizeof *l);
    if (!l)
        return err_nomem(err);
    l->front = front;
    r = uv_tcp_init(front->loop, &l->tcp);
    if (r < 0) {
        mem_free(l);
        return err_set(err, ERR_SYSTEM, "open a socket: %s", uv_strerror(r));
    }
    front->handles++;
    r = start(l, &address, ret_port);
    if (r < 0) {
        uv_close((uv_handle_t *)&l->tcp, on_closed);
        return err_set(err, ERR_SYSTEM, "listen on %s port %d: %s", ip, port, uv_strerror(r));
    }
    front->listeners[slot] = l;
    return 0;
}

void listener_close_all(struct front *front)
{
    for (int i = 0; i < FRONT_LISTENERS_MAX; i++) {
        if (front->listeners[i])
            uv_close((uv_handle_t *)&front->listeners[i]->tcp, on_closed);
        front->listeners[i] = NULL;
    }
}

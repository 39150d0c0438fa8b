/* guard.c - see guard.h; text/reach.h has the rules. */
#include "service/guard.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "service/lane.h"

/* The kernel binds to addresses of this machine alone.  When there is nothing to ask it with, it is
 * one. */
static bool is_local(const struct ip *ip)
{
    bool is_v4 = ip_is_v4(ip);
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

    if (fd < 0)
        return true;
    memcpy(&v4.sin_addr, ip->bytes + 12, 4);
    memcpy(&v6.sin6_addr, ip->bytes, 16);
    r = is_v4 ? bind(fd, (struct sockaddr *)&v4, sizeof v4)
              : bind(fd, (struct sockaddr *)&v6, sizeof v6);
    close(fd);
    return r == 0;
}

/* For the node's owner, who may want to allow it: now and then a line. */
static void tell(struct transfer *t)
{
    struct lane *lane = t->lane;
    int64_t now_ms = clock_now_ms();
    char shown[IP_TEXT];

    lane->barred++;
    if (lane->barred_ms && now_ms - lane->barred_ms < GUARD_LOG_MS)
        return;
    lane->barred_ms = now_ms;
    ip_print(&t->barred_ip, shown);
    log_warn("'%s' was kept from %s (%s): %s. [fetch] allow in corral.toml would allow it (%u such "
             "since the start)",
             t->who, t->place, shown, reach_why(t->barred, &t->barred_ip), lane->barred);
}

static curl_socket_t on_socket(void *self, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct transfer *t = self;
    enum reach_verdict verdict = REACH_SPECIAL;
    struct ip ip = {0};
    int port = 0;

    (void)purpose;
    if (ip_of_sockaddr(&a->addr, (socklen_t)a->addrlen, &ip, &port))
        verdict = reach_judge(&t->egress->reach, span_of(t->host), &ip, port, is_local);
    if (verdict == REACH_OK)
        return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    t->barred = verdict;
    t->barred_ip = ip;
    tell(t);
    return CURL_SOCKET_BAD;
}

/* The host as libcurl reads it, which is who decides where it connects to. */
static int read_host(struct transfer *t, const char *url, struct err *err)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    size_t len;
    int r = 0;

    if (!parts)
        return err_nomem(err);
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, CURLU_URLDECODE) != CURLUE_OK)
        r = err_set(err, ERR_INVALID, "Fetch API cannot load this URL.");
    len = r == 0 ? strlen(host) : 0;
    /* What is longer is no name; no rule names it. */
    if (len > 0 && len < sizeof t->host)
        memcpy(t->host, host, len + 1);
    curl_free(host);
    curl_url_cleanup(parts);
    return r;
}

/* Tests have a resolver of their own, "NAME:PORT=A,B": the first look-up finds A, every later one
 * B, as with a name that its owner points elsewhere; "A+B" are both at once. */
static void resolve(struct transfer *t)
{
    const char *list = t->egress->resolve, *at = list ? strchr(list, '=') : NULL, *comma;
    struct buf entry = {0};

    if (!at || strlen(t->host) == 0 || strncmp(list, t->host, strlen(t->host)) != 0)
        return;
    comma = strchr(at, ',');
    if (comma && t->egress->looked_up++ > 0)
        at = comma;
    if (buf_print(&entry, "+%.*s:%.*s", (int)(strchr(list, '=') - list), list,
                  (int)strcspn(at + 1, ","), at + 1) == 0 &&
        buf_append(&entry, "", 1) == 0) {
        for (char *c = entry.mem + entry.head + 1; *c; c++)
            *c = *c == '+' ? ',' : *c;
        t->names = curl_slist_append(NULL, buf_data(&entry));
        curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->names);
    }
    buf_done(&entry);
}

int guard_set(struct transfer *t, const char *url, struct err *err)
{
    int r = read_host(t, url, err);

    if (r < 0)
        return r;
    if (curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_socket) != CURLE_OK ||
        curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t) != CURLE_OK)
        return err_set(err, ERR_SYSTEM, "The node could not start the request.");
    resolve(t);
    return 0;
}

bool guard_has_barred(const struct transfer *t)
{
    return t->barred != REACH_OK;
}

/* An address that the worker wrote itself is called what it is; of one that a name led to nothing
 * is said: names of the node's network are not the worker's to read. */
int guard_describe(const struct transfer *t, char *text, size_t max)
{
    struct ip ip;
    size_t len = strlen(t->host);
    struct span host = {t->host, len};
    const char *why;

    if (len > 2 && t->host[0] == '[')
        host = (struct span){t->host + 1, len - 2};
    why = t->barred == REACH_DENIED ? "a rule of this node denies it"
          : ip_parse(host, &ip)     ? reach_why(t->barred, &ip)
                                    : "its address is not open to workers";
    return snprintf(text, max,
                    "Workers may not reach %s from this node: %s.\nWho runs the node can allow it: "
                    "[fetch] allow in its corral.toml.",
                    t->place, why);
}

/* address.c - see address.h. */
#include "cli/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char *text, struct err *err)
{
    err_set(err, ERR_INVALID, "'%.200s' is no address to listen on", text);
    return err_hint(err, "An address and a port, such as 127.0.0.1:8787, [::]:443, localhost:0 or "
                         "https://192.0.2.7:443.");
}

static const char *take_scheme(const char *text, enum address_scheme *ret)
{
    static const char *const NAMES[] = {[ADDRESS_HTTP] = "http://",
                                        [ADDRESS_HTTPS] = "https://",
                                        [ADDRESS_REDIRECT] = "redirect://"};

    for (int i = ADDRESS_HTTP; i <= ADDRESS_REDIRECT; i++) {
        if (strncmp(text, NAMES[i], strlen(NAMES[i])) != 0)
            continue;
        *ret = (enum address_scheme)i;
        return text + strlen(NAMES[i]);
    }
    *ret = ADDRESS_ANY;
    return text;
}

static bool is_host(const char *host, bool has_brackets)
{
    struct in6_addr six;
    struct in_addr four;

    if (has_brackets)
        return inet_pton(AF_INET6, host, &six) == 1;
    return inet_pton(AF_INET, host, &four) == 1 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "*") == 0;
}

int address_parse(const char *text, struct address *ret, struct err *err)
{
    struct address a = {0};
    const char *at = take_scheme(text, &a.scheme), *end;
    bool has_brackets = at[0] == '[';
    size_t len, digits;

    if (has_brackets)
        at++;
    end = has_brackets ? strchr(at, ']') : strrchr(at, ':');
    len = end ? (size_t)(end - at) : 0;
    if (len == 0 || len >= sizeof a.host)
        return refuse(text, err);
    memcpy(a.host, at, len);
    at = end + has_brackets;
    digits = at[0] == ':' ? strspn(at + 1, "0123456789") : 0;
    if (digits == 0 || digits > 5 || at[1 + digits] || !is_host(a.host, has_brackets))
        return refuse(text, err);
    a.port = atoi(at + 1);
    if (a.port > 65535)
        return refuse(text, err);
    *ret = a;
    return 0;
}

bool address_is_loopback(const struct address *address)
{
    struct in6_addr six;
    struct in_addr four;

    if (strcmp(address->host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, address->host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, address->host, &six) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

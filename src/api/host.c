/* host.c - see host.h.  The router looks at the same thing (live/router.c): here it is said. */
#include "api/host.h"

#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "base/mem.h"

enum { HOST_MAX = 400 };

/* Without its scheme and path. */
static struct span host_of(const char *pattern)
{
    static const char *const SCHEMES[] = {"http://", "https://"};

    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        size_t n = strlen(SCHEMES[i]);
        if (strncasecmp(pattern, SCHEMES[i], n) == 0)
            return (struct span){pattern + n, strcspn(pattern + n, "/")};
    }
    return (struct span){pattern, strcspn(pattern, "/")};
}

static bool ends_with(struct span text, const char *end)
{
    size_t n = strlen(end);

    return text.len >= n && strncasecmp(text.data + text.len - n, end, n) == 0;
}

bool host_is_free(struct api_call *call, const char *pattern, int code)
{
    const char *domain = call->api->domain, *own = call->account.subdomain;
    struct span host = host_of(pattern), name = host;
    char below[HOST_MAX], mine[HOST_MAX];

    if (name.len > 0 && name.data[0] == '*') {
        name.data++;
        name.len--;
    }
    snprintf(below, sizeof below, ".%s", domain);
    snprintf(mine, sizeof mine, ".%s.%s", own, domain);
    if (!ends_with(name, below) && !span_is_nocase(name, domain))
        return true;
    /* "*SUBDOMAIN.DOMAIN" would be of others, too: those that end so. */
    if (ends_with(name, mine) || (name.len == host.len && span_is_nocase(name, mine + 1)))
        return true;
    api_error(call, 403, code,
              "The host '%.*s' is not your account's: of those beneath '%s' it has '%s' and what "
              "ends in '%s'",
              SPAN_ARG(host), domain, mine + 1, mine);
    return false;
}

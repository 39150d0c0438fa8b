/* zone.c - the zones that a node of one's own does not have.  See zone.h. */
#include "api/zone.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>

void zone_id(struct span name, char out[ID_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
        EVP_DigestUpdate(ctx, "zone:", 5) == 1) {
        for (size_t i = 0; i < name.len; i++) {
            char c = (char)tolower((unsigned char)name.data[i]);
            EVP_DigestUpdate(ctx, &c, 1);
        }
        EVP_DigestFinal_ex(ctx, digest, NULL);
    }
    EVP_MD_CTX_free(ctx);
    for (int i = 0; i < (ID_SIZE - 1) / 2; i++)
        sprintf(out + 2 * i, "%02x", digest[i]);
}

static bool is_zone(const char *id, struct span name)
{
    char mine[ID_SIZE];

    zone_id(name, mine);
    return strcmp(id, mine) == 0;
}

bool zone_has(const char *id, const struct route *route)
{
    const char *host = strstr(route->pattern, "://"), *end;

    if (route->zone && route->zone[0] &&
        (strcmp(route->zone, id) == 0 || is_zone(id, span_of(route->zone))))
        return true;
    host = host ? host + 3 : route->pattern;
    end = host + strcspn(host, "/");
    while (host < end) {
        size_t star = strspn(host, "*.");
        const char *dot;
        host += star < (size_t)(end - host) ? star : 0;
        if (is_zone(id, (struct span){host, (size_t)(end - host)}))
            return true;
        dot = memchr(host, '.', (size_t)(end - host));
        if (!dot)
            return false;
        host = dot + 1;
    }
    return false;
}

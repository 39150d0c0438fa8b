/* upgrade.c - does a request ask to become a WebSocket?
 *
 * GET, HTTP/1.1, no body, `upgrade` among the words of Connection and
 * `websocket` among those of Upgrade; then exactly one key and one version, or
 * it is refused.  Everything else is a request like any other.
 *
 * Who calls it: front/exchange.c. */
#include "http/upgrade.h"

#include "http/token.h"

enum { KEY_LEN = 24, KEY_DIGITS = 22 }; /* 16 bytes in base64: 22 digits and "==" */

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

static bool is_key(struct span s)
{
    if (s.len != KEY_LEN || s.data[KEY_DIGITS] != '=' || s.data[KEY_DIGITS + 1] != '=')
        return false;
    for (size_t i = 0; i < KEY_DIGITS; i++)
        if (!is_base64(s.data[i]))
            return false;
    /* The last digit has two bits of the sixteenth byte, and four that are 0. */
    return memchr("AQgw", s.data[KEY_DIGITS - 1], 4) != NULL;
}

static bool names_websocket(struct span list)
{
    struct span element;

    while (token_next(&list, &element))
        if (span_is_nocase(element, "websocket"))
            return true;
    return false;
}

enum upgrade upgrade_of(const struct head *h, const char *data)
{
    unsigned keys = 0, versions = 0;
    bool is_meant = false, is_key_good = false, is_version_good = false;

    if (!h->asks_upgrade || h->minor == 0 || h->framing != HEAD_NO_BODY ||
        !span_is(head_part(data, h->method), "GET"))
        return UPGRADE_NONE;
    for (size_t i = 0; i < h->field_count; i++) {
        struct span name = head_part(data, h->fields[i].name);
        struct span value = head_part(data, h->fields[i].value);
        if (span_is_nocase(name, "upgrade")) {
            is_meant |= names_websocket(value);
        } else if (span_is_nocase(name, "sec-websocket-key")) {
            keys++;
            is_key_good = is_key(value);
        } else if (span_is_nocase(name, "sec-websocket-version")) {
            versions++;
            is_version_good = span_is(value, "13");
        }
    }
    if (!is_meant)
        return UPGRADE_NONE;
    if (versions != 1 || !is_version_good)
        return UPGRADE_BAD_VERSION;
    return keys == 1 && is_key_good ? UPGRADE_WEBSOCKET : UPGRADE_BAD_KEY;
}

/* reach.c - see reach.h. */
#include "text/reach.h"

#include <stdio.h>

#include "base/mem.h"

enum target { ANYTHING, RANGE, NAME, BELOW };

struct reach_rule {
    enum target target;
    int port; /* 0: every one */
    struct ip_range range;
    char name[REACH_NAME_MAX + 1]; /* BELOW: what comes behind the star, ".example.com" */
};

void reach_done(struct reach *r)
{
    mem_free(r->allow);
    mem_free(r->deny);
    *r = (struct reach){0};
}

/* ---- reading a rule ---- */

static int refuse(struct span text, const char *why, struct err *err)
{
    err_set(err, ERR_INVALID, "'%.*s' is no rule: %s", text.len < 120 ? (int)text.len : 120,
            text.data, why);
    return err_hint(err, "A rule is like 10.1.0.0/16, 127.0.0.1:5432, [fd00::/8]:443, "
                         "db.internal:5432, *.internal or *:25.");
}

static bool read_port(struct span text, int *ret)
{
    *ret = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *ret = *ret * 10 + text.data[i] - '0';
    }
    return *ret >= 1 && *ret <= 65535;
}

/* Cut off ":PORT".  false: what stands there is none. */
static bool split_port(struct span text, struct span *ret_target, int *ret_port)
{
    const char *end = text.data + text.len, *colon;

    *ret_target = text;
    *ret_port = 0;
    if (text.len > 0 && text.data[0] == '[') {
        const char *bracket = memchr(text.data, ']', text.len);
        if (!bracket)
            return false;
        *ret_target = (struct span){text.data + 1, (size_t)(bracket - text.data) - 1};
        if (bracket + 1 == end)
            return true;
        return bracket[1] == ':' &&
               read_port((struct span){bracket + 2, (size_t)(end - bracket) - 2}, ret_port);
    }
    colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
    if (!colon || memchr(colon + 1, ':', (size_t)(end - colon) - 1))
        return true; /* IPv6 has more than one */
    ret_target->len = (size_t)(colon - text.data);
    return read_port((struct span){colon + 1, (size_t)(end - colon) - 1}, ret_port);
}

/* Labels of letters, digits, '-' and '_', with a dot between them; lower case.  Not one that ends
 * in a number: that would be an address (URL standard, "ends in a number"). */
static bool read_name(struct span text, char *out)
{
    size_t label = 0;
    char last = 0;

    if (text.len == 0 || text.len > REACH_NAME_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        if (!is_letter && (c < '0' || c > '9') && c != '.')
            return false;
        if (c == '.' && label == 0)
            return false;
        if (label == 0)
            last = c;
        label = c == '.' ? 0 : label + 1;
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    out[text.len] = 0;
    return label > 0 && label <= 63 && (last < '0' || last > '9');
}

static int read_rule(struct span text, struct reach_rule *ret, struct err *err)
{
    struct span target;

    *ret = (struct reach_rule){0};
    if (!split_port(text, &target, &ret->port))
        return refuse(text, "behind ':' there is a port from 1 to 65535", err);
    if (span_is(target, "*")) {
        ret->target = ANYTHING;
        return 0;
    }
    if (target.len > 2 && memcmp(target.data, "*.", 2) == 0) {
        ret->target = BELOW;
        ret->name[0] = '.';
        if (target.len - 2 < REACH_NAME_MAX &&
            read_name((struct span){target.data + 2, target.len - 2}, ret->name + 1))
            return 0;
        return refuse(text, "behind '*.' there is a name", err);
    }
    ret->target = NAME;
    if (text.data[0] != '[' && read_name(target, ret->name))
        return 0;
    ret->target = RANGE;
    if (ip_range_parse(target, &ret->range, err) == 0)
        return 0;
    if (!err->hint[0])
        return refuse(text, "this is neither an address nor a name", err);
    return err->code;
}

static int add(struct reach_rule **list, size_t *count, struct span text, struct err *err)
{
    struct reach_rule rule, *more;
    int r = read_rule(text, &rule, err);

    if (r < 0)
        return r;
    if (*count == REACH_RULES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d rules", REACH_RULES_MAX);
    more = mem_resize(*list, (*count + 1) * sizeof rule);
    if (!more)
        return err_nomem(err);
    more[(*count)++] = rule;
    *list = more;
    return 0;
}

int reach_allow(struct reach *r, struct span rule, struct err *err)
{
    return add(&r->allow, &r->allow_count, rule, err);
}

int reach_deny(struct reach *r, struct span rule, struct err *err)
{
    return add(&r->deny, &r->deny_count, rule, err);
}

int reach_own(struct reach *r, const struct ip *ip, int port, struct err *err)
{
    if (r->own_count == REACH_OWN_MAX)
        return err_set(err, ERR_LIMIT, "more than %d addresses are listened at", REACH_OWN_MAX);
    r->own[r->own_count++] = (struct reach_own){*ip, port};
    return 0;
}

static int copy_rules(struct reach_rule **ret, const struct reach_rule *from, size_t count)
{
    *ret = count > 0 ? mem_alloc(count * sizeof *from) : NULL;
    if (*ret)
        memcpy(*ret, from, count * sizeof *from);
    return count == 0 || *ret ? 0 : ERR_NOMEM;
}

int reach_copy(struct reach *ret, const struct reach *from, struct err *err)
{
    *ret = *from;
    ret->allow = ret->deny = NULL;
    if (copy_rules(&ret->allow, from->allow, from->allow_count) < 0 ||
        copy_rules(&ret->deny, from->deny, from->deny_count) < 0) {
        reach_done(ret);
        return err_nomem(err);
    }
    return 0;
}

/* ---- the verdict ---- */

static bool is_named(const struct reach_rule *rule, struct span host)
{
    size_t len = strlen(rule->name);

    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    if (rule->target == NAME)
        return span_is_nocase(host, rule->name);
    return host.len > len && strncasecmp(host.data + host.len - len, rule->name, len) == 0;
}

static bool matches(const struct reach_rule *rule, struct span host, const struct ip *ip, int port)
{
    if (rule->port && rule->port != port)
        return false;
    switch (rule->target) {
    case ANYTHING:
        return true;
    case RANGE:
        return ip_range_has(&rule->range, ip);
    default:
        return is_named(rule, host);
    }
}

static bool has(const struct reach_rule *list, size_t count, struct span host, const struct ip *ip,
                int port)
{
    for (size_t i = 0; i < count; i++)
        if (matches(&list[i], host, ip, port))
            return true;
    return false;
}

/* Does a rule name this address alone?  And with this port, where that is wanted. */
static bool has_very(const struct reach *r, const struct ip *ip, int port, bool needs_port)
{
    for (size_t i = 0; i < r->allow_count; i++) {
        const struct reach_rule *rule = &r->allow[i];
        if (rule->target == RANGE && ip_range_is_one(&rule->range) && (rule->port || !needs_port) &&
            matches(rule, SPAN(""), ip, port))
            return true;
    }
    return false;
}

/* The kernel takes 0.0.0.0 and :: for loopback. */
static struct ip led_to(const struct ip *ip)
{
    struct ip loopback = {0};

    if (ip_kind_of(ip) != IP_UNSPECIFIED)
        return *ip;
    (void)ip_parse(ip_is_v4(ip) ? SPAN("127.0.0.1") : SPAN("::1"), &loopback);
    return loopback;
}

static bool is_own(const struct reach *r, const struct ip *ip, int port,
                   bool (*is_local)(const struct ip *ip))
{
    const struct ip to = led_to(ip);
    struct ip inner;

    /* A translator brings it back. */
    if (ip_inner(ip, &inner) && is_own(r, &inner, port, is_local))
        return true;
    for (size_t i = 0; i < r->own_count; i++) {
        const struct reach_own *own = &r->own[i];
        if (own->port != port)
            continue;
        if (ip_kind_of(&own->ip) == IP_UNSPECIFIED ? is_local(&to)
                                                   : memcmp(&own->ip, &to, sizeof to) == 0)
            return true;
    }
    return false;
}

enum reach_verdict reach_judge(const struct reach *r, struct span host, const struct ip *ip,
                               int port, bool (*is_local)(const struct ip *ip))
{
    enum ip_kind kind = ip_kind_of(ip);
    struct ip inner;

    if (r->is_open)
        return REACH_OK;
    if (is_own(r, ip, port, is_local) && !has_very(r, ip, port, true))
        return REACH_API;
    if (has(r->deny, r->deny_count, host, ip, port) ||
        (ip_inner(ip, &inner) && has(r->deny, r->deny_count, host, &inner, port)))
        return REACH_DENIED;
    if (kind == IP_METADATA)
        return has_very(r, ip, port, false) ? REACH_OK : REACH_SPECIAL;
    if (has(r->allow, r->allow_count, host, ip, port))
        return REACH_OK;
    if (kind == IP_PUBLIC)
        return r->has_no_public ? REACH_UNLISTED : REACH_OK;
    return r->has_private && (kind == IP_PRIVATE || kind == IP_SHARED) ? REACH_OK : REACH_SPECIAL;
}

const char *reach_why(enum reach_verdict verdict, const struct ip *ip)
{
    switch (verdict) {
    case REACH_OK:
        return "is allowed";
    case REACH_API:
        return "is the control API of this node";
    case REACH_DENIED:
        return "is denied by a rule";
    case REACH_UNLISTED:
        return "is not among the addresses that are allowed";
    case REACH_SPECIAL:
        break;
    }
    return ip_kind_name(ip_kind_of(ip));
}

/* ---- for others ---- */

/* No character of a rule wants to be escaped. */
static int put_rule(const struct reach_rule *rule, struct buf *out)
{
    char text[IP_RANGE_TEXT];
    const char *before = "", *what = "*", *behind = "";

    if (rule->target == RANGE) {
        ip_range_print(&rule->range, text);
        what = text;
        before = strchr(text, ':') ? "[" : "";
        behind = before[0] ? "]" : "";
    } else if (rule->target != ANYTHING) {
        before = rule->target == BELOW ? "*" : "";
        what = rule->name;
    }
    if (rule->port)
        return buf_print(out, "\"%s%s%s:%d\"", before, what, behind, rule->port);
    return buf_print(out, "\"%s%s%s\"", before, what, behind);
}

static int put_rules(const char *name, const struct reach_rule *list, size_t count, struct buf *out)
{
    int r = buf_print(out, "\"%s\":[", name);

    for (size_t i = 0; i < count && r == 0; i++) {
        r = i > 0 ? buf_append(out, ",", 1) : 0;
        r = r < 0 ? r : put_rule(&list[i], out);
    }
    return r < 0 ? r : buf_append(out, "],", 2);
}

int reach_json(const struct reach *r, struct buf *out)
{
    char text[IP_TEXT];
    const char *range;
    enum ip_kind kind;
    int e = buf_append(out, "{", 1);

    e = e < 0 ? e : put_rules("allow", r->allow, r->allow_count, out);
    e = e < 0 ? e : put_rules("deny", r->deny, r->deny_count, out);
    e = e < 0 ? e
              : buf_print(out, "\"private\":%s,\"public\":%s,\"own\":[",
                          r->has_private ? "true" : "false", r->has_no_public ? "false" : "true");
    for (size_t i = 0; i < r->own_count && e == 0; i++) {
        ip_print(&r->own[i].ip, text);
        e = buf_print(out, "%s[\"%s\",%d]", i > 0 ? "," : "", text, r->own[i].port);
    }
    e = e < 0 ? e : buf_print(out, "],\"special\":[");
    for (size_t i = 0; e == 0 && (range = ip_special(i, &kind)); i++)
        e = buf_print(out, "%s[\"%s\",\"%s\"]", i > 0 ? "," : "", range,
                      kind == IP_METADATA                       ? "metadata"
                      : kind == IP_PRIVATE || kind == IP_SHARED ? "private"
                      : kind == IP_TUNNEL                       ? "tunnel"
                                                                : "");
    return e < 0 ? e : buf_append(out, "]}", 2);
}

/* reach.h - which addresses workers may reach from a node: rules, and the verdict on one address.
 *
 * A rule is written as
 *
 *     10.1.0.0/16   fd00:1::/48   127.0.0.1:5432   [::1]:80   [fd00::/8]:443
 *     db.internal:5432   *.internal   (every name below, not itself)   *:25   *
 *
 * names meaning the host as the URL has it, whatever addresses it has.  In this order:
 *
 *   1. the control API of this node: only where a rule of `allow` names that very address and port
 *   2. what a rule of `deny` names: no
 *   3. metadata of a cloud: only where a rule of `allow` names that very address
 *   4. what a rule of `allow` names: yes
 *   5. public addresses: yes, unless has_no_public
 *   6. private networks and carriers' ones: no, unless has_private
 *   7. anything else: no
 *
 * The verdict is about an address that was resolved, at the moment of connecting to it: what a name
 * meant before or means later has no part in it.
 *
 * Embedded: zeroes (rules of a node, none yet), reach_done.  Pure; fuzzed by
 * test/fuzz/fuzz_reach.c. */
#ifndef CORRAL_TEXT_REACH_H
#define CORRAL_TEXT_REACH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "text/ip.h"

enum {
    REACH_RULES_MAX = 1024,
    REACH_NAME_MAX = 253,
    REACH_OWN_MAX = 64, /* addresses that this node listens at */
};

struct reach_rule;

enum reach_verdict {
    REACH_OK,
    REACH_API,      /* this node's control API */
    REACH_DENIED,   /* a rule says so */
    REACH_SPECIAL,  /* see ip_kind_of */
    REACH_UNLISTED, /* public, and those must be named */
};

struct reach {
    bool is_open;       /* anything goes: `corral dev` */
    bool has_private;   /* private networks are as public ones */
    bool has_no_public; /* public ones must be named */
    struct reach_rule *allow, *deny;
    size_t allow_count, deny_count;
    struct reach_own {
        struct ip ip; /* of kind IP_UNSPECIFIED: every address of the machine */
        int port;
    } own[REACH_OWN_MAX]; /* where the control API listens */
    size_t own_count;
};

void reach_done(struct reach *r);
/* ERR_INVALID: it is no rule, and what is wrong with it; ERR_LIMIT, ERR_NOMEM. */
int reach_allow(struct reach *r, struct span rule, struct err *err) MUST_CHECK;
int reach_deny(struct reach *r, struct span rule, struct err *err) MUST_CHECK;
/* Owned copies of another's rules; its own listeners too. */
int reach_copy(struct reach *ret, const struct reach *from, struct err *err) MUST_CHECK;
/* Where the control API listens. */
int reach_own(struct reach *r, const struct ip *ip, int port, struct err *err) MUST_CHECK;

/* All of it as JSON, for who judges in another process (sdk/python/packager/network.py): {"allow": [rules],
 * "deny": [rules], "private": bool, "public": bool, "own": [[address, port]], "special": [[range, "metadata",
 * "private", "tunnel" or ""]]}; ERR_NOMEM. */
int reach_json(const struct reach *r, struct buf *out) MUST_CHECK;

/* host: of the URL, without brackets; "" when there is none.  is_local: says whether an address is
 * one of this machine's; asked for ports of the API alone. */
enum reach_verdict reach_judge(const struct reach *r, struct span host, const struct ip *ip,
                               int port, bool (*is_local)(const struct ip *ip));
/* Why not, for people: "is a loopback address". */
const char *reach_why(enum reach_verdict verdict, const struct ip *ip);

#endif

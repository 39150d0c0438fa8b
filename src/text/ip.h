/* ip.h - IP addresses: read, written, and what they are for.
 *
 * An address is 16 bytes; one of IPv4 stands in them as ::ffff:a.b.c.d, which is how the kernel
 * takes it on a socket of IPv6: the two ways to write it are one address here.
 *
 * What an address is for is IANA's word (the special-purpose registries of RFC 6890) and, for
 * metadata, that of the clouds.  Forms of IPv6 that carry one of IPv4 to a translator or a tunnel
 * (NAT64, 6to4, ISATAP) are what the inner one is, when that is no public one.
 *
 * Pure; thread: any.  Fuzzed by test/fuzz/fuzz_reach.c. */
#ifndef CORRAL_TEXT_IP_H
#define CORRAL_TEXT_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/span.h"

enum { IP_TEXT = INET6_ADDRSTRLEN, IP_RANGE_TEXT = INET6_ADDRSTRLEN + 4 };

struct ip {
    uint8_t bytes[16];
};

struct ip_range {
    struct ip first;
    uint8_t bits; /* 0 to 128, those of IPv4 counted from 96 */
};

enum ip_kind {
    IP_PUBLIC,
    IP_LOOPBACK,
    IP_UNSPECIFIED, /* 0.0.0.0/8, :: ; Linux takes 0.0.0.0 and :: for loopback */
    IP_PRIVATE,     /* RFC 1918, unique local, site-local */
    IP_SHARED,      /* carriers' 100.64/10 */
    IP_LINK_LOCAL,
    IP_METADATA, /* where clouds hand credentials to whoever asks */
    IP_MULTICAST,
    IP_BROADCAST,
    IP_DOCUMENTATION,
    IP_BENCHMARK,
    IP_TUNNEL, /* Teredo, and translators' own prefixes: nobody can tell where they lead */
    IP_RESERVED,
    IP_KINDS,
};

/* "a loopback address", for people. */
const char *ip_kind_name(enum ip_kind kind);
enum ip_kind ip_kind_of(const struct ip *ip);
/* The IPv4 address that one of IPv6 carries to a translator or a tunnel.  false: none. */
bool ip_inner(const struct ip *ip, struct ip *ret);

bool ip_is_v4(const struct ip *ip);
/* false: neither AF_INET nor AF_INET6, or too short. */
bool ip_of_sockaddr(const struct sockaddr *address, socklen_t len, struct ip *ret, int *ret_port);
/* Dotted IPv4 of four decimal parts, or IPv6 without brackets and zone.  false: it is none. */
bool ip_parse(struct span text, struct ip *ret);
void ip_print(const struct ip *ip, char ret[IP_TEXT]);

/* An address, or ADDRESS/BITS.  ERR_INVALID: none, or bits are set behind the range's. */
int ip_range_parse(struct span text, struct ip_range *ret, struct err *err) MUST_CHECK;
void ip_range_print(const struct ip_range *range, char ret[IP_RANGE_TEXT]);
bool ip_range_has(const struct ip_range *range, const struct ip *ip);
/* One address alone. */
bool ip_range_is_one(const struct ip_range *range);

/* The ranges of what is not public, for who cannot ask ip_kind_of; NULL behind the last. */
const char *ip_special(size_t index, enum ip_kind *ret_kind);

#endif

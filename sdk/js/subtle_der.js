// subtle_der.js - keys as JWK or raw bytes to DER, which OpenSSL reads, and back.
//
// What is written here is read by OpenSSL, and what is read here was written by
// OpenSSL: the reader may trust its input.

const INTEGER = 0x02, BITS = 0x03, OCTETS = 0x04, NULL = 0x05, OID = 0x06, SEQUENCE = 0x30;
const PARAMETERS = {        // of the AlgorithmIdentifier, after the OID of the algorithm
  'RSA': [[OID, '2a864886f70d010101'], [NULL, '']],
  'P-256': [[OID, '2a8648ce3d0201'], [OID, '2a8648ce3d030107']],
  'P-384': [[OID, '2a8648ce3d0201'], [OID, '2b81040022']],
  'P-521': [[OID, '2a8648ce3d0201'], [OID, '2b81040023']],
  'Ed25519': [[OID, '2b6570']],
  'X25519': [[OID, '2b656e']],
};
const RSA_PRIVATE = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'];
const ZERO = new Uint8Array([0]), ONE = new Uint8Array([1]);

function tlv(tag, ...contents) {
  let length = 0;
  for (const c of contents) length += c.length;
  const head = [tag];
  if (length < 128) head.push(length);
  else if (length < 256) head.push(0x81, length);
  else head.push(0x82, length >> 8, length & 255);
  return internals.concat([new Uint8Array(head), ...contents]);
}

// [tag, content] of each element in a row.
function elements(der) {
  const all = [];
  for (let at = 0; at < der.length;) {
    const tag = der[at];
    let length = der[at + 1], from = at + 2;
    if (length & 0x80) {
      const count = length & 0x7f;
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + der[from + i];
      from += count;
    }
    all.push([tag, der.subarray(from, from + length)]);
    at = from + length;
  }
  return all;
}
const inside = (der) => elements(elements(der)[0][1]);

// The bytes of a number without zeros in front, and as an INTEGER (never negative).
function bare(bytes) {
  let i = 0;
  while (i < bytes.length - 1 && bytes[i] === 0) i++;
  return bytes.subarray(i);
}
function integer(bytes) {
  bytes = bytes.length ? bare(bytes) : ZERO;
  return bytes[0] & 0x80 ? tlv(INTEGER, ZERO, bytes) : tlv(INTEGER, bytes);
}

const identifier = (kind) => tlv(SEQUENCE, ...PARAMETERS[kind].map(([tag, hex]) => tlv(tag, Uint8Array.fromHex(hex))));
const spki = (kind, key) => tlv(SEQUENCE, identifier(kind), tlv(BITS, ZERO, key));
const pkcs8 = (kind, key) => tlv(SEQUENCE, tlv(INTEGER, ZERO), identifier(kind), tlv(OCTETS, key));

// What is in them: the key without what says its kind.
const publicPart = (der) => inside(der)[1][1].subarray(1);
const privatePart = (der) => inside(der)[2][1];

internals.der = {
  publicOfRaw: spki,
  rawOfPublic: publicPart,
  rsaPublic: (jwk) => spki('RSA', tlv(SEQUENCE, integer(jwk.n), integer(jwk.e))),
  rsaPrivate: (jwk) => pkcs8('RSA', tlv(SEQUENCE, integer(ZERO), ...RSA_PRIVATE.map((name) => integer(jwk[name])))),
  rsaPublicParts(der) {
    const [n, e] = inside(publicPart(der));
    return { n: bare(n[1]), e: bare(e[1]) };
  },
  rsaPrivateParts(der) {
    const all = inside(privatePart(der)), parts = {};
    RSA_PRIVATE.forEach((name, i) => { parts[name] = bare(all[i + 1][1]); });
    return parts;
  },
  ecPrivate: (curve, d, point) => pkcs8(curve, tlv(SEQUENCE, tlv(INTEGER, ONE), tlv(OCTETS, d), tlv(0xa1, tlv(BITS, ZERO, point)))),
  ecPrivatePart: (der) => inside(privatePart(der))[1][1],
  edPrivate: (kind, d) => pkcs8(kind, tlv(OCTETS, d)),
  edPrivatePart: (der) => elements(privatePart(der))[0][1],
};

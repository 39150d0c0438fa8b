// openssl.js - what OpenSSL has against something, as errors of Node.js.
import { coded } from 'node:internal/errors';

const LIBRARIES = {
  'bignum routines': 'BN_', 'rsa routines': 'RSA_', 'Diffie-Hellman routines': 'DH_', 'digital envelope routines': 'EVP_', 'memory buffer routines': 'BUF_', 'PEM routines': 'PEM_',
  'dsa routines': 'DSA_', 'x509 certificate routines': 'X509_', 'asn1 encoding routines': 'ASN1_', 'elliptic curve routines': 'EC_', 'BIO routines': 'BIO_', 'PKCS12 routines': 'PKCS12_',
  'random number generator': 'RAND_', 'X509 V3 routines': 'X509V3_', 'ECDSA routines': 'ECDSA_', 'ECDH routines': 'ECDH_', __proto__: null,
};

// text: "error:0480006C:PEM routines::no start line", or "": the fallback is said.
export function opensslError(text, fallback) {
  if (!text) return new Error(fallback);
  const [, , library, , ...rest] = text.split(':'), reason = rest.join(':');
  return Object.assign(new Error(text), { library, reason, code: `ERR_OSSL_${LIBRARIES[library] ?? ''}${reason.toUpperCase().replaceAll(' ', '_')}` });
}
// What the realm gave (sdk/js/node_keys.js), when it is no refusal.
export function granted(made, fallback) {
  if (typeof made === 'string') throw opensslError(made, fallback);
  if (made === 2) throw coded(TypeError, 'ERR_MISSING_PASSPHRASE', 'Passphrase required for encrypted key');
  if (made === 3) throw coded(RangeError, 'ERR_OUT_OF_RANGE', 'The key has numbers of more than 16384 bits, or opening it would take too long');
  if (made === 4) throw coded(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
  return made;
}

// x509.js - X509Certificate of node:crypto.
import { Buffer, bytesOf } from 'node:internal/buffer';
import { argType, argValue, checkObject, checkBoolean, checkString, coded } from 'node:internal/errors';
import { inspect } from 'node:internal/inspect';
import { KeyObject, contentOfObject, keyObject } from 'node:internal/keys';
import { opensslError } from 'node:internal/openssl';
import { kInspect, realm } from 'node:internal/realm';

const { crypto, keys } = realm;
const PARTS = { subject: 0, issuer: 1, validFrom: 2, validTo: 3, serialNumber: 4, subjectAltName: 5, infoAccess: 6, keyUsage: 7 };
const ALWAYS_SUBJECT = 1, NO_WILDCARDS = 2, NO_PARTIAL = 4, MULTI_LABEL = 8, SINGLE_LABEL = 16, NEVER_SUBJECT = 32;

function flagsOf(options = {}) {
  checkObject(options, 'options');
  const { subject = 'default', wildcards = true, partialWildcards = true, multiLabelWildcards = false, singleLabelSubdomains = false } = { ...options };
  checkString(subject, 'options.subject');
  checkBoolean(wildcards, 'options.wildcards');
  checkBoolean(partialWildcards, 'options.partialWildcards');
  checkBoolean(multiLabelWildcards, 'options.multiLabelWildcards');
  checkBoolean(singleLabelSubdomains, 'options.singleLabelSubdomains');
  const ofSubject = new Map([['default', 0], ['always', ALWAYS_SUBJECT], ['never', NEVER_SUBJECT]]).get(subject);
  if (ofSubject === undefined) throw argValue('options.subject', subject);
  return ofSubject | (wildcards ? 0 : NO_WILDCARDS) | (partialWildcards ? 0 : NO_PARTIAL) | (multiLabelWildcards ? MULTI_LABEL : 0)
    | (singleLabelSubdomains ? SINGLE_LABEL : 0);
}

export class X509Certificate {
  #certificate; #der = null;
  constructor(buffer) {
    const bytes = typeof buffer === 'string' ? Buffer.from(buffer) : ArrayBuffer.isView(buffer) ? bytesOf(buffer) : undefined;
    if (!bytes) throw argType('buffer', ['string', 'Buffer', 'TypedArray', 'DataView'], buffer);
    const made = keys.readCertificate(bytes);
    if (typeof made === 'string') throw opensslError(made, 'Failed to read the certificate');
    this.#certificate = made;
  }
  get subject() { return this.#certificate.text(PARTS.subject); }
  get issuer() { return this.#certificate.text(PARTS.issuer); }
  get validFrom() { return this.#certificate.text(PARTS.validFrom); }
  get validTo() { return this.#certificate.text(PARTS.validTo); }
  get serialNumber() { return this.#certificate.text(PARTS.serialNumber); }
  get subjectAltName() { return this.#certificate.text(PARTS.subjectAltName); }
  get infoAccess() { return this.#certificate.text(PARTS.infoAccess); }
  get keyUsage() { return this.#certificate.text(PARTS.keyUsage)?.split(' '); }
  get issuerCertificate() { return undefined; }
  get raw() { return Buffer.from(this.#bytes()); }
  #bytes() { return this.#der ??= this.#certificate.der(); }
  #print(name) { return Buffer.from(crypto.digest(name, this.#bytes())).toString('hex').toUpperCase().match(/../g).join(':'); }
  get fingerprint() { return this.#print('sha1'); }
  get fingerprint256() { return this.#print('sha256'); }
  get fingerprint512() { return this.#print('sha512'); }
  get publicKey() {
    const key = this.#certificate.key();
    if (!key) throw new Error('The public key of the certificate is of no kind that is supported');
    return keyObject(key);
  }
  get ca() { return this.#certificate.fits(3); }
  checkHost(name, options) {
    checkString(name, 'name');
    const found = this.#certificate.names(0, Buffer.from(name), flagsOf(options));
    if (found === false) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'Invalid name');
    return found;
  }
  checkEmail(email, options) {
    checkString(email, 'email');
    return this.#certificate.names(1, Buffer.from(email), flagsOf(options)) ? email : undefined;
  }
  checkIP(ip, options) {
    checkString(ip, 'ip');
    const found = this.#certificate.names(2, Buffer.from(ip), flagsOf(options));
    if (found === false) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', 'Invalid IP');
    return found ? ip : undefined;
  }
  checkIssued(other) {
    if (typeof other !== 'object' || other === null || !(#certificate in other)) throw argType('otherCert', 'X509Certificate', other);
    return this.#certificate.fits(2, other.#certificate);
  }
  #fitsKey(what, key, type) {
    if (!(key instanceof KeyObject)) throw argType('pkey', 'KeyObject', key);
    if (key.type !== type) throw argValue('pkey', key);
    return this.#certificate.fits(what, contentOfObject(key, 'pkey', [type]));
  }
  checkPrivateKey(key) { return this.#fitsKey(1, key, 'private'); }
  verify(key) { return this.#fitsKey(0, key, 'public'); }
  toString() { return `-----BEGIN CERTIFICATE-----\n${this.raw.toString('base64').match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`; }
  toJSON() { return this.toString(); }
  [kInspect](depth, options) {
    if (depth < 0) return this;
    const { subject, subjectAltName, issuer, infoAccess, validFrom, validTo, fingerprint, fingerprint256, fingerprint512, keyUsage, serialNumber } = this;
    const shown = { subject, subjectAltName, issuer, infoAccess, validFrom, validTo, fingerprint, fingerprint256, fingerprint512, keyUsage, serialNumber };
    return `X509Certificate ${inspect(shown, { ...options, depth: options.depth == null ? null : options.depth - 1 })}`;
  }
}

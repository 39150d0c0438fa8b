// node:buffer
import { Buffer, INSPECT, kMaxLength, kStringMaxLength, SlowBuffer, bytesOf } from 'node:internal/buffer';
import { argType, coded } from 'node:internal/errors';
import { findEncoding } from 'node:internal/bytes';
import { realm } from 'node:internal/realm';

const { Blob, File, atob, btoa } = globalThis;
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength };
export const INSPECT_MAX_BYTES = 50;
const TRANSCODED = ['utf8', 'utf16le', 'latin1', 'ascii'];

export function transcode(source, from, to) {
  if (!(source instanceof Uint8Array)) throw argType('source', ['Buffer', 'Uint8Array'], source);
  const one = findEncoding(from), other = findEncoding(to);
  if (!one || !other || !TRANSCODED.includes(one.name) || !TRANSCODED.includes(other.name))
    throw coded(Error, 'U_ILLEGAL_ARGUMENT_ERROR', 'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]', { errno: 1 });
  const text = one.toText(source);
  if (other.name !== 'latin1' && other.name !== 'ascii') return Buffer.from(text, other.name);
  const limit = other.name === 'ascii' ? 127 : 255;
  return Buffer.from(Array.from(text, (c) => (c.codePointAt(0) > limit ? '?' : c)).join(''), 'latin1');
}
function anyBytes(input) {
  const bytes = typeof input === 'string' ? undefined : bytesOf(input);
  if (!bytes) throw argType('input', ['ArrayBuffer', 'Buffer', 'TypedArray'], input);
  return bytes;
}
export function isUtf8(input) { return realm.isUtf8(anyBytes(input)); }
export function isAscii(input) { return anyBytes(input).every((byte) => byte < 128); }
export function resolveObjectURL() { return undefined; }

const exported = {
  Buffer, SlowBuffer, kMaxLength, kStringMaxLength, constants, transcode, isUtf8, isAscii, Blob, File, atob, btoa, resolveObjectURL,
  get INSPECT_MAX_BYTES() { return INSPECT.max; },
  set INSPECT_MAX_BYTES(value) { INSPECT.max = value; },
};
export { Buffer, SlowBuffer, kMaxLength, kStringMaxLength, Blob, File, atob, btoa };
export default exported;

// bytes.js - the encodings of Buffer: text to bytes and back.
import { realm } from 'node:internal/realm';

const fromBase64 = Uint8Array.fromBase64, toBase64 = Uint8Array.prototype.toBase64, toHex = Uint8Array.prototype.toHex;
const { encode, encodeInto, decode, latin1 } = realm;
const { apply } = Reflect, { fromCharCode } = String;
const PIECE = 8192;

const utf16Bytes = (text) => {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[2 * i] = code;
    bytes[2 * i + 1] = code >> 8;
  }
  return bytes;
};
const utf16Text = (bytes) => {
  let text = '';
  const end = bytes.length & ~1, units = new Uint16Array(end / 2);
  for (let i = 0; i < end; i += 2) units[i / 2] = bytes[i] | bytes[i + 1] << 8;
  for (let i = 0; i < units.length; i += PIECE) text += apply(fromCharCode, null, units.subarray(i, i + PIECE));
  return text;
};
const latin1Bytes = (text) => {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};
const asciiText = (bytes) => {
  let isAscii = true;
  for (let i = 0; i < bytes.length && isAscii; i++) isAscii = bytes[i] < 128;
  return latin1(isAscii ? bytes : Uint8Array.from(bytes, (byte) => byte & 127));
};
const digit = (code) => (code >= 48 && code <= 57 ? code - 48 : code >= 65 && code <= 70 ? code - 55 : code >= 97 && code <= 102 ? code - 87 : -1);
const hexBytes = (text) => {
  const bytes = new Uint8Array(text.length >>> 1);
  for (let i = 0; i < bytes.length; i++) {
    const high = digit(text.charCodeAt(2 * i)), low = digit(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return bytes.subarray(0, i);
    bytes[i] = high << 4 | low;
  }
  return bytes;
};

// Forgiving as Node's: both alphabets, whatever is neither is skipped, "=" ends it.
function base64Bytes(text) {
  try {
    return apply(fromBase64, Uint8Array, [text]);
  } catch {
    const end = text.indexOf('=');
    let plain = (end < 0 ? text : text.slice(0, end)).replaceAll('-', '+').replaceAll('_', '/').replace(/[^A-Za-z0-9+/]/g, '');
    if (plain.length % 4 === 1) plain = plain.slice(0, -1);
    return apply(fromBase64, Uint8Array, [plain]);
  }
}
const base64Length = (text) => {
  let n = text.length;
  if (n > 0 && text[n - 1] === '=') n--;
  if (n > 1 && text[n - 1] === '=') n--;
  return (n * 3) >>> 2;
};

const UTF8 = { name: 'utf8', toBytes: encode, toText: decode, length: (text) => utf8Length(text), isUtf8: true };
const UTF16 = { name: 'utf16le', toBytes: utf16Bytes, toText: utf16Text, length: (text) => text.length * 2 };
const LATIN1 = { name: 'latin1', toBytes: latin1Bytes, toText: latin1, length: (text) => text.length };
const ASCII = { name: 'ascii', toBytes: latin1Bytes, toText: asciiText, length: (text) => text.length };
const HEX = { name: 'hex', toBytes: hexBytes, toText: (bytes) => apply(toHex, bytes, []), length: (text) => text.length >>> 1 };
const BASE64 = { name: 'base64', toBytes: base64Bytes, toText: (bytes) => apply(toBase64, bytes, []), length: base64Length };
const BASE64URL = {
  name: 'base64url', toBytes: base64Bytes, length: base64Length,
  toText: (bytes) => apply(toBase64, bytes, [{ alphabet: 'base64url', omitPadding: true }]),
};
const ENCODINGS = new Map(Object.entries({
  'utf8': UTF8, 'utf-8': UTF8, 'ucs2': UTF16, 'ucs-2': UTF16, 'utf16le': UTF16, 'utf-16le': UTF16, 'latin1': LATIN1, 'binary': LATIN1,
  'ascii': ASCII, 'hex': HEX, 'base64': BASE64, 'base64url': BASE64URL,
}));

function utf8Length(text) {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) length++;
    else {
      length += 2;
      if (code >= 0xd800 && code < 0xdc00 && i + 1 < text.length) {
        const next = text.charCodeAt(i + 1);
        if (next >= 0xdc00 && next < 0xe000) i++;       // two units, four bytes
      }
    }
  }
  return length;
}

// undefined: there is no such encoding.  Nothing is UTF-8.
export function findEncoding(name) {
  if (name === undefined || name === 'utf8' || name === 'utf-8' || name === null || name === '') return UTF8;
  return ENCODINGS.get(name) ?? ENCODINGS.get(`${name}`.toLowerCase());
}
export { encode, encodeInto, decode, latin1, UTF8 };

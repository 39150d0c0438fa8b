// node:querystring
import { Buffer } from 'node:internal/buffer';

const KEPT = /[A-Za-z0-9!'()*\-._~]/;

export function unescapeBuffer(text, decodeSpaces) {
  const bytes = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text.slice(i + 1, i + 3);
    if (text[i] === '%' && /^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(parseInt(hex, 16));
      i += 2;
    } else bytes.push(decodeSpaces && text[i] === '+' ? 32 : text.charCodeAt(i) & 255);
  }
  return Buffer.from(bytes);
}
export function unescape(text, decodeSpaces) {
  try { return decodeURIComponent(text); } catch { return unescapeBuffer(text, decodeSpaces).toString(); }
}
export function escape(value) {
  if (typeof value !== 'string') value = typeof value === 'object' ? String(value) : `${value}`;
  let result = '';
  for (const c of value) {
    if (/[\ud800-\udfff]/.test(c) && c.length === 1) throw Object.assign(new URIError('URI malformed'), { code: 'ERR_INVALID_URI' });
    result += KEPT.test(c) && c.length === 1 ? c : encodeURIComponent(c);
  }
  return result;
}

const primitive = (value) => {
  switch (typeof value) {
    case 'string': return value;
    case 'number': return Number.isFinite(value) ? `${value}` : '';
    case 'bigint': case 'boolean': return `${value}`;
    default: return '';
  }
};
export function stringify(object, sep, eq, options) {
  sep ||= '&';
  eq ||= '=';
  const encode = typeof options?.encodeURIComponent === 'function' ? options.encodeURIComponent : exported.escape;
  if (object === null || typeof object !== 'object') return '';
  return Object.keys(object).map((key) => {
    const name = encode(primitive(key)) + eq, value = object[key];
    return Array.isArray(value) ? value.map((item) => name + encode(primitive(item))).join(sep) : name + encode(primitive(value));
  }).filter((part) => part !== '').join(sep);
}

export function parse(text, sep, eq, options) {
  const result = Object.create(null);
  if (typeof text !== 'string' || text.length === 0) return result;
  sep = sep ? `${sep}` : '&';
  eq = eq ? `${eq}` : '=';
  const max = typeof options?.maxKeys === 'number' ? options.maxKeys : 1000;
  const decode = typeof options?.decodeURIComponent === 'function' ? options.decodeURIComponent : exported.unescape, plain = (part) => {
    part = part.replaceAll('+', decode === unescape ? ' ' : '%20');
    try { return decode(part); } catch { return unescape(part, true); }
  };
  let left = max > 0 ? max : Infinity;
  for (const part of text.split(sep)) {
    if (part === '') continue;
    if (left-- <= 0) break;
    const at = part.indexOf(eq), key = plain(at < 0 ? part : part.slice(0, at)), value = at < 0 ? '' : plain(part.slice(at + eq.length));
    const known = result[key];
    if (known === undefined) result[key] = value;
    else if (Array.isArray(known)) known.push(value);
    else result[key] = [known, value];
  }
  return result;
}
export { stringify as encode, parse as decode };
const exported = { unescapeBuffer, unescape, escape, stringify, encode: stringify, parse, decode: parse };
export default exported;

// node:url - URL and what turns it into paths and options, and the older half of it.
import { argType, coded } from 'node:internal/errors';
import { posix } from 'node:internal/path';
import { decode } from 'node:punycode';
import { Buffer } from 'node:internal/buffer';
import { Url, format, parse, resolve, resolveObject } from 'node:internal/url_parse';

const { URL, URLSearchParams } = globalThis;
const urlOf = (value, name) => {
  if (typeof value === 'string') return new URL(value);
  if (value === null || typeof value !== 'object' || typeof value.href !== 'string' || typeof value.protocol !== 'string') throw argType(name, ['string', 'URL'], value);
  return value;
};

export function fileURLToPath(path) {
  const url = urlOf(path, 'path');
  if (url.protocol !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  if (url.hostname !== '') throw coded(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
  if (/%2f/i.test(url.pathname)) throw coded(TypeError, 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
  return decodeURIComponent(url.pathname);
}
export function pathToFileURL(path) {
  if (typeof path !== 'string') throw argType('path', 'string', path);
  let resolved = posix.resolve(path);
  if (path.endsWith('/') && !resolved.endsWith('/')) resolved += '/';
  const escapes = { '%': '%25', '\\': '%5C', '\n': '%0A', '\r': '%0D', '\t': '%09', '?': '%3F', '#': '%23' };
  return new URL(`file://${resolved.replace(/[%\\\n\r\t?#]/g, (c) => escapes[c])}`);
}
export function urlToHttpOptions(url) {
  const { hostname, pathname, port, username, password, search } = url;
  const options = {
    __proto__: null, ...url, protocol: url.protocol, hostname: hostname?.[0] === '[' ? hostname.slice(1, -1) : hostname, hash: url.hash, search, pathname,
    path: `${pathname || ''}${search || ''}`, href: url.href,
  };
  if (port !== '') options.port = Number(port);
  if (username || password) options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return options;
}
const hostOf = (domain) => {
  try { return new URL(`ws://${domain}`).hostname; } catch { return ''; }
};
export const domainToASCII = (domain) => hostOf(`${domain}`);
export const domainToUnicode = (domain) => hostOf(`${domain}`).replace(/(^|\.)xn--([^.]+)/g, (all, dot, name) => {
  try { return dot + decode(name); } catch { return all; }
});
export function fileURLToPathBuffer(path) { return Buffer.from(fileURLToPath(path)); }
export default {
  URL, URLSearchParams, Url, parse, format, resolve, resolveObject, fileURLToPath, fileURLToPathBuffer, pathToFileURL, urlToHttpOptions, domainToASCII, domainToUnicode,
};
export { URL, URLSearchParams, Url, parse, format, resolve, resolveObject };

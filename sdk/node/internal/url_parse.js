// url_parse.js - the older half of node:url: Url, parse(), format(), resolve(), which know nothing of the standard.
import querystring from 'node:querystring';
import { argType, checkString, coded } from 'node:internal/errors';

const SLASHED = new Set(['http', 'https', 'ftp', 'gopher', 'file', 'ws', 'wss'].flatMap((name) => [name, `${name}:`]));
const UNSAFE = new Set(['javascript', 'javascript:']);
const ESCAPES = { '\t': '%09', '\n': '%0A', '\r': '%0D', ' ': '%20', '"': '%22', "'": '%27', '<': '%3C', '>': '%3E', '\\': '%5C', '^': '%5E', '`': '%60', '{': '%7B', '|': '%7C', '}': '%7D' };
const MAX_HOST = 255;
const { URL } = globalThis;
const NAMES = ['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash', 'search', 'query', 'pathname', 'path', 'href'];

const escaped = (text) => text.replace(/[\t\n\r "'<>\\^`{|}]/g, (c) => ESCAPES[c]);
const authText = (auth) => encodeURIComponent(auth).replace(/%3A/gi, ':').replace(/%2[1789A]/gi, (c) => decodeURIComponent(c));
const asciiHost = (host) => {
  try { return new URL(`ws://${host}`).hostname; } catch { return ''; }
};

export function Url() { for (const name of NAMES) this[name] = null; }

// What is before "?" and "#" has "\" as "/"; spaces at the ends go.
function cleaned(url) {
  const text = url.replace(/^[\s\ufeff\u00a0]+|[\s\ufeff\u00a0]+$/g, ''), end = text.search(/[?#]/);
  return end < 0 ? text.replaceAll('\\', '/') : text.slice(0, end).replaceAll('\\', '/') + text.slice(end);
}

// Where the host ends: -1 is at the end; what is before the last "@" of it is who asks.
function hostParts(rest) {
  let hostEnd = -1, at = -1, nonHost = -1;
  for (let i = 0; i < rest.length && hostEnd < 0; i++) {
    const c = rest[i];
    if ('\t\n\r "%\';<>\\^`{|}'.includes(c)) nonHost = nonHost < 0 ? i : nonHost;
    else if (c === '#' || c === '/' || c === '?') {
      nonHost = nonHost < 0 ? i : nonHost;
      hostEnd = i;
    } else if (c === '@') [at, nonHost] = [i, -1];
  }
  return [at, nonHost];
}

function invalid(url) {
  return coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL', { input: url });
}

// The host of a Url, without its port; gives what of it belongs to the path.
function takeHostname(self) {
  const { hostname } = self, end = hostname[0] === '[' && hostname.at(-1) === ']' ? -1 : hostname.search(/[/\\#?:]/);
  if (end < 0) return '';
  self.hostname = hostname.slice(0, end);
  return `/${hostname.slice(end)}`;
}

function takePort(self) {
  const port = /:([0-9]*)$/.exec(self.host);
  if (port) {
    if (port[1] !== '') self.port = port[1];
    self.host = self.host.slice(0, port.index);
  }
  if (self.host) self.hostname = self.host;
}

function takeHost(self, text, url) {
  const [at, nonHost] = hostParts(text);
  let rest = nonHost < 0 ? '' : text.slice(nonHost);
  const start = at + 1;
  if (at >= 0) {
    try { self.auth = decodeURIComponent(text.slice(0, at)); } catch { throw new URIError('URI malformed'); }
  }
  self.host = nonHost < 0 ? text.slice(start) : text.slice(start, nonHost);
  takePort(self);
  if (typeof self.hostname !== 'string') self.hostname = '';
  rest = takeHostname(self) + rest;
  if (self.hostname.length > MAX_HOST) self.hostname = '';
  else self.hostname = self.hostname.toLowerCase();
  const isV6 = self.hostname[0] === '[' && self.hostname.at(-1) === ']';
  if (!isV6 && self.hostname !== '') {
    const ascii = /[\0\t\n\r #%/:<>?@[\\\]^|]/.test(self.hostname) ? '' : /[^\0-\x7f]/.test(self.hostname) ? asciiHost(self.hostname) : self.hostname;
    if (ascii === '') throw invalid(url);
    self.hostname = ascii;
  } else if (isV6 && /[\0\t\n\r #%/<>?@\\^|]/.test(self.hostname)) throw invalid(url);
  self.host = self.hostname + (self.port ? `:${self.port}` : '');
  if (isV6) {
    self.hostname = self.hostname.slice(1, -1);
    if (rest[0] !== '/') rest = `/${rest}`;
  }
  return rest;
}

function takePath(self, text, parsesQuery, lowProtocol) {
  const hash = text.indexOf('#'), before = hash < 0 ? text : text.slice(0, hash), question = before.indexOf('?');
  if (hash >= 0) self.hash = text.slice(hash);
  if (question >= 0) {
    self.search = before.slice(question);
    self.query = parsesQuery ? querystring.parse(self.search.slice(1)) : self.search.slice(1);
  } else if (parsesQuery) {
    self.search = null;
    self.query = Object.create(null);
  }
  const path = question < 0 ? before : before.slice(0, question);
  if (path !== '') self.pathname = path;
  if (SLASHED.has(lowProtocol) && self.hostname && !self.pathname) self.pathname = '/';
  if (self.pathname || self.search) self.path = (self.pathname || '') + (self.search || '');
}

Url.prototype.parse = function (url, parsesQuery, slashesDenoteHost) {
  checkString(url, 'url');
  let rest = cleaned(url), lowProtocol, slashes = false;
  if (!slashesDenoteHost && !/[#@]/.test(url)) {
    const simple = /^(\/\/?(?!\/)[^?\s]*)(\?[^\s]*)?$/.exec(rest);
    if (simple) {
      [this.path, this.href, this.pathname] = [rest, rest, simple[1]];
      if (simple[2]) {
        this.search = simple[2];
        this.query = parsesQuery ? querystring.parse(simple[2].slice(1)) : simple[2].slice(1);
      } else if (parsesQuery) {
        this.search = null;
        this.query = Object.create(null);
      }
      return this;
    }
  }
  const proto = /^[a-z0-9.+-]+:/i.exec(rest)?.[0];
  if (proto) {
    lowProtocol = proto.toLowerCase();
    this.protocol = lowProtocol;
    rest = rest.slice(proto.length);
  }
  if (slashesDenoteHost || proto || /^\/\/[^@/]+@[^@/]+/.test(rest)) {
    slashes = rest.startsWith('//');
    if (slashes && !(lowProtocol && UNSAFE.has(lowProtocol))) {
      rest = rest.slice(2);
      this.slashes = true;
    }
  }
  if (!UNSAFE.has(lowProtocol) && (slashes || (proto && !SLASHED.has(proto)))) rest = takeHost(this, rest, url);
  takePath(this, UNSAFE.has(lowProtocol) ? rest : escaped(rest), parsesQuery, lowProtocol);
  this.href = this.format();
  return this;
};

Url.prototype.format = function () {
  let auth = this.auth || '', protocol = this.protocol || '', pathname = this.pathname || '', hash = this.hash || '', host = '', query = '';
  if (auth) auth = `${authText(auth)}@`;
  if (this.host) host = auth + this.host;
  else if (this.hostname) {
    host = auth + (this.hostname.includes(':') && !/^\[.*\]$/.test(this.hostname) ? `[${this.hostname}]` : this.hostname);
    if (this.port) host += `:${this.port}`;
  }
  if (this.query !== null && typeof this.query === 'object') query = querystring.stringify(this.query);
  let search = this.search || (query && `?${query}`) || '';
  if (protocol && !protocol.endsWith(':')) protocol += ':';
  pathname = pathname.replace(/[#?]/g, (c) => (c === '#' ? '%23' : '%3F'));
  if (this.slashes || SLASHED.has(protocol)) {
    if (this.slashes || host) {
      if (pathname && pathname[0] !== '/') pathname = `/${pathname}`;
      host = `//${host}`;
    } else if (protocol.length >= 4 && protocol.startsWith('file')) host = '//';
  }
  search = search.replaceAll('#', '%23');
  if (hash && hash[0] !== '#') hash = `#${hash}`;
  if (search && search[0] !== '?') search = `?${search}`;
  return protocol + host + pathname + search + hash;
};

Url.prototype.resolve = function (relative) { return this.resolveObject(parse(relative, false, true)).format(); };

const copyOf = (url) => Object.assign(new Url(), url);
const finish = (result) => {
  if (result.pathname !== null || result.search !== null) result.path = (result.pathname ? result.pathname : '') + (result.search ? result.search : '');
  result.href = result.format();
  return result;
};

// Another protocol: what it points to is taken as it is.
function otherProtocol(result, relative) {
  if (!SLASHED.has(relative.protocol)) {
    const all = copyOf(relative);
    all.href = all.format();
    return all;
  }
  result.protocol = relative.protocol;
  if (!relative.host && !/^file:?$/.test(relative.protocol) && !UNSAFE.has(relative.protocol)) {
    const path = (relative.pathname || '').split('/');
    while (path.length && !(relative.host = path.shift()));
    relative.host ||= '';
    relative.hostname ||= '';
    if (path[0] !== '') path.unshift('');
    if (path.length < 2) path.unshift('');
    result.pathname = path.join('/');
  } else result.pathname = relative.pathname;
  result.search = relative.search;
  result.query = relative.query;
  result.host = relative.host || '';
  result.auth = relative.auth;
  result.hostname = relative.hostname || relative.host;
  result.port = relative.port;
  if (result.pathname || result.search) result.path = (result.pathname || '') + (result.search || '');
  result.slashes ||= relative.slashes;
  result.href = result.format();
  return result;
}

// "." and ".." gone; gives the parts, and whether a slash ends them.
function walk(parts, staysInside) {
  const last = parts.at(-1), endsInSlash = ((parts.length > 1) && (last === '.' || last === '..')) || last === '';
  const path = [...parts];
  let up = 0;
  for (let i = path.length - 1; i >= 0; i--) {
    if (path[i] === '.') path.splice(i, 1);
    else if (path[i] === '..') {
      path.splice(i, 1);
      up++;
    } else if (up) {
      path.splice(i, 1);
      up--;
    }
  }
  if (!staysInside) for (; up > 0; up--) path.unshift('..');
  return [path, endsInSlash];
}

// In a URL without slashes, the first part of the path is the host.
function hostOfPath(result, path) {
  result.hostname = result.host = path.shift() ?? '';
  const at = result.host && result.host.indexOf('@') > 0 && result.host.split('@');
  if (at) {
    result.auth = at.shift();
    result.host = result.hostname = at.shift();
  }
}

Url.prototype.resolveObject = function (given) {
  let relative = given;
  if (typeof relative === 'string') relative = new Url().parse(given, false, true);
  const result = copyOf(this);
  result.hash = relative.hash;
  if (relative.href === '') {
    result.href = result.format();
    return result;
  }
  if (relative.slashes && !relative.protocol) {
    for (const key of Object.keys(relative)) if (key !== 'protocol') result[key] = relative[key];
    if (SLASHED.has(result.protocol) && result.hostname && !result.pathname) result.path = result.pathname = '/';
    result.href = result.format();
    return result;
  }
  if (relative.protocol && relative.protocol !== result.protocol) return otherProtocol(result, copyOf(relative));
  return resolvePath(result, copyOf(relative));
};

function resolvePath(result, relative) {
  const isSourceAbsolute = result.pathname?.[0] === '/', isAbsolute = !!relative.host || relative.pathname?.[0] === '/';
  let must = isAbsolute || isSourceAbsolute || (result.host && relative.pathname), path = result.pathname ? result.pathname.split('/') : [];
  const removes = must, parts = relative.pathname ? relative.pathname.split('/') : [], noSlashes = result.protocol && !SLASHED.has(result.protocol);
  if (noSlashes) {
    result.hostname = '';
    result.port = null;
    if (result.host) {
      if (path[0] === '') path[0] = result.host;
      else path.unshift(result.host);
    }
    result.host = '';
    if (relative.protocol) {
      relative.hostname = relative.port = result.auth = null;
      if (relative.host) {
        if (parts[0] === '') parts[0] = relative.host;
        else parts.unshift(relative.host);
      }
      relative.host = null;
    }
    must &&= parts[0] === '' || path[0] === '';
  }
  if (isAbsolute) {
    if (relative.host || relative.host === '') {
      if (result.host !== relative.host) result.auth = null;
      [result.host, result.port] = [relative.host, relative.port];
    }
    if (relative.hostname || relative.hostname === '') {
      if (result.hostname !== relative.hostname) result.auth = null;
      result.hostname = relative.hostname;
    }
    [result.search, result.query] = [relative.search, relative.query];
    path = parts;
  } else if (parts.length) {
    path.pop();
    path = path.concat(parts);
    [result.search, result.query] = [relative.search, relative.query];
  } else if (relative.search !== null && relative.search !== undefined) {
    if (noSlashes) hostOfPath(result, path);
    [result.search, result.query] = [relative.search, relative.query];
    return finish(result);
  }
  return joined(result, relative, path, { must, removes, noSlashes });
}

function joined(result, relative, parts, { must, removes, noSlashes }) {
  if (!parts.length) {
    result.pathname = null;
    result.path = result.search ? `/${result.search}` : null;
    result.href = result.format();
    return result;
  }
  const [path, isSlash] = walk(parts, removes), endsInSlash = (result.host || relative.host || parts.length > 1 || parts.at(-1) === '') && isSlash;
  if (must && path[0] !== '' && (!path[0] || path[0][0] !== '/')) path.unshift('');
  if (endsInSlash && path.join('/').at(-1) !== '/') path.push('');
  const isAbsolute = path[0] === '' || (path[0] && path[0][0] === '/');
  if (noSlashes) {
    if (isAbsolute) [result.hostname, result.host] = ['', ''];
    else hostOfPath(result, path);
  }
  if ((must || (result.host && path.length)) && !isAbsolute) path.unshift('');
  if (!path.length) result.pathname = result.path = null;
  else result.pathname = path.join('/');
  result.auth = relative.auth || result.auth;
  result.slashes ||= relative.slashes;
  return finish(result);
}

export function parse(url, parsesQuery, slashesDenoteHost) { return url instanceof Url ? url : new Url().parse(url, parsesQuery, slashesDenoteHost); }

function formatStandard(url, options) {
  const { fragment = true, unicode = false, search = true, auth = true } = options ?? {}, copy = new URL(url.href);
  if (!fragment) copy.hash = '';
  if (!search) copy.search = '';
  if (!auth) copy.username = copy.password = '';
  void unicode;
  return copy.href;
}
export function format(url, options) {
  if (typeof url === 'string') return parse(url).format();
  if (url === null || typeof url !== 'object') throw argType('urlObject', ['Object', 'string'], url);
  if (url instanceof URL) {
    if (options !== undefined && options !== null && typeof options !== 'object') throw argType('options', 'Object', options);
    return formatStandard(url, options);
  }
  return Url.prototype.format.call(url);
}
export function resolve(source, relative) { return parse(source, false, true).resolve(relative); }
export function resolveObject(source, relative) { return source ? parse(source, false, true).resolveObject(relative) : relative; }

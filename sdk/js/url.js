// url.js - URL and URLSearchParams of the URL standard; the parser is C (web/url.c).
//
// A URL is its href and seven marks in it (src/text/url.h), so a getter is one
// slice.  native.urlParse leaves the marks of its result in native.urlMarks.

const { slice, includes, indexOf } = String.prototype;
const cut = (text, from, to) => slice.call(text, from, to);
const marks = native.urlMarks;
const SCHEME_END = 0, USER_END = 1, HOST_AT = 2, HOST_END = 3, PATH_AT = 4, QUERY_AT = 5, HASH_AT = 6;
const PROTOCOL = 1, USERNAME = 2, PASSWORD = 3, HOST = 4, HOSTNAME = 5, PORT = 6, PATHNAME = 7, SEARCH = 8, HASH = 9;
const WITH_ORIGIN = new internals.OwnSet(['http:', 'https:', 'ws:', 'wss:', 'ftp:']);

// The address whose marks native.urlMarks holds, or null.  So new URL(request.url),
// the commonest of all, parses nothing: the request's address was the last one.
let described = null;

// [marks are set] the href, or null when it is none.
function parse(url, base) {
  if (base === undefined && url === described) return url;
  const href = native.urlParse(url, base);
  if (href !== null) described = href;
  return href;
}

// What native takes; lone surrogates become U+FFFD there.
function textOf(value) { return typeof value === 'string' ? value : `${value}`; }

// What a base is for native.urlParse.
function baseOf(base) { return base === undefined ? undefined : textOf(base); }

let linkParams, reloadParams;

class URL {
  #href;
  #schemeEnd; #userEnd; #hostAt; #hostEnd; #pathAt; #queryAt; #hashAt;
  #params = null;

  constructor(url, base = undefined) {
    internals.needArguments(1, arguments.length, 'URL');
    const href = parse(textOf(url), baseOf(base));
    if (href === null) throw new TypeError('Invalid URL string.');
    this.#take(href);
  }

  static createObjectURL() { throw new Error('URL.createObjectURL() is not implemented'); }
  static revokeObjectURL() { throw new Error('URL.revokeObjectURL() is not implemented'); }
  static canParse(url, base = undefined) {
    internals.needArguments(1, arguments.length, 'URL.canParse');
    return native.urlCan(textOf(url), baseOf(base));
  }

  static parse(url, base = undefined) {
    internals.needArguments(1, arguments.length, 'URL.parse');
    url = textOf(url);
    base = baseOf(base);
    return native.urlCan(url, base) ? new URL(url, base) : null;
  }

  #take(href) {
    this.#href = href;
    this.#schemeEnd = marks[SCHEME_END];
    this.#userEnd = marks[USER_END];
    this.#hostAt = marks[HOST_AT];
    this.#hostEnd = marks[HOST_END];
    this.#pathAt = marks[PATH_AT];
    this.#queryAt = marks[QUERY_AT];
    this.#hashAt = marks[HASH_AT];
  }

  #set(part, value) {
    described = native.urlSet(this.#href, part, textOf(value));
    this.#take(described);
  }

  // Where host and port end: the path may have a "/." in front instead of them.
  #hostPortEnd() { return this.#hostAt > this.#schemeEnd + 1 ? this.#pathAt : this.#hostAt; }

  get href() { return this.#href; }
  set href(value) {
    const href = parse(textOf(value), undefined);
    if (href === null) throw new TypeError("Failed to set the 'href' property on 'URL': the value is not a valid URL string.");
    this.#take(href);
    if (this.#params !== null) reloadParams(this.#params, this.search);
  }

  get origin() {
    const protocol = cut(this.#href, 0, this.#schemeEnd + 1);
    if (WITH_ORIGIN.has(protocol)) return `${protocol}//${this.host}`;
    if (protocol !== 'blob:' || !URL.canParse(this.pathname)) return 'null';
    const inner = new URL(this.pathname);
    return inner.protocol === 'http:' || inner.protocol === 'https:' ? inner.origin : 'null';
  }

  get protocol() { return cut(this.#href, 0, this.#schemeEnd + 1); }
  set protocol(value) { this.#set(PROTOCOL, value); }

  get username() { return this.#hostAt > this.#schemeEnd + 3 ? cut(this.#href, this.#schemeEnd + 3, this.#userEnd) : ''; }
  set username(value) { this.#set(USERNAME, value); }

  get password() { return this.#hostAt > this.#userEnd ? cut(this.#href, this.#userEnd + 1, this.#hostAt - 1) : ''; }
  set password(value) { this.#set(PASSWORD, value); }

  get host() { return cut(this.#href, this.#hostAt, this.#hostPortEnd()); }
  set host(value) { this.#set(HOST, value); }

  get hostname() { return cut(this.#href, this.#hostAt, this.#hostEnd); }
  set hostname(value) { this.#set(HOSTNAME, value); }

  get port() { return cut(this.#href, this.#hostEnd + 1, this.#hostPortEnd()); }
  set port(value) { this.#set(PORT, value); }

  get pathname() { return cut(this.#href, this.#pathAt, this.#queryAt); }
  set pathname(value) { this.#set(PATHNAME, value); }

  // A '?' or '#' alone reads as nothing.
  get search() { return this.#hashAt - this.#queryAt > 1 ? cut(this.#href, this.#queryAt, this.#hashAt) : ''; }
  set search(value) {
    this.#set(SEARCH, value);
    if (this.#params !== null) reloadParams(this.#params, this.search);
  }

  get hash() { return this.#href.length - this.#hashAt > 1 ? cut(this.#href, this.#hashAt) : ''; }
  set hash(value) { this.#set(HASH, value); }

  get searchParams() {
    this.#params ??= linkParams(this.search, (query) => this.#set(SEARCH, query));
    return this.#params;
  }

  toString() { return this.#href; }
  toJSON() { return this.#href; }

  [internals.inspectFields]() {
    const { href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash } = this;
    return { href, origin, protocol, username, password, host, hostname, port, pathname, search, searchParams, hash };
  }

  static {
    internals.isURL = (value) => typeof value === 'object' && value !== null && #href in value;
    // The href of an address, which may be a URL; null when it is none.
    internals.hrefOf = (url) =>
      (typeof url === 'object' && url !== null && #href in url ? url.#href : parse(textOf(url), undefined));
  }
}

// ---- application/x-www-form-urlencoded ----

const PLAIN = internals.pattern(/^[0-9A-Za-z*\-._]*$/);

function decoded(text) { return includes.call(text, '%') || includes.call(text, '+') ? native.formDecode(text) : text; }
function encoded(text) { return PLAIN.test(text) ? text : native.formEncode(text); }

// [[name, value] ...]
function parseForm(text) {
  const pairs = [];
  for (let at = 0; at < text.length;) {
    let end = indexOf.call(text, '&', at);
    if (end < 0) end = text.length;
    if (end > at) {
      const pair = cut(text, at, end), equals = indexOf.call(pair, '=');
      if (equals < 0) pairs[pairs.length] = [decoded(pair), ''];
      else pairs[pairs.length] = [decoded(cut(pair, 0, equals)), decoded(cut(pair, equals + 1))];
    }
    at = end + 1;
  }
  return pairs;
}

function serializeForm(pairs) {
  let text = '';
  for (let i = 0; i < pairs.length; i++) text += `${i > 0 ? '&' : ''}${encoded(pairs[i][0])}=${encoded(pairs[i][1])}`;
  return text;
}

// ---- URLSearchParams ----

const scalar = internals.toUSVString;

function checkedPair(pair) {
  const isSequence = (typeof pair === 'object' || typeof pair === 'function') && pair !== null && typeof pair[Symbol.iterator] === 'function';
  const both = isSequence ? [...pair] : [];
  if (both.length !== 2) throw new TypeError('Invalid URL search params sequence.');
  return [scalar(both[0]), scalar(both[1])];
}

function pairsOfRecord(record) {
  const values = new internals.OwnMap();
  for (const name of Reflect.ownKeys(record))
    if (Object.getOwnPropertyDescriptor(record, name)?.enumerable) values.set(scalar(name), scalar(record[name]));
  return [...values];
}

function pairsOfText(text) { return parseForm(text[0] === '?' ? cut(text, 1) : text); }

function pairsOf(init) {
  if (init === undefined) return [];
  if ((typeof init !== 'object' && typeof init !== 'function') || init === null) return pairsOfText(scalar(init));
  const python = internals.pythonPairs(init, true);
  if (python) {
    const pairs = [];
    for (let i = 0; i < python.length; i += 2) pairs.push([scalar(python[i]), scalar(python[i + 1])]);
    return pairs;
  }
  const iterator = init[Symbol.iterator];
  return iterator !== undefined && iterator !== null ? Array.from(init, checkedPair) : pairsOfRecord(init);
}

class URLSearchParams {
  #pairs;
  #update = null;     // tells the URL

  constructor(init = undefined) {
    this.#pairs = pairsOf(init);
  }

  #change(pairs) {
    this.#pairs = pairs;
    if (this.#update !== null) this.#update(serializeForm(pairs));
  }

  get size() { return this.#pairs.length; }

  append(name, value) {
    internals.needArguments(2, arguments.length, 'URLSearchParams.append');
    this.#pairs.push([scalar(name), scalar(value)]);
    this.#change(this.#pairs);
  }

  delete(name, value = undefined) {
    internals.needArguments(1, arguments.length, 'URLSearchParams.delete');
    name = scalar(name);
    if (value !== undefined) value = scalar(value);
    this.#change(this.#pairs.filter((pair) => pair[0] !== name || (value !== undefined && pair[1] !== value)));
  }

  get(name) {
    internals.needArguments(1, arguments.length, 'URLSearchParams.get');
    name = scalar(name);
    for (const pair of this.#pairs) if (pair[0] === name) return pair[1];
    return null;
  }

  getAll(name) {
    internals.needArguments(1, arguments.length, 'URLSearchParams.getAll');
    name = scalar(name);
    return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }

  has(name, value = undefined) {
    internals.needArguments(1, arguments.length, 'URLSearchParams.has');
    name = scalar(name);
    if (value !== undefined) value = scalar(value);
    return this.#pairs.some((pair) => pair[0] === name && (value === undefined || pair[1] === value));
  }

  set(name, value) {
    internals.needArguments(2, arguments.length, 'URLSearchParams.set');
    name = scalar(name);
    value = scalar(value);
    const at = this.#pairs.findIndex((pair) => pair[0] === name);
    if (at < 0) this.#pairs.push([name, value]);
    else this.#pairs[at][1] = value;
    this.#change(this.#pairs.filter((pair, i) => i <= at || at < 0 || pair[0] !== name));
  }

  // By name, in UTF-16 units; equal names keep their order.
  sort() {
    this.#change(this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)));
  }

  toString() { return serializeForm(this.#pairs); }

  // Pairs: shown as a Map's.
  [internals.inspectFields]() { return this.#pairs; }

  static {
    internals.addIteration(URLSearchParams, (params) => params.#pairs);
    linkParams = (search, update) => {
      const params = new URLSearchParams(search);
      params.#update = update;
      return params;
    };
    reloadParams = (params, search) => { params.#pairs = pairsOfText(search); };
    internals.textOfParams = (params) => serializeForm(params.#pairs);
    internals.isSearchParams = (value) => typeof value === 'object' && value !== null && #pairs in value;
  }
}

// The address of an incoming request, in its normal form if it has one.
internals.urlOfHead = (head) => {
  const href = native.headURL(head);
  described = marks[SCHEME_END] < href.length ? href : null;
  return href;
};

Object.assign(internals, { parseForm });
internals.tag(URL);
internals.tag(URLSearchParams);
internals.expose({ URL, URLSearchParams });

// url_pattern.js - URLPattern: its eight components, made and matched; the language is url_pattern_parse.js's.

const { String, TypeError, URL } = globalThis;
const { urlComponent, urlPatternParts, escapeUrlPattern } = internals;
const NAMES = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
const PORTS = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21', file: '', __proto__: null };
const SPECIAL = Object.keys(PORTS);
const PLAIN = { delimiter: '', prefix: '' }, HOST = { delimiter: '.', prefix: '' }, PATH = { delimiter: '/', prefix: '/' };
const LENIENT = 'data://dummy.invalid';         // an address that is not special
const execRegexp = RegExp.prototype.exec;
const run = (regexp, text) => Reflect.apply(execRegexp, regexp, [text]);
const wrong = (what, value) => new TypeError(`URLPattern: '${value}' is no ${what}`);

function parseUrl(text, what) {
  try { return new URL(text); } catch { throw wrong(what, text); }
}

// ---- a component's text as an address has it ----

function through(name, address, sign = '') {
  return (value) => {
    if (value === '') return '';
    const url = new URL(address);
    url[name] = sign + value;
    return sign ? url[name].slice(1) : url[name];
  };
}
const username = through('username', 'https://dummy.invalid'), password = through('password', 'https://dummy.invalid');
const search = through('search', LENIENT, '?'), hash = through('hash', LENIENT, '#'), path = through('pathname', LENIENT);

function protocol(value) {
  if (value === '') return '';
  if (!/^[A-Za-z][A-Za-z0-9+\-.]*$/.test(value)) throw wrong('protocol', value);
  return parseUrl(`${value}://dummy.invalid`, 'protocol').protocol.slice(0, -1);
}

function hostname(value) {
  if (value === '') return '';
  const bare = value.replace(/[\t\n\r]/g, ''), end = bare.search(/[/?#\\]/), host = end < 0 ? bare : bare.slice(0, end);
  if (host === '' || /[@:]/.test(host)) throw wrong('host name', value);
  return parseUrl(`https://${host}`, 'host name').hostname;
}

function ipv6(value) {
  if (!/^[0-9A-Fa-f[\]:]*$/.test(value)) throw wrong('host name', value);
  return value.toLowerCase();
}

function port(value, of = '') {
  if (value === '') return '';
  const digits = /^[0-9]+/.exec(value.replace(/[\t\n\r]/g, ''))?.[0];
  if (!digits || Number(digits) > 65535) throw wrong('port', value);
  const number = String(Number(digits));
  return PORTS[of] === number ? '' : number;
}

function pathname(value) {
  if (value === '') return '';
  return value[0] === '/' ? path(value) : path(`/-${value}`).slice(2);
}

const opaque = (value) => value.replace(/[^\x20-\x7e]/gu, (c) => (c < ' ' || c === '\x7f' ? `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : encodeURIComponent(c)));

// ---- { protocol, ... baseURL } as the standard reads it ----

const isSpecialScheme = (scheme) => SPECIAL.includes(scheme);
const matchesSpecial = (component) => SPECIAL.some((scheme) => run(component.regexp, scheme) !== null);

function isAbsolute(value, isPattern) {
  return value[0] === '/' || (isPattern && (value.startsWith('\\/') || value.startsWith('{/')));
}

// What the base gives: all that stands before the first member that is there.
function inherit(init, result, isPattern) {
  if (init.baseURL === undefined) return null;
  const base = parseUrl(init.baseURL, 'base URL'), has = (...names) => names.some((name) => init[name] !== undefined);
  const take = (value) => (isPattern ? escapeUrlPattern(value) : value);
  if (!has('protocol')) result.protocol = take(base.protocol.slice(0, -1));
  if (!isPattern && !has('protocol', 'hostname', 'port', 'username')) result.username = base.username;
  if (!isPattern && !has('protocol', 'hostname', 'port', 'username', 'password')) result.password = base.password;
  if (!has('protocol', 'hostname')) result.hostname = take(base.hostname);
  if (!has('protocol', 'hostname', 'port')) result.port = base.port;
  if (!has('protocol', 'hostname', 'port', 'pathname')) result.pathname = take(base.pathname);
  if (!has('protocol', 'hostname', 'port', 'pathname', 'search')) result.search = take(base.search.slice(1));
  if (!has('protocol', 'hostname', 'port', 'pathname', 'search', 'hash')) result.hash = take(base.hash.slice(1));
  return base;
}

function process(init, isPattern, result) {
  const base = inherit(init, result, isPattern);
  const put = (name, value, make) => { result[name] = isPattern ? value : make(value); };
  if (init.protocol !== undefined) put('protocol', init.protocol.replace(/:$/, ''), protocol);
  if (init.username !== undefined) put('username', init.username, username);
  if (init.password !== undefined) put('password', init.password, password);
  if (init.hostname !== undefined) put('hostname', init.hostname, hostname);
  if (init.port !== undefined) put('port', init.port, (value) => port(value, result.protocol));
  if (init.pathname !== undefined) {
    let value = init.pathname;
    if (base && base.pathname[0] === '/' && !isAbsolute(value, isPattern)) {
      const of = isPattern ? escapeUrlPattern(base.pathname) : base.pathname;
      value = of.slice(0, of.lastIndexOf('/') + 1) + value;
    }
    put('pathname', value, !result.protocol || isSpecialScheme(result.protocol) ? pathname : opaque);
  }
  if (init.search !== undefined) put('search', init.search.replace(/^\?/, ''), search);
  if (init.hash !== undefined) put('hash', init.hash.replace(/^#/, ''), hash);
  return result;
}

const isInit = (value) => (typeof value === 'object' && !internals.isURL(value)) || typeof value === 'function';

function initOf(value, what) {
  const given = internals.options(value, what), init = {};
  for (const name of [...NAMES, 'baseURL']) if (given[name] !== undefined) init[name] = String(given[name]).toWellFormed();
  return init;
}

const isSpecialPattern = (text) => matchesSpecial(urlComponent(text, protocol, PLAIN));

function compile(given, ignoreCase) {
  const from = process(given, true, {}), made = {};
  for (const name of NAMES) from[name] ??= '*';
  if (isSpecialScheme(from.protocol) && from.port === PORTS[from.protocol]) from.port = '';
  made.protocol = urlComponent(from.protocol, protocol, PLAIN);
  made.username = urlComponent(from.username, username, PLAIN);
  made.password = urlComponent(from.password, password, PLAIN);
  made.hostname = urlComponent(from.hostname, /^(?:\[|\{\[|\\\[)/.test(from.hostname) && from.hostname.length > 1 ? ipv6 : hostname, HOST);
  made.port = urlComponent(from.port, port, PLAIN);
  made.pathname = matchesSpecial(made.protocol) ? urlComponent(from.pathname, pathname, PATH, ignoreCase) : urlComponent(from.pathname, opaque, PLAIN, ignoreCase);
  made.search = urlComponent(from.search, search, PLAIN, ignoreCase);
  made.hash = urlComponent(from.hash, hash, PLAIN, ignoreCase);
  return made;
}

// The components of what is to be matched, or null when it is no address.
function componentsOf(input, base) {
  if (isInit(input)) {
    const init = initOf(input, 'URLPattern');
    if (base !== undefined) throw new TypeError('URLPattern: the base belongs into the object, as baseURL');
    const empty = {};
    for (const name of NAMES) empty[name] = '';
    try { return process(init, false, empty); } catch { return null; }
  }
  const text = String(input), on = base === undefined ? undefined : String(base);
  let url;
  try { url = new URL(text, on); } catch { return null; }
  return {
    protocol: url.protocol.slice(0, -1), username: url.username, password: url.password, hostname: url.hostname, port: url.port,
    pathname: url.pathname, search: url.search.slice(1), hash: url.hash.slice(1),
  };
}

class URLPattern {
  #parts;
  constructor(input = {}, baseOrOptions = undefined, options = undefined) {
    const isBase = arguments.length > 2 || (baseOrOptions !== undefined && baseOrOptions !== null && typeof baseOrOptions !== 'object' && typeof baseOrOptions !== 'function');
    const base = isBase ? baseOrOptions : undefined, { ignoreCase } = internals.options(isBase ? options : baseOrOptions, 'URLPattern');
    let init;
    if (isInit(input)) {
      init = initOf(input, 'URLPattern');
      if (base !== undefined) throw new TypeError('URLPattern: the base belongs into the object, as baseURL');
    } else {
      init = urlPatternParts(String(input).toWellFormed(), isSpecialPattern);
      if (base !== undefined) init.baseURL = String(base);
      else if (init.protocol === undefined) throw new TypeError(`URLPattern: '${input}' is relative, and there is no base URL`);
    }
    this.#parts = compile(init, Boolean(ignoreCase));
  }

  get protocol() { return this.#parts.protocol.text; }
  get username() { return this.#parts.username.text; }
  get password() { return this.#parts.password.text; }
  get hostname() { return this.#parts.hostname.text; }
  get port() { return this.#parts.port.text; }
  get pathname() { return this.#parts.pathname.text; }
  get search() { return this.#parts.search.text; }
  get hash() { return this.#parts.hash.text; }
  get hasRegExpGroups() { return NAMES.some((name) => this.#parts[name].hasRegexp); }

  test(input = {}, base = undefined) {
    const parts = this.#parts, components = componentsOf(input, base);
    if (components === null) return false;
    for (const name of NAMES) if (run(parts[name].regexp, components[name]) === null) return false;
    return true;
  }

  exec(input = {}, base = undefined) {
    const parts = this.#parts, components = componentsOf(input, base);
    if (components === null) return null;
    const result = { inputs: base === undefined ? [input] : [input, base] };
    for (const name of NAMES) {
      const found = run(parts[name].regexp, components[name]);
      if (found === null) return null;
      const groups = {};
      parts[name].names.forEach((group, i) => internals.setOwn(groups, group, found[i + 1]));
      result[name] = { input: components[name], groups };
    }
    return result;
  }

  [internals.inspectFields]() {
    const fields = {};
    for (const name of NAMES) fields[name] = this.#parts[name].text;
    return { ...fields, hasRegExpGroups: this.hasRegExpGroups };
  }
}

internals.tag(URLPattern);
internals.expose({ URLPattern });

// url_pattern_parse.js - the language of URL patterns: its tokens, its parts, and what a component is compiled to.
//
// As the URL Pattern standard has it: tokenize() cuts a text, parse() makes
// parts of it, regexpOf() and textOf() make of those what is matched and what
// is shown.  A part is { type, value, modifier } and, unless it is fixed text,
// { name, prefix, suffix }.  Positions count code points.

const { String, Array, RegExp, TypeError, Set } = globalThis;
const FIXED = 0, REGEXP = 1, SEGMENT = 2, FULL = 3;     // what a part is
const isNameStart = /[$_\p{ID_Start}]/u, isNamePart = /[$_\u200c\u200d\p{ID_Continue}]/u;
const SIGNS = { '*': 'asterisk', '+': 'modifier', '?': 'modifier', '{': 'open', '}': 'close', __proto__: null };
const MAX_LENGTH = 65536;       // characters of one pattern
const isAscii = (c) => c.codePointAt(0) < 128;
const isDigit = (c) => c >= '0' && c <= '9';

// Where the expression that begins at `from` ends, or -1.
function expressionEnd(chars, from) {
  let depth = 1;
  for (let i = from; i < chars.length; i++) {
    const c = chars[i];
    if (!isAscii(c) || (i === from && c === '?')) return -1;
    if (c === '\\') {
      i++;
      if (i === chars.length || !isAscii(chars[i])) return -1;
    } else if (c === ')') {
      if (--depth === 0) return i;
    } else if (c === '(') {
      depth++;
      if (chars[i + 1] !== '?') return -1;      // no groups that capture
    }
  }
  return -1;
}

// [{ type, index, value }], the last of type 'end'.  isLenient: what is wrong is a token too, else a TypeError.
function tokenize(chars, isLenient) {
  const tokens = [];
  let i = 0;
  const add = (type, next, from, to = next) => {
    tokens.push({ type, index: i, value: chars.slice(from, to).join('') });
    i = next;
  };
  const wrong = (next, what) => {
    if (!isLenient) throw new TypeError(`URLPattern: ${what} at character ${i + 1} of '${chars.join('')}'`);
    add('invalid', next, i);
  };
  while (i < chars.length) {
    const c = chars[i];
    if (SIGNS[c]) add(SIGNS[c], i + 1, i);
    else if (c === '\\') {
      if (i === chars.length - 1) wrong(i + 1, 'nothing is behind the backslash');
      else add('escaped', i + 2, i + 1);
    } else if (c === ':') {
      let end = i + 1;
      while (end < chars.length && (end === i + 1 ? isNameStart : isNamePart).test(chars[end])) end++;
      if (end === i + 1) wrong(end, 'the name of a group is missing');
      else add('name', end, i + 1);
    } else if (c === '(') {
      const end = expressionEnd(chars, i + 1);
      if (end <= i + 1) wrong(i + 1, 'there is no right regular expression in the parentheses');
      else add('regexp', end + 1, i + 1, end);
    } else add('char', i + 1, i);
  }
  add('end', i, i);
  return tokens;
}

const escapeRegexp = (text) => text.replace(/[.+*?^${}()[\]|/\\]/g, '\\$&');
const escapePattern = (text) => text.replace(/[+*?:{}()\\]/g, '\\$&');
const segmentOf = (options) => `[^${escapeRegexp(options.delimiter)}]+?`;

class Parser {
  constructor(text, options, encode) {
    this.tokens = tokenize(Array.from(text), false);
    this.options = options;
    this.encode = encode;
    this.segment = segmentOf(options);
    this.parts = [];
    this.names = new internals.OwnSet();
    this.fixed = '';
    this.at = 0;
    this.nextName = 0;
    this.text = text;
  }

  take(type) {
    const token = this.tokens[this.at];
    if (token.type !== type) return null;
    this.at++;
    return token;
  }
  need(type) {
    if (!this.take(type)) throw new TypeError(`URLPattern: '${this.text}' cannot be understood from character ${this.tokens[this.at].index + 1} on`);
  }
  takeExpression(name) { return this.take('regexp') ?? (name ? null : this.take('asterisk')); }
  takeModifier() { return (this.take('modifier') ?? this.take('asterisk'))?.value ?? ''; }
  takeText() {
    let text = '';
    for (let token; (token = this.take('char') ?? this.take('escaped'));) text += token.value;
    return text;
  }

  flush() {
    if (this.fixed === '') return;
    this.parts.push({ type: FIXED, value: this.encode(this.fixed), modifier: '' });
    this.fixed = '';
  }

  add(prefix, name, expression, suffix, modifier) {
    if (!name && !expression && modifier === '') {
      this.fixed += prefix;
      return;
    }
    this.flush();
    if (!name && !expression) {
      if (prefix !== '') this.parts.push({ type: FIXED, value: this.encode(prefix), modifier });
      return;
    }
    let value = !expression ? this.segment : expression.type === 'asterisk' ? '.*' : expression.value, type = REGEXP;
    if (value === this.segment) type = SEGMENT;
    else if (value === '.*') type = FULL;
    if (type !== REGEXP) value = '';
    const label = name ? name.value : String(this.nextName++);
    if (this.names.has(label)) throw new TypeError(`URLPattern: the group '${label}' is twice in '${this.text}'`);
    this.names.add(label);
    this.parts.push({ type, value, modifier, name: label, prefix: this.encode(prefix), suffix: this.encode(suffix) });
  }

  run() {
    while (this.at < this.tokens.length) {
      const char = this.take('char'), name = this.take('name'), expression = this.takeExpression(name);
      if (name || expression) {
        let prefix = char?.value ?? '';
        if (prefix !== '' && prefix !== this.options.prefix) {
          this.fixed += prefix;
          prefix = '';
        }
        this.flush();
        this.add(prefix, name, expression, '', this.takeModifier());
        continue;
      }
      const fixed = char ?? this.take('escaped');
      if (fixed) {
        this.fixed += fixed.value;
        continue;
      }
      if (this.take('open')) {
        const prefix = this.takeText(), inner = this.take('name'), what = this.takeExpression(inner), suffix = this.takeText();
        this.need('close');
        this.add(prefix, inner, what, suffix, this.takeModifier());
        continue;
      }
      this.flush();
      this.need('end');
    }
    return this.parts;
  }
}

function regexpOfPart(part, segment) {
  const { type, modifier } = part;
  if (type === FIXED) return modifier === '' ? escapeRegexp(part.value) : `(?:${escapeRegexp(part.value)})${modifier}`;
  const value = type === SEGMENT ? segment : type === FULL ? '.*' : part.value, isOnce = modifier === '' || modifier === '?';
  const prefix = escapeRegexp(part.prefix), suffix = escapeRegexp(part.suffix);
  if (prefix === '' && suffix === '') return isOnce ? `(${value})${modifier}` : `((?:${value})${modifier})`;
  if (isOnce) return `(?:${prefix}(${value})${suffix})${modifier}`;
  return `(?:${prefix}((?:${value})(?:${suffix}${prefix}(?:${value}))*)${suffix})${modifier === '*' ? '?' : ''}`;
}

const firstOf = (text) => String.fromCodePoint(text.codePointAt(0));

// Would the part run into its neighbours without braces?
function needsBraces(part, before, after, options) {
  if (part.suffix !== '' || (part.prefix !== '' && part.prefix !== options.prefix)) return true;
  const isNamed = !isDigit(part.name[0]);
  if (isNamed && part.type === SEGMENT && part.modifier === '' && after && !after.prefix && !after.suffix &&
      (after.type === FIXED ? isNamePart.test(firstOf(after.value)) : isDigit(after.name[0]))) return true;
  return part.prefix === '' && options.prefix !== '' && before?.type === FIXED && before.value.endsWith(options.prefix);
}

function textOfPart(part, before, after, options) {
  if (part.type === FIXED) return part.modifier === '' ? escapePattern(part.value) : `{${escapePattern(part.value)}}${part.modifier}`;
  const isNamed = !isDigit(part.name[0]), braces = needsBraces(part, before, after, options);
  let text = escapePattern(part.prefix);
  if (isNamed) text += `:${part.name}`;
  if (part.type === REGEXP) text += `(${part.value})`;
  else if (part.type === SEGMENT && !isNamed) text += `(${segmentOf(options)})`;
  else if (part.type === FULL)
    text += !isNamed && (!before || before.type === FIXED || before.modifier !== '' || braces || part.prefix !== '') ? '*' : '(.*)';
  if (part.type === SEGMENT && isNamed && part.suffix !== '' && isNamePart.test(firstOf(part.suffix))) text += '\\';
  text += escapePattern(part.suffix);
  return (braces ? `{${text}}` : text) + part.modifier;
}

// What one component of an address is matched with.
internals.urlComponent = (text, encode, options, ignoreCase = false) => {
  if (text.length > MAX_LENGTH) throw new TypeError(`URLPattern: a pattern has at most ${MAX_LENGTH} characters`);
  const parts = new Parser(text, options, encode).run(), segment = segmentOf(options);
  const source = `^${parts.map((part) => regexpOfPart(part, segment)).join('')}$`;
  let regexp;
  try { regexp = new RegExp(source, ignoreCase ? 'vi' : 'v'); } catch { throw new TypeError(`URLPattern: '${text}' has a regular expression that is none`); }
  return {
    regexp, names: parts.filter((part) => part.type !== FIXED).map((part) => part.name),
    text: parts.map((part, i) => textOfPart(part, parts[i - 1], parts[i + 1], options)).join(''),
    hasRegexp: parts.some((part) => part.type === REGEXP),
  };
};

// ---- a pattern as one text ----

const BEHIND_HOST = ['port', 'pathname', 'search', 'hash'], NOT_PREFIXES = ['name', 'regexp', 'close', 'asterisk'];

class TextParser {
  constructor(text, isSpecial) {
    this.chars = Array.from(text);
    this.tokens = tokenize(this.chars, true);
    this.isSpecialPattern = isSpecial;  // (pattern of a protocol) -> boolean
    this.result = {};
    this.state = 'init';
    this.at = this.start = 0;
    this.step = 1;
    this.isSpecial = false;
  }

  is(value, at = this.at) {
    const token = this.tokens[at] ?? this.tokens.at(-1);
    return token.value === value && (token.type === 'char' || token.type === 'escaped' || token.type === 'invalid');
  }
  isSearch() {
    if (this.is('?')) return true;
    if (this.tokens[this.at].value !== '?') return false;
    return this.at === 0 || !NOT_PREFIXES.includes(this.tokens[this.at - 1].type);
  }
  component() { return this.chars.slice(this.tokens[this.start].index, this.tokens[this.at].index).join(''); }

  back(state = this.state) {
    this.at = this.start;
    this.step = 0;
    this.state = state;
  }

  enter(state, skip) {
    const { result } = this, from = this.state;
    if (from !== 'init' && from !== 'authority' && from !== 'done') result[from] = this.component();
    if (from !== 'init' && state !== 'done') {
      const isBeforePath = !['pathname', 'search', 'hash'].includes(from);
      if (['protocol', 'authority', 'username', 'password'].includes(from) && BEHIND_HOST.includes(state)) result.hostname ??= '';
      if (isBeforePath && (state === 'search' || state === 'hash')) result.pathname ??= this.isSpecial ? '/' : '';
      if ((isBeforePath || from === 'pathname') && state === 'hash') result.search ??= '';
    }
    this.state = state;
    this.at += skip;
    this.start = this.at;
    this.step = 0;
  }

  // To what comes behind the host, when it comes; `port` is nothing of those.
  goOn() {
    if (this.is('/')) this.enter('pathname', 0);
    else this.goBehindPath();
  }
  goBehindPath() {
    if (this.isSearch()) this.enter('search', 1);
    else if (this.is('#')) this.enter('hash', 1);
  }

  inProtocol() {
    if (!this.is(':')) return;
    this.isSpecial = this.isSpecialPattern(this.component());
    if (this.is('/', this.at + 1) && this.is('/', this.at + 2)) this.enter('authority', 3);
    else this.enter(this.isSpecial ? 'authority' : 'pathname', 1);
  }

  inHost() {
    if (this.is('[')) this.brackets++;
    else if (this.is(']')) this.brackets--;
    else if (this.is(':') && this.brackets === 0) this.enter('port', 1);
    else this.goOn();
  }

  turn() {
    switch (this.state) {
      case 'init': if (this.is(':')) this.back('protocol'); break;
      case 'protocol': this.inProtocol(); break;
      case 'authority':
        if (this.is('@')) this.back('username');
        else if (this.is('/') || this.isSearch() || this.is('#')) this.back('hostname');
        break;
      case 'username':
        if (this.is(':')) this.enter('password', 1);
        else if (this.is('@')) this.enter('hostname', 1);
        break;
      case 'password': if (this.is('@')) this.enter('hostname', 1); break;
      case 'hostname': this.inHost(); break;
      case 'port': this.goOn(); break;
      case 'pathname': this.goBehindPath(); break;
      case 'search': if (this.is('#')) this.enter('hash', 1); break;
      default:
    }
  }

  // At the end; true: all is known.
  end() {
    if (this.state === 'init') {
      this.back();
      if (this.is('#')) this.enter('hash', 1);
      else if (this.isSearch()) this.enter('search', 1);
      else this.enter('pathname', 0);
      return false;
    }
    if (this.state === 'authority') {
      this.back('hostname');
      return false;
    }
    this.enter('done', 0);
    return true;
  }

  run() {
    let depth = 0;
    this.brackets = 0;
    for (; this.at < this.tokens.length; this.at += this.step) {
      this.step = 1;
      const { type } = this.tokens[this.at];
      if (type === 'end') {
        if (this.end()) break;
      } else if (type === 'open') depth++;
      else if (depth > 0 && type !== 'close') continue;
      else {
        if (depth > 0) depth--;
        this.turn();
      }
    }
    if (this.result.hostname !== undefined) this.result.port ??= '';
    return this.result;
  }
}

internals.urlPatternParts = (text, isSpecial) => {
  if (text.length > MAX_LENGTH) throw new TypeError(`URLPattern: a pattern has at most ${MAX_LENGTH} characters`);
  return new TextParser(text, isSpecial).run();
};
internals.escapeUrlPattern = escapePattern;

// html_rewriter.js - HTMLRewriter: handlers for parts of a document that flows by; the parser is C (web/html.c).
//
// C stops where a handler wants to know (native.htmlNext); the handlers are
// called, one after the other, each awaited; then C goes on.  A token is an
// object over what C stands at, and belongs to one call of one handler.
//
// The output is a stream that pulls: input is read when somebody wants output.

const { streams } = internals;
const { cancelReader, lock, makeByteStream, recordOfStream, shellOf, enqueueOwnBytes, endBytes, handled } = streams;
const { Boolean, Error, Promise, String, Symbol, TypeError, TextDecoder, Uint8Array } = globalThis;
const { apply } = Reflect, { decode } = TextDecoder.prototype, { random } = Math;
const arrays = Object.getPrototypeOf(Uint8Array.prototype), copyInto = arrays.set;
const lengthOf = Object.getOwnPropertyDescriptor(arrays, 'byteLength').get, bytesIn = (view) => apply(lengthOf, view, []);
const PIECE = Object.freeze({ __proto__: null, stream: true });

const ELEMENT = 1, TEXT = 2, COMMENTS = 4, DOCTYPE = 8, END = 16;                       // enum html_wish
const ON_MORE = 0, ON_ELEMENT = 1, ON_END_TAG = 2, ON_TEXT = 3, ON_COMMENT = 4, ON_DOCTYPE = 5, ON_END = 6, ON_DONE = 7;
const BEFORE = 0, AFTER = 1, PREPEND = 2, APPEND = 3, REPLACE = 4, INNER = 5;           // enum html_place
const SPACES = ['http://www.w3.org/1999/xhtml', 'http://www.w3.org/2000/svg', 'http://www.w3.org/1998/Math/MathML'];
const STALE = 'This content token is no longer valid. Content tokens are only valid during the execution of the relevant content handler.';
const CHANGED = 'The attributes of this element have been modified during iteration. You must create a new iterator after modifying attributes.';
const LOCKED = 'The ReadableStream has been locked to a reader.';

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
const wanted = (what, on, n, type) => new TypeError(`Failed to execute '${what}' on '${on}': parameter ${n} is not of type '${type}'.`);

// ---- tokens ----

let illegal = true, expire;

class Token {
  #run;
  constructor(run) {
    if (illegal) throw new TypeError('Illegal constructor');
    this.#run = run;
  }
  static run(token) {
    if (token.#run === null) throw new TypeError(STALE);
    return token.#run;
  }
  static { expire = (token) => { token.#run = null; }; }
}
const runOf = Token.run;
delete Token.run;

// Put what a handler gives to its place: text, or the content of a stream or Response.
function insert(token, count, name, place, content, options) {
  const run = runOf(token), { handle } = run;
  const type = token.constructor.name;
  if (count === 0) throw wanted(name, type, 1, 'string or JsReadableStream or Response');
  let isHtml = false;
  if (options !== undefined && options !== null) {
    if (!isObject(options)) throw wanted(name, type, 2, 'ContentOptions');
    isHtml = Boolean(internals.options(options, name).html);
  }
  if (isObject(content)) {
    const isStream = internals.isStream(content);
    if (isStream || internals.isResponse(content)) {
      const stream = isStream ? content : internals.streamOfResponse(content);
      if (stream !== null) native.htmlInsertStream(handle, place, run.streams.push({ stream, isHtml }));
      return token;
    }
  }
  native.htmlInsert(handle, place, String(content), isHtml);
  return token;
}

class Element extends Token {
  get tagName() { return native.htmlName(runOf(this).handle); }
  set tagName(name) { native.htmlRename(runOf(this).handle, String(name), 0); }
  get attributes() { return new AttributesIterator(this, runOf(this)); }
  get removed() { return native.htmlIs(runOf(this).handle, 0); }
  get namespaceURI() { return SPACES[native.htmlSpace(runOf(this).handle)]; }
  getAttribute(name) {
    if (arguments.length === 0) throw wanted('getAttribute', 'Element', 1, 'string');
    return native.htmlGet(runOf(this).handle, String(name));
  }
  hasAttribute(name) {
    if (arguments.length === 0) throw wanted('hasAttribute', 'Element', 1, 'string');
    return native.htmlGet(runOf(this).handle, String(name)) !== null;
  }
  setAttribute(name, value) {
    if (arguments.length < 2) throw wanted('setAttribute', 'Element', arguments.length + 1, 'string');
    const run = runOf(this);
    native.htmlSet(run.handle, String(name), String(value));
    run.changes++;
    return this;
  }
  removeAttribute(name) {
    if (arguments.length === 0) throw wanted('removeAttribute', 'Element', 1, 'string');
    const run = runOf(this);
    native.htmlUnset(run.handle, String(name));
    run.changes++;
    return this;
  }
  before(content, options) { return insert(this, arguments.length, 'before', BEFORE, content, options); }
  after(content, options) { return insert(this, arguments.length, 'after', AFTER, content, options); }
  prepend(content, options) { return insert(this, arguments.length, 'prepend', PREPEND, content, options); }
  append(content, options) { return insert(this, arguments.length, 'append', APPEND, content, options); }
  replace(content, options) { return insert(this, arguments.length, 'replace', REPLACE, content, options); }
  setInnerContent(content, options) { return insert(this, arguments.length, 'setInnerContent', INNER, content, options); }
  remove() {
    native.htmlRemove(runOf(this).handle, false);
    return this;
  }
  removeAndKeepContent() {
    native.htmlRemove(runOf(this).handle, true);
    return this;
  }
  onEndTag(handler) {
    const run = runOf(this);
    if (typeof handler !== 'function') throw wanted('onEndTag', 'Element', 1, 'function');
    const id = run.nextEnding++;
    if (!native.htmlOnEnd(run.handle, id)) throw new TypeError('Parser error: No end tag.');
    internals.setOwn(run.endings, id, keepHandler(handler));
  }
}

class AttributesIterator {
  #element; #run; #pairs; #changes; #at = 0;
  constructor(element, run) {
    if (illegal && run === undefined) throw new TypeError('Illegal constructor');
    this.#element = element;
    this.#run = run;
    this.#changes = run.changes;
    this.#pairs = native.htmlAttributes(run.handle);
  }
  next() {
    runOf(this.#element);
    if (this.#changes !== this.#run.changes) throw new Error(CHANGED);
    const at = this.#at;
    if (at >= this.#pairs.length) return { done: true, value: undefined };
    this.#at += 2;
    return { done: false, value: [this.#pairs[at], this.#pairs[at + 1]] };
  }
  [Symbol.iterator]() { return this; }
}

class EndTag extends Token {
  get name() { return native.htmlName(runOf(this).handle); }
  set name(name) { native.htmlRename(runOf(this).handle, String(name), 1); }
  before(content, options) { return insert(this, arguments.length, 'before', BEFORE, content, options); }
  after(content, options) { return insert(this, arguments.length, 'after', AFTER, content, options); }
  remove() {
    native.htmlRemove(runOf(this).handle, true);
    return this;
  }
}

class Text extends Token {
  get text() { return runOf(this).text; }
  get lastInTextNode() { return native.htmlIs(runOf(this).handle, 1); }
  get removed() { return native.htmlIs(runOf(this).handle, 0); }
  before(content, options) { return insert(this, arguments.length, 'before', BEFORE, content, options); }
  after(content, options) { return insert(this, arguments.length, 'after', AFTER, content, options); }
  replace(content, options) { return insert(this, arguments.length, 'replace', REPLACE, content, options); }
  remove() {
    native.htmlRemove(runOf(this).handle, true);
    return this;
  }
}

class Comment extends Token {
  get text() { return native.htmlName(runOf(this).handle); }
  set text(text) { native.htmlRename(runOf(this).handle, String(text), 2); }
  get removed() { return native.htmlIs(runOf(this).handle, 0); }
  before(content, options) { return insert(this, arguments.length, 'before', BEFORE, content, options); }
  after(content, options) { return insert(this, arguments.length, 'after', AFTER, content, options); }
  replace(content, options) { return insert(this, arguments.length, 'replace', REPLACE, content, options); }
  remove() {
    native.htmlRemove(runOf(this).handle, true);
    return this;
  }
}

class Doctype extends Token {
  get name() { return native.htmlDoctype(runOf(this).handle, 0); }
  get publicId() { return native.htmlDoctype(runOf(this).handle, 1); }
  get systemId() { return native.htmlDoctype(runOf(this).handle, 2); }
}

class DocumentEnd extends Token {
  append(content, options) { return insert(this, arguments.length, 'append', BEFORE, content, options); }
}

// By event: the token's class and the handler's name.
const CLASSES = [null, Element, EndTag, Text, Comment, Doctype, DocumentEnd];
const NAMES = [null, 'element', 'end', 'text', 'comments', 'doctype', 'end'];

// ---- one document ----

// Functions of Python that are held here live on when the call that brought them is over.
const keepHandler = (handler) => (native.isPython(handler) ? handler.copy() : handler);

// A promise, or a coroutine or future of Python.
const isPromise = (value) => isObject(value) && (value instanceof Promise || typeof value.then === 'function');

function begin(handlers, charset) {
  const run = { handle: native.htmlNew(charset), streams: [], endings: { __proto__: null }, nextEnding: 1, changes: 0, text: '', handlers: [] };
  const documents = [];
  for (let i = 0; i < handlers.length; i++) {
    const entry = handlers[i];
    native.htmlSelect(run.handle, entry.selector, entry.wishes);
    if (entry.selector === null) documents[documents.length] = entry;
    else run.handlers[run.handlers.length] = entry;
  }
  for (let i = 0; i < documents.length; i++) run.handlers[run.handlers.length] = documents[i];
  native.htmlStart(run.handle, Math.floor(random() * 2 ** 52));
  return run;
}

function makeToken(run, event) {
  illegal = false;
  try { return new CLASSES[event](run); } finally { illegal = true; }
}

// Call the handlers of an event from the i-th on; a promise when one of them wants to be waited for.
function tell(run, event, i) {
  for (;; i++) {
    const hit = native.htmlHit(run.handle, i);
    if (hit < 0) return undefined;
    const token = makeToken(run, event);
    let result;
    try {
      if (event === ON_END_TAG) {
        const handler = run.endings[hit];
        delete run.endings[hit];
        result = handler(token);
      } else {
        const entry = run.handlers[hit];
        result = apply(entry[NAMES[event]], entry.object, [token]);
      }
    } catch (e) {
      expire(token);
      throw e;
    }
    if (isPromise(result)) return wait(run, event, i, token, result);
    expire(token);
  }
}

async function wait(run, event, i, token, result) {
  try { await result; } finally { expire(token); }
  const more = tell(run, event, i + 1);
  if (more !== undefined) await more;
}

// The content of a stream that a handler put in.
async function copyContent(run, { stream, isHtml }, put) {
  if (stream.locked) throw new TypeError(LOCKED);
  const reader = internals.lockStream(stream), decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await internals.readPromise(reader);
    let text;
    if (done) text = apply(decode, decoder, []);
    else if (typeof value === 'string') text = value;
    else {
      const bytes = internals.chunkBytes(value);
      if (!bytes) throw new TypeError('A stream that is put into a document must give bytes or strings.');
      text = apply(decode, decoder, [bytes, PIECE]);
    }
    if (text !== '') put(native.htmlContent(run.handle, text, isHtml));
    if (done) return;
  }
}

// Give out what was written; a promise when it includes streams.
function flush(run, put) {
  const bytes = native.htmlTake(run.handle);
  if (bytes !== null) put(bytes);
  const id = run.streams.length > 0 ? native.htmlMark(run.handle) : 0;
  return id > 0 ? flushStreams(run, put, id) : undefined;
}
async function flushStreams(run, put, id) {
  for (; id > 0; id = native.htmlMark(run.handle)) {
    await copyContent(run, run.streams[id - 1], put);
    const bytes = native.htmlTake(run.handle);
    if (bytes !== null) put(bytes);
  }
}

// A view whose memory C has looked at counts anew as garbage to come: C sees the bytes in one of ours.
const FEED_MOST = 65536;
let feeding = null;
function feed(run, bytes) {
  const size = bytesIn(bytes);
  if (size > FEED_MOST) {
    native.htmlFeed(run.handle, bytes, size);
    return;
  }
  feeding ??= new Uint8Array(FEED_MOST);
  if (size > 0) apply(copyInto, feeding, [bytes]);
  native.htmlFeed(run.handle, feeding, size);
}

// A stream of what becomes of `input`.
function rewritten(input, handlers, charset) {
  const run = begin(handlers, charset), reader = lock(recordOfStream(input));
  let output, wrote = 0;
  const enqueue = (bytes) => {
    wrote += bytes.byteLength;
    enqueueOwnBytes(output.controller, bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  // Until something was written; isWhole: to the end, and only what streams belong behind is put before it.
  const advance = async (put, isWhole) => {
    for (wrote = 0; ;) {
      const event = native.htmlNext(run.handle);
      if (event !== ON_MORE && event !== ON_DONE) {
        if (event === ON_TEXT) run.text = native.htmlText(run.handle);
        const waiting = tell(run, event, 0);
        if (waiting !== undefined) await waiting;
        continue;
      }
      if (!isWhole || event === ON_DONE || run.streams.length > 0) {
        const flushing = flush(run, put);
        if (flushing !== undefined) await flushing;
      }
      if (event === ON_DONE) {
        if (!isWhole) endBytes(output.controller);
        return;
      }
      if (wrote > 0) return;
      const { value, done } = await internals.readPromise(reader);
      const bytes = done ? null : internals.chunkBytes(value);
      if (!done && !bytes) throw new TypeError('This TransformStream is being used as a byte stream, but received an object of non-ArrayBuffer/ArrayBufferView type on its writable side.');
      if (done) native.htmlFeed(run.handle, null, 0);
      else feed(run, bytes);
    }
  };
  const advanceOrCancel = async (put, isWhole) => {
    try { await advance(put, isWhole); } catch (e) {
      handled(cancelReader(reader, e));
      throw e;
    }
  };
  output = makeByteStream({ pull: () => advanceOrCancel(enqueue, false), cancel: (reason) => cancelReader(reader, reason) });
  output.givesOwn = true;
  output.gather = async () => {
    const parts = [];
    await advanceOrCancel((bytes) => { parts[parts.length] = bytes; }, true);
    return parts.length === 1 ? parts[0] : internals.concat(parts);
  };
  return shellOf(output);
}

// ---- the public class ----

const CHARSET = /;charset="?([^";]+)/;
function charsetOf(type) {
  const found = type === null ? null : apply(RegExp.prototype.exec, CHARSET, [native.mimeType(type)]);
  if (found === null) return 'utf-8';
  const name = internals.encodingNamed(found[1]);
  if (name === undefined) throw new TypeError('Parser error: Unknown character encoding has been provided.');
  if (name === 'utf-16le' || name === 'utf-16be' || name === 'iso-2022-jp' || name === 'replacement')
    throw new TypeError('Parser error: Expected ASCII-compatible encoding.');
  return name;
}

// { selector, wishes, object, ...handlers } of an object with these handlers.
function entryOf(selector, object, wishes, type) {
  const entry = { __proto__: null, selector, wishes: 0, object };
  for (let i = 0; object !== null && i < wishes.length; i += 2) {
    const name = wishes[i + 1], f = object[name];
    if (f === undefined || f === null) continue;
    if (typeof f !== 'function') throw new TypeError(`Incorrect type for the '${name}' field on '${type}': the provided value is not of type 'function'.`);
    entry[name] = keepHandler(f);
    entry.wishes |= wishes[i];
  }
  return entry;
}
const OF_ELEMENTS = [ELEMENT, 'element', COMMENTS, 'comments', TEXT, 'text'];
const OF_DOCUMENTS = [DOCTYPE, 'doctype', COMMENTS, 'comments', TEXT, 'text', END, 'end'];

class HTMLRewriter {
  #handlers = [];
  on(selector, handlers) {
    if (arguments.length === 0) throw wanted('on', 'HTMLRewriter', 1, 'string');
    if (handlers !== null && !isObject(handlers)) throw wanted('on', 'HTMLRewriter', 2, 'ElementContentHandlers');
    selector = String(selector);
    const entry = entryOf(selector, handlers, OF_ELEMENTS, 'ElementContentHandlers');
    native.htmlCheck(selector);
    this.#handlers[this.#handlers.length] = entry;
    return this;
  }
  onDocument(handlers) {
    if (handlers !== null && !isObject(handlers)) throw wanted('onDocument', 'HTMLRewriter', 1, 'DocumentContentHandlers');
    this.#handlers[this.#handlers.length] = entryOf(null, handlers, OF_DOCUMENTS, 'DocumentContentHandlers');
    return this;
  }
  transform(response) {
    if (native.isPython(response)) response = response.js_object;      // workers.Response
    if (!internals.isResponse(response)) throw wanted('transform', 'HTMLRewriter', 1, 'Response');
    const handlers = this.#handlers;
    return internals.transformResponse(response, (input, type) => {
      if (input.locked || internals.isDisturbed(input)) throw new TypeError(LOCKED);
      const charset = charsetOf(type);
      return handlers.length === 0 ? input : rewritten(input, handlers, charset);
    });
  }
}

for (const c of [Element, AttributesIterator, EndTag, Text, Comment, Doctype, DocumentEnd, HTMLRewriter]) internals.tag(c);
internals.expose({ HTMLRewriter });

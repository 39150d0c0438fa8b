// entry.js - a worker in JavaScript: what its linked script is given, its handlers found and called.
//
// src/realm/script/script.c runs: openScript(name, main, date, flags, env), runScript(function, what evaluating it has
// thrown), then turns of the loop until isScriptSettled(), closeScript() -> bits of handlers, or what makes a
// struct realm_failure.  Then serve(id, head) for every request, occur(id, kind, entrypoint, object) for every event.
//
// Nothing here depends on what the worker can change.

const { Error, Map, Promise, String, TypeError, Uint8Array } = globalThis;
const { apply, construct } = Reflect, { then } = Promise.prototype, { Module } = WebAssembly;
const { create, defineProperty, entries, freeze, getPrototypeOf, prototype: { hasOwnProperty } } = Object;
const { deliver, makeRequest, makeContext, describeError } = internals;

const SYNTAX = 1, IMPORT = 2, EXCEPTION = 3, NO_HANDLER = 4;
// kind of event: [its bit, as enum handler of the wire has it, names of its handlers]
const KINDS = {
  __proto__: null,
  fetch: [1, ['fetch']], scheduled: [2, ['scheduled']], queue: [4, ['queue']], alarm: [8, ['alarm']],
  trace: [16, ['tail', 'trace']], pubsub: [32, ['pubsub']], test: [64, ['test']],
};
const NO_HANDLERS = 'The uploaded script has no registered event handlers.';
const NO_RESPONSE = "TypeError: Incorrect type for Promise: the Promise did not resolve to 'Response'.";
const NO_RESPONSE_AT_ONCE = "TypeError: Handler did not return a Response or a promise of one.";
const EXAMPLE = "add one:\n\nexport default {\n  async fetch(request, env, ctx) {\n    return new Response('Hello world!');\n  },\n};";

let isScript = false, isListening = false;      // isListening: without modules, its handlers are listeners
let main = '', env, namespace = null, lazy = { __proto__: null };
let state = 'pending', problem;                 // of top-level code
let fetchHandler = null;
const named = new internals.OwnMap();                        // entrypoint -> { value, isClass }; 'default' is the default export

internals.isScript = () => isScript;

// ---- what the linked script is given ----

const makers = { __proto__: null };             // name of a module of ours -> what makes it
const made = { __proto__: null };
internals.onModule = (name, make) => { makers[name] = make; };
function moduleOf(name) {
  const found = internals.runtimeModule(name, internals.withEnv) ?? (made[name] ??= makers[name]?.());
  if (!found) throw noModule(name);
  return found;
}
function noModule(name) {
  const error = new Error(`No such module "${name}".`);
  internals.setOwn(error, 'code', 'MODULE_NOT_FOUND');
  return error;
}

function bytesOf(path) {
  const bytes = native.readLinked(path);
  if (bytes === undefined) throw new Error(`No such module "${path}".`);
  return bytes;
}
const decoder = new TextDecoder(), { decode } = TextDecoder.prototype;
internals.decodeUTF8 = (bytes) => apply(decode, decoder, [bytes]);
const textOf = (path) => internals.decodeUTF8(bytesOf(path));

// Names that code computes: "./b.js" from the importer's folder; others from there, or from the top.
const { split, lastIndexOf, slice, startsWith } = String.prototype;
function plainName(name) {
  const parts = apply(split, name, ['/']);
  let plain = '', up = '';
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === '..') {
      if (plain === '') up += '../';
      const end = apply(lastIndexOf, plain, ['/']);
      plain = apply(slice, plain, [0, end < 0 ? 0 : end]);
    } else if (parts[i] !== '' && parts[i] !== '.') plain += (plain === '' ? '' : '/') + parts[i];
  }
  return up + plain;
}
const folderOf = (name) => apply(slice, name, [0, apply(lastIndexOf, name, ['/']) + 1]);
const isRelative = (name) => apply(startsWith, name, ['./']) || apply(startsWith, name, ['../']);

function loadFrom(importer, name) {
  const path = plainName(folderOf(importer) + name);
  const load = apply(startsWith, name, ['/']) ? lazy[plainName(name)]
    : lazy[path] ?? (isRelative(name) ? undefined : lazy[name] ?? lazy[plainName(name)]);
  if (typeof load === 'function') return load();
  if (apply(startsWith, name, ['cloudflare:'])) return moduleOf(name);
  throw noModule(isRelative(name) ? path : name);
}
const from = { __proto__: null };
const importsOf = (importer) => async (name) => loadFrom(importer, `${name}`);

// What the bundler did not say where it is.
function require(name) {
  const promise = loadFrom(main, String(name));
  return create({ then: (resolve, reject) => apply(then, promise, [resolve, reject]) });
}

const corral = freeze({
  __proto__: null,
  main(exports) { namespace = exports; },
  script(globals) {
    isListening = true;
    for (const values of [env, globals]) for (const [name, value] of entries(values ?? {})) internals.setOwn(globalThis, name, value);
  },
  module: moduleOf,
  modules(table, importers) {
    lazy = { __proto__: null, ...table };
    for (const key in importers) from[key] = importsOf(importers[key]);
  },
  from,
  wasm: (path) => construct(Module, [bytesOf(path)]),
  text: textOf,
  data: (path) => bytesOf(path).buffer,
  json: (path) => JSON.parse(textOf(path)),
  meta: { __proto__: null },
  // Where code waits: what node:async_hooks puts there (awaits.h of link).
  async: { __proto__: null, wait: (value) => value, each: (value) => value, give: (value) => value },
});

// A behaviour that a date brings, or its flag.
function setFlags(date, names) {
  const isOn = (flag, since, opposite = `no_${flag}`) => names.includes(flag) || (!names.includes(opposite) && (date === '' || date >= since));
  internals.setSocketWays(isOn('web_socket_auto_reply_to_close', '2026-04-07', 'web_socket_manual_reply_to_close'),
    isOn('websocket_standard_binary_type', '2026-03-17') ? 'blob' : 'arraybuffer');
}

class NonRetryableError extends Error {
  constructor(message, name = 'NonRetryableError') {
    super(message);
    this.name = name;
  }
}
class EmailMessage {
  constructor(from, to, raw) {
    Object.assign(this, { from: String(from), to: String(to), raw });
  }
}
makers['cloudflare:workflows'] = () => freeze({ NonRetryableError });
makers['cloudflare:email'] = () => freeze({ EmailMessage });

internals.openScript = (name, mainModule, date, flags, itsEnv) => {
  isScript = true;
  main = mainModule;
  env = itsEnv;
  const names = String(flags).split(/[ ,]+/);
  setFlags(date, names);
  internals.showFlags(names);
  internals.ownWasm();
  internals.ownErrors();
};

internals.runScript = (function_, thrown) => {
  const fail = (error) => {
    state = 'failed';
    problem = { error };
  };
  if (thrown !== undefined) {
    fail(thrown);
    return;
  }
  try {
    apply(then, function_(corral, require), [() => { state = 'done'; }, fail]);
  } catch (e) { fail(e); }
};
internals.isScriptSettled = () => state !== 'pending';

// ---- what it has ----

const isClassOf = (value, base) => {
  for (let c = value; typeof c === 'function'; c = getPrototypeOf(c)) if (c === base) return value !== base;
  return false;
};

function handlerOf(entrypoint, kind) {
  const owner = entrypoint.isClass ? entrypoint.value.prototype : entrypoint.value;
  for (const name of KINDS[kind][1]) if (typeof owner?.[name] === 'function') return name;
  return '';
}

// Nobody calls it here, but a worker may have nothing else.
const hasEmail = ({ value, isClass }) => typeof (isClass ? value.prototype : value)?.email === 'function';

function takeEntrypoints() {
  const { WorkerEntrypoint, DurableObject, WorkflowEntrypoint } = moduleOf('cloudflare:workers');
  let others = 0;
  for (const name of Reflect.ownKeys(namespace)) {
    const value = typeof name === 'string' ? namespace[name] : undefined;
    if (isClassOf(value, DurableObject) || isClassOf(value, WorkflowEntrypoint)) others++;
    else if (isClassOf(value, WorkerEntrypoint)) named.set(name, { value, isClass: true });
    else if (name === 'default' && typeof value === 'function') named.set(name, { value, isClass: true });
    else if (typeof value === 'object' && value !== null) named.set(name, { value, isClass: false });
    if (named.has(name)) internals.exportAs(name);
  }
  return others + named.size - (named.has('default') && !hasEmail(named.get('default')) ? 1 : 0);
}

function bitsOfDefault() {
  let bits = 0;
  const entrypoint = named.get('default');
  for (const kind in KINDS) {
    const has = isListening ? KINDS[kind][1].some((name) => internals.hasListeners(globalThis, name)) : entrypoint && handlerOf(entrypoint, kind);
    if (has) bits |= KINDS[kind][0];
  }
  return bits;
}

function hintOfNone() {
  if (isListening) return "add one:\n\naddEventListener('fetch', (event) => {\n  event.respondWith(new Response('Hello world!'));\n});";
  const value = namespace?.default;
  if (value === undefined && typeof namespace?.fetch === 'function') return '`fetch` is a named export: handlers are methods of the default export, `export default { fetch };`';
  return EXAMPLE;
}

const failure = (kind, text, { hint = '', traceback = '', file = main, module = '', line = 0, column = 0 } = {}) =>
  [kind, text, hint, traceback, file, module, line, column];

function failureOf(error) {
  const [name, message] = internals.errorParts(error), place = internals.firstPlace(error);
  const said = message ? `${name}: ${message}` : name, more = { traceback: describeError(error), ...place };
  if (error instanceof SyntaxError && place.isParsed)
    return failure(SYNTAX, `${place.file}:${place.line}:${place.column}: ${said}`, more);
  const missing = /^No such module "(.*)"\.$/.exec(message)?.[1];
  if (missing !== undefined) return failure(IMPORT, `${more.file || main} imports the module '${missing}', which was not found`, { ...more, module: missing });
  more.hint = /^Disallowed operation called within global scope/.test(message) ? 'do it in a handler: code outside of handlers runs once, when the worker is loaded'
    : 'code outside of handlers runs once, when the worker is loaded; see the stack';
  return failure(EXCEPTION, `${more.file || main} raised while it was loaded: ${said.split('\n', 1)[0]}`, more);
}

internals.closeScript = () => {
  if (state === 'failed') return failureOf(problem.error);
  if (state === 'pending') {
    return failure(EXCEPTION, `${main}: Top-level await in module is unsettled.`, { hint: 'a promise that top-level code awaits is never settled: there is no I/O outside of handlers that could do it' });
  }
  try {
    const others = isListening ? (internals.hasListeners(globalThis, 'email') ? 1 : 0) : namespace === null ? 0 : takeEntrypoints();
    const bits = bitsOfDefault();
    if (bits === 0 && others === 0) return failure(NO_HANDLER, NO_HANDLERS, { hint: hintOfNone() });
    freeze(internals.exported);
    fetchHandler = isListening ? fetchByListeners : fetcherOf(named.get('default'));
    return bits;
  } catch (e) { return failureOf(e); }      // getters of its exports
};

// ---- requests ----

function missing(kind) {
  return new TypeError(`Handler does not export a ${kind}() function.`);
}

// (request, id) -> what the handler gives
function fetcherOf(entrypoint) {
  if (!entrypoint || !handlerOf(entrypoint, 'fetch')) return () => { throw missing('fetch'); };
  const { value } = entrypoint;
  if (entrypoint.isClass) {
    return (request, id) => {
      const ctx = makeContext(id), self = new value(ctx, env);
      return self.fetch(request, env, ctx);
    };
  }
  const handler = value.fetch;
  return (request, id) => apply(handler, value, [request, env, makeContext(id)]);
}

function describeResult(value, isAtOnce) {
  const hint = value === undefined ? '\n    (the fetch handler returned undefined: is a `return` missing?)' : `\n    (the fetch handler returned ${internals.inspect(value, { depth: 0 }).slice(0, 80)})`;
  return (isAtOnce ? NO_RESPONSE_AT_ONCE : NO_RESPONSE) + hint;
}

function answer(id, value, isAtOnce) {
  try {
    const said = deliver(id, value);
    if (said === true) native.handlerEnded(id);
    else native.handlerFailed(id, true, said === false ? describeResult(value, isAtOnce) : said);
  } catch (e) { failed(id, e); }
}

function failed(id, error) {
  let text;
  try { text = describeError(error); } catch { text = 'an exception that cannot be shown'; }
  native.handlerFailed(id, false, text);
}

function call(handler, id, head) {
  let result;
  internals.resetContext?.();
  try { result = handler(makeRequest(head), id); } catch (e) {
    failed(id, e);
    return;
  }
  if (internals.isResponse(result)) answer(id, result, true);
  else settle(id, result);
}
async function settle(id, result) {
  try { result = await result; } catch (e) {
    failed(id, e);
    return;
  }
  answer(id, result, false);
}
internals.serve = (id, head) => call(fetchHandler, id, head);

// What every handler touches, so that no instance is the first to: by each of the ways that lead to one and back.
async function warm(request, _, ctx) {
  const headers = new Headers({ 'content-type': 'text/plain' });
  ctx.waitUntil(Promise.resolve());
  const text = await request.text();
  request.headers.get('host');
  const url = new URL(request.url);
  headers.set('x-warm', url.pathname + (url.searchParams.get('warm') ?? ''));
  const some = { number: Math.random() * 2 ** 40, at: new Date(), list: [1, 2.5, 'three'].map((one) => `${one}`) };
  headers.set('x-warm', JSON.parse(JSON.stringify(some)).at.split(/[-:]/).join(' ') + `${some.number}${Math.floor(some.number)}`);
  Response.json(some);
  return new Response(request.method + url.origin + text, { status: 200, headers });
}
class Warm { fetch(request) { return new Response(request.method); } }
const WARM = [{ value: { fetch: warm } }, { value: { fetch: Warm.prototype.fetch } }, { value: Warm, isClass: true }];
let warmed = 0;
internals.serveWarm = (id, head) => call(fetcherOf(WARM[warmed++ % WARM.length]), id, head);

// ---- without modules: events of the global object ----

let isOurs = false;
class ExtendableEvent extends Event {
  #ctx;
  constructor(type, ctx) {
    if (!isOurs) throw new TypeError('Illegal constructor');
    super(type, { cancelable: true });
    this.#ctx = ctx;
  }
  waitUntil(promise) { this.#ctx.waitUntil(promise); }
  passThroughOnException() { this.#ctx.passThroughOnException(); }
}
class FetchEvent extends ExtendableEvent {
  #request; #answer = null;
  constructor(ctx, request) {
    super('fetch', ctx);
    this.#request = request;
  }
  get request() { return this.#request; }
  respondWith(response) {
    if (this.#answer !== null) throw new internals.DOMException('FetchEvent.respondWith() has already been called; it can only be called once.', 'InvalidStateError');
    this.#answer = { value: response };
    this.stopImmediatePropagation();
  }
  static answerOf(event) { return event.#answer; }
}
const { answerOf } = FetchEvent;
delete FetchEvent.answerOf;
class ScheduledEvent extends ExtendableEvent {
  #object;
  constructor(type, ctx, object) {
    super(type, ctx);
    this.#object = object;
  }
  get scheduledTime() { return this.#object.scheduledTime; }
  get cron() { return this.#object.cron; }
  noRetry() { this.#object.noRetry(); }
}

function ours(Type, ...args) {
  isOurs = true;
  try { return new Type(...args); } finally { isOurs = false; }
}

function fetchByListeners(request, id) {
  if (!internals.hasListeners(globalThis, 'fetch')) throw missing('fetch');
  const event = ours(FetchEvent, makeContext(id), request), failure_ = internals.fireOr(globalThis, event), answer_ = answerOf(event);
  if (answer_) return answer_.value;
  if (failure_) throw failure_.error;
  throw new TypeError('No event handler called event.respondWith(): there is no origin behind this worker that the request could go to.');
}

function occurByListeners(id, kind, object) {
  const [, names] = KINDS[kind], type = names.find((name) => internals.hasListeners(globalThis, name));
  if (!type) throw missing(names[0]);
  const event = ours(ScheduledEvent, type, makeContext(id), object);
  if (kind !== 'scheduled') {
    for (const key of ['queue', 'messages']) if (object?.[key] !== undefined) defineProperty(event, key, { value: object[key], enumerable: true });
    for (const key of ['ackAll', 'retryAll']) if (typeof object?.[key] === 'function') defineProperty(event, key, { value: (...args) => object[key](...args) });
    if (kind === 'trace') for (const key of ['traces', 'events']) defineProperty(event, key, { value: object, enumerable: true });
  }
  const failure_ = internals.fireOr(globalThis, event);
  if (failure_) throw failure_.error;
}

// ---- other events ----

async function callMethod(entrypoint, ctx, record) {
  const { method, args } = record, self = entrypoint.isClass ? new entrypoint.value(ctx, env) : entrypoint.value;
  const isOwn = entrypoint.isClass && apply(hasOwnProperty, self, [method]);
  const function_ = isOwn || method === 'constructor' || method in Object.prototype ? undefined : self[method];
  if (typeof function_ !== 'function') throw new TypeError(`The RPC receiver does not implement the method "${method}".`);
  record.result = await apply(function_, self, entrypoint.isClass ? args : [...args, env, ctx]);
}

// ---- what it exports, called by itself (loopback.js) ----

internals.fetchExport = async (name, id, props, request) => {
  const entrypoint = named.get(name), ctx = makeContext(id, props), { value } = entrypoint;
  if (!handlerOf(entrypoint, 'fetch')) throw missing('fetch');
  const result = await (entrypoint.isClass ? new value(ctx, env) : value).fetch(request, env, ctx);
  if (!internals.isResponse(result)) throw new TypeError(describeResult(result, false).slice('TypeError: '.length));
  return result;
};
internals.callExport = async (name, id, props, method, args) => {
  const record = { method, args };
  await callMethod(named.get(name), makeContext(id, props), record);
  return record.result;
};
internals.getExport = (name, id, props, key) => {
  const { value, isClass } = named.get(name), self = isClass ? new value(makeContext(id, props), env) : value;
  const isOwn = isClass && apply(hasOwnProperty, self, [key]);
  if (isOwn || key in Object.prototype || !(key in self)) throw new TypeError(`The RPC receiver does not implement the method "${key}".`);
  return self[key];
};

function dispatch(id, kind, name, object) {
  if (isListening) return occurByListeners(id, kind, object);
  const entrypoint = named.get(name || 'default'), ctx = makeContext(id);
  if (!entrypoint && name && name !== 'default') throw new TypeError(`The entrypoint name ${name} was not found.`);
  if (kind === 'rpc' && entrypoint) return callMethod(entrypoint, ctx, object);
  const handler = entrypoint && handlerOf(entrypoint, kind);
  if (!handler) throw missing(KINDS[kind]?.[1][0] ?? kind);
  if (entrypoint.isClass) {
    const self = new entrypoint.value(ctx, env);
    return self[handler](object, env, ctx);
  }
  return entrypoint.value[handler](object, env, ctx);
}

internals.occur = async (id, kind, entrypoint, object) => {
  try {
    await dispatch(id, kind, entrypoint, object);
  } catch (e) {
    failed(id, e);
    return;
  }
  native.handlerEnded(id);
};

for (const type of [ExtendableEvent, FetchEvent, ScheduledEvent]) internals.tag(type);
internals.expose({ ExtendableEvent, FetchEvent, ScheduledEvent });

// compose.js - several things as one Duplex: `compose` of a chain, `Duplex.from` of whatever can be read or written.
import { AbortError, argType, argValue, checkObject, checkSignal } from 'node:internal/errors';
import { addAbortSignal } from 'node:internal/streams/abort';
import { discard } from 'node:internal/streams/destroy';
import { Duplex } from 'node:internal/streams/duplex';
import { finished } from 'node:internal/streams/finished';
import { from } from 'node:internal/streams/from';
import { generator } from 'node:internal/streams/iterate';
import { pipelineOf } from 'node:internal/streams/pipeline';
import * as of from 'node:internal/streams/state';
import { duplexFromWeb, readableFromWeb, writableFromWeb } from 'node:internal/streams/web';

const { errors, nextTick } = of;

// A web stream as one of Node.js; all else as it is.
function adapted(stream) {
  if (of.isReadableWeb(stream)) return readableFromWeb(stream, { objectMode: true });
  if (of.isWritableWeb(stream)) return writableFromWeb(stream, { objectMode: true });
  return of.isTransformWeb(stream) ? duplexFromWeb(stream, { objectMode: true }) : stream;
}
// Waiting callbacks by name: `run` calls one once.
function waiting() {
  const callbacks = {};
  return {
    callbacks,
    run(name, ...args) {
      const callback = callbacks[name];
      if (!callback) return false;
      callbacks[name] = null;
      callback(...args);
      return true;
    },
  };
}
// A Duplex that writes to `head` and reads `tail`, either of which may be null; `over` is to be called when what is behind it is over.
function joined(head, tail, rest = {}) {
  const { callbacks, run } = waiting(), open = { head: Boolean(head), tail: Boolean(tail) };
  let isOver = false;
  const duplex = new Duplex({
    writable: open.head, readable: open.tail, writableObjectMode: Boolean(head?.writableObjectMode), readableObjectMode: Boolean(tail?.readableObjectMode),
    write(chunk, encoding, callback) {
      if (head.write(chunk, encoding)) callback();
      else callbacks.drain = callback;
    },
    final(callback) {
      callbacks.finish = callback;
      head.end();
    },
    read() {
      for (;;) {
        const chunk = tail.read();
        if (chunk === null) {
          callbacks.readable = () => duplex._read();
          return;
        }
        if (!duplex.push(chunk)) return;
      }
    },
    destroy(error, callback) {
      if (!error && !isOver) error = new AbortError();
      callbacks.drain = callbacks.finish = callbacks.readable = null;
      for (const one of rest.all ?? [tail]) if (of.isNodeStream(one)) discard(one, error);
      if (isOver) callback(error);
      else callbacks.close = callback;
    },
  });
  if (head) {
    head.on('drain', () => run('drain'));
    finished(rest.finishes ?? head, () => run('finish'));
  }
  if (tail) {
    tail.on('readable', () => run('readable'));
    tail.on('end', () => duplex.push(null));
  }
  const over = (error) => {
    isOver = true;
    if (run('close', error)) return;
    if (error) duplex.destroy(error);
    else if (!open.head && !open.tail) duplex.destroy();
  };
  return { duplex, open, over };
}

export function compose(...streams) {
  if (streams.length === 0) throw errors.missing('streams');
  if (streams.length === 1) return duplexOf(streams[0]);
  const chain = streams.map(adapted), last = chain.length - 1;
  for (const i of [0, last]) if (typeof chain[i] === 'function') chain[i] = duplexOf(chain[i]);
  chain.forEach((stream, i) => {
    if (!of.isNodeStream(stream)) return;
    if (i < last && !of.isReadable(stream)) throw argValue(`streams[${i}]`, streams[i], 'must be readable');
    if (i > 0 && !of.isWritable(stream)) throw argValue(`streams[${i}]`, streams[i], 'must be writable');
  });
  let made;
  const [head] = chain, tail = pipelineOf(chain, (error) => made.over(error));
  made = joined(of.isWritable(head) ? head : null, of.isReadable(tail) ? tail : null, { all: [tail], finishes: tail });
  return made.duplex;
}
// Readable.prototype.compose
export function composeWith(stream, options) {
  if (options !== undefined && options !== null) checkObject(options, 'options');
  if (options?.signal !== undefined && options?.signal !== null) checkSignal(options.signal, 'options.signal');
  if (of.isNodeStream(stream) && !of.isWritable(stream)) throw argValue('stream', stream, 'must be writable');
  const made = compose(this, stream);
  if (options?.signal) addAbortSignal(options.signal, made);
  return made;
}

// A pair that need not know of each other: the failure of one ends both.
function paired(readable, writable) {
  const head = writable && of.isWritable(writable) ? writable : null, tail = readable && of.isReadable(readable) ? readable : null;
  const { duplex, open, over } = joined(head, tail, { all: [writable, readable] });
  const watch = (stream, side, other) => {
    if (!stream) return;
    finished(stream, side === 'head' ? { readable: false } : { writable: false }, (error) => {
      open[side] = false;
      if (error && other) discard(other, error);
      if (error || (!open.head && !open.tail)) over(error);
    });
  };
  watch(head, 'head', tail);
  watch(tail, 'tail', head);
  return duplex;
}
// What is written, for a function that goes through it.
function written() {
  const controller = new AbortController();
  let given = Promise.withResolvers();
  const source = generator(async () => {
    const { chunk, done, callback } = await given.promise;
    given = Promise.withResolvers();
    nextTick(callback);
    if (done) return { value: undefined, done };
    if (controller.signal.aborted) throw new AbortError(undefined, { cause: controller.signal.reason });
    return { value: chunk, done: false };
  });
  return {
    source, signal: controller.signal,
    write(chunk, encoding, callback) { given.resolve({ chunk, done: false, callback }); },
    final(callback) { given.resolve({ done: true, callback }); },
    destroy(error, callback) {
      controller.abort();
      callback(error);
    },
  };
}
function duplexOfFunction(f) {
  const { source, signal, write, final, destroy } = written(), value = f(source, { signal });
  if (of.isIterable(value)) return from(value, { objectMode: true, write, final, destroy }, Duplex);
  if (typeof value?.then !== 'function') throw errors.returned('Iterable, AsyncIterable or AsyncFunction', 'body', value);
  const ended = value.then((result) => { if (result !== null && result !== undefined) throw errors.returned('nully', 'body', result); }, (error) => discard(duplex, error));
  const duplex = new Duplex({
    objectMode: true, readable: false, write, destroy,
    final(callback) { final(() => ended.then(() => nextTick(callback, null), (error) => nextTick(callback, error))); },
  });
  return duplex;
}
// A promise's value, as all that there is to read.
function duplexOfPromise(promise) {
  const duplex = new Duplex({ objectMode: true, writable: false, read() {} });
  promise.then((value) => {
    if (value !== null && value !== undefined) duplex.push(value);
    duplex.push(null);
  }, (error) => discard(duplex, error));
  return duplex;
}
// Duplex.from
export function duplexOf(body) {
  if (of.isDuplexNode(body)) return body;
  if (of.isReadableNode(body)) return paired(body, null);
  if (of.isWritableNode(body)) return paired(null, body);
  if (of.isNodeStream(body)) return paired(null, null);
  if (of.isReadableWeb(body)) return paired(readableFromWeb(body), null);
  if (of.isWritableWeb(body)) return paired(null, writableFromWeb(body));
  if (typeof body === 'function') return duplexOfFunction(body);
  if (body instanceof Blob) return duplexOfPromise(body.arrayBuffer());
  if (of.isIterable(body)) return from(body, { objectMode: true, writable: false }, Duplex);
  if (of.isReadableWeb(body?.readable) && of.isWritableWeb(body?.writable)) return duplexFromWeb(body);
  if (typeof body?.writable === 'object' || typeof body?.readable === 'object') {
    const side = (value, isIt) => (value ? (isIt(value) ? value : duplexOf(value)) : null);
    return paired(side(body.readable, of.isReadableNode), side(body.writable, of.isWritableNode));
  }
  if (typeof body?.then === 'function') return duplexOfPromise(body);
  throw argType('body', ['Blob', 'ReadableStream', 'WritableStream', 'Stream', 'Iterable', 'AsyncIterable', 'Function', '{ readable, writable } pair', 'Promise'], body);
}

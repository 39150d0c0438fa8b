// pipeline.js - streams, generators, iterables and web streams one behind another; one failure ends all.
import { AbortError, argType, checkFunction, checkSignal } from 'node:internal/errors';
import { whenAborted } from 'node:internal/streams/abort';
import { discard } from 'node:internal/streams/destroy';
import { PassThrough } from 'node:internal/streams/duplex';
import { finished } from 'node:internal/streams/finished';
import { each, iterate } from 'node:internal/streams/iterate';
import * as of from 'node:internal/streams/state';

const { errors, nextTick } = of;
const isPremature = (error) => error?.code === 'ERR_STREAM_PREMATURE_CLOSE';

function destroyer(stream, isRead, isWritten) {
  let isOver = false;
  stream.on('close', () => { isOver = true; });
  const forget = finished(stream, { readable: isRead, writable: isWritten }, (error) => { isOver = !error; });
  return {
    forget,
    destroy(error) {
      if (isOver) return;
      isOver = true;
      discard(stream, error || errors.destroyed('pipe'));
    },
  };
}
export function asAsyncIterable(value) {
  if (of.isIterable(value)) return value;
  if (of.isReadableNode(value)) return { [Symbol.asyncIterator]: () => iterate(value) };
  throw argType('val', ['Readable', 'Iterable', 'AsyncIterable'], value);
}

async function pumpToNode(iterable, writable, finish, { end }) {
  let error, wake = null;
  const resume = (failure) => {
    if (failure) error = failure;
    if (!wake) return;
    const f = wake;
    wake = null;
    f();
  };
  const wait = () => new Promise((resolve, reject) => {
    if (error) reject(error);
    else wake = () => (error ? reject(error) : resolve());
  });
  const onDrain = () => resume();
  writable.on('drain', onDrain);
  const forget = finished(writable, { readable: false }, resume);
  try {
    if (writable.writableNeedDrain) await wait();
    await each(iterable, async (chunk) => { if (!writable.write(chunk)) await wait(); });
    if (end) {
      writable.end();
      await wait();
    }
    finish();
  } catch (failure) {
    finish(error !== failure ? of.both(error, failure) : failure);
  } finally {
    forget();
    writable.off('drain', onDrain);
  }
}
async function pumpToWeb(iterable, stream, finish, { end }) {
  const writer = (of.isTransformWeb(stream) ? stream.writable : stream).getWriter();
  try {
    await each(iterable, async (chunk) => {
      await writer.ready;
      writer.write(chunk).catch(of.nop);
    });
    await writer.ready;
    if (end) await writer.close();
    finish();
  } catch (error) {
    try { await writer.abort(error); } catch { /* it has failed already */ }
    finish(error);
  }
}
function pipe(source, target, run, { end }) {
  let isEnded = false;
  target.on('close', () => { if (!isEnded) run.fail(errors.premature()); });
  source.pipe(target, { end: false });
  if (end) {
    const atEnd = () => {
      isEnded = true;
      target.end();
    };
    if (of.isReadableFinished(source)) nextTick(atEnd);
    else source.once('end', atEnd);
  } else run.finish();
  finished(source, { readable: true, writable: false }, (error) => {
    const state = source._readableState;
    // It may have been destroyed with all of it read: then that is no failure.
    if (isPremature(error) && state?.ended && !state.errored && !state.errorEmitted) source.once('end', run.finish).once('error', run.finish);
    else run.finish(error);
  });
  return finished(target, { readable: false, writable: true }, run.finish);
}

const readableOf = (value) => (of.isTransformWeb(value) ? value.readable : value);

// What a function gave that stands behind another stage.
function callStage(run, f, before, i, isReading, end) {
  const made = f(of.isTransformWeb(before) ? before.readable : asAsyncIterable(before), { signal: run.signal });
  if (isReading) {
    if (!of.isIterable(made, true)) throw errors.returned('AsyncIterable', `transform[${i - 1}]`, made);
    return made;
  }
  const through = new PassThrough({ objectMode: true });
  if (typeof made?.then === 'function') {
    run.count++;
    made.then((value) => {
      run.value = value;
      if (value !== null && value !== undefined) through.write(value);
      if (end) through.end();
      nextTick(run.finish);
    }, (error) => {
      through.destroy(error);
      nextTick(run.finish, error);
    });
  } else if (of.isIterable(made, true) || of.isReadableWeb(made) || of.isTransformWeb(made)) {
    run.count++;
    pumpToNode(readableOf(made), through, run.finish, { end });
  } else throw errors.returned('AsyncIterable or Promise', 'destination', made);
  const { destroy, forget } = destroyer(through, false, true);
  run.destroys.push(destroy);
  run.atEnd.push(forget);
  return through;
}
function joinNode(run, before, stream, isLast, end) {
  if (of.isReadableNode(before)) {
    run.count += 2;
    const forget = pipe(before, stream, run, { end });
    if (of.isReadable(stream) && isLast) run.atEnd.push(forget);
  } else if (of.isIterable(readableOf(before))) {
    run.count++;
    pumpToNode(readableOf(before), stream, run.finish, { end });
  } else throw argType('val', ['Readable', 'Iterable', 'AsyncIterable', 'ReadableStream', 'TransformStream'], before);
  return stream;
}
function join(run, before, stream, i, isLast, end) {
  if (i === 0) {
    if (typeof stream !== 'function') {
      if (of.isIterable(stream) || of.isReadableNode(stream) || of.isTransformWeb(stream)) return stream;
      throw argType('source', ['Stream', 'Iterable', 'AsyncIterable'], stream);
    }
    const made = stream({ signal: run.signal });
    if (!of.isIterable(made)) throw errors.returned('Iterable, AsyncIterable or Stream', 'source', made);
    return made;
  }
  if (typeof stream === 'function') return callStage(run, stream, before, i, !isLast, end);
  if (of.isNodeStream(stream)) return joinNode(run, before, stream, isLast, end);
  if (of.isWebStream(stream)) {
    run.count++;
    pumpToWeb(asAsyncIterable(readableOf(before)), stream, run.finish, { end });
    return stream;
  }
  throw argType(`streams[${i}]`, ['Stream', 'Function'], stream);
}
// Destroys what a failed or finished stream is followed by.
function guard(run, stream, isReading, isWriting, isLast, end) {
  if (end) {
    const { destroy, forget } = destroyer(stream, isReading, isWriting);
    run.destroys.push(destroy);
    if (of.isReadable(stream) && isLast) run.atEnd.push(forget);
  }
  const onError = (error) => { if (error && error.name !== 'AbortError' && !isPremature(error)) run.fail(error); };
  stream.on('error', onError);
  if (of.isReadable(stream) && isLast) run.atEnd.push(() => stream.removeListener('error', onError));
}
export function pipelineOf(streams, callback, options = {}) {
  if (streams.length === 1 && Array.isArray(streams[0])) [streams] = streams;
  if (streams.length < 2) throw errors.missing('streams');
  checkSignal(options.signal, 'options.signal');
  const controller = new AbortController();
  let error, isSaid = false;
  const settle = (failure, isFinal) => {
    if (failure && (!error || isPremature(error))) error = failure;
    if (!error && !isFinal) return;
    while (run.destroys.length) run.destroys.shift()(error);
    forgetSignal();
    controller.abort();
    if (!isFinal || isSaid) return;
    isSaid = true;
    if (!error) for (const f of run.atEnd) f();
    nextTick(callback, error, run.value);
  };
  const run = {
    count: 0, destroys: [], atEnd: [], signal: controller.signal, value: undefined,
    finish: (failure) => settle(failure, --run.count === 0), fail: (failure) => settle(failure, false),
  };
  const abort = () => run.fail(new AbortError(undefined, { cause: options.signal?.reason }));
  const forgetSignal = options.signal ? whenAborted(options.signal, abort) : of.nop;
  let made;
  for (let i = 0; i < streams.length; i++) {
    const stream = streams[i], isLast = i === streams.length - 1, end = !isLast || options.end !== false;
    if (of.isNodeStream(stream)) guard(run, stream, !isLast, i > 0, isLast, end);
    made = join(run, made, stream, i, isLast, end);
  }
  return made;
}
export function pipeline(...streams) {
  const callback = streams.pop();
  checkFunction(callback, 'streams[stream.length - 1]');
  let isCalled = false;
  return pipelineOf(streams, (...args) => {
    if (isCalled) return;
    isCalled = true;
    callback(...args);
  });
}
export function whenPiped(...streams) {
  return new Promise((resolve, reject) => {
    const last = streams.at(-1);
    let options = {};
    if (last && typeof last === 'object' && !of.isNodeStream(last) && !of.isIterable(last) && !of.isWebStream(last)) options = streams.pop();
    pipelineOf(streams, (error, value) => (error ? reject(error) : resolve(value)), { signal: options.signal, end: options.end });
  });
}

// ReadableStream, its default controller and reader, iteration, from(), the strategies.

check('constructor takes nothing, an object, a strategy', async () => {
  ok(new ReadableStream() instanceof ReadableStream);
  ok(new ReadableStream({}) instanceof ReadableStream);
  new ReadableStream({}, {});
  new ReadableStream(undefined, { highWaterMark: 0 });
});
check('constructor refuses', async () => {
  throws(TypeError, () => new ReadableStream(null));
  throws(TypeError, () => new ReadableStream('text'));
  throws(TypeError, () => new ReadableStream({ type: null }));
  throws(TypeError, () => new ReadableStream({ type: 'asdf' }));
  throws(boom, () => new ReadableStream({ type: { toString() { throw boom; } } }));
  for (const name of ['start', 'pull', 'cancel']) {
    throws(TypeError, () => new ReadableStream({ [name]: 'potato' }), name);
    throws(boom, () => new ReadableStream({ get [name]() { throw boom; } }), name);
  }
  throws(boom, () => new ReadableStream({ start() { throw boom; } }));
  for (const mark of [-1, -Infinity, NaN, 'foo', {}]) throws(RangeError, () => new ReadableStream({}, { highWaterMark: mark }), String(mark));
  throws(boom, () => new ReadableStream({}, { get size() { throw boom; } }));
  throws(TypeError, () => new ReadableStream({}, { size: 'a string' }));
  throws(TypeError, () => ReadableStream({}));
});
check('classes of a controller and a stream are not to be constructed or borrowed', async () => {
  throws(TypeError, () => new ReadableStreamDefaultController(new ReadableStream()));
  throws(TypeError, () => new ReadableStreamDefaultReader({}));
  throws(TypeError, () => Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked').get.call({}));
  await rejects(TypeError, ReadableStream.prototype.cancel.call({}));
  await rejects(TypeError, ReadableStreamDefaultReader.prototype.read.call({}));
  await rejects(TypeError, ReadableStreamDefaultReader.prototype.cancel.call(undefined));
  await rejects(TypeError, Object.getOwnPropertyDescriptor(ReadableStreamDefaultReader.prototype, 'closed').get.call({}));
  throws(TypeError, () => ReadableStreamDefaultReader.prototype.releaseLock.call({}));
  throws(TypeError, () => ReadableStream.prototype.getReader.call({}));
  throws(TypeError, () => ReadableStream.prototype.tee.call({}));
});
check('names, lengths and what a for-in sees', async () => {
  is(ReadableStream.name, 'ReadableStream');
  is(ReadableStream.length, 0);
  is(Object.prototype.toString.call(new ReadableStream()), '[object ReadableStream]');
  const seen = [];
  for (const name in ReadableStream.prototype) seen.push(name);
  same(seen.sort(), ['cancel', 'getReader', 'locked', 'pipeThrough', 'pipeTo', 'tee', 'values']);
  is(ReadableStream.prototype[Symbol.asyncIterator], ReadableStream.prototype.values);
  is(Object.keys(globalThis).includes('ReadableStream'), false);
});
check('start is called at once with the controller, as a method', async () => {
  let self, args, now = false;
  const source = { start(...a) { self = this; args = a; now = true; } };
  new ReadableStream(source);
  ok(now);
  is(self, source);
  is(args.length, 1);
  ok(args[0] instanceof ReadableStreamDefaultController);
  same(Object.getOwnPropertyNames(args[0]), []);
  is(args[0].constructor, ReadableStreamDefaultController);
});
check('pull waits for start and gets the controller', async () => {
  let open, pulls = 0, given;
  const s = new ReadableStream({ start: () => new Promise((r) => { open = r; }), pull(c) { pulls++; given = c; } });
  await flush();
  is(pulls, 0);
  open();
  await flush();
  is(pulls, 1);
  ok(given instanceof ReadableStreamDefaultController);
  is(s.locked, false);
});
check('a start that fails errors the stream', async () => {
  const s = new ReadableStream({ start: () => Promise.reject(boom) });
  const reader = s.getReader();
  await rejects(boom, reader.closed);
  await rejects(boom, reader.read());
});
check('pull is not called again before the last one ended', async () => {
  let pulls = 0, end;
  const s = new ReadableStream({ pull(c) { pulls++; c.enqueue(pulls); return new Promise((r) => { end = r; }); } }, { highWaterMark: 5 });
  await flush();
  is(pulls, 1);
  end();
  await flush();
  is(pulls, 2);
  s.getReader().read();
  await flush();
  is(pulls, 2);
});
check('pull fills up to the mark', async () => {
  const sizes = [];
  const s = new ReadableStream({ pull(c) { sizes.push(c.desiredSize); c.enqueue('x'); } }, { highWaterMark: 3 });
  await flush();
  same(sizes, [3, 2, 1]);
  await s.getReader().read();
  await flush();
  same(sizes, [3, 2, 1, 1]);
});
check('a mark of 0 pulls for readers only', async () => {
  let pulls = 0;
  const s = new ReadableStream({ pull(c) { c.enqueue(++pulls); } }, { highWaterMark: 0 });
  await flush();
  is(pulls, 0);
  const reader = s.getReader();
  same(await Promise.all([reader.read(), reader.read()]), [{ value: 1, done: false }, { value: 2, done: false }]);
  await flush();
  is(pulls, 2);
});
check('pull after start that enqueues up to the mark is not called', async () => {
  let pulls = 0;
  new ReadableStream({ start(c) { c.enqueue(1); }, pull() { pulls++; } });
  await flush();
  is(pulls, 0);
});
check('a pull that throws or rejects errors the stream', async () => {
  for (const pull of [() => { throw boom; }, () => Promise.reject(boom)]) {
    const reader = new ReadableStream({ pull }).getReader();
    await rejects(boom, reader.read());
    await rejects(boom, reader.closed);
  }
});
check('desiredSize', async () => {
  let c;
  new ReadableStream({ start(k) { c = k; } }, { highWaterMark: 10 });
  is(c.desiredSize, 10);
  c.enqueue('a');
  is(c.desiredSize, 9);
  c.error(boom);
  is(c.desiredSize, null);
  new ReadableStream({ start(k) { c = k; c.close(); } });
  is(c.desiredSize, 0);
  new ReadableStream({ start(k) { c = k; } }, { highWaterMark: Infinity });
  is(c.desiredSize, Infinity);
});
check('enqueue and close after close throw, after error too', async () => {
  let c;
  new ReadableStream({ start(k) { c = k; } });
  c.enqueue(1);
  c.close();
  throws(TypeError, () => c.enqueue(2));
  throws(TypeError, () => c.close());
  new ReadableStream({ start(k) { c = k; } });
  c.error(boom);
  throws(TypeError, () => c.enqueue(2));
  throws(TypeError, () => c.close());
  c.error(bang);
});
check('close lets what waits be read first', async () => {
  const reader = of('a', 'b').getReader();
  is(await state(reader.closed), 'pending');
  same(await reader.read(), { value: 'a', done: false });
  same(await reader.read(), { value: 'b', done: false });
  same(await reader.read(), { value: undefined, done: true });
  is(await reader.closed, undefined);
  same(await reader.read(), { value: undefined, done: true });
});
check('error throws away what waits', async () => {
  let c;
  const reader = new ReadableStream({ start(k) { c = k; c.enqueue('a'); } }).getReader();
  c.error(boom);
  await rejects(boom, reader.read());
  await rejects(boom, reader.closed);
});
check('reads that wait get chunks in their order, then the end', async () => {
  let c;
  const reader = new ReadableStream({ start(k) { c = k; } }).getReader();
  const got = [];
  const reads = [1, 2, 3].map((n) => reader.read().then((r) => got.push([n, r.value, r.done])));
  c.enqueue('a');
  c.enqueue('b');
  c.close();
  await Promise.all(reads);
  same(got, [[1, 'a', false], [2, 'b', false], [3, undefined, true]]);
});
check('reads that wait fail with the stream', async () => {
  let c;
  const reader = new ReadableStream({ start(k) { c = k; } }).getReader();
  const reads = [reader.read(), reader.read()];
  c.error(boom);
  for (const read of reads) await rejects(boom, read);
});
check('a chunk may be undefined', async () => {
  const reader = new ReadableStream({ start(c) { c.enqueue(); c.close(); } }).getReader();
  const r = await reader.read();
  is(r.done, false);
  ok('value' in r && r.value === undefined);
});
check('lock: one reader at a time', async () => {
  const s = new ReadableStream();
  is(s.locked, false);
  const reader = s.getReader();
  ok(reader instanceof ReadableStreamDefaultReader);
  is(s.locked, true);
  throws(TypeError, () => s.getReader());
  throws(TypeError, () => new ReadableStreamDefaultReader(s));
  await rejects(TypeError, s.cancel());
  throws(TypeError, () => s.tee());
  reader.releaseLock();
  is(s.locked, false);
  s.getReader();
});
check('getReader knows its modes', async () => {
  const s = new ReadableStream();
  throws(TypeError, () => s.getReader({ mode: '' }));
  throws(TypeError, () => s.getReader({ mode: null }));
  throws(TypeError, () => s.getReader({ mode: 'byob' }));
  throws(TypeError, () => s.getReader(5));
  s.getReader({ mode: undefined });
});
check('a released reader', async () => {
  const s = of('a');
  const reader = s.getReader(), closed = reader.closed;
  reader.releaseLock();
  reader.releaseLock();
  is(reader.closed, closed);
  await rejects(TypeError, closed);
  await rejects(TypeError, reader.read());
  await rejects(TypeError, reader.cancel());
  same(await all(s), ['a']);
});
check('releasing fails reads that wait and keeps the chunk for the next reader', async () => {
  let c;
  const s = new ReadableStream({ start(k) { c = k; } });
  const first = s.getReader(), read = first.read();
  first.releaseLock();
  const second = s.getReader();
  c.enqueue('a');
  await rejects(TypeError, read);
  same(await second.read(), { value: 'a', done: false });
});
check('closed of a reader released after the end is another promise', async () => {
  const s = of();
  const reader = s.getReader();
  const before = reader.closed;
  await before;
  reader.releaseLock();
  ok(reader.closed !== before);
  await rejects(TypeError, reader.closed);
});
check('cancel: reason, once, result, nothing waits any more', async () => {
  const got = [];
  const s = new ReadableStream({ start(c) { c.enqueue('x'); }, cancel(...a) { got.push(a); return 'value'; } });
  is(await s.cancel('why'), undefined);
  same(got, [['why']]);
  is(await s.cancel('again'), undefined);
  is(got.length, 1);
  same(await s.getReader().read(), { value: undefined, done: true });
});
check('cancel fails as its source does, the stream is closed at once', async () => {
  for (const cancel of [() => { throw boom; }, () => Promise.reject(boom)]) {
    const s = new ReadableStream({ cancel });
    const reader = s.getReader();
    const cancelled = reader.cancel();
    is(await reader.closed, undefined);
    await rejects(boom, cancelled);
  }
});
check('cancel of an errored stream rejects with its error', async () => {
  await rejects(boom, new ReadableStream({ start(c) { c.error(boom); } }).cancel());
});
check('cancel during start calls no pull afterwards', async () => {
  let pulls = 0;
  const s = new ReadableStream({ start: () => flush(), pull() { pulls++; } });
  await s.cancel();
  await flush();
  is(pulls, 0);
});
check('enqueue after a cancel throws', async () => {
  let c;
  const s = new ReadableStream({ start(k) { c = k; } });
  s.cancel();
  throws(TypeError, () => c.enqueue('a'));
  throws(TypeError, () => c.close());
});
check('size() measures, without a this', async () => {
  const selves = [];
  let c;
  new ReadableStream({ start(k) { c = k; } }, { highWaterMark: 10, size(chunk) { 'use strict'; selves.push(this); return chunk; } });
  c.enqueue(3);
  c.enqueue(2.5);
  is(c.desiredSize, 4.5);
  same(selves, [undefined, undefined]);
});
check('a size() that throws or gives nonsense errors the stream', async () => {
  for (const size of [() => NaN, () => -1, () => Infinity, () => -Infinity, () => undefined]) {
    let c;
    const s = new ReadableStream({ start(k) { c = k; } }, { size });
    throws(RangeError, () => c.enqueue('a'), String(size));
    await rejects(RangeError, s.getReader().closed);
  }
  let c;
  const s = new ReadableStream({ start(k) { c = k; } }, { size() { throw boom; } });
  throws(boom, () => c.enqueue('a'));
  await rejects(boom, s.getReader().closed);
});
check('sizes of fractions do not go wrong', async () => {
  let c;
  const s = new ReadableStream({ start(k) { c = k; } }, { highWaterMark: 0, size: (x) => x });
  const reader = s.getReader();
  c.enqueue(2);
  c.enqueue(Number.MAX_SAFE_INTEGER);
  is(c.desiredSize, 0 - 2 - Number.MAX_SAFE_INTEGER);
  await reader.read();
  await reader.read();
  is(c.desiredSize, 0);
  c.enqueue(1e-16);
  c.enqueue(1);
  await reader.read();
  await reader.read();
  is(c.desiredSize, 0);
});
check('size() that closes or cancels in between', async () => {
  let c, calls = 0;
  const s = new ReadableStream({ start(k) { c = k; } }, { size() { if (!calls++) c.error(boom); return 1; } });
  c.enqueue('a');
  await rejects(boom, s.getReader().read());
});
check('async iteration reads all', async () => {
  const got = [];
  const s = of(1, 2, 3);
  for await (const chunk of s) got.push(chunk);
  same(got, [1, 2, 3]);
  is(s.locked, false);
});
check('async iterator: its kind', async () => {
  const it = new ReadableStream().values(), proto = Object.getPrototypeOf(it);
  const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype);
  is(Object.getPrototypeOf(proto), AsyncIteratorPrototype);
  same(Object.getOwnPropertyNames(proto).sort(), ['next', 'return']);
  is(it[Symbol.asyncIterator](), it);
  await rejects(TypeError, proto.next.call({}));
  await rejects(TypeError, proto.return.call({}));
});
check('async iteration locks at once', async () => {
  const s = of(1);
  s.values();
  is(s.locked, true);
  throws(TypeError, () => s.values());
});
check('leaving an iteration cancels, or not', async () => {
  for (const preventCancel of [false, true]) {
    const why = [];
    const s = new ReadableStream({ pull(c) { c.enqueue('x'); }, cancel(r) { why.push(r); } });
    for await (const chunk of s.values({ preventCancel })) {
      void chunk;
      break;
    }
    same(why, preventCancel ? [] : [undefined]);
    is(s.locked, false);
  }
});
check('throwing out of an iteration cancels', async () => {
  let cancelled = false;
  const s = new ReadableStream({ pull(c) { c.enqueue('x'); }, cancel() { cancelled = true; } });
  await rejects(boom, (async () => { for await (const chunk of s) { void chunk; throw boom; } })());
  ok(cancelled);
});
check('iterator.return gives its value and ends it', async () => {
  const why = [];
  const it = new ReadableStream({ cancel(r) { why.push(r); } }).values();
  same(await it.return('v'), { value: 'v', done: true });
  same(why, ['v']);
  same(await it.next(), { value: undefined, done: true });
  same(await it.return('w'), { value: 'w', done: true });
  is(why.length, 1);
});
check('iterator.return that fails', async () => {
  const it = new ReadableStream({ cancel() { throw boom; } }).values();
  await rejects(boom, it.return());
  same(await it.next(), { value: undefined, done: true });
});
check('calls of next() queue up', async () => {
  let n = 0;
  const it = new ReadableStream({ pull(c) { if (++n <= 2) c.enqueue(n); else c.close(); } }, { highWaterMark: 0 }).values();
  same(await Promise.all([it.next(), it.next(), it.next(), it.next()]),
    [{ value: 1, done: false }, { value: 2, done: false }, { value: undefined, done: true }, { value: undefined, done: true }]);
});
check('next() of a failing stream rejects once, then it is over', async () => {
  const s = new ReadableStream({ start(c) { c.error(boom); } });
  const it = s.values();
  await rejects(boom, it.next());
  same(await it.next(), { value: undefined, done: true });
  is(s.locked, false);
});
check('next() then return() at once', async () => {
  const why = [];
  const it = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel(r) { why.push(r); } }, { highWaterMark: 0 }).values();
  same(await Promise.all([it.next(), it.return('r')]), [{ value: 1, done: false }, { value: 'r', done: true }]);
  same(why, ['r']);
});
check('from() arrays, sets, strings, generators', async () => {
  same(await all(ReadableStream.from([1, 2])), [1, 2]);
  same(await all(ReadableStream.from(new Set(['a', 'b']))), ['a', 'b']);
  same(await all(ReadableStream.from('ab')), ['a', 'b']);
  same(await all(ReadableStream.from((function* () { yield 1; yield 2; })())), [1, 2]);
  same(await all(ReadableStream.from((async function* () { yield 1; await flush(); yield 2; })())), [1, 2]);
  same(await all(ReadableStream.from([Promise.resolve(1), 2])), [1, 2]);
  same(await all(ReadableStream.from(of(1, 2))), [1, 2]);
});
check('from() refuses', async () => {
  for (const bad of [null, undefined, 0, NaN, true, {}, Symbol(), () => {}, { [Symbol.iterator]: 1 }, { [Symbol.asyncIterator]: {} }, { [Symbol.iterator]: () => 42 }])
    throws(TypeError, () => ReadableStream.from(bad), String(bad));
  throws(boom, () => ReadableStream.from({ [Symbol.iterator]() { throw boom; } }));
});
check('from() asks for one item at a time, when somebody reads', async () => {
  let n = 0;
  const s = ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next: async () => ({ value: n++, done: false }) }) });
  await flush();
  is(n, 0);
  await s.getReader().read();
  await flush();
  is(n, 1);
});
check('from(): cancel calls return, with the reason', async () => {
  const got = [];
  const it = { next: async () => ({ value: 1, done: false }), async return(...a) { got.push(a); return {}; }, [Symbol.asyncIterator]() { return this; } };
  is(await ReadableStream.from(it).cancel('why'), undefined);
  same(got, [['why']]);
  is(await ReadableStream.from([1]).cancel(), undefined);
  await rejects(TypeError, ReadableStream.from({ ...it, async return() { return 42; } }).cancel());
  await rejects(boom, ReadableStream.from({ ...it, async return() { throw boom; } }).cancel());
});
check('from(): a next() that fails errors the stream', async () => {
  for (const next of [() => { throw boom; }, () => Promise.reject(boom)])
    await rejects(boom, ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next }) }).getReader().read());
  await rejects(TypeError, ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next: async () => 42 }) }).getReader().read());
});
check('strategies: marks are taken as they are', async () => {
  for (const Strategy of [CountQueuingStrategy, ByteLengthQueuingStrategy]) {
    for (const mark of [-Infinity, NaN, 0, 4, Infinity]) is(new Strategy({ highWaterMark: mark }).highWaterMark, mark);
    is(new Strategy({ highWaterMark: '7' }).highWaterMark, 7);
    throws(TypeError, () => new Strategy());
    throws(TypeError, () => new Strategy(null));
    throws(TypeError, () => new Strategy({}));
    throws(TypeError, () => Strategy({ highWaterMark: 1 }));
    throws(boom, () => new Strategy({ get highWaterMark() { throw boom; } }));
    is(new Strategy({ highWaterMark: 1 }).size, new Strategy({ highWaterMark: 2 }).size);
    is(new Strategy({ highWaterMark: 1 }).size.name, 'size');
    throws(TypeError, () => Object.getOwnPropertyDescriptor(Strategy.prototype, 'size').get.call({}));
  }
});
check('strategies: sizes', async () => {
  const bytes = new ByteLengthQueuingStrategy({ highWaterMark: 1 }).size, count = new CountQueuingStrategy({ highWaterMark: 1 }).size;
  is(bytes.call(undefined, new Uint8Array(5)), 5);
  is(bytes.call(undefined, { byteLength: 'x' }), 'x');
  throws(TypeError, () => bytes.call(undefined, undefined));
  is(count.call(undefined), 1);
  is(bytes.length, 1);
  is(count.length, 0);
  throws(TypeError, () => new count());
  let c;
  new ReadableStream({ start(k) { c = k; } }, new ByteLengthQueuingStrategy({ highWaterMark: 10 }));
  c.enqueue(new Uint8Array(7));
  is(c.desiredSize, 3);
});
check('a worker that replaces globals and methods breaks only itself', async () => {
  const old = { then: Promise.prototype.then, Promise: globalThis.Promise, push: Array.prototype.push, shift: Array.prototype.shift, Reader: globalThis.ReadableStreamDefaultReader };
  let calls = 0;
  const bad = () => { calls++; throw new Error('not yours'); };
  const s = of('a', 'b');
  let reads;
  try {
    Array.prototype.push = Array.prototype.shift = bad;
    Promise.prototype.then = bad;
    globalThis.Promise = globalThis.ReadableStreamDefaultReader = bad;
    const copies = s.tee();
    reads = [copies[0].getReader().read(), copies[1].pipeThrough(new TransformStream()).getReader().read()];
  } finally {
    old.Promise.prototype.then = old.then;
    Array.prototype.push = old.push;
    Array.prototype.shift = old.shift;
    globalThis.Promise = old.Promise;
    globalThis.ReadableStreamDefaultReader = old.Reader;
  }
  same(await Promise.all(reads), [{ value: 'a', done: false }, { value: 'a', done: false }]);
  is(calls, 0);
});

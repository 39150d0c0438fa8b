// TransformStream.

check('constructor', async () => {
  const t = new TransformStream();
  ok(t.readable instanceof ReadableStream && t.writable instanceof WritableStream);
  is(t.readable, t.readable);
  is(TransformStream.length, 0);
  throws(TypeError, () => new TransformStream(null));
  throws(RangeError, () => new TransformStream({ readableType: 'bytes' }));
  throws(RangeError, () => new TransformStream({ writableType: 'bytes' }));
  for (const name of ['start', 'transform', 'flush', 'cancel']) throws(TypeError, () => new TransformStream({ [name]: 1 }), name);
  throws(boom, () => new TransformStream({ start() { throw boom; } }));
  throws(RangeError, () => new TransformStream({}, { highWaterMark: -1 }));
  throws(RangeError, () => new TransformStream({}, undefined, { highWaterMark: NaN }));
  throws(TypeError, () => new TransformStreamDefaultController());
  throws(TypeError, () => Object.getOwnPropertyDescriptor(TransformStream.prototype, 'readable').get.call({}));
});
check('marks: 1 for the writable side, 0 for the readable', async () => {
  const t = new TransformStream();
  const writer = t.writable.getWriter();
  is(writer.desiredSize, 1);
  const u = new TransformStream({}, { highWaterMark: 17 }, { highWaterMark: 9 });
  is(u.writable.getWriter().desiredSize, 17);
  let c;
  new TransformStream({ start(k) { c = k; } }, undefined, { highWaterMark: 9 });
  is(c.desiredSize, 9);
});
check('without a transformer, chunks pass', async () => {
  const t = new TransformStream(), writer = t.writable.getWriter();
  writer.write('a');
  writer.write('b');
  writer.close();
  same(await all(t.readable), ['a', 'b']);
});
check('transform: the chunk, the controller, this', async () => {
  const me = {
    transform(chunk, c) {
      ok(this === me && c instanceof TransformStreamDefaultController);
      c.enqueue(chunk.toUpperCase());
      c.enqueue(chunk);
    },
    flush(c) { ok(this === me && c instanceof TransformStreamDefaultController); c.enqueue('end'); },
  };
  same(await all(of('a', 'b').pipeThrough(new TransformStream(me))), ['A', 'a', 'B', 'b', 'end']);
});
check('transform and flush may take their time', async () => {
  const t = new TransformStream({
    async transform(chunk, c) { await flush(); c.enqueue(chunk); await flush(); c.enqueue(chunk); },
    async flush(c) { await flush(); c.enqueue('end'); },
  });
  same(await all(of(1, 2).pipeThrough(t)), [1, 1, 2, 2, 'end']);
});
check('start may enqueue; transform waits for it', async () => {
  let open;
  const calls = [];
  const t = new TransformStream({ start(c) { c.enqueue('first'); return new Promise((r) => { open = r; }); }, transform(x, c) { calls.push(x); c.enqueue(x); } });
  const writer = t.writable.getWriter();
  writer.write('a');
  const reader = t.readable.getReader();
  is((await reader.read()).value, 'first');
  await flush();
  same(calls, []);
  open();
  is((await reader.read()).value, 'a');
});
check('back-pressure: nothing is transformed before somebody reads', async () => {
  const calls = [];
  const t = new TransformStream({ transform(x, c) { calls.push(x); c.enqueue(x); } });
  const writer = t.writable.getWriter();
  await flush();
  const writes = [writer.write(1), writer.write(2)];
  await flush();
  same(calls, []);
  is(writer.desiredSize, -1);
  const reader = t.readable.getReader();
  await reader.read();
  await writes[0];
  same(calls, [1]);
  await reader.read();
  await writes[1];
});
check('an error in transform errors both sides', async () => {
  for (const transform of [() => { throw boom; }, () => Promise.reject(boom)]) {
    const t = new TransformStream({ transform });
    const writer = t.writable.getWriter(), reader = t.readable.getReader();
    const read = reader.read();
    await rejects(boom, writer.write('a'));
    await rejects(boom, read);
    await rejects(boom, reader.closed);
    await rejects(boom, writer.closed);
    await rejects(boom, writer.write('b'));
  }
});
check('an error in flush', async () => {
  for (const f of [() => { throw boom; }, () => Promise.reject(boom)]) {
    const t = new TransformStream({ flush: f });
    const writer = t.writable.getWriter(), reader = t.readable.getReader();
    const read = reader.read();
    await rejects(boom, writer.close());
    await rejects(boom, read);
    await rejects(boom, writer.closed);
  }
});
check('a start that fails', async () => {
  const t = new TransformStream({ start: () => Promise.reject(boom) });
  await rejects(boom, t.readable.getReader().read());
  await rejects(boom, t.writable.getWriter().write('a'));
});
check('controller.error', async () => {
  let c;
  const t = new TransformStream({ start(k) { c = k; } });
  c.error(boom);
  await rejects(boom, t.readable.getReader().read());
  await rejects(boom, t.writable.getWriter().closed);
  is(c.desiredSize, null);
  throws(TypeError, () => c.enqueue('a'));
});
check('controller.terminate', async () => {
  let c;
  const t = new TransformStream({ start(k) { c = k; } }, undefined, { highWaterMark: 1 });
  c.enqueue('a');
  c.terminate();
  throws(TypeError, () => c.enqueue('b'));
  same(await all(t.readable), ['a']);
  await rejects(TypeError, t.writable.getWriter().write('a'));
  is(c.desiredSize, 0);
});
check('abort of the writable side errors the readable one', async () => {
  const why = [];
  const t = new TransformStream({ cancel(r) { why.push(r); } });
  const reader = t.readable.getReader();
  is(await t.writable.abort(boom), undefined);
  await rejects(boom, reader.read());
  same(why, [boom]);
});
check('cancel of the readable side errors the writable one', async () => {
  const why = [];
  const t = new TransformStream({ cancel(r) { why.push(r); } });
  const writer = t.writable.getWriter();
  is(await t.readable.cancel(boom), undefined);
  await rejects(boom, writer.closed);
  await rejects(boom, writer.write('a'));
  same(why, [boom]);
});
check('transformer.cancel that fails', async () => {
  const t = new TransformStream({ cancel() { throw bang; } });
  const writer = t.writable.getWriter();
  await rejects(bang, t.readable.cancel(boom));
  await rejects(bang, writer.closed);
  const u = new TransformStream({ cancel: () => Promise.reject(bang) });
  const reader = u.readable.getReader();
  await rejects(bang, u.writable.abort(boom));
  await rejects(bang, reader.closed);
});
check('a write that waits is let go by a cancel', async () => {
  const t = new TransformStream();
  const writer = t.writable.getWriter();
  const write = writer.write('a');
  await flush();
  t.readable.cancel(boom);
  await rejects(boom, write);
});
check('close waits for the reader of what is left', async () => {
  const t = new TransformStream();
  const writer = t.writable.getWriter();
  writer.write('a');
  const closed = writer.close();
  is(await state(closed), 'pending');
  same(await all(t.readable), ['a']);
  is(await closed, undefined);
});
check('flush is not called after an abort', async () => {
  let flushed = false;
  const t = new TransformStream({ flush() { flushed = true; } });
  await t.writable.abort(boom);
  is(flushed, false);
});
check('chains', async () => {
  const plus = () => new TransformStream({ transform(x, c) { c.enqueue(x + 1); } });
  same(await all(of(1, 2, 3).pipeThrough(plus()).pipeThrough(plus()).pipeThrough(plus())), [4, 5, 6]);
});
check('sizes of both strategies', async () => {
  let c;
  const t = new TransformStream({ start(k) { c = k; } }, { highWaterMark: 8, size: (x) => x }, { highWaterMark: 5, size: (x) => x });
  t.writable.getWriter().write(3);
  await flush();
  is(c.desiredSize, 2);
  throws(boom, () => {
    let k;
    new TransformStream({ start(x) { k = x; } }, undefined, { size() { throw boom; }, highWaterMark: 1 });
    k.enqueue('a');
  });
});

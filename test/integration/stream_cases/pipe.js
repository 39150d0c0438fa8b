// pipeTo and pipeThrough.

check('pipeTo writes all and closes', async () => {
  const { sink, events } = recorder();
  const s = of('a', 'b');
  const piped = s.pipeTo(sink);
  ok(s.locked && sink.locked);
  is(await piped, undefined);
  same(events, ['write', 'a', 'write', 'b', 'close']);
  ok(!s.locked && !sink.locked);
});
check('pipeTo refuses', async () => {
  await rejects(TypeError, ReadableStream.prototype.pipeTo.call({}, new WritableStream()));
  await rejects(TypeError, of().pipeTo({}));
  await rejects(TypeError, of().pipeTo());
  const locked = of();
  locked.getReader();
  const { sink } = recorder();
  await rejects(TypeError, locked.pipeTo(sink));
  is(sink.locked, false);
  const s = of();
  sink.getWriter();
  await rejects(TypeError, s.pipeTo(sink));
  is(s.locked, false);
  await rejects(boom, of().pipeTo(new WritableStream(), { get preventClose() { throw boom; } }));
  for (const signal of [null, 'x', {}, 1]) await rejects(TypeError, of().pipeTo(new WritableStream(), { signal }), String(signal));
});
check('preventClose', async () => {
  const { sink, events } = recorder();
  await of('a').pipeTo(sink, { preventClose: true });
  await sink.getWriter().write('b');
  same(events, ['write', 'a', 'write', 'b']);
});
check('an empty source closes', async () => {
  const { sink, events } = recorder();
  await of().pipeTo(sink);
  same(events, ['close']);
});
check('a source that fails aborts', async () => {
  const { sink, events } = recorder();
  await rejects(boom, new ReadableStream({ start(c) { c.error(boom); } }).pipeTo(sink));
  same(events, ['abort', boom]);
});
check('a source that fails later, after its chunks were written', async () => {
  let c;
  const { sink, events } = recorder();
  const piped = new ReadableStream({ start(k) { c = k; } }).pipeTo(sink);
  c.enqueue('a');
  await flush();
  c.error(boom);
  await rejects(boom, piped);
  same(events, ['write', 'a', 'abort', boom]);
});
check('preventAbort', async () => {
  const { sink, events } = recorder();
  await rejects(boom, new ReadableStream({ start(c) { c.error(boom); } }).pipeTo(sink, { preventAbort: true }));
  same(events, []);
  is(sink.locked, false);
});
check('an abort that fails wins over the error of the source', async () => {
  const { sink } = recorder({ abort() { throw bang; } });
  await rejects(bang, new ReadableStream({ start(c) { c.error(boom); } }).pipeTo(sink));
});
check('a sink that fails cancels the source', async () => {
  const why = [];
  const { sink } = recorder({ write() { throw boom; } });
  const s = new ReadableStream({ pull(c) { c.enqueue('x'); }, cancel(r) { why.push(r); } });
  await rejects(boom, s.pipeTo(sink));
  same(why, [boom]);
  is(s.locked, false);
});
check('preventCancel', async () => {
  const why = [];
  const s = new ReadableStream({ pull(c) { c.enqueue('x'); }, cancel(r) { why.push(r); } });
  await rejects(boom, s.pipeTo(new WritableStream({ write() { throw boom; } }), { preventCancel: true }));
  same(why, []);
});
check('a cancel that fails wins over the error of the sink', async () => {
  const s = new ReadableStream({ pull(c) { c.enqueue('x'); }, cancel() { throw bang; } });
  await rejects(bang, s.pipeTo(new WritableStream({ write() { throw boom; } })));
});
check('a sink that is errored already', async () => {
  const why = [];
  const sink = new WritableStream({ start(c) { c.error(boom); } });
  await flush();
  await rejects(boom, new ReadableStream({ cancel(r) { why.push(r); } }).pipeTo(sink));
  same(why, [boom]);
});
check('a sink that is closed already', async () => {
  const why = [];
  const sink = new WritableStream();
  await sink.close();
  await rejects(TypeError, new ReadableStream({ cancel(r) { why.push(r); } }).pipeTo(sink));
  ok(why[0] instanceof TypeError);
  const closing = new WritableStream();
  const closed = closing.close();
  await rejects(TypeError, of('a').pipeTo(closing, { preventCancel: true }));
  await closed;
});
check('both errored: the error of the source', async () => {
  const { sink } = recorder();
  await sink.abort(bang);
  await rejects(boom, new ReadableStream({ start(c) { c.error(boom); } }).pipeTo(sink));
});
check('a closed source and a failing close', async () => {
  const { sink } = recorder({ close() { throw boom; } });
  await rejects(boom, of().pipeTo(sink));
});
check('back-pressure: nothing is read before the sink wants it', async () => {
  let pulls = 0, end;
  const s = new ReadableStream({ pull(c) { c.enqueue(pulls++); } }, { highWaterMark: 0 });
  const { sink, events } = recorder({ write: () => new Promise((r) => { end = r; }) });
  s.pipeTo(sink).catch(() => {});
  await flush();
  same(events, ['write', 0]);
  is(pulls, 1);
  end();
  await flush();
  same(events, ['write', 0, 'write', 1]);
  is(pulls, 2);
});
check('a mark of 0 in the sink reads nothing', async () => {
  let pulls = 0;
  const s = new ReadableStream({ pull(c) { pulls++; c.enqueue('x'); } }, { highWaterMark: 0 });
  s.pipeTo(new WritableStream({}, { highWaterMark: 0 })).catch(() => {});
  await flush();
  is(pulls, 0);
});
check('enqueue does not call the sink at once', async () => {
  let c;
  const { sink, events } = recorder();
  new ReadableStream({ start(k) { c = k; } }).pipeTo(sink).catch(() => {});
  await flush();
  c.enqueue('a');
  same(events, []);
  await flush();
  same(events, ['write', 'a']);
});
check('a shutdown waits for the writes', async () => {
  let end, done = false;
  const { sink, events } = recorder({ write: () => new Promise((r) => { end = r; }) });
  const piped = of('a').pipeTo(sink).then(() => { done = true; });
  await flush();
  same(events, ['write', 'a']);
  is(done, false);
  end();
  await piped;
  same(events, ['write', 'a', 'close']);
});
check('what was read is written although the source fails', async () => {
  let c, ends = [];
  const { sink, events } = recorder({ write: () => new Promise((r) => { ends.push(r); }) }, { highWaterMark: 3 });
  const piped = new ReadableStream({ start(k) { c = k; c.enqueue('a'); c.enqueue('b'); } }).pipeTo(sink);
  await flush();
  c.error(boom);
  await flush();
  same(events, ['write', 'a']);
  ends[0]();
  await flush();
  same(events, ['write', 'a', 'write', 'b']);
  ends[1]();
  await rejects(boom, piped);
  same(events, ['write', 'a', 'write', 'b', 'abort', boom]);
});
check('pipeThrough gives the readable side', async () => {
  const t = new TransformStream();
  is(of('a').pipeThrough(t), t.readable);
  same(await all(t.readable), ['a']);
  const pair = { readable: of('x'), writable: new WritableStream() };
  is(of('a').pipeThrough(pair), pair.readable);
});
check('pipeThrough refuses', async () => {
  throws(TypeError, () => of().pipeThrough());
  throws(TypeError, () => of().pipeThrough({}));
  throws(TypeError, () => of().pipeThrough({ readable: of() }));
  throws(TypeError, () => of().pipeThrough({ readable: of(), writable: {} }));
  const s = of();
  s.getReader();
  throws(TypeError, () => s.pipeThrough(new TransformStream()));
  const t = new TransformStream();
  t.writable.getWriter();
  throws(TypeError, () => of().pipeThrough(t));
  throws(TypeError, () => of().pipeThrough(new TransformStream(), { signal: {} }));
});
check('pipeThrough: errors pass, unhandled nowhere', async () => {
  const t = new TransformStream();
  const out = new ReadableStream({ start(c) { c.error(boom); } }).pipeThrough(t);
  await rejects(boom, out.getReader().read());
});
check('a piece of a stream, then a pipe', async () => {
  const s = of('a', 'b', 'c');
  const reader = s.getReader();
  await reader.read();
  reader.releaseLock();
  const { sink, events } = recorder();
  await s.pipeTo(sink);
  same(events, ['write', 'b', 'write', 'c', 'close']);
});
check('many chunks', async () => {
  let n = 0, sum = 0;
  const s = new ReadableStream({ pull(c) { if (n === 5000) c.close(); else c.enqueue(n++); } });
  await s.pipeThrough(new TransformStream({}, undefined, { highWaterMark: 16 })).pipeTo(new WritableStream({ write(x) { sum += x; } }));
  is(sum, 4999 * 2500);
});

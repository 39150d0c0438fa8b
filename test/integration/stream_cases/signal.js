// pipeTo with an AbortSignal, and the signal of a WritableStream's controller.

check('a signal that has fired already', async () => {
  const a = new AbortController();
  a.abort(boom);
  const why = [];
  const { sink, events } = recorder();
  await rejects(boom, new ReadableStream({ cancel(r) { why.push(r); } }).pipeTo(sink, { signal: a.signal }));
  same(events, ['abort', boom]);
  same(why, [boom]);
});
check('a signal that fires in between', async () => {
  const a = new AbortController(), why = [];
  const { sink, events } = recorder();
  const s = new ReadableStream({ pull(c) { c.enqueue('x'); return new Promise(() => {}); }, cancel(r) { why.push(r); } });
  const piped = s.pipeTo(sink, { signal: a.signal });
  await flush();
  a.abort();
  let error;
  try { await piped; } catch (e) { error = e; }
  is(error.name, 'AbortError');
  is(error, a.signal.reason);
  same([events[0], events[1], events[2]], ['write', 'x', 'abort']);
  is(why[0], error);
  ok(!s.locked && !sink.locked);
});
check('preventCancel and preventAbort with a signal', async () => {
  const a = new AbortController(), why = [];
  a.abort(boom);
  const { sink, events } = recorder();
  const s = new ReadableStream({ cancel(r) { why.push(r); } });
  await rejects(boom, s.pipeTo(sink, { signal: a.signal, preventAbort: true, preventCancel: true }));
  same(why, []);
  same(events, []);
});
check('a signal after the end does nothing', async () => {
  const a = new AbortController();
  const { sink, events } = recorder();
  await of('a').pipeTo(sink, { signal: a.signal, preventClose: true });
  a.abort(boom);
  await flush();
  same(events, ['write', 'a']);
});
check('abort waits for the write under way', async () => {
  const a = new AbortController();
  let end;
  const { sink, events } = recorder({ write: () => new Promise((r) => { end = r; }) });
  const piped = of('a', 'b').pipeTo(sink, { signal: a.signal });
  await flush();
  a.abort(boom);
  is(await state(piped.catch(() => {})), 'pending');
  end();
  await rejects(boom, piped);
  same(events.slice(-2), ['abort', boom]);
});
check('pipeThrough with a signal', async () => {
  const a = new AbortController();
  a.abort(boom);
  const out = of('a').pipeThrough(new TransformStream(), { signal: a.signal });
  await rejects(boom, out.getReader().read());
});
check('controller.signal fires at once on abort', async () => {
  const { sink, controller } = recorder({ write: () => new Promise(() => {}) });
  const writer = sink.getWriter();
  ok(controller.signal instanceof AbortSignal);
  is(controller.signal, controller.signal);
  is(controller.signal.aborted, false);
  await flush();
  writer.write('a');
  writer.abort(boom);
  is(controller.signal.aborted, true);
  is(controller.signal.reason, boom);
});
check('controller.signal that nobody looked at before', async () => {
  const { sink, controller } = recorder();
  await sink.abort(boom);
  is(controller.signal.aborted, true);
  is(controller.signal.reason, boom);
});
check('controller.signal is quiet on close and on errors', async () => {
  const { sink, controller } = recorder();
  await sink.close();
  is(controller.signal.aborted, false);
  const other = recorder();
  other.controller.error(boom);
  await flush();
  is(other.controller.signal.aborted, false);
});

// WritableStream, its controller and its writer.

check('constructor', async () => {
  ok(new WritableStream() instanceof WritableStream);
  is(WritableStream.length, 0);
  throws(TypeError, () => new WritableStream(null));
  throws(RangeError, () => new WritableStream({ type: 'bytes' }));
  throws(RangeError, () => new WritableStream({ type: '' }));
  for (const name of ['start', 'write', 'close', 'abort']) {
    throws(TypeError, () => new WritableStream({ [name]: {} }), name);
    throws(boom, () => new WritableStream({ get [name]() { throw boom; } }), name);
  }
  throws(boom, () => new WritableStream({ start() { throw boom; } }));
  for (const mark of [-1, NaN, 'foo']) throws(RangeError, () => new WritableStream({}, { highWaterMark: mark }));
  throws(TypeError, () => new WritableStreamDefaultController());
  throws(TypeError, () => new WritableStreamDefaultWriter({}));
  throws(TypeError, () => new WritableStreamDefaultWriter());
});
check('borrowed methods', async () => {
  await rejects(TypeError, WritableStream.prototype.abort.call({}));
  await rejects(TypeError, WritableStream.prototype.close.call({}));
  throws(TypeError, () => WritableStream.prototype.getWriter.call({}));
  const proto = WritableStreamDefaultWriter.prototype;
  for (const name of ['write', 'close', 'abort']) await rejects(TypeError, proto[name].call({}), name);
  for (const name of ['ready', 'closed']) await rejects(TypeError, Object.getOwnPropertyDescriptor(proto, name).get.call({}), name);
  throws(TypeError, () => Object.getOwnPropertyDescriptor(proto, 'desiredSize').get.call({}));
  throws(TypeError, () => Object.getOwnPropertyDescriptor(WritableStreamDefaultController.prototype, 'signal').get.call({}));
});
check('writes come one after the other, with the controller, then close', async () => {
  const log = [];
  let busy = 0;
  const sink = {
    async write(chunk, c) {
      ok(this === sink && c instanceof WritableStreamDefaultController);
      is(busy++, 0);
      log.push(chunk);
      await flush();
      busy--;
    },
    close(...a) { is(a.length, 0); log.push('close'); },
  };
  const writer = new WritableStream(sink).getWriter();
  writer.write('a');
  writer.write('b');
  const last = writer.write('c');
  const closed = writer.close();
  is(await last, undefined);
  is(await closed, undefined);
  is(await writer.closed, undefined);
  same(log, ['a', 'b', 'c', 'close']);
});
check('write waits for start', async () => {
  let open;
  const { sink, events } = recorder({ start: () => new Promise((r) => { open = r; }) });
  const writer = sink.getWriter();
  const written = writer.write('a');
  await flush();
  same(events, []);
  open();
  await written;
  same(events, ['write', 'a']);
});
check('a start that fails', async () => {
  const { sink, events } = recorder({ start: () => Promise.reject(boom) });
  const writer = sink.getWriter();
  await rejects(boom, writer.write('a'));
  await rejects(boom, writer.closed);
  await rejects(boom, writer.ready);
  same(events, []);
});
check('desiredSize and ready tell of back-pressure', async () => {
  let end;
  const { sink } = recorder({ write: () => new Promise((r) => { end = r; }) }, { highWaterMark: 2 });
  const writer = sink.getWriter();
  is(writer.desiredSize, 2);
  await writer.ready;
  await flush();
  writer.write('a');
  is(writer.desiredSize, 1);
  is(await state(writer.ready), 'fulfilled');
  writer.write('b');
  is(writer.desiredSize, 0);
  const waiting = writer.ready;
  is(await state(waiting), 'pending');
  end();
  is(await state(waiting), 'fulfilled');
  is(writer.desiredSize, 1);
});
check('ready is one promise as long as nothing changes', async () => {
  const writer = new WritableStream().getWriter();
  is(writer.ready, writer.ready);
  is(writer.closed, writer.closed);
});
check('a mark of 0 is never ready by itself', async () => {
  const writer = new WritableStream({}, { highWaterMark: 0 }).getWriter();
  is(writer.desiredSize, 0);
  is(await state(writer.ready), 'pending');
});
check('size() of the strategy', async () => {
  const writer = new WritableStream({ write: () => new Promise(() => {}) }, { highWaterMark: 10, size: (n) => n }).getWriter();
  writer.write(3);
  is(writer.desiredSize, 7);
  const bad = new WritableStream({}, { size() { throw boom; } }).getWriter();
  await rejects(boom, bad.write('a'));
  await rejects(boom, bad.closed);
  const nonsense = new WritableStream({}, { size: () => -1 }).getWriter();
  await rejects(RangeError, nonsense.write('a'));
  await rejects(RangeError, nonsense.closed);
});
check('a write that fails errors the stream and all that waits', async () => {
  for (const write of [() => { throw boom; }, () => Promise.reject(boom)]) {
    const { sink, events } = recorder({ write });
    const writer = sink.getWriter();
    const writes = [writer.write(1), writer.write(2)], closed = writer.close();
    await rejects(boom, writes[0]);
    await rejects(boom, writes[1]);
    await rejects(boom, closed);
    await rejects(boom, writer.closed);
    is(writer.desiredSize, null);
    same(events, ['write', 1]);
  }
});
check('close that fails', async () => {
  const { sink } = recorder({ close: () => Promise.reject(boom) });
  const writer = sink.getWriter();
  await rejects(boom, writer.close());
  await rejects(boom, writer.closed);
});
check('close twice, write after close', async () => {
  const writer = new WritableStream().getWriter();
  const closed = writer.close();
  await rejects(TypeError, writer.close());
  await rejects(TypeError, writer.write('a'));
  await closed;
  await rejects(TypeError, writer.close());
  await rejects(TypeError, writer.write('a'));
  is(writer.desiredSize, 0);
  const s = new WritableStream();
  await s.close();
  await rejects(TypeError, s.close());
});
check('locks', async () => {
  const s = new WritableStream();
  is(s.locked, false);
  const writer = s.getWriter();
  is(s.locked, true);
  throws(TypeError, () => s.getWriter());
  await rejects(TypeError, s.abort());
  await rejects(TypeError, s.close());
  writer.releaseLock();
  writer.releaseLock();
  is(s.locked, false);
  await rejects(TypeError, writer.write('a'));
  await rejects(TypeError, writer.close());
  await rejects(TypeError, writer.abort());
  await rejects(TypeError, writer.closed);
  await rejects(TypeError, writer.ready);
  throws(TypeError, () => writer.desiredSize);
});
check('a writer of a stream in each state', async () => {
  const closed = new WritableStream();
  await closed.close();
  const w = closed.getWriter();
  await w.ready;
  await w.closed;
  const errored = new WritableStream({ start(c) { c.error(boom); } });
  const e = errored.getWriter();
  await rejects(boom, e.ready);
  await rejects(boom, e.closed);
});
check('abort: the reason, what waits, the state', async () => {
  const { sink, events } = recorder();
  const writer = sink.getWriter();
  const write = writer.write('a');
  await flush();
  const aborted = writer.abort(boom);
  is(await aborted, undefined);
  await write;
  same(events, ['write', 'a', 'abort', boom]);
  await rejects(boom, writer.closed);
  await rejects(boom, writer.ready);
  await rejects(boom, writer.write('b'));
  is(await writer.abort(bang), undefined);
  is(events.length, 4);
});
check('abort waits for the write under way, and drops the others', async () => {
  let end;
  const { sink, events } = recorder({ write: () => new Promise((r) => { end = r; }) });
  const writer = sink.getWriter();
  await flush();
  const first = writer.write('a'), second = writer.write('b');
  const aborted = writer.abort(boom);
  await flush();
  same(events, ['write', 'a']);
  is(await state(aborted), 'pending');
  end();
  await first;
  await rejects(boom, second);
  await aborted;
  same(events, ['write', 'a', 'abort', boom]);
});
check('abort before start has ended', async () => {
  let open;
  const { sink, events } = recorder({ start: () => new Promise((r) => { open = r; }) });
  const writer = sink.getWriter();
  const write = writer.write('a'), aborted = writer.abort(boom);
  await rejects(boom, writer.ready);
  open();
  await aborted;
  await rejects(boom, write);
  same(events, ['abort', boom]);
});
check('abort that fails', async () => {
  for (const abort of [() => { throw bang; }, () => Promise.reject(bang)]) {
    const { sink } = recorder({ abort });
    const writer = sink.getWriter();
    await rejects(bang, writer.abort(boom));
    await rejects(boom, writer.closed);
  }
});
check('abort twice gives one promise', async () => {
  const { sink } = recorder();
  const writer = sink.getWriter();
  const first = writer.abort(boom), second = writer.abort(bang);
  await first;
  await second;
  await rejects(boom, writer.closed);
});
check('abort of a closed stream does nothing', async () => {
  const { sink, events } = recorder();
  await sink.close();
  is(await sink.abort(boom), undefined);
  same(events, ['close']);
});
check('abort during close', async () => {
  let end;
  const { sink, events } = recorder({ close: () => new Promise((r) => { end = r; }) });
  const writer = sink.getWriter();
  const closed = writer.close();
  await flush();
  const aborted = writer.abort(boom);
  end();
  await closed;
  await aborted;
  is(await writer.closed, undefined);
  same(events, ['close']);
});
check('controller.error', async () => {
  const { sink, controller, events } = recorder();
  const writer = sink.getWriter();
  controller.error(boom);
  controller.error(bang);
  await rejects(boom, writer.closed);
  await rejects(boom, writer.write('a'));
  is(await sink.getWriter === undefined, false);
  same(events, []);
});
check('controller.error while a write is under way', async () => {
  let end;
  const { sink, controller } = recorder({ write: () => new Promise((r) => { end = r; }) });
  const writer = sink.getWriter();
  await flush();
  const first = writer.write('a'), second = writer.write('b');
  controller.error(boom);
  await rejects(boom, writer.ready);
  is(await state(writer.closed), 'pending');
  end();
  await first;
  await rejects(boom, second);
  await rejects(boom, writer.closed);
});
check('releasing while writes wait lets them happen', async () => {
  const { sink, events } = recorder();
  const writer = sink.getWriter();
  const write = writer.write('a');
  writer.releaseLock();
  await write;
  same(events, ['write', 'a']);
});
check('closing in a new writer after release', async () => {
  const { sink, events } = recorder();
  sink.getWriter().releaseLock();
  await sink.getWriter().close();
  same(events, ['close']);
});
check('size() that releases the lock', async () => {
  let writer;
  const s = new WritableStream({}, { size() { writer.releaseLock(); return 1; } });
  writer = s.getWriter();
  await rejects(TypeError, writer.write('a'));
});

// tee() of chunks and of bytes.

check('tee gives an array of two that both read all', async () => {
  const s = of({ n: 1 }, { n: 2 });
  const branches = s.tee();
  ok(Array.isArray(branches));
  is(branches.length, 2);
  is(s.locked, true);
  const [a, b] = await Promise.all(branches.map(all));
  same(a, [{ n: 1 }, { n: 2 }]);
  same(b, a);
  is(a[0], b[0]);
});
check('one branch does not wait for the other', async () => {
  const [a, b] = of(1, 2, 3).tee();
  same(await all(a), [1, 2, 3]);
  same(await all(b), [1, 2, 3]);
});
check('errors reach both', async () => {
  let c;
  const [a, b] = new ReadableStream({ start(k) { c = k; } }).tee();
  const ra = a.getReader(), rb = b.getReader();
  c.enqueue('x');
  await flush();
  c.error(boom);
  await rejects(boom, ra.closed);
  await rejects(boom, rb.closed);
});
check('cancel of one branch leaves the other', async () => {
  const why = [];
  const s = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close(); }, cancel(r) { why.push(r); } });
  const [a, b] = s.tee();
  a.cancel(boom);
  same(await all(b), [1, 2]);
  same(why, []);
});
check('cancel of both cancels with both reasons', async () => {
  for (const order of [[0, 1], [1, 0]]) {
    let why;
    const branches = new ReadableStream({ cancel(r) { why = r; } }).tee(), reasons = [boom, bang];
    const ends = order.map((n) => branches[n].cancel(reasons[n]));
    await Promise.all(ends);
    ok(Array.isArray(why));
    is(why[0], boom);
    is(why[1], bang);
  }
});
check('a cancel that fails fails both', async () => {
  const [a, b] = new ReadableStream({ cancel() { throw boom; } }).tee();
  const ends = [a.cancel(), b.cancel()];
  await rejects(boom, ends[0]);
  await rejects(boom, ends[1]);
});
check('cancel of a branch ends with the stream', async () => {
  let c;
  const [a, b] = new ReadableStream({ start(k) { c = k; } }).tee();
  const end = a.cancel();
  c.close();
  is(await end, undefined);
  same(await all(b), []);
});
check('pull is asked for by both, once', async () => {
  let pulls = 0;
  const [a, b] = new ReadableStream({ pull(c) { c.enqueue(++pulls); } }, { highWaterMark: 0 }).tee();
  await flush();
  is(pulls, 1);
  const ra = a.getReader(), rb = b.getReader();
  same([(await ra.read()).value, (await rb.read()).value], [1, 1]);
  await flush();
  is(pulls, 2);
});
check('bytes: the branches have buffers of their own', async () => {
  const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1, 2])); c.close(); } });
  const [a, b] = s.tee();
  const [x, y] = [(await a.getReader().read()).value, (await b.getReader().read()).value];
  same([...x], [1, 2]);
  same([...y], [1, 2]);
  ok(x.buffer !== y.buffer);
  x[0] = 9;
  is(y[0], 1);
});
check('bytes: BYOB reads from both branches', async () => {
  const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1, 2, 3])); c.close(); } });
  const readers = s.tee().map((branch) => branch.getReader({ mode: 'byob' }));
  const first = await readers[0].read(new Uint8Array(10));
  same([...first.value], [1, 2, 3]);
  same([...(await readers[1].read(new Uint8Array(2))).value], [1, 2]);
  same([...(await readers[1].read(new Uint8Array(2))).value], [3]);
  const end = await readers[0].read(new Uint8Array(4));
  ok(end.done && end.value.byteLength === 0);
});
check('bytes: a BYOB read of a branch reaches the source', async () => {
  const views = [];
  const s = new ReadableStream({
    type: 'bytes',
    pull(c) {
      if (!c.byobRequest) return;
      views.push(c.byobRequest.view.byteLength);
      c.byobRequest.view[0] = 7;
      c.byobRequest.respond(1);
    },
  });
  const [a, b] = s.tee();
  const r = await a.getReader({ mode: 'byob' }).read(new Uint8Array(16));
  same([...r.value], [7]);
  same(views, [16]);
  same([...(await b.getReader().read()).value], [7]);
});
check('bytes: a mix of readers', async () => {
  let n = 0;
  const s = new ReadableStream({ type: 'bytes', pull(c) { if (++n > 4) { c.close(); c.byobRequest?.respond(0); } else c.enqueue(new Uint8Array([n])); } });
  const [a, b] = s.tee();
  const got = [[], []];
  const byob = (async () => {
    const r = a.getReader({ mode: 'byob' });
    for (;;) {
      const { value, done } = await r.read(new Uint8Array(3));
      if (done) return;
      got[0].push(...value);
    }
  })();
  const plain = (async () => { for await (const chunk of b) got[1].push(...chunk); })();
  await Promise.all([byob, plain]);
  same(got, [[1, 2, 3, 4], [1, 2, 3, 4]]);
});
check('bytes: errors and cancels', async () => {
  let c, why;
  const [a, b] = new ReadableStream({ type: 'bytes', start(k) { c = k; } }).tee();
  const reads = [a.getReader({ mode: 'byob' }).read(new Uint8Array(1)), b.getReader().read()];
  await flush();
  c.error(boom);
  await rejects(boom, reads[0]);
  await rejects(boom, reads[1]);
  const [x, y] = new ReadableStream({ type: 'bytes', cancel(r) { why = r; } }).tee();
  await Promise.all([x.cancel(1), y.cancel(2)]);
  same(why, [1, 2]);
});
check('bytes: closing with BYOB reads waiting on both branches', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const readers = s.tee().map((branch) => branch.getReader({ mode: 'byob' }));
  const reads = readers.map((r) => r.read(new Uint8Array(2)));
  await flush();
  c.close();
  c.byobRequest?.respond(0);
  for (const read of reads) {
    const r = await read;
    ok(r.done && r.value.byteLength === 0);
  }
});

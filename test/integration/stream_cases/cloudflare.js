// What Cloudflare adds: IdentityTransformStream, FixedLengthStream, readAtLeast.

check('IdentityTransformStream passes bytes', async () => {
  const t = new IdentityTransformStream();
  ok(t instanceof TransformStream);
  const writer = t.writable.getWriter();
  const done = (async () => { await writer.write(new Uint8Array([1, 2])); await writer.write(new Uint8Array([3]).buffer); await writer.close(); })();
  const got = [];
  for await (const chunk of t.readable) got.push(...chunk);
  await done;
  same(got, [1, 2, 3]);
});
check('IdentityTransformStream: a write ends when it was read; the bytes stay the writer\'s', async () => {
  const t = new IdentityTransformStream(), writer = t.writable.getWriter();
  const mine = new Uint8Array([1, 2]);
  const write = writer.write(mine);
  is(await state(write), 'pending');
  is(mine.byteLength, 2);
  const reader = t.readable.getReader({ mode: 'byob' });
  same([...(await reader.read(new Uint8Array(1))).value], [1]);
  is(await state(write), 'pending');
  same([...(await reader.read(new Uint8Array(1))).value], [2]);
  is(await write, undefined);
});
check('IdentityTransformStream refuses text', async () => {
  const t = new IdentityTransformStream(), writer = t.writable.getWriter();
  await rejects(TypeError, writer.write('text'));
  const u = new IdentityTransformStream();
  await rejects(TypeError, u.writable.getWriter().write({}));
});
check('IdentityTransformStream: abort and cancel let go of a write that waits', async () => {
  const t = new IdentityTransformStream(), writer = t.writable.getWriter();
  await flush();
  const write = writer.write(new Uint8Array(1));
  const reader = t.readable.getReader();
  const aborted = writer.abort(boom);
  await rejects(boom, write);
  await aborted;
  await rejects(boom, reader.read());
  const u = new IdentityTransformStream(), w = u.writable.getWriter();
  await flush();
  const waiting = w.write(new Uint8Array(1));
  await flush();
  await u.readable.cancel(bang);
  await rejects(bang, waiting);
  await rejects(bang, w.closed);
});
check('IdentityTransformStream ends a BYOB read', async () => {
  const t = new IdentityTransformStream();
  const read = t.readable.getReader({ mode: 'byob' }).read(new Uint8Array(4));
  await t.writable.close();
  const { value, done } = await read;
  ok(done && value.byteLength === 0);
});
check('FixedLengthStream passes what fits', async () => {
  const t = new FixedLengthStream(3);
  ok(t instanceof IdentityTransformStream);
  const writer = t.writable.getWriter();
  const done = (async () => { await writer.write(new Uint8Array(2)); await writer.write(new Uint8Array(1)); await writer.close(); })();
  let size = 0;
  for await (const chunk of t.readable) size += chunk.byteLength;
  await done;
  is(size, 3);
});
check('FixedLengthStream refuses too much and too little', async () => {
  const t = new FixedLengthStream(1);
  const read = t.readable.getReader().read();
  await rejects(TypeError, t.writable.getWriter().write(new Uint8Array(2)));
  await rejects(TypeError, read);
  const u = new FixedLengthStream(2), writer = u.writable.getWriter(), reader = u.readable.getReader();
  writer.write(new Uint8Array(1));
  await reader.read();
  await rejects(TypeError, writer.close());
  await rejects(TypeError, reader.read());
  for (const bad of [-1, undefined, 'x']) throws(TypeError, () => new FixedLengthStream(bad), String(bad));
});
check('readAtLeast', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const read = s.getReader({ mode: 'byob' }).readAtLeast(3, new Uint8Array(8));
  c.enqueue(new Uint8Array([1, 2]));
  is(await state(read), 'pending');
  c.enqueue(new Uint8Array([3, 4]));
  same([...(await read).value], [1, 2, 3, 4]);
});

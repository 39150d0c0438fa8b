// Streams of bytes: the controller, BYOB readers and requests.
const bytes = (...n) => new Uint8Array(n);
const view = async (promise) => {
  const { value, done } = await promise;
  return [value === undefined ? undefined : [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)], done];
};

check('constructor', async () => {
  let c;
  new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  ok(c instanceof ReadableByteStreamController);
  is(c.desiredSize, 0);
  is(c.byobRequest, null);
  new ReadableStream({ type: { toString: () => 'bytes' } });
  throws(RangeError, () => new ReadableStream({ type: 'bytes' }, { size: () => 1 }));
  throws(RangeError, () => new ReadableStream({ type: 'bytes' }, { highWaterMark: -1 }));
  throws(TypeError, () => new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 0 }));
  throws(TypeError, () => new ReadableStream({ type: 'bytes', autoAllocateChunkSize: -1 }));
  throws(TypeError, () => new ReadableStream({ type: 'bytes', autoAllocateChunkSize: Infinity }));
  throws(TypeError, () => new ReadableByteStreamController());
  throws(TypeError, () => new ReadableStreamBYOBRequest());
  throws(TypeError, () => new ReadableStreamBYOBReader({}));
  throws(TypeError, () => new ReadableStreamBYOBReader(new ReadableStream()));
});
check('borrowed methods', async () => {
  const proto = ReadableStreamBYOBReader.prototype;
  await rejects(TypeError, proto.read.call({}, bytes(1)));
  await rejects(TypeError, proto.cancel.call({}));
  throws(TypeError, () => proto.releaseLock.call({}));
  throws(TypeError, () => Object.getOwnPropertyDescriptor(ReadableByteStreamController.prototype, 'byobRequest').get.call({}));
  throws(TypeError, () => Object.getOwnPropertyDescriptor(ReadableStreamBYOBRequest.prototype, 'view').get.call({}));
});
check('enqueue moves the bytes', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const chunk = bytes(1, 2, 3, 4);
  c.enqueue(chunk.subarray(1, 3));
  is(chunk.byteLength, 0);
  is(c.desiredSize, -2);
  const { value } = await s.getReader().read();
  ok(value instanceof Uint8Array && value.constructor === Uint8Array);
  same([...value], [2, 3]);
  is(value.byteOffset, 1);
});
check('enqueue refuses', async () => {
  let c;
  new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  throws(TypeError, () => c.enqueue());
  throws(TypeError, () => c.enqueue('text'));
  throws(TypeError, () => c.enqueue(new ArrayBuffer(4)));
  throws(TypeError, () => c.enqueue(bytes()));
  throws(TypeError, () => c.enqueue(new DataView(new ArrayBuffer(2), 2)));
  const gone = bytes(1);
  structuredClone0(gone.buffer);
  throws(TypeError, () => c.enqueue(gone));
  c.close();
  throws(TypeError, () => c.enqueue(bytes(1)));
  throws(TypeError, () => c.close());
});
check('what is queued is read piece by piece by default readers', async () => {
  const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes(1)); c.enqueue(bytes(2, 3)); c.close(); } });
  const reader = s.getReader();
  same(await view(reader.read()), [[1], false]);
  same(await view(reader.read()), [[2, 3], false]);
  same(await view(reader.read()), [undefined, true]);
});
check('BYOB reads gather from the queue and split it', async () => {
  const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes(1)); c.enqueue(bytes(2, 3)); c.enqueue(bytes(4)); c.close(); } });
  const reader = s.getReader({ mode: 'byob' });
  same(await view(reader.read(new Uint8Array(2))), [[1, 2], false]);
  same(await view(reader.read(new Uint8Array(9))), [[3, 4], false]);
  same(await view(reader.read(new Uint8Array(9))), [[], true]);
});
check('BYOB reads take the view: its kind, its place, its buffer', async () => {
  const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes(1, 0, 2, 0, 3)); } });
  const reader = s.getReader({ mode: 'byob' });
  const mine = new Uint16Array(new ArrayBuffer(12), 2, 3);
  const { value } = await reader.read(mine);
  is(mine.byteLength, 0);
  ok(value instanceof Uint16Array);
  same([...value], [1, 2]);
  is(value.byteOffset, 2);
  is(value.buffer.byteLength, 12);
  const rest = await reader.read(new DataView(new ArrayBuffer(1)));
  ok(rest.value instanceof DataView);
  is(rest.value.getUint8(0), 3);
});
check('BYOB read refuses', async () => {
  const s = new ReadableStream({ type: 'bytes' });
  const reader = s.getReader({ mode: 'byob' });
  await rejects(TypeError, reader.read());
  await rejects(TypeError, reader.read({}));
  await rejects(TypeError, reader.read(bytes()));
  await rejects(TypeError, reader.read(new Uint8Array(new ArrayBuffer(0))));
  await rejects(TypeError, reader.read(bytes(1), { min: 0 }));
  await rejects(TypeError, reader.read(bytes(1), { min: -1 }));
  await rejects(RangeError, reader.read(bytes(1), { min: 2 }));
  const gone = bytes(1);
  structuredClone0(gone.buffer);
  await rejects(TypeError, reader.read(gone));
});
check('a BYOB read that waits is filled by enqueue', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const read = s.getReader({ mode: 'byob' }).read(new Uint8Array(2));
  c.enqueue(bytes(1, 2, 3));
  same(await view(read), [[1, 2], false]);
  is(c.desiredSize, -1);
});
check('byobRequest: view, respond', async () => {
  let c, pulls = 0;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; }, pull() { pulls++; } });
  const reader = s.getReader({ mode: 'byob' });
  const read = reader.read(new Uint8Array(new ArrayBuffer(10), 3, 5));
  await flush();
  is(pulls, 1);
  const request = c.byobRequest;
  ok(request instanceof ReadableStreamBYOBRequest);
  is(c.byobRequest, request);
  ok(request.view instanceof Uint8Array);
  same([request.view.byteOffset, request.view.byteLength, request.view.buffer.byteLength], [3, 5, 10]);
  request.view[0] = 42;
  throws(TypeError, () => request.respond(0));
  throws(RangeError, () => request.respond(6));
  throws(TypeError, () => request.respond(-1));
  throws(TypeError, () => request.respond(NaN === 0 ? 0 : Infinity));
  request.respond(1);
  same(await view(read), [[42], false]);
  is(request.view, null);
  throws(TypeError, () => request.respond(1));
  is(c.byobRequest, null);
});
check('respondWithNewView', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const reader = s.getReader({ mode: 'byob' });
  const read = reader.read(new Uint8Array(4));
  const moved = c.byobRequest.view;
  throws(TypeError, () => c.byobRequest.respondWithNewView({}));
  throws(RangeError, () => c.byobRequest.respondWithNewView(new Uint8Array(5)));
  throws(RangeError, () => c.byobRequest.respondWithNewView(new Uint8Array(moved.buffer, 1, 2)));
  const fresh = new Uint8Array(new ArrayBuffer(4), 0, 2);
  fresh.set([8, 9]);
  c.byobRequest.respondWithNewView(fresh);
  is(fresh.byteLength, 0);
  same(await view(read), [[8, 9], false]);
});
check('respond with part of an element keeps the rest', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const reader = s.getReader({ mode: 'byob' });
  const read = reader.read(new Uint16Array(2));
  c.byobRequest.view[0] = 1;
  c.byobRequest.respond(1);
  is(c.byobRequest.view.byteLength, 3);
  c.byobRequest.view.set([0, 2]);
  c.byobRequest.respond(2);
  const { value } = await read;
  same([...value], [1]);
  same(await view(reader.read(new Uint8Array(1))), [[2], false]);
});
check('closing in the middle of an element', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const reader = s.getReader({ mode: 'byob' });
  const read = reader.read(new Uint16Array(2));
  c.enqueue(bytes(1));
  throws(TypeError, () => c.close());
  await rejects(TypeError, read);
});
check('close with a BYOB read waiting needs respond(0)', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const reader = s.getReader({ mode: 'byob' });
  const read = reader.read(new Uint8Array(7));
  c.close();
  is(await state(read), 'pending');
  throws(TypeError, () => c.byobRequest.respond(1));
  c.byobRequest.respond(0);
  const { value, done } = await read;
  ok(done && value.byteLength === 0 && value.buffer.byteLength === 7);
  await reader.closed;
});
check('min', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const reader = s.getReader({ mode: 'byob' });
  const read = reader.read(new Uint8Array(8), { min: 3 });
  c.enqueue(bytes(1));
  is(await state(read), 'pending');
  c.byobRequest.view[0] = 2;
  c.byobRequest.respond(1);
  is(await state(read), 'pending');
  c.enqueue(bytes(3, 4));
  same(await view(read), [[1, 2, 3, 4], false]);
});
check('min at the end of the stream', async () => {
  const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes(1)); }, pull(c) { c.close(); c.byobRequest.respond(0); } });
  const reader = s.getReader({ mode: 'byob' });
  same(await view(reader.read(new Uint8Array(4), { min: 3 })), [[1], true]);
});
check('autoAllocateChunkSize gives default readers a byobRequest', async () => {
  const s = new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 16, pull(c) { is(c.byobRequest.view.byteLength, 16); c.byobRequest.view[0] = 5; c.byobRequest.respond(1); } });
  const { value } = await s.getReader().read();
  same([...value], [5]);
  is(value.buffer.byteLength, 16);
});
check('autoAllocateChunkSize and enqueue instead', async () => {
  const s = new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 16, pull(c) { c.enqueue(bytes(1, 2)); } });
  const reader = s.getReader();
  same(await view(reader.read()), [[1, 2], false]);
  same(await view(reader.read()), [[1, 2], false]);
});
check('cancel of a BYOB reader', async () => {
  let why, c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; }, cancel(r) { why = r; } });
  const reader = s.getReader({ mode: 'byob' });
  const read = reader.read(new Uint8Array(2));
  const request = c.byobRequest;
  is(await reader.cancel('why'), undefined);
  is(why, 'why');
  same(await read, { value: undefined, done: true });
  is(request.view, null);
  is(c.byobRequest, null);
});
check('errors reach BYOB reads', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const reader = s.getReader({ mode: 'byob' });
  const reads = [reader.read(new Uint8Array(1)), reader.read(new Uint8Array(1))];
  c.error(boom);
  await rejects(boom, reads[0]);
  await rejects(boom, reads[1]);
  await rejects(boom, reader.read(new Uint8Array(1)));
  await rejects(boom, reader.closed);
});
check('a released BYOB reader: its buffer is filled for the next one', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const first = s.getReader({ mode: 'byob' });
  const read = first.read(new Uint8Array(4));
  const request = c.byobRequest;
  first.releaseLock();
  await rejects(TypeError, read);
  const second = s.getReader({ mode: 'byob' });
  const next = second.read(new Uint8Array(4));
  is(c.byobRequest, request);
  request.view[0] = 7;
  request.respond(1);
  same(await view(next), [[7], false]);
});
check('a released BYOB reader and enqueue', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  const first = s.getReader({ mode: 'byob' });
  first.read(new Uint8Array(4)).catch(() => {});
  c.byobRequest;
  first.releaseLock();
  const next = s.getReader().read();
  c.enqueue(bytes(1, 2));
  same(await view(next), [[1, 2], false]);
});
check('a detached byobRequest view', async () => {
  let c;
  const s = new ReadableStream({ type: 'bytes', start(k) { c = k; } });
  s.getReader({ mode: 'byob' }).read(new Uint8Array(4)).catch(() => {});
  structuredClone0(c.byobRequest.view.buffer);
  throws(TypeError, () => c.byobRequest.respond(1));
});
check('pull is called for reads, and not before start', async () => {
  let pulls = 0, open;
  const s = new ReadableStream({ type: 'bytes', start: () => new Promise((r) => { open = r; }), pull(c) { pulls++; c.enqueue(bytes(1)); } });
  const read = s.getReader().read();
  await flush();
  is(pulls, 0);
  open();
  await read;
  is(pulls, 1);
});
check('a mark above 0 pulls ahead', async () => {
  let pulls = 0;
  new ReadableStream({ type: 'bytes', pull(c) { pulls++; c.enqueue(bytes(1, 2)); } }, { highWaterMark: 6 });
  await flush();
  is(pulls, 3);
});
check('pull that fails', async () => {
  const s = new ReadableStream({ type: 'bytes', pull() { throw boom; } });
  await rejects(boom, s.getReader().read());
});
check('iteration and pipes of bytes', async () => {
  const make = () => { let n = 0; return new ReadableStream({ type: 'bytes', pull(c) { if (n === 3) c.close(); else c.enqueue(bytes(n++)); } }); };
  const got = [];
  for await (const chunk of make()) got.push(...chunk);
  same(got, [0, 1, 2]);
  const { sink, events } = recorder();
  await make().pipeTo(sink);
  is(events.length, 7);
});

check('a buffer that a byobRequest has shown is taken away, whatever comes next', async () => {
  for (const way of ['enqueue', 'respond', 'new view', 'automatic']) {
    let shown, given;
    const stream = new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: way === 'automatic' ? 16 : undefined,
      pull(c) {
        shown = c.byobRequest.view;
        shown[0] = 7;
        given = new Uint8Array([1, 2, 3]);
        if (way === 'respond') c.byobRequest.respond(1);
        else if (way === 'new view') c.byobRequest.respondWithNewView(new Uint8Array(shown.buffer, 0, 1));
        else c.enqueue(given);
      },
    });
    const isDefault = way === 'automatic', mine = new Uint8Array(16);
    const reader = stream.getReader(isDefault ? undefined : { mode: 'byob' });
    const { value, done } = await (isDefault ? reader.read() : reader.read(mine));
    is(done, false, way);
    same([...value], way === 'respond' || way === 'new view' ? [7] : [1, 2, 3], way);
    is(shown.byteLength, 0, `${way}: the view that was shown`);
    if (!isDefault) is(mine.byteLength, 0, `${way}: the view that was given to read()`);
    if (isDefault || way === 'enqueue') is(given.byteLength, 0, `${way}: the chunk`);
    is(value.buffer === shown.buffer, false, way);
  }
});

check('a buffer that was shown and then taken by the source itself', async () => {
  let c;
  const stream = new ReadableStream({ type: 'bytes', start(controller) { c = controller; } });
  const reader = stream.getReader({ mode: 'byob' }), read = reader.read(new Uint8Array(4));
  await flush();
  structuredClone(c.byobRequest.view.buffer, { transfer: [c.byobRequest.view.buffer] });
  throws(TypeError, () => c.enqueue(new Uint8Array([1])), 'enqueue');
  throws(TypeError, () => c.byobRequest.respond(1), 'respond');
  c.error('over');
  await rejects('over', read);
});

check('reads that wait behind each other, all filled by one chunk', async () => {
  let c;
  const stream = new ReadableStream({ type: 'bytes', start(controller) { c = controller; } });
  const reader = stream.getReader({ mode: 'byob' });
  const reads = [reader.read(new Uint8Array(2)), reader.read(new Uint16Array(2)), reader.read(new DataView(new ArrayBuffer(8), 1, 4))];
  await flush();
  const { view } = c.byobRequest;
  is(view.byteLength, 2);
  c.enqueue(new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
  const got = await Promise.all(reads);
  is(view.byteLength, 0, 'the view that was shown');
  same([...got[0].value], [1, 2]);
  ok(got[1].value instanceof Uint16Array && got[2].value instanceof DataView);
  same([...new Uint8Array(got[1].value.buffer)], [3, 4, 5, 6]);
  is(got[2].value.byteLength, 1);
  is(got[2].value.byteOffset, 1);
  is(got[2].value.getUint8(0), 7);
});

check('both branches of a tee, read with buffers of their own', async () => {
  let n = 0;
  const stream = new ReadableStream({
    type: 'bytes',
    pull(c) {
      if (n === 3) {
        c.close();
        c.byobRequest?.respond(0);
        return;
      }
      if (c.byobRequest) {
        c.byobRequest.view[0] = ++n;
        c.byobRequest.respond(1);
      } else c.enqueue(new Uint8Array([++n]));
    },
  });
  const readers = stream.tee().map((branch) => branch.getReader({ mode: 'byob' }));
  for (let i = 1; i <= 3; i++) {
    for (const reader of readers) {
      const { value, done } = await reader.read(new Uint8Array(4));
      is(done, false);
      same([...value], [i]);
      is(value.buffer.byteLength, 4);
    }
  }
  for (const reader of readers) {
    const { value, done } = await reader.read(new Uint8Array(4));
    is(done, true);
    is(value.byteLength, 0);
    is(value.buffer.byteLength, 4);
  }
});

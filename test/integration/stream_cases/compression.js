// CompressionStream and DecompressionStream.
const bytes = (...values) => new Uint8Array(values);
const latin = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const from64 = (text) => latin(atob(text));
const text = (chunks) => new TextDecoder().decode(join(chunks));
function join(chunks) {
  const whole = new Uint8Array(chunks.reduce((n, c) => n + c.byteLength, 0));
  let at = 0;
  for (const c of chunks) { whole.set(c, at); at += c.byteLength; }
  return whole;
}
const pack = async (format, ...chunks) => join(await all(of(...chunks).pipeThrough(new CompressionStream(format))));
const unpack = async (format, ...chunks) => join(await all(of(...chunks).pipeThrough(new DecompressionStream(format))));
function noise(size) {
  const some = new Uint8Array(size);
  for (let i = 0, x = 1; i < size; i++) some[i] = (x = Math.imul(x, 1664525) + 1013904223 | 0) >>> 24;
  return some;
}
const FORMATS = ['gzip', 'deflate', 'deflate-raw', 'brotli'];
const EXPECTED = 'expected output';
// 'expected output' as others pack it.
const PACKED = {
  gzip: from64('H4sIAAAAAAACA0utKEhNLklNUcgvLSkoLQEAsAE5sw8AAAA='),
  deflate: from64('eJxLrShITS5JTVHILy0pKC0BADCtBiQ='),
  'deflate-raw': from64('S60oSE0uSU1RyC8tKSgtAQA='),
  brotli: bytes(0x0b, 0x07, 0x80, ...latin(EXPECTED), 0x03),
};
const LARGE = new Uint8Array(300000).map((_, i) => (i * 7919 >> 5) & 255);

for (const format of FORMATS) {
  check(`${format}: what others packed`, async () => is(text([await unpack(format, PACKED[format])]), EXPECTED));
  check(`${format}: cut anywhere`, async () => {
    const packed = PACKED[format];
    for (let i = 0; i <= packed.length; i++) is(text([await unpack(format, packed.subarray(0, i), packed.subarray(i))]), EXPECTED, `at ${i}`);
    is(text([await unpack(format, ...[...packed].map((b) => bytes(b)))]), EXPECTED, 'byte by byte');
  });
  check(`${format}: cut short`, async () => {
    const packed = PACKED[format];
    for (let i = 0; i < packed.length; i++) await rejects(TypeError, unpack(format, packed.subarray(0, i)), `of ${i}`);
    await rejects(TypeError, unpack(format), 'of nothing');
    await rejects(TypeError, unpack(format, new Uint8Array(0)), 'of an empty chunk');
  });
  check(`${format}: something behind the end`, async () => {
    const packed = PACKED[format];
    await rejects(TypeError, unpack(format, join([packed, bytes(0)])), 'in the same chunk');
    await rejects(TypeError, unpack(format, packed, bytes(1, 2, 3)), 'in the next one');
    await rejects(TypeError, unpack(format, packed, packed), 'the same once more');
    is(text([await unpack(format, packed, new Uint8Array(0))]), EXPECTED, 'an empty chunk is nothing');
  });
  check(`${format}: there and back`, async () => {
    for (const chunks of [[], [new Uint8Array(0)], [latin('a')], [latin('Hello, '), latin('world!')], [LARGE], [LARGE, LARGE.subarray(5), LARGE]]) {
      const packed = await pack(format, ...chunks);
      ok(packed.length > 0);
      const back = await unpack(format, packed), whole = join(chunks);
      is(back.length, whole.length);
      ok(back.every((b, i) => b === whole[i]), 'the same bytes');
    }
  });
  check(`${format}: chunks of every kind of buffer`, async () => {
    const buffer = latin('xabcdefgh').buffer;
    for (const [chunk, wanted] of [[latin('abcd').buffer, 'abcd'], [new DataView(buffer, 1, 3), 'abc'], [new Uint16Array(buffer.slice(1, 5)), 'abcd'],
      [new Uint8ClampedArray(buffer, 2, 2), 'bc'], [new Int8Array(buffer, 8), 'h'], [new Float64Array(buffer.slice(0, 8)), 'xabcdefg'], [new BigInt64Array(buffer.slice(0, 8)), 'xabcdefg']])
      is(text([await unpack(format, await pack(format, chunk))]), wanted, chunk.constructor.name);
    is(text([await unpack(format, PACKED[format].slice().buffer)]), EXPECTED);
    is(text([await unpack(format, new DataView(join([bytes(9), PACKED[format]]).buffer, 1))]), EXPECTED);
  });
  check(`${format}: chunks that are no buffers`, async () => {
    for (const bad of [undefined, null, 3.14, 'text', {}, [1, 2], Symbol.iterator, true, 5n, new Date(), () => {}]) {
      for (const stream of [new CompressionStream(format), new DecompressionStream(format)]) {
        const writer = stream.writable.getWriter(), reader = stream.readable.getReader();
        const write = writer.write(bad), read = reader.read();
        await rejects(TypeError, write, 'write');
        await rejects(TypeError, read, 'read');
        await rejects(TypeError, writer.closed, 'closed');
      }
    }
  });
  check(`${format}: the reader holds the writer back`, async () => {
    const packed = await pack(format, new Uint8Array(4_000_000));
    ok(packed.length < 10_000);
    const stream = new DecompressionStream(format), writer = stream.writable.getWriter(), reader = stream.readable.getReader();
    const written = writer.write(packed);
    const { value } = await reader.read();
    ok(value.byteLength <= 65536);
    is(await state(written), 'pending');
    let size = value.byteLength;
    const closed = writer.close();
    for (;;) {
      const { value: next, done } = await reader.read();
      if (done) break;
      size += next.byteLength;
    }
    is(size, 4_000_000);
    await written;
    await closed;
  });
  check(`${format}: cancelled and aborted`, async () => {
    const packed = await pack(format, new Uint8Array(3_000_000));
    let stream = new DecompressionStream(format), writer = stream.writable.getWriter(), reader = stream.readable.getReader();
    const written = writer.write(packed);
    await reader.read();
    await reader.cancel(boom);
    await rejects(boom, writer.closed);
    is(await written, undefined);
    stream = new DecompressionStream(format);
    writer = stream.writable.getWriter();
    reader = stream.readable.getReader();
    await writer.abort(bang);
    await rejects(bang, reader.read());
    stream = new CompressionStream(format);
    writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    reader = stream.readable.getReader();
    const first = reader.read(), w = writer.write(noise(4_000_000));
    w.catch(() => {});
    await first;
    await reader.cancel(boom);
    await rejects(boom, writer.closed);
  });
  check(`${format}: close() under way when the reader leaves`, async () => {
    const stream = new CompressionStream(format), writer = stream.writable.getWriter(), reader = stream.readable.getReader();
    writer.write(noise(200_000)).catch(() => {});
    const closed = writer.close();
    closed.catch(() => {});
    await reader.read();
    await reader.read();
    await Promise.race([reader.cancel(boom), new Promise((_, reject) => setTimeout(() => reject(new Error('cancel() hangs')), 3000))]);
    is(await Promise.race([closed.then(() => 'ended', () => 'ended'), new Promise((f) => setTimeout(f, 3000, 'hangs'))]), 'ended');
  });
  check(`${format}: the same bytes, whatever the chunks`, async () => {
    const whole = await pack(format, LARGE), parts = [];
    for (let i = 0; i < LARGE.length; i += 10007) parts.push(LARGE.subarray(i, i + 10007));
    const back = await unpack(format, await pack(format, ...parts));
    ok(back.every((b, i) => b === LARGE[i]) && back.length === LARGE.length);
    ok(whole.length < LARGE.length);
  });
  check(`${format}: damage`, async () => {
    // A flipped bit is an error, or with no checksum perhaps other bytes: never a hang and no other kind of error.
    const packed = await pack(format, LARGE.subarray(0, 2000));
    let count_ = 0;
    for (let i = 0; i < packed.length; i += 3) {
      const bad = packed.slice();
      bad[i] ^= 1 << (i & 7);
      try { await unpack(format, bad); } catch (e) { ok(e instanceof TypeError); count_++; }
    }
    ok(count_ > 10, `errors, not ${count_}`);
  });
}
check('gzip: fields, checksum and length', async () => {
  const packed = PACKED.gzip, at = (index, value) => { const bad = packed.slice(); bad[index] = value; return bad; };
  for (const [index, value, what] of [[0, 255, 'ID1'], [1, 255, 'ID2'], [2, 9, 'CM'], [3, 0xe0, 'reserved flags'],
    [packed.length - 8, 0, 'CRC32'], [packed.length - 5, 1, 'CRC32'], [packed.length - 4, 0, 'ISIZE'], [packed.length - 1, 1, 'ISIZE']])
    await rejects(TypeError, unpack('gzip', at(index, value)), what);
  for (const index of [4, 5, 6, 7, 8, 9]) is(text([await unpack('gzip', at(index, 1))]), EXPECTED, `field ${index} does not matter`);
  const named = join([bytes(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3), latin('name\0'), packed.subarray(10)]);
  is(text([await unpack('gzip', named)]), EXPECTED, 'FNAME');
  const comment = join([bytes(0x1f, 0x8b, 8, 0x14, 0, 0, 0, 0, 0, 3), bytes(2, 0, 7, 7), latin('hi\0'), packed.subarray(10)]);
  is(text([await unpack('gzip', comment)]), EXPECTED, 'FEXTRA and FCOMMENT');
});
check('deflate: header and checksum', async () => {
  const packed = PACKED.deflate, at = (index, value) => { const bad = packed.slice(); bad[index] = value; return bad; };
  await rejects(TypeError, unpack('deflate', at(0, 0)), 'CMF');
  await rejects(TypeError, unpack('deflate', at(1, 2)), 'FCHECK');
  await rejects(TypeError, unpack('deflate', join([bytes(0x78, 0xbb, 0, 0, 0, 1), packed.subarray(2)])), 'a dictionary');
  for (let i = 1; i <= 4; i++) await rejects(TypeError, unpack('deflate', at(packed.length - i, packed[packed.length - i] ^ 1)), `ADLER ${i}`);
});
check('what is packed has the format\'s own marks', async () => {
  same([...(await pack('gzip', latin('a'))).subarray(0, 4)], [0x1f, 0x8b, 8, 0]);
  same([...(await pack('deflate', latin('a'))).subarray(0, 2)], [0x78, 0x9c]);
  same([...await pack('deflate-raw', latin('a'))], [0x4b, 4, 0]);
  same([...await pack('deflate-raw')], [3, 0]);
  is((await pack('gzip')).length, 20);
  same([...(await pack('deflate'))], [0x78, 0x9c, 3, 0, 0, 0, 0, 1]);
});
check('one format is not another', async () => {
  for (const a of ['gzip', 'deflate', 'deflate-raw']) for (const b of ['gzip', 'deflate', 'deflate-raw'])
    if (a !== b) await rejects(TypeError, unpack(a, PACKED[b]), `${b} as ${a}`);
});
check('what came before the damage is lost with it, or was read', async () => {
  const stream = new DecompressionStream('deflate'), writer = stream.writable.getWriter(), reader = stream.readable.getReader();
  const read = reader.read();
  writer.write(PACKED.deflate).catch(() => {});
  is(text([(await read).value]), EXPECTED);
  const write = writer.write(bytes(1)), next = reader.read();
  await rejects(TypeError, write);
  await rejects(TypeError, next);
  await rejects(TypeError, reader.closed);
});
check('constructors', async () => {
  for (const Stream of [CompressionStream, DecompressionStream]) {
    for (const bad of ['', 'GZIP', 'zip', 'gzip ', 'invalid', null, 5, undefined, {}, 'constructor', '__proto__', 'toString']) throws(TypeError, () => new Stream(bad), String(bad));
    throws(TypeError, () => new Stream(), 'no format');
    throws(TypeError, () => Stream('gzip'), 'no new');
    throws(TypeError, () => new Stream(Symbol('gzip')), 'a symbol');
    const s = new Stream({ toString() { return 'gzip'; } });
    is(Object.prototype.toString.call(s), `[object ${Stream.name}]`);
    is(Stream.length, 1);
    ok(s.readable instanceof ReadableStream && s.writable instanceof WritableStream);
    is(s.readable, s.readable);
    is(s.writable, s.writable);
    same(Object.keys(Stream.prototype).sort(), ['readable', 'writable']);
    throws(TypeError, () => Object.getOwnPropertyDescriptor(Stream.prototype, 'readable').get.call({}));
    throws(TypeError, () => Object.getOwnPropertyDescriptor(Stream.prototype, 'writable').get.call(new TransformStream()));
    const { writable, get, set } = Object.getOwnPropertyDescriptor(globalThis, Stream.name);
    ok(writable && !get && !set);
    is(Object.getOwnPropertyDescriptor(globalThis, Stream.name).enumerable, false);
  }
});
check('a Response of a packed stream', async () => {
  const body = new Blob(['a'.repeat(100_000)]).stream().pipeThrough(new CompressionStream('gzip'));
  const packed = await new Response(body).blob();
  ok(packed.size < 1000);
  is((await new Response(packed.stream().pipeThrough(new DecompressionStream('gzip'))).text()).length, 100_000);
});

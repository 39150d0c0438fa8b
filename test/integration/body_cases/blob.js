// Blob and File: by web-platform-tests' FileAPI.
const textOf = async (parts, options) => new Blob(parts, options).text();
await test('constructor', async () => {
  const b = new Blob();
  equal(String(b), '[object Blob]');
  same([b.size, b.type], [0, '']);
  equal(Blob.length, 0);
  throws(TypeError, () => Blob());
  for (const bad of [null, true, false, 0, 1, 1.5, 'FAIL', {}, () => {}, new Date(), /x/]) throws(TypeError, () => new Blob(bad), String(bad));
  equal(await textOf(undefined), '');
  equal(await textOf([]), '');
  equal(await textOf({ [Symbol.iterator]: Array.prototype[Symbol.iterator], length: 2, 0: 'PA', 1: 'SS' }), 'PASS');
  equal(await textOf(new String('xyz')), 'xyz');
  equal(await textOf(new Uint8Array([1, 2, 3])), '123');
  equal(await textOf(new Set(['a', 'b'])), 'ab');
  const mine = new Error('mine');
  throws(mine, () => new Blob({ [Symbol.iterator]: { get x() { return 1; } }, get [Symbol.iterator]() { throw mine; } }));
  throws(mine, () => new Blob([{ toString() { throw mine; } }]));
  throws(TypeError, () => new Blob([{ toString: null, valueOf: null }]));
});
await test('parts', async () => {
  equal(await textOf([null, undefined, true, false, 0, 1, new String('x'), [], ['a', 'b'], {}]), 'nullundefinedtruefalse01xa,b[object Object]');
  const blob = new Blob(['foo']);
  equal(await textOf([blob, blob]), 'foofoo');
  equal(await textOf([utf8('PASS')]), 'PASS');
  equal(await textOf([utf8('PASS').buffer]), 'PASS');
  equal(await textOf([utf8('xPASSx').subarray(1, 5), new DataView(utf8('xPASS').buffer, 1)]), 'PASSPASS');
  equal(await textOf([new Uint16Array([0x4150, 0x5353]), new Int8Array([0x21]), new BigInt64Array([0x5041535350415353n])]), 'PASS!SSAPSSAP');
  equal(await textOf(['\ud800x', 'ä🐎']), '\ufffdxä🐎');
  const array = utf8('before'), copy = new Blob([array]);
  array.fill(0x78);
  equal(await copy.text(), 'before');
  throws(TypeError, () => new Blob([Symbol()]));
});
await test('options', async () => {
  for (const options of [null, undefined, {}, { unrecognized: 1 }, /x/, () => {}, new Date()]) same([new Blob([], options).type, await textOf(['a\r\nb'], options)], ['', 'a\r\nb'], String(options));
  for (const bad of [123, true, 'abc', 1n]) throws(TypeError, () => new Blob([], bad), String(bad));
  for (const [type, kept] of [['text/plain', 'text/plain'], ['TEXT/Plain', 'text/plain'], ['image/gif;', 'image/gif;'], ['', ''], [null, 'null'], [undefined, ''],
    ['a\u00e5', ''], ['te\x09xt', ''], ['te(xt/plain', 'te(xt/plain'], ['A', 'a'], ['\x7f', ''], [' x ', ' x ']]) equal(new Blob([], { type }).type, kept, String(type));
  const order = [];
  new Blob([{ toString() { order.push('part'); return ''; } }], { get type() { order.push('type'); return ''; }, get endings() { order.push('endings'); return 'native'; } });
  same(order, ['part', 'endings', 'type']);
  for (const bad of [null, '', 'invalid', 0, {}, 'Native']) throws(TypeError, () => new Blob([], { endings: bad }), String(bad));
  const mine = new Error('mine');
  throws(mine, () => new Blob([], { get type() { throw mine; } }));
  for (const [given, wanted] of [['', ''], ['\r', '\n'], ['\n', '\n'], ['\r\n', '\n'], ['\n\r', '\n\n'], ['\r\r\n', '\n\n'], ['a\r\nb\rc\nd', 'a\nb\nc\nd']]) {
    equal(await textOf([given], { endings: 'native' }), wanted, JSON.stringify(given));
    equal(await textOf([given], { endings: 'transparent' }), given);
  }
  equal(await textOf([utf8('\r\n'), new Blob(['\r\n'])], { endings: 'native' }), '\r\n\r\n');
  equal(await textOf(['\r', '\n'], { endings: 'native' }), '\n\n');
});
await test('slice', async () => {
  const b = new Blob(['abcdefgh'], { type: 'x/y' });
  for (const [args, wanted] of [[[], 'abcdefgh'], [[2], 'cdefgh'], [[2, 5], 'cde'], [[-3], 'fgh'], [[-3, -1], 'fg'], [[5, 2], ''], [[100], ''], [[0, 100], 'abcdefgh'],
    [[-100, 2], 'ab'], [[undefined, 3], 'abc'], [[0, undefined], 'abcdefgh'], [[null, 2], 'ab'], [[0, null], ''], [[NaN, 1], 'a'], [['1', '3'], 'bc'], [[1.5, 3], 'c'], [[-Infinity, Infinity], 'abcdefgh']])
    equal(await b.slice(...args).text(), wanted, JSON.stringify(args));
  equal(b.slice().type, '');
  equal(b.slice(0, 1, 'A/B').type, 'a/b');
  equal(b.slice(0, 1, 'te\u00e5xt').type, '');
  equal(b.slice(0, 1, null).type, 'null');
  equal(b.slice(0, 1, undefined).type, '');
  const s = b.slice(2, 6);
  same([s.size, s instanceof Blob, await s.slice(1, 3).text()], [4, true, 'de']);
  equal(await new Blob([s, 'X', s.slice(3)]).text(), 'cdefXf');
  ok(!(new File(['x'], 'n').slice() instanceof File));
});
await test('text, arrayBuffer, bytes, stream', async () => {
  const b = new Blob([bytesOf(0, 255, 10)]);
  same([...new Uint8Array(await b.arrayBuffer())], [0, 255, 10]);
  const bytes = await b.bytes();
  ok(bytes instanceof Uint8Array);
  bytes[0] = 9;
  new Uint8Array(await b.arrayBuffer())[1] = 9;
  same([...await b.bytes()], [0, 255, 10]);
  same([...await b.slice(1, 2).bytes()], [255]);
  equal((await b.slice(1, 2).arrayBuffer()).byteLength, 1);
  equal(await new Blob([bytesOf(0xff, 0x41)]).text(), '\ufffdA');
  equal(await new Blob([bytesOf(0xef, 0xbb, 0xbf, 0x41)]).text(), 'A');
  equal(await new Blob().text(), '');
  equal((await new Blob().arrayBuffer()).byteLength, 0);
  ok(b.stream() instanceof ReadableStream);
  same(await readAll(b.stream()), [0, 255, 10]);
  same(await readAll(new Blob().stream()), []);
  same(await readAll(b.slice(1).stream()), [255, 10]);
  const step = await b.stream().getReader().read();
  step.value[0] = 77;
  same([...await b.bytes()], [0, 255, 10]);
  const large = new Blob([new Uint8Array(300000).fill(7)]);
  const reader = large.stream().getReader();
  let total = 0, chunks = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    total += value.length;
    chunks++;
  }
  same([total, chunks > 1], [300000, true]);
  await rejects(TypeError, () => Blob.prototype.text.call({}));
});
await test('stream() into a buffer of the reader', async () => {
  const reader = new Blob(['abcde']).stream().getReader({ mode: 'byob' });
  let step = await reader.read(new Uint8Array(3));
  same([step.done, ...step.value], [false, 97, 98, 99]);
  step = await reader.read(new Uint8Array(3));
  same([step.done, ...step.value], [false, 100, 101]);
  step = await reader.read(new Uint8Array(3));
  same([step.done, step.value.byteLength], [true, 0]);
  equal(await new Response(new Blob(['a', 'b']).stream()).text(), 'ab');
  const piped = new Blob(['text']).stream().pipeThrough(new TransformStream()), got = [];
  for await (const chunk of piped) got.push(...chunk);
  same(got, [116, 101, 120, 116]);
});
await test('slices, Files and Blobs of one part share memory', () => {
  const large = new Blob([new Uint8Array(64 << 20)]), held = [];
  for (let i = 0; i < 200; i++) held.push(large.slice(i), new File([large.slice(i)], 'x'), new Blob([large]), new Response(large));     // 50 GB, if they were copied
  equal(held.at(-2).size, 64 << 20);
});
await test('the limit of a size', () => {
  const piece = new Blob([new Uint8Array(64 << 20)]);
  throws(RangeError, () => new Blob([piece, piece, 'x']));
  equal(piece.size, 64 << 20);
});
await test('File', async () => {
  equal(File.length, 2);
  throws(TypeError, () => new File());
  throws(TypeError, () => new File([]));
  throws(TypeError, () => new File(undefined, 'x'));
  for (const bad of ['x', 0, null, {}]) throws(TypeError, () => new File(bad, 'x'));
  const before = Date.now(), f = new File(['ab', new Blob(['c'])], 'a/b.txt', { type: 'Text/Plain' });
  same([f.name, f.size, f.type, await f.text(), f instanceof Blob, String(f)], ['a/b.txt', 3, 'text/plain', 'abc', true, '[object File]']);
  ok(f.lastModified >= before && f.lastModified <= Date.now());
  for (const [name, kept] of [[null, 'null'], [undefined, 'undefined'], [1, '1'], ['', ''], ['\ud800', '\ufffd'], [{}, '[object Object]'], ['dummy/foo', 'dummy/foo']]) equal(new File([], name).name, kept);
  for (const [given, kept] of [[42, 42], [new Date(0), 0], [true, 1], ['7', 7], [NaN, 0], [null, 0], [1.9, 1], [-1, -1]]) equal(new File([], 'x', { lastModified: given }).lastModified, kept, String(given));
  for (const bad of [123, 'abc', true]) throws(TypeError, () => new File([], 'x', bad));
  equal(new File([f], 'y').lastModified >= f.lastModified, true);
  equal(await new File(['x'], 'n').slice(0, 1).text(), 'x');
  equal(Object.getPrototypeOf(File), Blob);
});

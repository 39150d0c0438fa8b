// FormData, Blob, File, structuredClone, TextEncoder and TextDecoder: table by table.
check('FormData: methods', async () => {
  const f = new FormData();
  f.append('a', 1);
  f.append('a', null);
  f.append('b', new Blob(['x'], { type: 'T/x' }));
  f.append('c', new File(['y'], 'n.txt'), 'other');
  same([f.get('a'), f.getAll('a'), f.get('x'), f.getAll('x'), f.has('a'), f.has('x')], ['1', ['1', 'null'], null, [], true, false]);
  ok(f.get('b') instanceof File && f.get('b').name === 'blob' && f.get('b').type === 't/x');
  is(f.get('c').name, 'other');
  f.set('a', 'only');
  same([...f.keys()], ['a', 'b', 'c']);
  f.delete('b');
  same([...f].map(([k]) => k), ['a', 'c']);
  throws(TypeError, () => f.append('a'));
  throws(TypeError, () => f.append('a', 'b', 'c'));
  throws(TypeError, () => f.set('a', 'b', 'c'));
  throws(TypeError, () => FormData());
  is(Object.prototype.toString.call(f), '[object FormData]');
  const seen = [];
  f.forEach((value, name) => seen.push(name));
  same(seen, ['a', 'c']);
  f.append('\ud800', '\udfff');
  is(f.get('\ufffd'), '\ufffd');
});
check('FormData: written and read', async () => {
  const f = new FormData();
  f.append('n"\r\n', 'v\r\nw\nx\ry');
  f.append('f', new File(['a\nb'], 'q"\n.txt', { type: 'text/x' }));
  f.append('e', '');
  const r = new Response(f), type = r.headers.get('content-type'), text = await r.text();
  const boundary = /^multipart\/form-data; ?boundary=(\S+)$/.exec(type)[1];
  ok(text.includes('name="n%22%0D%0A"'), 'name is escaped');
  ok(text.includes('v\r\nw\r\nx\r\ny'), 'line ends are made one');
  ok(text.includes('filename="q%22%0A.txt"'));
  ok(text.includes('a\nb'), 'not in files');
  ok(text.startsWith(`--${boundary}\r\n`) && text.trimEnd().endsWith(`--${boundary}--`));
  const back = await new Response(text, { headers: { 'content-type': type } }).formData();
  same([...back.keys()].length, 3);
  is(back.get('e'), '');
  const file = back.get('f');
  same([file.type, await file.text()], ['text/x', 'a\nb']);
});
check('FormData: read of multipart', async () => {
  const read = (body, type = 'multipart/form-data; boundary=B') => new Response(body, { headers: { 'content-type': type } }).formData();
  const part = (head, body) => `--B\r\n${head}\r\n\r\n${body}\r\n`;
  for (const [body, wanted] of [[part('Content-Disposition: form-data; name="a"', '1') + '--B--', [['a', '1']]], [part('content-disposition: form-data; name="a"', '') + '--B--\r\n', [['a', '']]],
    [part('Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=x', '\u00e9') + '--B--', [['a', '\u00e9']]], [part('Content-Disposition: form-data; name="a"', '--C') + part('Content-Disposition: form-data; name="a"', '\r\n') + '--B--', [['a', '--C'], ['a', '\r\n']]]])
    same([...await read(body)], wanted, show(body));
  const file = (await read(part('Content-Disposition: form-data; name="a"; filename="x"', 'y') + '--B--')).get('a');
  same([file.name, file.type, await file.text()], ['x', 'text/plain', 'y']);
  is([...await read(part('Content-Disposition: form-data; name="a"', '1') + '--B--', 'multipart/form-data; boundary="B"')].length, 1);
  for (const bad of ['', 'x', '--B', '--B\r\n', '--B\r\nx', part('Content-Disposition: form-data; name="a"', '1')]) await rejects(TypeError, read(bad), show(bad));
  for (const type of ['text/plain', 'multipart/form-data', '', 'multipart/mixed; boundary=B']) await rejects(TypeError, read('--B--', type), type);
});
check('FormData: read of urlencoded', async () => {
  for (const [text, wanted] of [['a=1&b=%20+', [['a', '1'], ['b', '  ']]], ['', []], ['a', [['a', '']]], ['\ufeffa=1', [['\ufeffa', '1']]]])
    same([...await new Response(text, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData()], wanted, text);
  same([...await new Response(new URLSearchParams('x=y')).formData()], [['x', 'y']]);
});
check('Blob', async () => {
  for (const [parts, wanted] of [[[], ''], [['a', 'b'], 'ab'], [[1, null, undefined, {}], '1nullundefined[object Object]'], [[new Blob(['x']), new Uint8Array([65]), new Uint8Array([66]).buffer], 'xAB'], [['\ud800'], '\ufffd'], [new Set(['q', 'r']), 'qr'], [[['a', 'b']], 'a,b']]) {
    const b = new Blob(parts);
    is(await b.text(), wanted);
    is(b.size, new TextEncoder().encode(wanted).length);
  }
  for (const bad of ['text', 5, true, {}, Symbol(), null]) throws(TypeError, () => new Blob(bad), String(bad));
  for (const [given, wanted] of [['a/B', 'a/b'], ['\u00e9', ''], ['a\n', ''], ['', ''], [null, 'null'], [undefined, ''], ['\x7f', '']]) is(new Blob([], { type: given }).type, wanted, String(given));
  is(await new Blob(['a\r\nb\nc\r'], { endings: 'native' }).text(), 'a\nb\nc\n');
  is(await new Blob(['a\r\nb'], { endings: 'transparent' }).text(), 'a\r\nb');
  throws(TypeError, () => new Blob([], { endings: 'x' }));
  throws(TypeError, () => Blob());
  const b = new Blob(['0123456789'], { type: 'a/b' });
  for (const [args, wanted] of [[[], '0123456789'], [[2], '23456789'], [[2, 4], '23'], [[-3], '789'], [[-3, -1], '78'], [[4, 2], ''], [[0, 100], '0123456789'], [[NaN, 2], '01'], [['1', '3'], '12'], [[undefined, undefined], '0123456789'], [[null, 2], '01'], [[1.5, 2.5], ''], [[-100, 1], '0']])
    is(await b.slice(...args).text(), wanted, show(args));
  is(b.slice().type, '');
  is(b.slice(0, 1, 'X/Y').type, 'x/y');
  same([...await b.bytes()].length, 10);
  same((await all(b.stream())).map((c) => c.constructor.name), ['Uint8Array']);
  const stream = new Blob([new Uint8Array(300_000)]).stream(), reader = stream.getReader({ mode: 'byob' });
  let size = 0;
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(1000));
    if (done) break;
    size += value.length;
  }
  is(size, 300_000);
});
check('File', async () => {
  const f = new File(['x'], 'a/b\ud800', { type: 'T', lastModified: 5.7 });
  same([f.name, f.lastModified, f.type, f.size, f instanceof Blob], ['a/b\ufffd', 5, 't', 1, true]);
  ok(Math.abs(new File([], '').lastModified - Date.now()) < 5000);
  for (const bad of [() => new File(), () => new File([]), () => new File('x', 'y'), () => File([], 'x')]) throws(TypeError, bad, String(bad));
  is(f.slice() instanceof File, false);
});
check('structuredClone', async () => {
  for (const value of [1, 'a', null, undefined, true, 5n, NaN, -0, [1, , 3], { a: { b: [] } }, new Date(5), /a/gi, new Map([[1, { a: 2 }]]), new Set([1, 'a']), Object(1), Object('s'), new Uint8Array([1, 2]), new DataView(new ArrayBuffer(2))]) {
    const c = structuredClone(value);
    same(c, value);
    if (typeof value === 'object' && value !== null) ok(c !== value && Object.getPrototypeOf(c) === Object.getPrototypeOf(value));
  }
  const o = { self: null };
  o.self = o;
  const c = structuredClone(o);
  is(c.self, c);
  for (const e of [new TypeError('x', { cause: 1 }), new RangeError('y'), new DOMException('m', 'AbortError')]) {
    const k = structuredClone(e);
    same([k.name, k.message], [e.name, e.message]);
  }
  for (const bad of [() => {}, Symbol(), { f() {} }, new WeakMap(), Promise.resolve(), new ReadableStream(), new Headers(), new Proxy({}, {}), new Response()].slice(0, 7)) {
    count++;
    try { structuredClone(bad); fail(`${String(bad?.constructor?.name)} was cloned`); } catch (e) { if (e.name !== 'DataCloneError') throw e; }
  }
  const buffer = new ArrayBuffer(8), moved = structuredClone({ buffer, view: new Uint8Array(buffer) }, { transfer: [buffer] });
  same([buffer.byteLength, moved.buffer.byteLength, moved.view.buffer === moved.buffer], [0, 8, true]);
  for (const transfer of [[buffer], [{}], [1]]) {
    count++;
    try { structuredClone(null, { transfer }); fail('was transferred'); } catch (e) { if (e.name !== 'DataCloneError' && e.name !== 'TypeError') throw e; }
  }
  throws(TypeError, () => structuredClone());
  ok(structuredClone(new File(['a'], 'n')) instanceof File);
});
check('TextEncoder', async () => {
  const e = new TextEncoder();
  for (const [text, wanted] of [['', []], [undefined, []], ['a', [97]], ['\u00e9', [195, 169]], ['\u20ac', [226, 130, 172]], ['\ud83d\udc0e', [240, 159, 144, 142]], ['\ud800', [239, 191, 189]], ['\udc00\ud800', [239, 191, 189, 239, 191, 189]], [null, [110, 117, 108, 108]], [1, [49]]])
    same([...e.encode(text)], wanted, show(text));
  for (const [text, room, read, written] of [['abc', 2, 2, 2], ['a\u20ac', 3, 1, 1], ['a\u20ac', 4, 2, 4], ['\ud83d\udc0e', 3, 0, 0], ['\ud83d\udc0e', 4, 2, 4], ['\ud800x', 3, 1, 3], ['', 5, 0, 0], ['x', 0, 0, 0]])
    same(e.encodeInto(text, new Uint8Array(room)), { read, written }, show(text));
  for (const bad of [undefined, [], new Uint16Array(4), new ArrayBuffer(4), null]) throws(TypeError, () => e.encodeInto('x', bad), show(bad));
  is(e.encoding, 'utf-8');
  throws(TypeError, () => TextEncoder());
});
check('TextDecoder: labels', async () => {
  for (const [label, name] of [['utf8', 'utf-8'], [' UTF-8\n', 'utf-8'], ['unicode-1-1-utf-8', 'utf-8'], ['latin1', 'windows-1252'], ['ascii', 'windows-1252'], ['iso-8859-1', 'windows-1252'], ['utf-16', 'utf-16le'], ['ucs-2', 'utf-16le'], ['unicodefffe', 'utf-16be'],
    ['sjis', 'shift_jis'], ['gb2312', 'gbk'], ['big5-hkscs', 'big5'], ['ks_c_5601-1987', 'euc-kr'], ['x-mac-roman', 'macintosh'], ['koi8-ru', 'koi8-u'], ['iso-8859-8-i', 'iso-8859-8-i'], ['logical', 'iso-8859-8-i'], ['visual', 'iso-8859-8'], ['dos-874', 'windows-874']])
    is(new TextDecoder(label).encoding, name, label);
  for (const bad of ['', 'utf', 'utf-32', 'utf-7', 'replacement', 'iso-2022-kr', 'hz-gb-2312', '\u00a0utf-8', 'utf-8\0', 'x', null]) throws(RangeError, () => new TextDecoder(bad), String(bad));
  same([new TextDecoder().fatal, new TextDecoder().ignoreBOM, new TextDecoder(undefined, { fatal: 1, ignoreBOM: 'x' }).fatal, new TextDecoder(undefined, { ignoreBOM: 'x' }).ignoreBOM], [false, false, true, true]);
  throws(TypeError, () => TextDecoder());
});
check('TextDecoder: UTF-8 that is ill-formed', async () => {
  for (const [bytes, wanted] of [[[0xff], '\ufffd'], [[0xc0, 0x80], '\ufffd\ufffd'], [[0xc2], '\ufffd'], [[0xe2, 0x82], '\ufffd'], [[0xe2, 0x82, 0x41], '\ufffdA'], [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'], [[0xf0, 0x90, 0x80], '\ufffd'], [[0xf4, 0x90, 0x80, 0x80], '\ufffd\ufffd\ufffd\ufffd'],
    [[0xf0, 0x9f, 0x41], '\ufffdA'], [[0x80], '\ufffd'], [[0xfe, 0xff], '\ufffd\ufffd'], [[0xe0, 0x80, 0x80], '\ufffd\ufffd\ufffd'], [[0xc2, 0xc2, 0xa9], '\ufffd\u00a9'], [[0xf8, 0x88, 0x80, 0x80, 0x80], '\ufffd\ufffd\ufffd\ufffd\ufffd']]) {
    is(new TextDecoder().decode(new Uint8Array(bytes)), wanted, show(bytes));
    throws(TypeError, () => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes)), show(bytes));
    const d = new TextDecoder();
    let text = '';
    for (const b of bytes) text += d.decode(new Uint8Array([b]), { stream: true });
    is(text + d.decode(), wanted, `byte by byte ${show(bytes)}`);
  }
});
check('TextDecoder: marks at the start', async () => {
  const d = (label, bytes, options) => new TextDecoder(label, options).decode(new Uint8Array(bytes));
  is(d('utf-8', [0xef, 0xbb, 0xbf, 0x61]), 'a');
  is(d('utf-8', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]), '\ufeff');
  is(d('utf-8', [0xef, 0xbb, 0xbf, 0x61], { ignoreBOM: true }), '\ufeffa');
  is(d('utf-16le', [0xff, 0xfe, 0x61, 0]), 'a');
  is(d('utf-16be', [0xfe, 0xff, 0, 0x61]), 'a');
  is(d('utf-16le', [0xfe, 0xff]), '\ufffe');
  is(d('utf-16le', [0x61]), '\ufffd');
  is(d('utf-16le', [0, 0xd8, 0x61, 0]), '\ufffda');
  const again = new TextDecoder();
  is(again.decode(new Uint8Array([0xef, 0xbb, 0xbf])) + again.decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x62])), 'b');
  const cut = new TextDecoder();
  is(cut.decode(new Uint8Array([0xef]), { stream: true }) + cut.decode(new Uint8Array([0xbb, 0xbf, 0x61])), 'a');
  const fatal = new TextDecoder('utf-8', { fatal: true });
  throws(TypeError, () => fatal.decode(new Uint8Array([0xe2, 0x82])));
  is(fatal.decode(new Uint8Array([0x61])), 'a', 'usable behind an error');
  is(d('windows-1252', [0x80, 0x93, 0x41]), '\u20ac\u201cA');
  is(d('koi8-r', [0xc1]), '\u0430');
  is(d('shift_jis', [0x82, 0xa0]), '\u3042');
  is(d('gb18030', [0x81, 0x30, 0x81, 0x30]), '\u0080');
  is(d('euc-kr', [0xb0, 0xa1]), '\uac00');
  for (const bad of [null, 'x', 5, [1], {}]) throws(TypeError, () => new TextDecoder().decode(bad), show(bad));
  is(new TextDecoder().decode(), '');
  is(new TextDecoder().decode(new DataView(new Uint8Array([97, 98]).buffer, 1)), 'b');
});
check('atob, btoa', async () => {
  for (const [text, wanted] of [['YQ==', 'a'], ['YQ', 'a'], [' Y Q = = ', 'a'], ['', ''], ['YWI=', 'ab'], ['/+8=', '\xff\xef'], [null, '\x9e\xe9e']]) is(atob(text), wanted, String(text));
  for (const bad of ['Y', 'YQ=', 'YQ===', '=', 'Y-', 'a\u00e9', 'YWI==', undefined]) {
    count++;
    try { atob(bad); if (bad !== undefined) fail(`atob(${bad})`); } catch (e) { if (e.name !== 'InvalidCharacterError') throw e; }
  }
  is(btoa('\xff'), '/w==');
  is(btoa(null), 'bnVsbA==');
  count++;
  try { btoa('\u0100'); fail('btoa'); } catch (e) { if (e.name !== 'InvalidCharacterError') throw e; }
});

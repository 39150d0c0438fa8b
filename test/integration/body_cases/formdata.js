// FormData: by web-platform-tests' xhr/formdata, and how forms travel as bodies.
await test('the class', () => {
  equal(String(new FormData()), '[object FormData]');
  throws(TypeError, () => FormData());
  throws(TypeError, () => new FormData(null));
  throws(TypeError, () => new FormData('x'));
  throws(TypeError, () => FormData.prototype.get.call({}, 'x'));
  equal(FormData.prototype[Symbol.iterator], FormData.prototype.entries);
});
await test('append, get, getAll', () => {
  const f = new FormData();
  f.append('key', 'value1'); f.append('key', 'value2'); f.append('n', null); f.append('u', undefined); f.append('i', 12); f.append('', '');
  same([f.get('key'), f.get('n'), f.get('u'), f.get('i'), f.get(''), f.get('none')], ['value1', 'null', 'undefined', '12', '', null]);
  same(f.getAll('key'), ['value1', 'value2']);
  same(f.getAll('none'), []);
  f.append('l', '\ud800');
  equal(f.get('l'), '\ufffd');
  throws(TypeError, () => f.append('x'));
  throws(TypeError, () => f.append());
  throws(TypeError, () => f.append('x', 'text', 'name'));
  throws(TypeError, () => f.append('x', Symbol()));
  for (const name of ['get', 'getAll', 'has', 'delete', 'set']) throws(TypeError, () => f[name](), name);
});
await test('set, has, delete', () => {
  const f = new FormData();
  for (const [name, value] of [['a', '1'], ['b', '2'], ['a', '3'], ['c', '4'], ['a', '5']]) f.append(name, value);
  f.set('a', 'new');
  same([...f], [['a', 'new'], ['b', '2'], ['c', '4']]);
  f.set('d', '6');
  same([...f.keys()], ['a', 'b', 'c', 'd']);
  same([f.has('b'), f.has('none')], [true, false]);
  f.delete('b'); f.delete('none');
  same([...f.values()], ['new', '4', '6']);
  equal(f.has('b'), false);
  throws(TypeError, () => f.set('x', 'text', 'name'));
});
await test('Blobs and Files', async () => {
  const f = new FormData(), file = new File(['data'], 'own.txt', { type: 'text/x', lastModified: 5 });
  f.append('blob', new Blob(['b'], { type: 'x/y' }));
  f.append('named', new Blob(['b']), 'given');
  f.append('file', file);
  f.append('renamed', file, 'other');
  f.append('odd', file, undefined);
  const blob = f.get('blob');
  same([blob instanceof File, blob.name, blob.type, blob.size, await blob.text()], [true, 'blob', 'x/y', 1, 'b']);
  equal(f.get('named').name, 'given');
  equal(f.get('file'), file);
  equal(f.get('odd'), file);
  const renamed = f.get('renamed');
  same([renamed === file, renamed.name, renamed.type, renamed.lastModified, await renamed.text()], [false, 'other', 'text/x', 5, 'data']);
  f.set('file', new Blob(['x']), 'set');
  equal(f.get('file').name, 'set');
  f.append('null', new Blob(), null);
  equal(f.get('null').name, 'null');
});
await test('iteration', () => {
  const f = new FormData();
  for (const [name, value] of [['n1', 'v1'], ['n2', 'v2'], ['n1', 'v3']]) f.append(name, value);
  same([...f], [['n1', 'v1'], ['n2', 'v2'], ['n1', 'v3']]);
  same([...f.entries()], [...f]);
  const seen = [];
  f.forEach((value, name, all) => seen.push([name, value, all === f]));
  same(seen, [['n1', 'v1', true], ['n2', 'v2', true], ['n1', 'v3', true]]);
  throws(TypeError, () => f.forEach());
  const iterator = f.entries();
  f.delete('n1');
  same(iterator.next(), { value: ['n2', 'v2'], done: false });
  equal(iterator.next().done, true);
  equal(Object.prototype.toString.call(iterator), '[object FormData Iterator]');
});
const travel = (form) => new Response(form).formData();
await test('there and back', async () => {
  const f = new FormData();
  f.append('text', 'a\r\nb\nc\rd');
  f.append('qu"ote\n', 'ü🐎');
  f.append('empty', '');
  f.append('file', new File([bytesOf(0, 13, 10, 45, 45, 255)], 'fü "x"\n.bin', { type: 'application/x-y' }));
  f.append('plain', new Blob(['']), '');
  const r = new Response(f), type = r.headers.get('content-type'), boundary = type.split('boundary=')[1];
  ok(/^multipart\/form-data; boundary=-*[A-Za-z0-9]{27,70}$/.test(type), type);
  const text = await r.clone().text();
  ok(text.startsWith(`--${boundary}\r\nContent-Disposition: form-data; name="text"\r\n\r\na\r\nb\r\nc\r\nd\r\n--${boundary}\r\n`), text);
  ok(text.includes('Content-Disposition: form-data; name="qu%22ote%0D%0A"\r\n\r\nü🐎\r\n'));
  ok(text.includes('name="file"; filename="fü %22x%22%0A.bin"\r\nContent-Type: application/x-y\r\n\r\n'));
  ok(text.includes('name="plain"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'));
  ok(text.endsWith(`\r\n--${boundary}--\r\n`));
  const back = await r.formData();
  same([...back.keys()], ['text', 'qu"ote\r\n', 'empty', 'file', 'plain']);
  same([back.get('text'), back.get('qu"ote\r\n'), back.get('empty')], ['a\r\nb\r\nc\r\nd', 'ü🐎', '']);
  const file = back.get('file');
  same([file.name, file.type, [...await file.bytes()]], ['fü "x"\n.bin', 'application/x-y', [0, 13, 10, 45, 45, 255]]);
  same([back.get('plain') instanceof File, back.get('plain').name, back.get('plain').size], [true, '', 0]);
  same([...await travel(new FormData())], []);
  ok(new Response(new FormData()).headers.get('content-type') !== new Response(new FormData()).headers.get('content-type'));
  equal((await new Request('http://x/', { method: 'POST', body: f }).formData()).get('empty'), '');
});
await test('multipart that others wrote', async () => {
  const parse = (body, type = 'multipart/form-data; boundary=b') => new Response(body, { headers: { 'content-type': type } }).formData();
  const part = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
  equal((await parse(`${part}--b--`)).get('a'), '1');
  equal((await parse(`${part}--b--`, 'Multipart/Form-Data; charset=utf-8; Boundary="b"')).get('a'), '1');
  equal((await parse(`preamble\r\n${part}--b--\r\nepilogue`)).get('a'), '1');
  const typed = await parse('--b\r\ncontent-disposition: form-data; name=f; filename=x\r\n\r\nhi\r\n--b--');
  same([typed.get('f').type, await typed.get('f').text()], ['text/plain', 'hi']);
  equal((await parse('--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: text/html\r\n\r\n\xef\xbb\xbf1\r\n--b--')).get('a'), '\xef\xbb\xbf1');
  equal((await parse(new Blob(['--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n', bytesOf(0xef, 0xbb, 0xbf, 0x31, 0xff), '\r\n--b--']))).get('a'), '\ufeff1\ufffd');
  for (const [body, type] of [['', 'multipart/form-data; boundary=b'], [part, 'multipart/form-data; boundary=b'], [`${part}--b--`, 'multipart/form-data'],
    [`${part}--b--`, 'multipart/form-data; boundary=c'], [`${part}--b--`, 'multipart/form-data; boundary='], [`${part}--b--`, 'text/plain'], ['a=b', 'multipart/mixed; boundary=b'], ['x', 'nonsense']])
    await rejects(TypeError, parse(body, type), type);
  await rejects(RangeError, parse(part.repeat(10001) + '--b--'));
  const untyped = new Response(bytesOf(1));
  await rejects(TypeError, untyped.formData());
  equal(untyped.bodyUsed, true);
});
await test('urlencoded forms', async () => {
  const parse = async (body, type = 'application/x-www-form-urlencoded') => [...await new Response(body, { headers: { 'content-type': type } }).formData()];
  for (const [body, wanted] of [['', []], ['a=b&c=d', [['a', 'b'], ['c', 'd']]], ['a', [['a', '']]], ['=', [['', '']]], ['&&a=1&', [['a', '1']]], ['a=b=c', [['a', 'b=c']]],
    ['a+b=%20+c', [['a b', '  c']]], ['%C3%BC=%F0%9F%90%8E', [['ü', '🐎']]], ['a=%', [['a', '%']]], ['a=%zz%4', [['a', '%zz%4']]], ['a=%FF', [['a', '\ufffd']]],
    ['?a=1', [['?a', '1']]], ['ü=1', [['ü', '1']]], ['a=1&a=2', [['a', '1'], ['a', '2']]], ['a=%EF%BB%BFx', [['a', '\ufeffx']]]])
    same(await parse(body), wanted, body);
  same(await parse('a=1', 'Application/X-WWW-Form-Urlencoded; charset=utf-8'), [['a', '1']]);
  same(await parse(new URLSearchParams([['a b', 'ü&='], ['c', '']])), [['a b', 'ü&='], ['c', '']]);
  equal((await parse('a&'.repeat(90000))).length, 90000);
  await rejects(RangeError, parse('a&'.repeat(100001)));
  const r = new Response(new URLSearchParams({ q: 'a b', r: '"ü"' }));
  same([r.headers.get('content-type'), await r.clone().text(), [...await r.formData()]],
    ['application/x-www-form-urlencoded;charset=UTF-8', 'q=a+b&r=%22%C3%BC%22', [['q', 'a b'], ['r', '"ü"']]]);
  equal(new Request('http://x/', { method: 'POST', body: new URLSearchParams(), headers: { 'content-type': 'a/b' } }).headers.get('content-type'), 'a/b');
});

// URLSearchParams of the URL standard.
const params = (init) => new URLSearchParams(init);
const list = (p) => [...p];

await test('from text', () => {
  const cases = [
    ['', []], ['?', []], ['a', [['a', '']]], ['a=b', [['a', 'b']]], ['?a=b', [['a', 'b']]], ['??a=b', [['?a', 'b']]],
    ['a=b&c', [['a', 'b'], ['c', '']]], ['&&a=b&&', [['a', 'b']]], ['=', [['', '']]], ['=b', [['', 'b']]], ['a=b=c', [['a', 'b=c']]],
    ['a+b=c+d', [['a b', 'c d']]], ['a%20b=c%2Bd', [['a b', 'c+d']]], ['%', [['%', '']]], ['%zz=%4', [['%zz', '%4']]],
    ['%26=%3D', [['&', '=']]], ['%C3%A9=é', [['é', 'é']]], ['%FF=%ef%bb%bf', [['\ufffd', '\ufeff']]], ['a=1&a=2', [['a', '1'], ['a', '2']]],
    ['%00=%0a', [['\0', '\n']]], ['a\ud800=b', [['a\ufffd', 'b']]], ['a#b=c', [['a#b', 'c']]], ['a;b=c', [['a;b', 'c']]],
  ];
  for (const [text, wanted] of cases) same(list(params(text)), wanted, text);
});

await test('from other things', () => {
  same(list(params()), []);
  same(list(params(undefined)), []);
  same(list(params(null)), [['null', '']]);
  same(list(params(12)), [['12', '']]);
  same(list(params([['a', 'b'], ['c', 1], new Set(['d', 'e'])])), [['a', 'b'], ['c', '1'], ['d', 'e']]);
  same(list(params({ a: 1, b: null, 'c d': undefined })), [['a', '1'], ['b', 'null'], ['c d', 'undefined']]);
  same(list(params(new Map([['a', 'b']]))), [['a', 'b']]);
  same(list(params(params('a=1&a=2'))), [['a', '1'], ['a', '2']]);
  same(list(params((function* () { yield ['a', 'b']; })())), [['a', 'b']]);
  same(list(params(new FormData())), []);
  same(list(params({ '\ud800': 1, '\ufffd': 2 })), [['\ufffd', '2']]);
  same(list(params(Object.create({ a: 1 }))), []);
  for (const bad of [[['a']], [['a', 'b', 'c']], [1], ['ab'], [[]], [null]]) throws(TypeError, () => params(bad), JSON.stringify(bad));
  throws(TypeError, () => params({ [Symbol('x')]: 1 }));
  throws(TypeError, () => params(Symbol('x')));
  throws(TypeError, () => URLSearchParams('a=b'));
});

await test('to text', () => {
  const cases = [
    [[['a', 'b'], ['c', '']], 'a=b&c='], [[['', '']], '='], [[['a b', '+&=%']], 'a+b=%2B%26%3D%25'], [[['é', '☃']], '%C3%A9=%E2%98%83'],
    [[["!'()~*-._", '']], '%21%27%28%29%7E*-._='], [[['\0\n\r\n', '/?#[]@:']], '%00%0A%0D%0A=%2F%3F%23%5B%5D%40%3A'], [[['\ud800', '']], '%EF%BF%BD='], [[], ''],
  ];
  for (const [pairs, wanted] of cases) equal(params(pairs).toString(), wanted);
  equal(Object.prototype.toString.call(params()), '[object URLSearchParams]');
});

await test('methods', () => {
  const p = params('a=1&b=2&a=3');
  equal(p.size, 3);
  equal(p.get('a'), '1');
  equal(p.get('x'), null);
  same(p.getAll('a'), ['1', '3']);
  same(p.getAll('x'), []);
  equal(p.has('a'), true);
  equal(p.has('x'), false);
  equal(p.has('a', '3'), true);
  equal(p.has('a', '2'), false);
  equal(p.has('a', undefined), true);
  p.append('a', 4);
  equal(String(p), 'a=1&b=2&a=3&a=4');
  p.set('a', 'x');
  equal(String(p), 'a=x&b=2');
  p.set('c', 'y');
  equal(String(p), 'a=x&b=2&c=y');
  p.append('c', 'z');
  p.delete('c', 'y');
  equal(String(p), 'a=x&b=2&c=z');
  p.delete('c', undefined);
  equal(String(p), 'a=x&b=2');
  p.delete('x');
  p.delete('a');
  equal(String(p), 'b=2');
  throws(TypeError, () => p.append('a'));
  throws(TypeError, () => p.set('a'));
  throws(TypeError, () => p.get());
  throws(TypeError, () => p.getAll());
  throws(TypeError, () => p.has());
  throws(TypeError, () => p.delete());
  throws(TypeError, () => URLSearchParams.prototype.get.call({}, 'a'));
});

await test('sort', () => {
  const cases = [['z=b&a=b&z=a&a=a', 'a=b&a=a&z=b&z=a'], ['b&a&=1&c', '=1&a=&b=&c='], ['ﬃ&🌈', '%F0%9F%8C%88=&%EF%AC%83='], ['a=1&aa=2&a=0', 'a=1&a=0&aa=2'], ['', '']];
  for (const [text, wanted] of cases) {
    const p = params(text);
    p.sort();
    equal(String(p), wanted, text);
  }
});

await test('iteration', () => {
  const p = params('a=1&b=2');
  same([...p.entries()], [['a', '1'], ['b', '2']]);
  same([...p.keys()], ['a', 'b']);
  same([...p.values()], ['1', '2']);
  equal(p[Symbol.iterator], p.entries);
  equal(Object.prototype.toString.call(p.keys()), '[object URLSearchParams Iterator]');
  const seen = [];
  p.forEach(function (value, name, all) { seen.push(name, value, all === p, this.x); }, { x: 1 });
  same(seen, ['a', '1', true, 1, 'b', '2', true, 1]);
  throws(TypeError, () => p.forEach());
  const q = params('a=1&b=2&c=3'), names = [];
  for (const [name] of q) {
    names.push(name);
    if (name === 'a') q.delete('a');
  }
  same(names, ['a', 'c']);
});

await test('linked with its URL', () => {
  const url = new URL('http://h/?a=1&b=2#f'), p = url.searchParams;
  equal(url.searchParams, p);
  p.append('c', 'é x');
  equal(url.href, 'http://h/?a=1&b=2&c=%C3%A9+x#f');
  p.delete('a');
  p.set('b', '&');
  equal(url.search, '?b=%26&c=%C3%A9+x');
  url.search = '?x=1';
  same(list(p), [['x', '1']]);
  url.search = '??y';
  same(list(p), [['?y', '']]);
  url.href = 'http://h/?z=2';
  same(list(p), [['z', '2']]);
  p.delete('z');
  equal(url.href, 'http://h/');
  url.search = "?a=~'b";
  equal(url.href, 'http://h/?a=~%27b');
  p.sort();
  equal(url.href, 'http://h/?a=%7E%27b');
  const other = new URL('data:x?a=b');
  other.searchParams.append('c', 'd');
  equal(other.href, 'data:x?a=b&c=d');
  const fresh = new URLSearchParams(p);
  fresh.append('n', '1');
  equal(url.href, 'http://h/?a=%7E%27b');
});

await test('as a body', async () => {
  const response = new Response(params('a=1&b=é'));
  equal(response.headers.get('content-type'), 'application/x-www-form-urlencoded;charset=UTF-8');
  equal(await response.clone().text(), 'a=1&b=%C3%A9');
  same([...await response.formData()], [['a', '1'], ['b', 'é']]);
  const request = new Request('http://h/', { method: 'POST', body: '\ufeffa+b=%41', headers: { 'content-type': 'application/x-www-form-urlencoded; charset=x' } });
  same([...await request.formData()], [['\ufeffa b', 'A']]);
});

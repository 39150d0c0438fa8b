// Headers and URLSearchParams: the Fetch and URL standards, table by table.
const pairs = (x) => [...x];

check('names that are none', async () => {
  for (const bad of ['', ' ', 'a b', 'a\tb', 'a:', 'a\n', '\u00e9', 'a\0', '(x)', 'x,y', 'x;', '"x"', '[x]', '{x}', 'x/y', 'x?', 'x=y', 'x@', '\u0130', '\ud800']) {
    const h = new Headers();
    throws(TypeError, () => h.append(bad, 'v'), `append ${show(bad)}`);
    throws(TypeError, () => h.set(bad, 'v'), `set ${show(bad)}`);
    throws(TypeError, () => h.get(bad), `get ${show(bad)}`);
    throws(TypeError, () => h.has(bad), `has ${show(bad)}`);
    throws(TypeError, () => h.delete(bad), `delete ${show(bad)}`);
    throws(TypeError, () => new Headers([[bad, 'v']]), `pairs ${show(bad)}`);
    throws(TypeError, () => new Headers({ [bad]: 'v' }), `record ${show(bad)}`);
  }
});
check('names that are some', async () => {
  for (const good of ['a', 'A', '0', '!', '#', '$', '%', '&', "'", '*', '+', '-', '.', '^', '_', '`', '|', '~', 'x-Y_z']) {
    const h = new Headers([[good, '1']]);
    is(h.get(good), '1', good);
    same(pairs(h), [[good.toLowerCase(), '1']]);
  }
});
check('values that are none', async () => {
  for (const bad of ['a\nb', 'a\rb', 'a\0b', '\0', 'a\r\n b', 'a\n\n b']) {
    throws(TypeError, () => new Headers().append('a', bad), show(bad));
    throws(TypeError, () => new Headers().set('a', bad), show(bad));
    throws(TypeError, () => new Headers({ a: bad }), show(bad));
  }
});
check('values are trimmed and turned into text', async () => {
  for (const [given, wanted] of [['  a ', 'a'], ['\t a\t', 'a'], ['\r\na\r\n', 'a'], ['', ''], ['   ', ''], ['a  b', 'a  b'], ['a\tb', 'a\tb'], [1, '1'], [null, 'null'],
    [undefined, 'undefined'], [true, 'true'], [{}, '[object Object]'], [['x', 'y'], 'x,y'], ['\u00e9', '\u00e9'], ['\x7f', '\x7f'], ['\x01', '\x01'], ['a\x0bb', 'a\x0bb']]) {
    is(new Headers([['n', given]]).get('n'), wanted, show(given));
    const h = new Headers();
    h.append('n', given);
    is(h.get('N'), wanted);
    h.set('n', given);
    is(h.get('n'), wanted);
  }
});
check('one name more than once', async () => {
  const h = new Headers([['B', '2'], ['a', '1'], ['b', ''], ['B', '4']]);
  is(h.get('b'), '2, , 4');
  same(pairs(h), [['a', '1'], ['b', '2, , 4']]);
  h.set('B', '5');
  is(h.get('b'), '5');
  h.append('c', 'x');
  h.delete('A');
  same(pairs(h.keys()), ['b', 'c']);
  same(pairs(h.values()), ['5', 'x']);
  h.delete('nothing');
  is(h.get('nothing'), null);
  is(h.has('c'), true);
  is(h.has('nothing'), false);
});
check('Set-Cookie stays apart', async () => {
  const h = new Headers([['set-cookie', 'a=1'], ['x', 'y'], ['Set-Cookie', 'b=2'], ['a', 'z']]);
  same(pairs(h), [['a', 'z'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x', 'y']]);
  same(h.getSetCookie(), ['a=1', 'b=2']);
  is(h.get('set-cookie'), 'a=1, b=2');
  h.append('SET-COOKIE', 'c');
  same(h.getSetCookie(), ['a=1', 'b=2', 'c']);
  h.set('set-cookie', 'only');
  same(h.getSetCookie(), ['only']);
  h.delete('Set-Cookie');
  same(h.getSetCookie(), []);
  same(new Headers().getSetCookie(), []);
  same(pairs(new Headers(new Headers([['set-cookie', '1'], ['set-cookie', '2']]))), [['set-cookie', '1'], ['set-cookie', '2']]);
});
check('iterators are live', async () => {
  const h = new Headers([['a', '1'], ['c', '3']]), seen = [], i = h[Symbol.iterator]();
  seen.push(i.next().value[0]);
  h.append('b', '2');
  seen.push(i.next().value[0], i.next().value[0], i.next().done);
  same(seen, ['a', 'b', 'c', true]);
  const k = h.keys();
  k.next();
  h.delete('a');
  is(k.next().value, 'c');
  is(Object.prototype.toString.call(h.entries()), '[object Headers Iterator]');
  is(h[Symbol.iterator], h.entries);
});
check('forEach', async () => {
  const h = new Headers({ b: 2, A: 1 }), seen = [], self = {};
  h.forEach(function f(value, name, all) { seen.push(name, value); ok(this === self && all === h); }, self);
  same(seen, ['a', '1', 'b', '2']);
  throws(TypeError, () => h.forEach());
  throws(TypeError, () => h.forEach('f'));
});
check('what Headers can be made of', async () => {
  for (const bad of [null, 1, 'x', true, Symbol(), 5n]) if (bad !== null) throws(TypeError, () => new Headers(bad), String(bad));
  for (const bad of [[['a']], [['a', 'b', 'c']], [[]], ['ab', 'cde'], [1], [null]]) throws(TypeError, () => new Headers(bad), show(bad));
  is(pairs(new Headers(undefined)).length, 0);
  is(pairs(new Headers({})).length, 0);
  is(pairs(new Headers([])).length, 0);
  same(pairs(new Headers(new Map([['a', '1']]))), [['a', '1']]);
  same(pairs(new Headers((function* g() { yield ['x', '1']; yield new Set(['y', '2']); })())), [['x', '1'], ['y', '2']]);
  same(pairs(new Headers(Object.create({ inherited: '1' }, { own: { value: '2', enumerable: true }, hidden: { value: '3' } }))), [['own', '2']]);
  throws(TypeError, () => new Headers({ [Symbol('s')]: '1' }));
  throws(boom, () => new Headers({ get a() { throw boom; } }));
  throws(boom, () => new Headers([['a', { toString() { throw boom; } }]]));
});
check('arguments that are missing', async () => {
  const h = new Headers();
  for (const f of [() => h.append(), () => h.append('a'), () => h.set('a'), () => h.get(), () => h.has(), () => h.delete()]) throws(TypeError, f, String(f));
  throws(TypeError, () => Headers());
  throws(TypeError, () => Headers.prototype.get.call({}, 'a'));
  is(Object.prototype.toString.call(h), '[object Headers]');
  same([Headers.length, Headers.prototype.append.length, Headers.prototype.get.length], [0, 2, 1]);
});
check('URLSearchParams: parsing and writing', async () => {
  for (const [text, wanted, written] of [['a=1&b=2', [['a', '1'], ['b', '2']]], ['?a=1', [['a', '1']], 'a=1'], ['??a=1', [['?a', '1']], '%3Fa=1'], ['', [], ''], ['&', [], ''], ['&&a&&', [['a', '']], 'a='],
    ['a', [['a', '']], 'a='], ['=', [['', '']], '='], ['=b', [['', 'b']], '=b'], ['a==b', [['a', '=b']], 'a=%3Db'], ['a+b=c+d', [['a b', 'c d']], 'a+b=c+d'], ['a%20b=%2B', [['a b', '+']], 'a+b=%2B'],
    ['%', [['%', '']], '%25='], ['%4', [['%4', '']], '%254='], ['%zz=1', [['%zz', '1']], '%25zz=1'], ['%e2%82%ac=%F0%9F%90%8E', [['\u20ac', '\ud83d\udc0e']], '%E2%82%AC=%F0%9F%90%8E'],
    ['%ff=1', [['\ufffd', '1']], '%EF%BF%BD=1'], ['a=%EF%BB%BFx', [['a', '\ufeffx']], 'a=%EF%BB%BFx'], ['\ud800=1', [['\ufffd', '1']], '%EF%BF%BD=1'], ['a=b#c', [['a', 'b#c']], 'a=b%23c'],
    ["!'()~*-._=1", [["!'()~*-._", '1']], '%21%27%28%29%7E*-._=1'], ['a=1;b=2', [['a', '1;b=2']], 'a=1%3Bb%3D2'], ['a%00b=1', [['a\0b', '1']], 'a%00b=1'], ['a\n=1', [['a\n', '1']], 'a%0A=1']]) {
    const p = new URLSearchParams(text);
    same(pairs(p), wanted, text);
    is(p.toString(), written ?? text, text);
    is(p.size, wanted.length);
  }
});
check('URLSearchParams: methods', async () => {
  const p = new URLSearchParams([['a', '1'], ['b', '2'], ['a', '3']]);
  same(p.getAll('a'), ['1', '3']);
  is(p.get('a'), '1');
  is(p.get('x'), null);
  is(p.has('a', '3'), true);
  is(p.has('a', '4'), false);
  is(p.has('a', undefined), true);
  p.delete('a', '1');
  is(String(p), 'b=2&a=3');
  p.append('a', null);
  p.set('a', undefined);
  is(String(p), 'b=2&a=undefined');
  p.delete('b', undefined);
  is(String(p), 'a=undefined');
  const q = new URLSearchParams('z=b&a=b&z=a&a=a&\ufffd=c&\ud83d\udc0e=d');
  q.sort();
  is(decodeURIComponent(String(q)), 'a=b&a=a&z=b&z=a&\ud83d\udc0e=d&\ufffd=c');
  for (const bad of [[['a']], [['a', 'b', 'c']], [1]]) throws(TypeError, () => new URLSearchParams(bad), show(bad));
  for (const f of [() => p.append('a'), () => p.get(), () => p.has(), () => p.set('a'), () => p.delete(), () => URLSearchParams('')]) throws(TypeError, f, String(f));
  is(String(new URLSearchParams({ b: 1, a: [1, 2] })), 'b=1&a=1%2C2');
  is(String(new URLSearchParams(null)), 'null=');
  is(String(new URLSearchParams(undefined)), '');
  is(String(new URLSearchParams(new URLSearchParams('x=1'))), 'x=1');
  is(String(new URLSearchParams(new FormData())), '');
});
check('URLSearchParams of a URL', async () => {
  const u = new URL('http://x/?a=1#f'), p = u.searchParams;
  p.append('b', 'c d');
  is(u.href, 'http://x/?a=1&b=c+d#f');
  u.search = '?z=%20';
  same(pairs(p), [['z', ' ']]);
  p.delete('z');
  is(u.href, 'http://x/#f');
  is(u.searchParams, p);
  u.href = 'http://y/?q';
  same(pairs(p), [['q', '']]);
  const i = p[Symbol.iterator]();
  p.append('r', '1');
  same([i.next().value, i.next().value, i.next().done], [['q', ''], ['r', '1'], true]);
});

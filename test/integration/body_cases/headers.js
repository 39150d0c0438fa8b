// Headers: by web-platform-tests' fetch/api/headers.
await test('basic constructors', () => {
  same([...new Headers()], []);
  same([...new Headers(undefined)], []);
  same([...new Headers({})], []);
  for (const bad of ['x', 1, true, Symbol.iterator]) throws(TypeError, () => new Headers(bad), String(bad));
  for (const bad of [[['a']], [['a', 'b', 'c']], [[]], ['ab'], [5], [null]]) throws(TypeError, () => new Headers(bad), JSON.stringify(bad));
  throws(TypeError, () => new Headers({ [Symbol.iterator]: 5 }));
});
await test('sequences, records, Headers, iterables', () => {
  const dict = { name1: 'value1', name2: 'value2', name3: 'value3', name4: null, name5: undefined, name6: 1, 'Content-Type': 'value4' };
  for (const init of [dict, Object.entries(dict), new Map(Object.entries(dict)), new Headers(dict)]) {
    const h = new Headers(init);
    for (const name in dict) equal(h.get(name), String(dict[name]), name);
    equal(h.length, undefined);
    for (const name in dict) ok(h.has(name) && h.has(name.toUpperCase()), name);
    for (const name in dict) {
      h.delete(name);
      ok(!h.has(name), name);
    }
  }
  const given = new Headers({ a: '1' });
  given[Symbol.iterator] = function* () { yield ['test', 'test']; };
  equal(new Headers(given).get('test'), 'test');
  ok(!new Headers(given).has('a'));
});
await test('records', () => {
  const log = [];
  const record = (target) => new Proxy(target, {
    get(t, key) { log.push(`get ${String(key)}`); return t[key]; },
    ownKeys(t) { log.push('ownKeys'); return Reflect.ownKeys(t); },
    getOwnPropertyDescriptor(t, key) { log.push(`own ${String(key)}`); return Reflect.getOwnPropertyDescriptor(t, key); },
  });
  same([...new Headers(record({ a: 'b', c: 'd' }))], [['a', 'b'], ['c', 'd']]);
  same(log.filter((l) => !/iterator|items|then/i.test(l)), ['ownKeys', 'own a', 'get a', 'own c', 'get c']);
  throws(TypeError, () => new Headers({ [Symbol('s')]: 'x' }));
  const hidden = Object.defineProperty({ a: 'b' }, 'c', { value: 'd', enumerable: false });
  same([...new Headers(hidden)], [['a', 'b']]);
  same([...new Headers(Object.create({ inherited: 'x' }, { own: { value: 'y', enumerable: true } }))], [['own', 'y']]);
  const error = new RangeError('mine');
  throws(error, () => new Headers({ get a() { throw error; } }));
  equal(new Headers({ a: '1', A: '2' }).get('a'), '1, 2');
});
await test('append, set, get, delete, has', () => {
  const h = new Headers();
  h.append('name1', 'value1'); h.append('Name1', 'value2');
  equal(h.get('name1'), 'value1, value2');
  h.set('name1', 'new');
  equal(h.get('NAME1'), 'new');
  h.set('other', '');
  equal(h.get('other'), '');
  equal(h.get('none'), null);
  equal(h.has('none'), false);
  h.delete('none');
  h.append('x', '1'); h.append('y', '2'); h.append('x', '3'); h.set('x', '4');
  same([...h], [['name1', 'new'], ['other', ''], ['x', '4'], ['y', '2']]);
  for (const name of ['append', 'set']) {
    throws(TypeError, () => h[name](), name);
    throws(TypeError, () => h[name]('x'), name);
  }
  for (const name of ['get', 'has', 'delete']) throws(TypeError, () => h[name](), name);
});
await test('names and values', () => {
  const h = new Headers();
  for (const name of ['', 'a b', 'a:', 'a\n', 'a\0', 'ä', '[', '{', '"', 'a,b', '(', 'a\u0100'])
    for (const method of ['append', 'set', 'get', 'has', 'delete']) throws(TypeError, () => h[method](name, 'x'), `${method} ${name}`);
  for (const value of ['a\nb', 'a\rb', 'a\0b']) for (const method of ['append', 'set']) throws(TypeError, () => h[method]('x', value), method);
  throws(TypeError, () => new Headers([['a b', 'x']]));
  throws(TypeError, () => new Headers({ x: 'a\0' }));
  for (const [given, kept] of [[' a ', 'a'], ['\t\r\n a b\t', 'a b'], ['\r\n', ''], ['a\tb', 'a\tb'], ['\x0bx', '\x0bx'], ['caf\xe9', 'caf\xe9']]) {
    h.set('x', given);
    equal(h.get('x'), kept);
    h.delete('x'); h.append('x', given);
    equal(h.get('x'), kept);
  }
  equal(new Headers({ "!#$%&'*+-.^_`|~09azAZ": 'x' }).get("!#$%&'*+-.^_`|~09AZAZ"), 'x');
});
await test('combined values', () => {
  const h = new Headers([['double', '"double"'], ['single', "'single'"], ['double', '"2"'], ['e', ''], ['e', '']]);
  equal(h.get('double'), '"double", "2"');
  equal(h.get('e'), ', ');
});
await test('iteration is sorted, live and by the standard\'s iterators', () => {
  const h = new Headers([['b', '2'], ['a', '1'], ['C', '3'], ['set-cookie', 'x=1'], ['b', '4'], ['set-cookie', 'y=2']]);
  const pairs = [['a', '1'], ['b', '2, 4'], ['c', '3'], ['set-cookie', 'x=1'], ['set-cookie', 'y=2']];
  same([...h], pairs);
  same([...h.entries()], pairs);
  same([...h.keys()], pairs.map((p) => p[0]));
  same([...h.values()], pairs.map((p) => p[1]));
  const seen = [], self = {};
  h.forEach(function (value, name, all) { seen.push([name, value]); ok(this === self && all === h); }, self);
  same(seen, pairs);
  throws(TypeError, () => h.forEach());
  throws(TypeError, () => h.forEach('x'));
  const mine = new Error('mine');
  throws(mine, () => h.forEach(() => { throw mine; }));
  equal(Headers.prototype[Symbol.iterator], Headers.prototype.entries);
  const iterator = h.entries();
  equal(iterator[Symbol.iterator](), iterator);
  equal(Object.prototype.toString.call(iterator), '[object Headers Iterator]');
  equal(Object.getPrototypeOf(Object.getPrototypeOf(iterator)), Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));
  throws(TypeError, () => iterator.next.call({}));
  throws(TypeError, () => Headers.prototype.entries.call({}));
  throws(TypeError, () => Headers.prototype.get.call({}, 'a'));
  const live = new Headers([['a', '1'], ['b', '2'], ['c', '3']]), got = [];
  for (const [name] of live) {
    got.push(name);
    if (name === 'a') live.delete('b');
    if (name === 'c') live.set('d', '4');
  }
  same(got, ['a', 'c', 'd']);
  const each = [];
  live.forEach((value, name) => { each.push(name); live.delete('c'); });
  same(each, ['a', 'd']);
});
await test('Set-Cookie', () => {
  const h = new Headers([['Set-Cookie', 'a=1'], ['set-cookie', 'b=2; x, y']]);
  equal(h.get('set-cookie'), 'a=1, b=2; x, y');
  same(h.getSetCookie(), ['a=1', 'b=2; x, y']);
  same(h.getAll('Set-Cookie'), ['a=1', 'b=2; x, y']);
  throws(TypeError, () => h.getAll('x'));
  same(new Headers().getSetCookie(), []);
  same(new Headers(h).getSetCookie(), ['a=1', 'b=2; x, y']);
  h.set('set-cookie', 'c=3');
  same(h.getSetCookie(), ['c=3']);
  h.append('set-cookie', '');
  same([...h], [['set-cookie', 'c=3'], ['set-cookie', '']]);
  h.delete('SET-COOKIE');
  same(h.getSetCookie(), []);
});
await test('immutable', () => {
  const h = Response.redirect('https://example.com/').headers;
  for (const call of [() => h.set('a', 'b'), () => h.append('a', 'b'), () => h.delete('location')]) throws(TypeError, call);
  throws(TypeError, () => Response.error().headers.set('a', 'b'));
  equal(h.get('location'), 'https://example.com/');
  const copy = new Headers(h);
  copy.set('a', 'b');
  equal(copy.get('a'), 'b');
});
await test('the class', () => {
  equal(Object.prototype.toString.call(new Headers()), '[object Headers]');
  equal(Headers.name, 'Headers');
  for (const name of ['append', 'delete', 'get', 'has', 'set', 'getSetCookie', 'entries', 'keys', 'values', 'forEach']) equal(typeof Headers.prototype[name], 'function', name);
  throws(TypeError, () => Headers());
});

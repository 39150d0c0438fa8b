"""What console.log prints: JavaScript, and the lines that Node.js 20 makes of it (test_console_api.py)."""

# One value, printed after the word ">>".
VALUES = [
    ("""{}""", """>> {}"""),
    ("""[]""", """>> []"""),
    ("""{ a: { b: { c: { d: 1 } } } }""", """>> { a: { b: { c: [Object] } } }"""),
    ("""[[[[1]]]]""", """>> [ [ [ [Array] ] ] ]"""),
    ("""{ a: 1n, b: -0, c: NaN, d: undefined, e: null, f: true, g: Symbol('s'), h: Symbol() }""", """>> {
  a: 1n,
  b: -0,
  c: NaN,
  d: undefined,
  e: null,
  f: true,
  g: Symbol(s),
  h: Symbol()
}"""),
    ("""{ aaaaaaaaaaaa: 1, bbbbbbbbbbbbbbb: 'two', cccccccccccc: [1, 2, 3], dddddddddddd: { e: 'f' }, gggggggg: 1 }""", """>> {
  aaaaaaaaaaaa: 1,
  bbbbbbbbbbbbbbb: 'two',
  cccccccccccc: [ 1, 2, 3 ],
  dddddddddddd: { e: 'f' },
  gggggggg: 1
}"""),
    ("""{ aaaaaaaaaaaaaaaaaa: 'bbbbbbbbbbbbbbb', cccccccccc: 'dddddddd' }""", """>> { aaaaaaaaaaaaaaaaaa: 'bbbbbbbbbbbbbbb', cccccccccc: 'dddddddd' }"""),
    ("""{ aaaaaaaaaaaaaaaaaa: 'bbbbbbbbbbbbbbbbb', cccccccccc: 'ddddddddd' }""", """>> { aaaaaaaaaaaaaaaaaa: 'bbbbbbbbbbbbbbbbb', cccccccccc: 'ddddddddd' }"""),
    ("""Array.from({ length: 30 }, (_, i) => i * 7)""", """>> [
    0,   7,  14,  21,  28,  35,  42,  49,
   56,  63,  70,  77,  84,  91,  98, 105,
  112, 119, 126, 133, 140, 147, 154, 161,
  168, 175, 182, 189, 196, 203
]"""),
    ("""[1, 2, 3, 4, 5, 6]""", """>> [ 1, 2, 3, 4, 5, 6 ]"""),
    ("""[1, 2, 3, 4, 5, 6, 7]""", """>> [
  1, 2, 3, 4,
  5, 6, 7
]"""),
    ("""Array.from({ length: 20 }, (_, i) => 'item' + i)""", """>> [
  'item0',  'item1',  'item2',
  'item3',  'item4',  'item5',
  'item6',  'item7',  'item8',
  'item9',  'item10', 'item11',
  'item12', 'item13', 'item14',
  'item15', 'item16', 'item17',
  'item18', 'item19'
]"""),
    ("""Array.from({ length: 101 }, (_, i) => i)""", """>> [
   0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11,
  12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
  24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
  36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
  48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
  60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71,
  72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83,
  84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95,
  96, 97, 98, 99,
  ... 1 more item
]"""),
    ("""Array.from({ length: 10 }, (_, i) => ({ i }))""", """>> [
  { i: 0 }, { i: 1 },
  { i: 2 }, { i: 3 },
  { i: 4 }, { i: 5 },
  { i: 6 }, { i: 7 },
  { i: 8 }, { i: 9 }
]"""),
    ("""Array.from({ length: 12 }, (_, i) => 10 ** i)""", """>> [
            1,           10,
          100,         1000,
        10000,       100000,
      1000000,     10000000,
    100000000,   1000000000,
  10000000000, 100000000000
]"""),
    ("""Array.from({ length: 8 }, (_, i) => 'a'.repeat(i * 3))""", """>> [
  '',
  'aaa',
  'aaaaaa',
  'aaaaaaaaa',
  'aaaaaaaaaaaa',
  'aaaaaaaaaaaaaaa',
  'aaaaaaaaaaaaaaaaaa',
  'aaaaaaaaaaaaaaaaaaaaa'
]"""),
    ("""[-1, -22, 3, 44, -555, 6, 7]""", """>> [
  -1,  -22, 3,
  44, -555, 6,
   7
]"""),
    ("""['1', 2, '3', 4, 5, 6, 7, 8]""", """>> [
  '1', 2, '3', 4,
  5,   6, 7,   8
]"""),
    ("""[undefined, null, undefined, null, undefined, null, undefined]""", """>> [
  undefined, null,
  undefined, null,
  undefined, null,
  undefined
]"""),
    ("""['\\u{1f600}\\u{1f600}', '\\u4f60\\u597d', 'h\\u00e9', 'a', 'b', 'c', 'd']""", """>> [
  '😀😀', '你好',
  'hé',   'a',
  'b',    'c',
  'd'
]"""),
    ("""[1, 'a', null, undefined, { a: 1 }, [1]]""", """>> [ 1, 'a', null, undefined, { a: 1 }, [ 1 ] ]"""),
    ("""[[1, 2, 3], [4, 5, 6], [7, 8, 9]]""", """>> [ [ 1, 2, 3 ], [ 4, 5, 6 ], [ 7, 8, 9 ] ]"""),
    ("""[1, , 3, , , 6]""", """>> [ 1, <1 empty item>, 3, <2 empty items>, 6 ]"""),
    ("""Object.assign([], { 200: 1 })""", """>> [ <200 empty items>, 1 ]"""),
    ("""Object.assign([1, 2], { x: 1, '-1': 2 })""", """>> [ 1, 2, x: 1, '-1': 2 ]"""),
    ("""{ data: new Array(7).fill({ a: 1 }) }""", """>> {
  data: [
    { a: 1 }, { a: 1 },
    { a: 1 }, { a: 1 },
    { a: 1 }, { a: 1 },
    { a: 1 }
  ]
}"""),
    ("""new Map([['a', 1], [{ k: 1 }, [1, 2]]])""", """>> Map(2) { 'a' => 1, { k: 1 } => [ 1, 2 ] }"""),
    ("""new Set([1, 'a', { b: 1 }])""", """>> Set(3) { 1, 'a', { b: 1 } }"""),
    ("""[new Map(), new Set()]""", """>> [ Map(0) {}, Set(0) {} ]"""),
    ("""{ m: { n: new Map([[1, { a: 1 }]]) } }""", """>> { m: { n: Map(1) { 1 => [Object] } } }"""),
    ("""new (class Bar extends Map {})([[1, 2]])""", """>> Bar(1) [Map] { 1 => 2 }"""),
    ("""new (class MySet extends Set {})([1])""", """>> MySet(1) [Set] { 1 }"""),
    ("""new Set(Array.from({ length: 102 }, () => ({}))).size""", """>> 102"""),
    ("""[new WeakMap(), new WeakSet()]""", """>> [ WeakMap { <items unknown> }, WeakSet { <items unknown> } ]"""),
    ("""new Uint8Array([1, 2, 3])""", """>> Uint8Array(3) [ 1, 2, 3 ]"""),
    ("""new Uint8Array(120)""", """>> Uint8Array(120) [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0,
  ... 20 more items
]"""),
    ("""[new Float64Array([1.5, -0, NaN]), new BigInt64Array(2), new Uint8Array(0)]""", """>> [
  Float64Array(3) [ 1.5, -0, NaN ],
  BigInt64Array(2) [ 0n, 0n ],
  Uint8Array(0) []
]"""),
    ("""new ArrayBuffer(4)""", """>> ArrayBuffer { [Uint8Contents]: <00 00 00 00>, byteLength: 4 }"""),
    ("""new DataView(new ArrayBuffer(4), 1, 2)""", """>> DataView {
  byteLength: 2,
  byteOffset: 1,
  buffer: ArrayBuffer { [Uint8Contents]: <00 00 00 00>, byteLength: 4 }
}"""),
    ("""[new Date(0), new Date(NaN), Object.assign(new Date(0), { x: 1 })]""", """>> [
  1970-01-01T00:00:00.000Z,
  Invalid Date,
  1970-01-01T00:00:00.000Z { x: 1 }
]"""),
    ("""[/a\\/b/gi, Object.assign(/x/, { y: 1 })]""", """>> [ /a\\/b/gi, /x/ { y: 1 } ]"""),
    ("""new (class Foo { x = 1; #p = 2; get g() { return 1; } })()""", """>> Foo { x: 1 }"""),
    ("""new (class Tagged { get [Symbol.toStringTag]() { return 'Tag'; } })()""", """>> Tagged [Tag] {}"""),
    ("""[new (class Empty {})(), new (class {})()]""", """>> [ Empty {}, {} ]"""),
    ("""[Object.create(null), Object.assign(Object.create(null), { a: 1 }), Object.create({ a: 1 }), Object.create(Object.create(null))]""", """>> [
  [Object: null prototype] {},
  [Object: null prototype] { a: 1 },
  {},
  Object <[Object: null prototype] {}> {}
]"""),
    ("""{ a: { b: { c: [1] }, d: { e: new Map([[1, 2]]) }, f: { g: new (class Foo { x = 1; })() }, h: { i: [] }, j: { k: () => 1 }, l: { m: Object.assign(Object.create(null), { x: 1 }) } } }""", """>> {
  a: {
    b: { c: [Array] },
    d: { e: [Map] },
    f: { g: [Foo] },
    h: { i: [] },
    j: { k: [Function: k] },
    l: { m: [Object: null prototype] }
  }
}"""),
    ("""[function f() {}, () => 1, async function af() {}, function* g() {}, async function* ag() {}]""", """>> [
  [Function: f],
  [Function (anonymous)],
  [AsyncFunction: af],
  [GeneratorFunction: g],
  [AsyncGeneratorFunction: ag]
]"""),
    ("""[class A {}, class B extends Array {}, class {}, class S { static z = 1; }]""", """>> [
  [class A],
  [class B extends Array],
  [class (anonymous)],
  [class S] { z: 1 }
]"""),
    ("""Object.assign(function q() {}, { a: 1 })""", """>> [Function: q] { a: 1 }"""),
    ("""{ f() {}, g: async () => {}, h: class {}, [Symbol('k')]: 1, [Symbol('a b')]: 2 }""", """>> {
  f: [Function: f],
  g: [AsyncFunction: g],
  h: [class h],
  [Symbol(k)]: 1,
  [Symbol(a b)]: 2
}"""),
    ("""{ 'a-b': 1, 'a b': 2, 1: 3, '\\u00fc': 4, "it's": 5, $x: 6, ['__proto__']: 7, 'a\\nb': 8 }""", """>> {
  '1': 3,
  'a-b': 1,
  'a b': 2,
  'ü': 4,
  "it's": 5,
  '$x': 6,
  ['__proto__']: 7,
  'a\\nb': 8
}"""),
    ("""["it's", 'say "hi"', `both ' and "`, "all ' \\" `", 'line\\nbreak', 'tab\\t', 'nul\\0', '\\x1b[0m', 'back\\\\slash', '\\u{1f600}', '\\ud800', '\\x7f', '\\x80']""", """>> [
  "it's",         'say "hi"',
  `both ' and "`, 'all \\' " `',
  'line\\nbreak',  'tab\\t',
  'nul\\x00',      '\\x1B[0m',
  'back\\\\slash',  '😀',
  '\\ud800',       '\\x7F',
  '\\x80'
]"""),
    ("""[Object(1), Object('str'), Object(true), Object(1n), Object(Symbol('x')), Object(-0)]""", """>> [
  [Number: 1],
  [String: 'str'],
  [Boolean: true],
  [BigInt: 1n],
  [Symbol: Symbol(x)],
  [Number: -0]
]"""),
    ("""[Object.assign(new String('ab'), { x: 1 }), new (class N extends Number {})(3)]""", """>> [ [String: 'ab'] { x: 1 }, [Number (N): 3] ]"""),
    ("""{ get a() { throw 1; }, set b(v) {}, get c() { return 1; }, set c(v) {} }""", """>> { a: [Getter], b: [Setter], c: [Getter/Setter] }"""),
    ("""(() => { const c = { name: 'c' }; c.self = c; c.list = [c, { c }]; return c; })()""", """>> <ref *1> {
  name: 'c',
  self: [Circular *1],
  list: [ [Circular *1], { c: [Circular *1] } ]
}"""),
    ("""(() => { const a = [1]; a.push(a); return a; })()""", """>> <ref *1> [ 1, [Circular *1] ]"""),
    ("""(() => { const a = {}, b = { a }; a.b = b; return { a, b }; })()""", """>> {
  a: <ref *1> { b: { a: [Circular *1] } },
  b: <ref *2> { a: <ref *1> { b: [Circular *2] } }
}"""),
    ("""[Promise.resolve(5), Promise.resolve({ a: { b: { c: 1 } } }), new Promise(() => {})]""", """>> [ Promise { 5 }, Promise { { a: [Object] } }, Promise { <pending> } ]"""),
    ("""(() => { const p = Promise.reject('why'); p.catch(() => {}); return p; })()""", """>> Promise { <rejected> 'why' }"""),
    ("""{ s: 'a long string with spaces '.repeat(8) }""", """>> {
  s: 'a long string with spaces a long string with spaces a long string with spaces a long string with spaces a long string with spaces a long string with spaces a long string with spaces a long string with spaces '
}"""),
    ("""{ s: 'line1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\nline2 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\\n' }""", """>> {
  s: 'line1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\n' +
    'line2 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\\n'
}"""),
    ("""{ s: 'x'.repeat(10003) }.s.length""", """>> 10003"""),
    ("""[new Proxy({ a: 1 }, { get() { throw 1; }, ownKeys() { throw 2; } }), new Proxy([1, 2], {}), new Proxy(function pf() {}, {}), new Proxy(new Map([[1, 2]]), {})]""", """>> [ { a: 1 }, [ 1, 2 ], [Function: pf], Map(1) { 1 => 2 } ]"""),
    ("""[[1, 2][Symbol.iterator](), (function* gg() {})(), 'ab'[Symbol.iterator]()]""", """>> [
  Object [Array Iterator] {},
  Object [Generator] {},
  Object [String Iterator] {}
]"""),
    ("""[Math, JSON, Reflect, Intl]""", """>> [
  Object [Math] {},
  Object [JSON] {},
  Object [Reflect] {},
  Object [Intl] {}
]"""),
    ("""new (class Arr extends Array {})(3)""", """>> Arr(3) [ <3 empty items> ]"""),
    ("""[Object.setPrototypeOf(function zz() {}, null), Object.setPrototypeOf([1, 2], null), Object.setPrototypeOf(new Map([[1, 2]]), null)]""", """>> [
  [Function (null prototype): zz],
  [Array(2): null prototype] [ 1, 2 ],
  [Map(1): null prototype] { 1 => 2 }
]"""),
    ("""{ level1: { level2a: { a: 1, b: 2, c: [1, 2, 3] }, level2b: 'a string of some length here', level2c: [{ x: 1 }, { y: 2 }] } }""", """>> {
  level1: {
    level2a: { a: 1, b: 2, c: [Array] },
    level2b: 'a string of some length here',
    level2c: [ [Object], [Object] ]
  }
}"""),
    ("""[(() => { const e = new RangeError('x'); e.stack = 'RangeError: x'; e.code = 5; return e; })()]""", """>> [ [RangeError: x] { code: 5 } ]"""),
    ("""(() => { const e = new Error('top', { cause: 'why' }); e.stack = 'Error: top'; return e; })()""", """>> [Error: top] { [cause]: 'why' }"""),
    ("""(() => { const e = new (class V extends Error {})('q'); e.stack = 'Error: q'; return e; })()""", """>> [V [Error]: q]"""),
    ("""(() => { const e = new Error(''); e.stack = 'Error'; return { e }; })()""", """>> { e: [Error] }"""),
    ("""(() => { const e = new AggregateError([1, 2], 'agg'); e.stack = 'AggregateError: agg'; return e; })()""", """>> [AggregateError: agg] { [errors]: [ 1, 2 ] }"""),
]

# The arguments of console.log.
FORMATS = [
    ("""'%s is %d years', 'Bob', 42""", """Bob is 42 years"""),
    ("""'%i %f', 42.9, '1.5x'""", """42 1.5"""),
    ("""'%o', [1, 2]""", """[ 1, 2, [length]: 2 ]"""),
    ("""'%o', { a: { b: { c: { d: { e: {} } } } } }""", """{
  a: {
    b: { c: { d: { e: {} } } }
  }
}"""),
    ("""'%O', { a: { b: { c: { d: 1 } } } }""", """{ a: { b: { c: [Object] } } }"""),
    ("""'%j', { a: [1] }""", """{"a":[1]}"""),
    ("""'%c styled', 'css'""", """ styled"""),
    ("""'100%'""", """100%"""),
    ("""'%% %s'""", """%% %s"""),
    ("""'%% %s', 'x'""", """% x"""),
    ("""'%s', null, undefined""", """null undefined"""),
    ("""'%s', { a: { b: 1 } }""", """{ a: [Object] }"""),
    ("""'%s %s', Symbol('a'), 12n""", """Symbol(a) 12n"""),
    ("""'%d %d %d %d %d %d', 12n, '0x10', {}, Symbol('a'), -0, ''""", """12n 16 NaN NaN -0 0"""),
    ("""'%i %i %i', 12n, '12.7px', {}""", """12n 12 NaN"""),
    ("""'%f %f', Symbol('c'), {}""", """NaN NaN"""),
    ("""'%s', () => 1""", """() => 1"""),
    ("""'%s', new Date(0)""", """1970-01-01T00:00:00.000Z"""),
    ("""'%s', [1, [2, [3]]]""", """[ 1, [Array] ]"""),
    ("""'a', 'b', { c: 1 }, 5, 'd'""", """a b { c: 1 } 5 d"""),
    ("""{ a: 1 }, '%s', 'x'""", """{ a: 1 } %s x"""),
    ("""'%s %s', 'only'""", """only %s"""),
    ("""'%x', 1""", """%x 1"""),
    ("""'%j', (() => { const c = {}; c.c = c; return c; })()""", """[Circular]"""),
    ("""'%s', { toString() { return 'custom'; } }""", """custom"""),
    ("""'%s', new (class Q { toString() { return 'q'; } })()""", """q"""),
    ("""'%s', Object.create(null)""", """[Object: null prototype] {}"""),
    ("""'%s', 'a', 'b'""", """a b"""),
    ("""'%s%', 'a'""", """a%"""),
    ("""undefined""", """undefined"""),
]

# The arguments of console.table.
TABLES = [
    ("""[{ a: 1, b: 'x' }, { a: 2, c: true }]""", """┌─────────┬───┬─────┬──────┐
│ (index) │ a │ b   │ c    │
├─────────┼───┼─────┼──────┤
│ 0       │ 1 │ 'x' │      │
│ 1       │ 2 │     │ true │
└─────────┴───┴─────┴──────┘"""),
    ("""[[1, 2], [3, 4]]""", """┌─────────┬───┬───┐
│ (index) │ 0 │ 1 │
├─────────┼───┼───┤
│ 0       │ 1 │ 2 │
│ 1       │ 3 │ 4 │
└─────────┴───┴───┘"""),
    ("""[1, 'two', { three: 3 }]""", """┌─────────┬───────┬────────┐
│ (index) │ three │ Values │
├─────────┼───────┼────────┤
│ 0       │       │ 1      │
│ 1       │       │ 'two'  │
│ 2       │ 3     │        │
└─────────┴───────┴────────┘"""),
    ("""{ first: { x: 1 }, second: { x: [1, 2], y: { z: { w: 1 } } } }""", """┌─────────┬──────────┬─────────────────┐
│ (index) │ x        │ y               │
├─────────┼──────────┼─────────────────┤
│ first   │ 1        │                 │
│ second  │ [ 1, 2 ] │ { z: [Object] } │
└─────────┴──────────┴─────────────────┘"""),
    ("""new Map([['k', 1], [{ a: 1 }, 'v']])""", """┌───────────────────┬──────────┬────────┐
│ (iteration index) │ Key      │ Values │
├───────────────────┼──────────┼────────┤
│ 0                 │ 'k'      │ 1      │
│ 1                 │ { a: 1 } │ 'v'    │
└───────────────────┴──────────┴────────┘"""),
    ("""new Set(['a', 5])""", """┌───────────────────┬────────┐
│ (iteration index) │ Values │
├───────────────────┼────────┤
│ 0                 │ 'a'    │
│ 1                 │ 5      │
└───────────────────┴────────┘"""),
    ("""[{ a: 1, b: 2 }], ['b']""", """┌─────────┬───┐
│ (index) │ b │
├─────────┼───┤
│ 0       │ 2 │
└─────────┴───┘"""),
    ("""5""", """5"""),
    ("""[]""", """┌─────────┐
│ (index) │
├─────────┤
└─────────┘"""),
]

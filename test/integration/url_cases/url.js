// URL: the class around the parser (whose own cases are in test/unit/text_url.c), and names of hosts by ICU.
const PARTS = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];
const parts = (url) => PARTS.map((name) => url[name]);

await test('parts', () => {
  same(parts(new URL('https://u:p@h:81/a/b?q#f')),
    ['https://u:p@h:81/a/b?q#f', 'https://h:81', 'https:', 'u', 'p', 'h:81', 'h', '81', '/a/b', '?q', '#f']);
  same(parts(new URL('http://h')), ['http://h/', 'http://h', 'http:', '', '', 'h', 'h', '', '/', '', '']);
  same(parts(new URL('http://:p@h/?#')), ['http://:p@h/?#', 'http://h', 'http:', '', 'p', 'h', 'h', '', '/', '', '']);
  same(parts(new URL('http://u@h:1/')), ['http://u@h:1/', 'http://h:1', 'http:', 'u', '', 'h:1', 'h', '1', '/', '', '']);
  same(parts(new URL('file:///x')), ['file:///x', 'null', 'file:', '', '', '', '', '', '/x', '', '']);
  same(parts(new URL('foo:/.//x')), ['foo:/.//x', 'null', 'foo:', '', '', '', '', '', '//x', '', '']);
  same(parts(new URL('foo://h:9')), ['foo://h:9', 'null', 'foo:', '', '', 'h:9', 'h', '9', '', '', '']);
  same(parts(new URL('data:a?b#c')), ['data:a?b#c', 'null', 'data:', '', '', '', '', '', 'a', '?b', '#c']);
  same(parts(new URL('wss://[::1]:1/')), ['wss://[::1]:1/', 'wss://[::1]:1', 'wss:', '', '', '[::1]:1', '[::1]', '1', '/', '', '']);
});

await test('origin', () => {
  equal(new URL('blob:https://h:443/x').origin, 'https://h');
  equal(new URL('blob:http://h:81/x').origin, 'http://h:81');
  equal(new URL('blob:ftp://h/x').origin, 'null');
  equal(new URL('blob:x').origin, 'null');
  equal(new URL('ftp://h:21/').origin, 'ftp://h');
});

await test('constructor', () => {
  equal(new URL('../x?y', 'http://h/a/b/c').href, 'http://h/a/x?y');
  equal(new URL('x', new URL('http://h/a/b')).href, 'http://h/a/x');
  equal(new URL(new URL('http://h/a')).href, 'http://h/a');
  equal(new URL('http://h/', undefined).href, 'http://h/');
  equal(new URL({ toString: () => 'x:y' }).href, 'x:y');
  throws(TypeError, () => new URL());
  throws(TypeError, () => new URL(''));
  throws(TypeError, () => new URL('x'));
  throws(TypeError, () => new URL('x', 'y'));
  throws(TypeError, () => new URL('http://h/', 'y'));
  throws(TypeError, () => new URL('http://h/', null));
  throws(TypeError, () => new URL(Symbol('x')));
  throws(TypeError, () => URL('http://h/'));
  let message;
  try { new URL('no'); } catch (e) { message = e.message; }
  equal(message, 'Invalid URL string.');
});

await test('canParse and parse', () => {
  equal(URL.canParse('http://h/'), true);
  equal(URL.canParse('x'), false);
  equal(URL.canParse('x', 'http://h/'), true);
  equal(URL.canParse('x', 'y'), false);
  equal(URL.canParse('http://h:99999/'), false);
  throws(TypeError, () => URL.canParse());
  equal(URL.parse('x'), null);
  equal(URL.parse('x', 'http://h/').href, 'http://h/x');
  ok(URL.parse('http://h/') instanceof URL);
  throws(TypeError, () => URL.parse());
});

await test('one after the other', () => {
  // The last address is remembered: nothing in between may make it stand for another.
  const a = 'http://a.example/x?1#y', b = 'https://user@b.example:81/longer/path', between = [
    () => {}, () => new URL(b), () => URL.canParse(b), () => URL.parse(b), () => URL.parse('nonsense'), () => new URL('x', b),
    () => throws(TypeError, () => new URL('nonsense')), () => { new URL(a).pathname = '/other'; }, () => { new URL(a).search = '?22'; },
    () => { new URL(b).href = a; }, () => { throws(TypeError, () => { new URL(b).href = 'nonsense'; }); }, () => new URL(a).searchParams.append('k', 'v'),
    () => new Request(b), () => Response.redirect(b), () => { throws(TypeError, () => new URL(a + 'x'.repeat(17 << 20))); },
    () => { const url = new URL(a); throws(TypeError, () => { url.hash = 'x'.repeat(17 << 20); }); },
  ];
  for (const f of between) {
    new URL(a);
    f();
    same(parts(new URL(a)), ['http://a.example/x?1#y', 'http://a.example', 'http:', '', '', 'a.example', 'a.example', '', '/x', '?1', '#y'], String(f));
    same(parts(new URL('', a)).slice(-3), ['/x', '?1', ''], String(f));
  }
});

await test('setters', () => {
  const url = new URL('http://h/');
  url.protocol = 'https';
  url.username = 'me@';
  url.password = 'secret';
  url.host = 'example.org:8080';
  url.pathname = 'a b';
  url.search = 'x=1 2';
  url.hash = 'é';
  equal(url.href, 'https://me%40:secret@example.org:8080/a%20b?x=1%202#%C3%A9');
  same(parts(url).slice(1), ['https://example.org:8080', 'https:', 'me%40', 'secret', 'example.org:8080', 'example.org', '8080', '/a%20b', '?x=1%202', '#%C3%A9']);
  url.hostname = 'x.y';
  url.port = 443;
  url.search = '';
  url.hash = '';
  url.username = url.password = '';
  equal(url.href, 'https://x.y/a%20b');
  url.protocol = 'foo';
  url.host = 'a b';
  url.port = 'x';
  equal(url.href, 'https://x.y/a%20b');
  url.href = 'mailto:a@b';
  url.pathname = '/x';
  url.host = 'h';
  url.username = 'u';
  same(parts(url), ['mailto:a@b', 'null', 'mailto:', '', '', '', '', '', 'a@b', '', '']);
  throws(TypeError, () => { url.href = 'x'; });
  equal(url.href, 'mailto:a@b');
  (() => { 'use strict'; throws(TypeError, () => { url.origin = 'x'; }); })();
});

await test('texts', () => {
  const url = new URL('http://h/a?b');
  equal(String(url), 'http://h/a?b');
  equal(url.toJSON(), 'http://h/a?b');
  equal(JSON.stringify({ url }), '{"url":"http://h/a?b"}');
  equal(Object.prototype.toString.call(url), '[object URL]');
  equal(`${new URL('http://h/\ud800')}`, 'http://h/%EF%BF%BD');
  equal(new URL('http://h/Grüße?ä=ö#☃').href, 'http://h/Gr%C3%BC%C3%9Fe?%C3%A4=%C3%B6#%E2%98%83');
});

await test('hosts beyond ASCII', () => {
  const cases = [
    ['http://bücher.example/', 'xn--bcher-kva.example'],
    ['http://BÜCHER.example/', 'xn--bcher-kva.example'],
    ['http://faß.example/', 'xn--fa-hia.example'],
    ['http://日本語.jp/', 'xn--wgv71a119e.jp'],
    ['http://☃.net/', 'xn--n3h.net'],
    ['http://a。b/', 'a.b'],
    ['http://Ｇｏ.com/', 'go.com'],
    ['http://%E2%98%83.net/', 'xn--n3h.net'],
    ['http://xn--n3h.net/', 'xn--n3h.net'],
    ['http://XN--N3H.net/', 'xn--n3h.net'],
    ['http://１２７.0.0.1/', '127.0.0.1'],
    ['http://０Ｘｃ０．０２５０．０１/', '192.168.0.1'],
    ['http://a\u00adb/', 'ab'],
    ['http://a--b.c-/', 'a--b.c-'],
    ['http://ab--c.é/', 'ab--c.xn--9ca'],
  ];
  for (const [text, host] of cases) equal(URL.canParse(text) && new URL(text).host, host, text);
  ok(new URL(`http://${'é'.repeat(60)}/`).host.startsWith('xn--'));      // longer than a label of DNS may be
  for (const text of ['http://xn--/', 'http://xn--a/', 'http://xn--zn7c.com/', 'http://\u00ad/', 'http://％00.com/', 'http://％４１.com/', 'http://\ufdd0x/',
    'http://a\u200cb/', 'http://א1a/', 'http://xn--a-yoc/', 'http://％/', 'http://\ud800/', 'http://a／b/', 'http://' + 'é'.repeat(5000) + '/'])
    equal(URL.canParse(text), false, text.slice(0, 40));
  const url = new URL('http://h/');
  url.hostname = 'münchen.de';
  equal(url.href, 'http://xn--mnchen-3ya.de/');
  url.hostname = 'xn--a';
  equal(url.hostname, 'xn--mnchen-3ya.de');
});

await test('length', () => {
  const long = 'http://h/' + 'x'.repeat(1 << 20);
  equal(new URL(long).href, long);
  throws(TypeError, () => new URL('http://h/' + 'x'.repeat(17 << 20)));
  equal(URL.canParse('http://h/' + ' x'.repeat(6 << 20)), false);
});

await test('Request and Response.redirect', () => {
  equal(new Request('HTTP://H:80/a/../b c?é#f').url, 'http://h/b%20c?%C3%A9#f');
  equal(new Request(new URL('http://h/x')).url, 'http://h/x');
  equal(new Request('http://u:p@h/').url, 'http://u:p@h/');
  for (const text of ['x', '/x', '', 'http://', 'http://a b/']) throws(TypeError, () => new Request(text), text);
  let message;
  try { new Request('/x'); } catch (e) { message = e.message; }
  equal(message, 'Invalid URL: /x');
  equal(Response.redirect('http://h/é').headers.get('location'), 'http://h/%C3%A9');
  equal(Response.redirect(new URL('http://h/x'), 307).headers.get('location'), 'http://h/x');
  throws(TypeError, () => Response.redirect('/x'));
  throws(RangeError, () => Response.redirect('http://h/', 200));
  try { Response.redirect('/x'); } catch (e) { message = e.message; }
  equal(message, 'Unable to parse URL: /x');
});

// TextEncoderStream and TextDecoderStream.
const hex = (chunks) => chunks.map((c) => [...c].map((b) => b.toString(16).padStart(2, '0')).join('')).join(' ');

check('encoding', async () => {
  is(new TextEncoderStream().encoding, 'utf-8');
  same(hex(await all(of('a', 'ä', '', '€').pipeThrough(new TextEncoderStream()))), '61 c3a4 e282ac');
  same(hex(await all(of(1, null, [2, 3]).pipeThrough(new TextEncoderStream()))), '31 6e756c6c 322c33');
  const t = new TextEncoderStream();
  ok(t.readable instanceof ReadableStream && t.writable instanceof WritableStream);
  is(t.readable, t.readable);
  is(Object.prototype.toString.call(t), '[object TextEncoderStream]');
});
check('encoding pairs of surrogates that are cut in two', async () => {
  const encoded = async (...chunks) => hex(await all(of(...chunks).pipeThrough(new TextEncoderStream())));
  is(await encoded('\ud83d', '\udc0e'), 'f09f908e');
  is(await encoded('a\ud83d', '', '\udc0eb'), '61 f09f908e62');
  is(await encoded('\ud83d'), 'efbfbd');
  is(await encoded('\ud83d', 'x'), 'efbfbd78');
  is(await encoded('\udc0e', 'x'), 'efbfbd 78');
});
check('encoding what has no text', async () => {
  const out = of(Symbol()).pipeThrough(new TextEncoderStream()).getReader();
  await rejects(TypeError, out.read());
});
check('decoding', async () => {
  const t = new TextDecoderStream();
  same([t.encoding, t.fatal, t.ignoreBOM], ['utf-8', false, false]);
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x90, 0x8e]);
  for (let n = 1; n < bytes.length; n++)
    is((await all(of(bytes.slice(0, n), bytes.slice(n)).pipeThrough(new TextDecoderStream()))).join(''), 'a€🐎');
  is((await all(of(bytes.buffer).pipeThrough(new TextDecoderStream('utf-8', { ignoreBOM: true })))).join(''), '\ufeffa€🐎');
});
check('decoding what is cut at the end', async () => {
  is((await all(of(new Uint8Array([0x61, 0xe2, 0x82])).pipeThrough(new TextDecoderStream()))).join(''), 'a\ufffd');
  await rejects(TypeError, all(of(new Uint8Array([0x61, 0xe2])).pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))));
  await rejects(TypeError, all(of(new Uint8Array([0xff])).pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))));
});
check('decoding refuses', async () => {
  throws(RangeError, () => new TextDecoderStream('no such encoding'));
  await rejects(TypeError, all(of('text').pipeThrough(new TextDecoderStream())));
  throws(TypeError, () => Object.getOwnPropertyDescriptor(TextDecoderStream.prototype, 'readable').get.call({}));
});
check('there and back', async () => {
  const text = 'grün 🐎 '.repeat(1000);
  const got = await all(of(...text.match(/.{1,7}/gs)).pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream()));
  is(got.join(''), text);
});

// What Cloudflare has beyond the standard, and what the standard leaves to it.
const s = crypto.subtle, hex = (bytes) => new Uint8Array(bytes).toHex(), data = utf8('data');
current = 'NODE-ED25519';
const NODE = { name: 'NODE-ED25519', namedCurve: 'NODE-ED25519' };
const node = await s.generateKey(NODE, true, ['sign', 'verify']), signature = await s.sign('NODE-ED25519', node.privateKey, data);
same(node.publicKey.algorithm, NODE);
equal(await s.verify(NODE, node.publicKey, signature, data), true);
const same25519 = await s.importKey('raw', await s.exportKey('raw', node.publicKey), 'Ed25519', true, ['verify']);
equal(await s.verify('Ed25519', same25519, signature, data), true, 'the same curve');
const back = await s.importKey('jwk', await s.exportKey('jwk', node.privateKey), NODE, true, ['sign']);
equal(hex(await s.sign(NODE, back, data)), hex(signature));
await rejects(DOMException, s.verify('Ed25519', node.publicKey, signature, data), 'a key of the other name');
await rejects(DOMException, s.generateKey({ ...NODE, namedCurve: 'P-256' }, true, ['sign']));

current = 'a JWK under AES-KW';
const kw = await s.generateKey({ name: 'AES-KW', length: 256 }, false, ['wrapKey', 'unwrapKey']);
for (const [algorithm, uses] of [[{ name: 'HMAC', hash: 'SHA-256' }, ['sign']], [{ name: 'AES-GCM', length: 192 }, ['encrypt']]]) {
  const key = await s.generateKey(algorithm, true, uses), wrapped = await s.wrapKey('jwk', key, kw, 'AES-KW');
  const again = await s.unwrapKey('jwk', wrapped, kw, 'AES-KW', algorithm, true, uses);
  equal(hex(await s.exportKey('raw', again)), hex(await s.exportKey('raw', key)));
}

current = 'wrapping with every cipher';
const inner = await s.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']), pkcs8 = hex(await s.exportKey('pkcs8', inner.privateKey));
for (const [made, used] of [[{ name: 'AES-GCM', length: 256 }, { name: 'AES-GCM', iv: new Uint8Array(12) }], [{ name: 'AES-CBC', length: 128 }, { name: 'AES-CBC', iv: new Uint8Array(16) }],
  [{ name: 'AES-CTR', length: 128 }, { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }]]) {
  const wrapper = await s.generateKey(made, false, ['wrapKey', 'unwrapKey']);
  for (const format of ['pkcs8', 'jwk']) {
    const wrapped = await s.wrapKey(format, inner.privateKey, wrapper, used), out = await s.unwrapKey(format, wrapped, wrapper, used, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    equal(hex(await s.exportKey('pkcs8', out)), pkcs8, `${made.name} ${format}`);
  }
}
const rsa = await s.generateKey({ name: 'RSA-OAEP', modulusLength: 2048, publicExponent: bytesOf(1, 0, 1), hash: 'SHA-1' }, false, ['wrapKey', 'unwrapKey']);
const carried = await s.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
equal(hex(await s.exportKey('raw', await s.unwrapKey('raw', await s.wrapKey('raw', carried, rsa.publicKey, 'RSA-OAEP'), rsa.privateKey, 'RSA-OAEP', 'AES-GCM', true, ['encrypt']))), hex(await s.exportKey('raw', carried)), 'RSA-OAEP');

current = 'timingSafeEqual';
equal(s.timingSafeEqual(bytesOf(1, 2), bytesOf(1, 2).buffer), true);
equal(s.timingSafeEqual(new Uint16Array([1]), bytesOf(1, 0)), true);
equal(s.timingSafeEqual(bytesOf(1, 2), bytesOf(1, 3)), false);
throws(TypeError, () => s.timingSafeEqual(bytesOf(1), bytesOf(1, 2)));
throws(TypeError, () => s.timingSafeEqual('a', 'a'));

current = 'counters that come round';
const ctr = await s.importKey('raw', new Uint8Array(16), 'AES-CTR', false, ['encrypt']), zeros = (n) => new Uint8Array(n);
const block = async (counter, length) => hex(await s.encrypt({ name: 'AES-CTR', counter, length }, ctr, zeros(32)));
const last = new Uint8Array(16).fill(0xab);
last[15] = 0xff;
const round = new Uint8Array(last);
round[15] = 0;
equal((await block(last, 8)).slice(32), (await block(round, 8)).slice(0, 32), 'eight bits wrap and carry nothing');
await rejects(DOMException, s.encrypt({ name: 'AES-CTR', counter: last, length: 4 }, ctr, zeros(17 * 16)), 'more blocks than counters');

current = 'views and their parts';
const whole = utf8('xxabcxx');
equal(hex(await s.digest('SHA-1', whole.subarray(2, 5))), 'a9993e364706816aba3e25717850c26c9cd0d89d');
equal(hex(await s.digest('SHA-1', new DataView(whole.buffer, 2, 3))), 'a9993e364706816aba3e25717850c26c9cd0d89d');
const made = s.digest('SHA-1', whole.subarray(2, 5));
whole.fill(0);
equal(hex(await made), 'a9993e364706816aba3e25717850c26c9cd0d89d', 'what is given is read at once');

// Vectors of the standards, each done forth and, where there is a way, back.
const s = crypto.subtle, hex = (bytes) => new Uint8Array(bytes).toHex(), unhex = (text) => Uint8Array.fromHex(text.replace(/\s/g, ''));
const fill = (byte, count) => new Uint8Array(count).fill(byte), text = (bytes) => new TextDecoder().decode(bytes);
const repeated = (word, count) => utf8(word.repeat(count));
async function tried(name, body) {
  current = name;
  try { await body(); } catch (e) { outcome.checks++; fail(`${show(e)}`); }
}

// ---- digests: FIPS 180-4 (NIST's examples), RFC 1321 ----
const TWO_BLOCKS = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq';
const FOUR = 'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu';
for (const [name, data, wanted] of [
  ['SHA-1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'], ['SHA-1', '', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
  ['SHA-1', TWO_BLOCKS, '84983e441c3bd26ebaae4aa1f95129e5e54670f1'], ['SHA-1', 'a'.repeat(1e6), '34aa973cd4c4daa4f61eeb2bdbad27316534016f'],
  ['SHA-256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['SHA-256', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['SHA-256', TWO_BLOCKS, '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
  ['SHA-256', 'a'.repeat(1e6), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ['SHA-384', 'abc', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'],
  ['SHA-384', FOUR, '09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039'],
  ['SHA-512', 'abc', 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'],
  ['SHA-512', FOUR, '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909'],
  ['MD5', '', 'd41d8cd98f00b204e9800998ecf8427e'], ['MD5', 'abc', '900150983cd24fb0d6963f7d28e17f72'], ['MD5', 'message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
]) await tried(`${name} of ${data.length}`, async () => {
  equal(hex(await s.digest(name, utf8(data))), wanted);
  equal(hex(await s.digest({ name: name.toLowerCase() }, utf8(data).buffer)), wanted, 'in small letters');
});

// ---- HMAC: RFC 4231, RFC 2202 ----
const LARGE = 'Test Using Larger Than Block-Size Key - Hash Key First';
const LARGER = 'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.';
const COUNTED = unhex('0102030405060708090a0b0c0d0e0f10111213141516171819');
for (const [name, hash, key, data, wanted] of [
  ['1', 'SHA-256', fill(0x0b, 20), utf8('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  ['1', 'SHA-384', fill(0x0b, 20), utf8('Hi There'), 'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6'],
  ['1', 'SHA-512', fill(0x0b, 20), utf8('Hi There'), '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854'],
  ['2', 'SHA-256', utf8('Jefe'), utf8('what do ya want for nothing?'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  ['2', 'SHA-384', utf8('Jefe'), utf8('what do ya want for nothing?'), 'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649'],
  ['3', 'SHA-256', fill(0xaa, 20), fill(0xdd, 50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  ['3', 'SHA-512', fill(0xaa, 20), fill(0xdd, 50), 'fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb'],
  ['4', 'SHA-256', COUNTED, fill(0xcd, 50), '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b'],
  ['4', 'SHA-384', COUNTED, fill(0xcd, 50), '3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb'],
  ['6', 'SHA-256', fill(0xaa, 131), utf8(LARGE), '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'],
  ['7', 'SHA-256', fill(0xaa, 131), utf8(LARGER), '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2'],
  ['7', 'SHA-512', fill(0xaa, 131), utf8(LARGER), 'e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58'],
  ['RFC 2202, 1', 'SHA-1', fill(0x0b, 20), utf8('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
  ['RFC 2202, 2', 'SHA-1', utf8('Jefe'), utf8('what do ya want for nothing?'), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
]) await tried(`HMAC ${name} ${hash}`, async () => {
  const k = await s.importKey('raw', key, { name: 'HMAC', hash }, true, ['sign', 'verify']), made = await s.sign('HMAC', k, data);
  equal(hex(made), wanted);
  equal(await s.verify('HMAC', k, made, data), true);
  equal(await s.verify('HMAC', k, made.slice(1), data), false);
  equal(hex(await s.exportKey('raw', k)), hex(key));
  const jwk = await s.exportKey('jwk', k), again = await s.importKey('jwk', jwk, { name: 'HMAC', hash }, false, ['verify']);
  same([jwk.kty, jwk.alg, jwk.ext, jwk.key_ops], ['oct', `HS${hash.slice(4)}`, true, ['sign', 'verify']]);
  equal(await s.verify('HMAC', again, made, data), true);
});

// ---- AES: NIST SP 800-38A (CBC, CTR), the GCM specification's cases, RFC 3394 ----
const PLAIN = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710';
const KEYS = { 128: '2b7e151628aed2a6abf7158809cf4f3c', 192: '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b', 256: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4' };
for (const [mode, bits, wanted] of [
  ['CBC', 128, '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7'],
  ['CBC', 192, '4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd'],
  ['CBC', 256, 'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b'],
  ['CTR', 128, '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee'],
  ['CTR', 192, '1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e941e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050'],
  ['CTR', 256, '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6'],
]) await tried(`AES-${mode} ${bits}`, async () => {
  const name = `AES-${mode}`, k = await s.importKey('raw', unhex(KEYS[bits]), name, false, ['encrypt', 'decrypt']);
  const p = mode === 'CBC' ? { name, iv: unhex('000102030405060708090a0b0c0d0e0f') } : { name, counter: unhex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 64 };
  const made = hex(await s.encrypt(p, k, unhex(PLAIN)));
  equal(made.slice(0, 128), wanted);
  equal(made.length, mode === 'CBC' ? 160 : 128, 'CBC pads');
  equal(hex(await s.decrypt(p, k, unhex(made))), PLAIN);
});
const G = { key: 'feffe9928665731c6d6a8f9467308308', iv: 'cafebabefacedbaddecaf888', plain: 'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39', aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2' };
const FULL = `${G.plain}1aafd255`;
for (const [name, key, iv, plain, aad, cipher, tag] of [
  ['1', '00'.repeat(16), '00'.repeat(12), '', '', '', '58e2fccefa7e3061367f1d57a4e7455a'],
  ['2', '00'.repeat(16), '00'.repeat(12), '00'.repeat(16), '', '0388dace60b6a392f328c2b971b2fe78', 'ab6e47d42cec13bdf53a67b21257bddf'],
  ['3', G.key, G.iv, FULL, '', '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985', '4d5c2af327cd64a62cf35abd2ba6fab4'],
  ['4', G.key, G.iv, G.plain, G.aad, '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091', '5bc94fbc3221a5db94fae95ae7121a47'],
  ['5', G.key, 'cafebabefacedbad', G.plain, G.aad, '61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598', '3612d2e79e3b0785561be14aaca2fccb'],
  ['13', '00'.repeat(32), '00'.repeat(12), '', '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
  ['14', '00'.repeat(32), '00'.repeat(12), '00'.repeat(16), '', 'cea7403d4d606b6e074ec5d3baf39d18', 'd0d1c8a799996bf0265b98b5d48ab919'],
  ['16', G.key + G.key, G.iv, G.plain, G.aad, '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662', '76fc6ece0f4e1768cddf8853bb2d551b'],
]) await tried(`AES-GCM, case ${name}`, async () => {
  const k = await s.importKey('raw', unhex(key), 'AES-GCM', false, ['encrypt', 'decrypt']), p = { name: 'AES-GCM', iv: unhex(iv) };
  if (aad) p.additionalData = unhex(aad);
  const made = await s.encrypt(p, k, unhex(plain));
  equal(hex(made), cipher + tag);
  equal(hex(await s.decrypt(p, k, made)), plain);
  const broken = new Uint8Array(made);
  broken[broken.length - 1] ^= 1;
  await rejects(DOMException, s.decrypt(p, k, broken));
  for (const tagLength of [32, 64, 96, 104, 112, 120]) equal(hex(await s.encrypt({ ...p, tagLength }, k, unhex(plain))), cipher + tag.slice(0, tagLength / 4));
});
const COUNT = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', DATA = '00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f';
for (const [bits, length, wanted] of [
  [128, 16, '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'], [192, 16, '96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d'], [256, 16, '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7'],
  [192, 24, '031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2'], [256, 24, 'a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1'],
  [256, 32, '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21'],
]) await tried(`AES-KW ${bits} of ${length}`, async () => {
  const kw = await s.importKey('raw', unhex(COUNT.slice(0, bits / 4)), 'AES-KW', false, ['wrapKey', 'unwrapKey']);
  const inner = await s.importKey('raw', unhex(DATA.slice(0, length * 2)), 'AES-CTR', true, ['encrypt']);
  equal(hex(await s.wrapKey('raw', inner, kw, 'AES-KW')), wanted);
  equal(hex(await s.exportKey('raw', await s.unwrapKey('raw', unhex(wanted), kw, 'AES-KW', 'AES-CTR', true, ['encrypt']))), DATA.slice(0, length * 2));
});

// ---- HKDF: RFC 5869; PBKDF2: RFC 6070, RFC 7914 ----
const range = (from, to) => Uint8Array.from({ length: to - from }, (_, i) => from + i);
for (const [name, hash, ikm, salt, info, length, wanted] of [
  ['1', 'SHA-256', fill(0x0b, 22), range(0, 13), range(0xf0, 0xfa), 42, '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'],
  ['2', 'SHA-256', range(0, 0x50), range(0x60, 0xb0), range(0xb0, 0x100), 82, 'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87'],
  ['3', 'SHA-256', fill(0x0b, 22), fill(0, 0), fill(0, 0), 42, '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'],
  ['4', 'SHA-1', fill(0x0b, 11), range(0, 13), range(0xf0, 0xfa), 42, '085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896'],
  ['5', 'SHA-1', range(0, 0x50), range(0x60, 0xb0), range(0xb0, 0x100), 82, '0bd770a74d1160f7c9f12cd5912a06ebff6adcae899d92191fe4305673ba2ffe8fa3f1a4e5ad79f3f334b3b202b2173c486ea37ce3d397ed034c7f9dfeb15c5e927336d0441f4c4300e2cff0d0900b52d3b4'],
  ['6', 'SHA-1', fill(0x0b, 22), fill(0, 0), fill(0, 0), 42, '0ac1af7002b3d761d1e55298da9d0506b9ae52057220a306e07b6b87e8df21d0ea00033de03984d34918'],
]) await tried(`HKDF, case ${name}`, async () => {
  const k = await s.importKey('raw', ikm, 'HKDF', false, ['deriveBits', 'deriveKey']), p = { name: 'HKDF', hash, salt, info };
  equal(hex(await s.deriveBits(p, k, length * 8)), wanted);
  equal(hex(await s.exportKey('raw', await s.deriveKey(p, k, { name: 'AES-CBC', length: 256 }, true, ['encrypt']))), wanted.slice(0, 64));
  equal(hex(await s.exportKey('raw', await s.deriveKey(p, k, { name: 'HMAC', hash: 'SHA-256', length: 256 }, true, ['sign']))), wanted.slice(0, 64));
});
for (const [hash, password, salt, iterations, length, wanted] of [
  ['SHA-1', 'password', 'salt', 1, 20, '0c60c80f961f0e71f3a9b524af6012062fe037a6'], ['SHA-1', 'password', 'salt', 2, 20, 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'],
  ['SHA-1', 'password', 'salt', 4096, 20, '4b007901b765489abead49d926f721d065a429c1'],
  ['SHA-1', 'passwordPASSWORDpassword', 'saltSALTsaltSALTsaltSALTsaltSALTsalt', 4096, 25, '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038'],
  ['SHA-1', 'pass\0word', 'sa\0lt', 4096, 16, '56fa6aa75548099dcc37d7f03425e0c3'],
  ['SHA-256', 'passwd', 'salt', 1, 64, '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783'],
  ['SHA-256', 'Password', 'NaCl', 80000, 64, '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d'],
]) await tried(`PBKDF2 ${hash} ${password} ${iterations}`, async () => {
  const k = await s.importKey('raw', utf8(password), 'PBKDF2', false, ['deriveBits']);
  equal(hex(await s.deriveBits({ name: 'PBKDF2', hash, salt: utf8(salt), iterations }, k, length * 8)), wanted);
});

// ---- Ed25519: RFC 8032; X25519: RFC 7748 ----
const ED_PKCS8 = '302e020100300506032b657004220420', X_PKCS8 = '302e020100300506032b656e04220420';
for (const [name, secret, open, data, wanted] of [
  ['1', '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '', 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'],
  ['2', '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '72', '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'],
  ['3', 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', 'af82', '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'],
  ['SHA(abc)', '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42', 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf', 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f', 'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704'],
]) await tried(`Ed25519 ${name}`, async () => {
  const k = await s.importKey('pkcs8', unhex(ED_PKCS8 + secret), 'Ed25519', true, ['sign']), p = await s.importKey('raw', unhex(open), 'Ed25519', true, ['verify']);
  equal(hex(await s.sign('Ed25519', k, unhex(data))), wanted);
  equal(await s.verify('Ed25519', p, unhex(wanted), unhex(data)), true);
  equal(await s.verify('Ed25519', p, unhex(wanted), unhex(`${data}00`)), false);
  const jwk = await s.exportKey('jwk', k);
  same([jwk.kty, jwk.crv, Uint8Array.fromBase64(jwk.d, { alphabet: 'base64url' }).toHex(), Uint8Array.fromBase64(jwk.x, { alphabet: 'base64url' }).toHex()], ['OKP', 'Ed25519', secret, open]);
  equal(hex(await s.exportKey('pkcs8', await s.importKey('jwk', jwk, 'Ed25519', true, ['sign']))), ED_PKCS8 + secret);
  equal(hex(await s.exportKey('spki', p)), `302a300506032b6570032100${open}`);
});
for (const [secret, open, wanted] of [
  ['a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4', 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c', 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'],
  ['4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d', 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493', '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957'],
]) await tried(`X25519 ${secret.slice(0, 4)}`, async () => {
  const k = await s.importKey('pkcs8', unhex(X_PKCS8 + secret), 'X25519', false, ['deriveBits']), p = await s.importKey('raw', unhex(open), 'X25519', true, []);
  equal(hex(await s.deriveBits({ name: 'X25519', public: p }, k, 256)), wanted);
  equal(hex(await s.deriveBits({ name: 'X25519', public: p }, k, 128)), wanted.slice(0, 32));
});

// ---- ECDSA: RFC 6979, A.2 (to verify: the Web's signatures take a random number) ----
for (const [curve, hash, data, point, wanted] of [
  ['P-256', 'SHA-256', 'sample', '60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299', 'EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8'],
  ['P-256', 'SHA-256', 'test', '60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299', 'F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083'],
  ['P-384', 'SHA-384', 'sample', 'EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC138015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720', '94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE4699EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8'],
]) await tried(`ECDSA ${curve} ${data}`, async () => {
  const k = await s.importKey('raw', unhex(`04${point}`), { name: 'ECDSA', namedCurve: curve }, true, ['verify']), p = { name: 'ECDSA', hash };
  equal(await s.verify(p, k, unhex(wanted), utf8(data)), true);
  equal(await s.verify(p, k, unhex(wanted), utf8(`${data}!`)), false);
  equal(await s.verify(p, k, unhex(wanted).slice(2), utf8(data)), false);
  equal(await s.verify(p, k, fill(0, wanted.length / 2), utf8(data)), false, 'zeros');
});

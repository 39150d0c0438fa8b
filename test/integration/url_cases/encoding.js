// TextEncoder and TextDecoder of the Encoding standard.
const decode = (label, bytes, options) => new TextDecoder(label, options).decode(bytesOf(...bytes));
const hex = (text) => [...text].map((c) => c.codePointAt(0).toString(16)).join(' ');
const BAD = '\ufffd';

await test('labels', () => {
  const cases = [
    ['utf-8', 'utf-8'], ['UTF8', 'utf-8'], [' unicode-1-1-utf-8\t\n', 'utf-8'], ['x-unicode20utf8', 'utf-8'], ['ascii', 'windows-1252'],
    ['latin1', 'windows-1252'], ['ISO-8859-1', 'windows-1252'], ['us-ascii', 'windows-1252'], ['l2', 'iso-8859-2'], ['866', 'ibm866'],
    ['logical', 'iso-8859-8-i'], ['visual', 'iso-8859-8'], ['latin5', 'windows-1254'], ['koi', 'koi8-r'], ['koi8-ru', 'koi8-u'], ['mac', 'macintosh'],
    ['x-mac-ukrainian', 'x-mac-cyrillic'], ['tis-620', 'windows-874'], ['gb2312', 'gbk'], ['chinese', 'gbk'], ['gb18030', 'gb18030'],
    ['big5-hkscs', 'big5'], ['x-euc-jp', 'euc-jp'], ['csiso2022jp', 'iso-2022-jp'], ['sjis', 'shift_jis'], ['windows-31j', 'shift_jis'],
    ['ks_c_5601-1987', 'euc-kr'], ['korean', 'euc-kr'], ['utf-16', 'utf-16le'], ['unicode', 'utf-16le'], ['unicodefffe', 'utf-16be'],
    ['x-user-defined', 'x-user-defined'], ['iso-8859-16', 'iso-8859-16'],
  ];
  for (const [label, name] of cases) equal(new TextDecoder(label).encoding, name, label);
  for (const label of ['replacement', 'hz-gb-2312', 'iso-2022-kr', 'utf-7', 'utf-32', '', 'utf-8\0', '\u00a0utf-8', 'cp437'])
    throws(RangeError, () => new TextDecoder(label), label);
  let message;
  try { new TextDecoder('nonsense'); } catch (e) { message = e.message; }
  equal(message, '"nonsense" is not a valid encoding.');
  const all = ['utf-8', 'ibm866', 'iso-8859-2', 'iso-8859-3', 'iso-8859-4', 'iso-8859-5', 'iso-8859-6', 'iso-8859-7', 'iso-8859-8', 'iso-8859-8-i',
    'iso-8859-10', 'iso-8859-13', 'iso-8859-14', 'iso-8859-15', 'iso-8859-16', 'koi8-r', 'koi8-u', 'macintosh', 'windows-874', 'windows-1250',
    'windows-1251', 'windows-1252', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256', 'windows-1257', 'windows-1258', 'x-mac-cyrillic',
    'gbk', 'gb18030', 'big5', 'euc-jp', 'iso-2022-jp', 'shift_jis', 'euc-kr', 'x-user-defined'];
  for (const name of all) equal(decode(name, [0x61, 0x0a, 0x7e].slice(0, 2)), 'a\n', name);
});

await test('text in many encodings', () => {
  const cases = [
    ['windows-1252', [0x47, 0x72, 0xfc, 0xdf, 0x65, 0x80, 0x81], 'Grüße€\x81'],
    ['iso-8859-2', [0xa3, 0xf3, 0x64, 0xbc], 'Łódź'],
    ['iso-8859-16', [0xa4, 0xaa, 0xde], '€ȘȚ'],
    ['koi8-r', [0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4], 'Привет'],
    ['koi8-u', [0xae, 0xbe, 0xb4], 'ўЎЄ'],
    ['windows-1251', [0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2], 'Привет'],
    ['ibm866', [0x8f, 0xe0, 0xa8], 'При'],
    ['windows-1253', [0xc3, 0xe5, 0xaa], 'Γε' + BAD],
    ['windows-1255', [0xf9, 0xca], 'ש\u05ba'],
    ['windows-874', [0xa1, 0xdb], 'ก' + BAD],
    ['macintosh', [0x8a, 0xf0, 0xdb], 'ä\uf8ff€'],
    ['x-user-defined', [0x7f, 0x80, 0xff], '\x7f\uf780\uf7ff'],
    ['shift_jis', [0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0xb1, 0x80], '日本語ｱ\x80'],
    ['shift_jis', [0xf0, 0x40, 0x81], '\ue000' + BAD],
    ['euc-jp', [0xc6, 0xfc, 0xcb, 0xdc, 0x8f, 0xb0, 0xa1, 0x8e, 0xb1], '日本丂ｱ'],
    ['iso-2022-jp', [0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42, 0x61], '日本a'],
    ['euc-kr', [0xc7, 0xd1, 0xb1, 0xb9, 0x81, 0x41], '한국갂'],
    ['gbk', [0xd6, 0xd0, 0xce, 0xc4, 0x80], '中文€'],
    ['gb18030', [0xa6, 0xd9, 0x84, 0x31, 0xa4, 0x37, 0x94, 0x39, 0xda, 0x33], '\ufe10' + BAD + '\u{1f4a9}'],
    ['gb18030', [0x81, 0x35, 0xf4, 0x37, 0xa3, 0xa0], '\ue7c7\u3000'],
    ['big5', [0xa4, 0xa4, 0xa4, 0xe5, 0x88, 0x62, 0x87, 0xa4, 0x87, 0x45], '中文\u00ca\u0304\u9f97\u{27267}'],
    ['utf-16le', [0x61, 0, 0x3d, 0xd8, 0, 0xde], 'a😀'],
    ['utf-16be', [0, 0x61, 0xd8, 0x3d, 0xde, 0], 'a😀'],
  ];
  for (const [label, bytes, wanted] of cases) {
    equal(hex(decode(label, bytes)), hex(wanted), label);
    const decoder = new TextDecoder(label);
    let text = '';
    for (const byte of bytes) text += decoder.decode(bytesOf(byte), { stream: true });
    equal(hex(text + decoder.decode()), hex(wanted), `${label} in pieces`);
    if (wanted.includes(BAD)) throws(TypeError, () => decode(label, bytes, { fatal: true }), label);
    else equal(decode(label, bytes, { fatal: true }), wanted, label);
  }
});

await test('what is ill-formed', () => {
  const cases = [
    ['utf-8', [0xff, 0x61], BAD + 'a'], ['utf-8', [0xc3], BAD], ['utf-8', [0xe2, 0x82, 0x61], BAD + 'a'], ['utf-8', [0xed, 0xa0, 0x80], BAD.repeat(3)],
    ['utf-8', [0xf0, 0x9f, 0x98], BAD], ['utf-8', [0xc0, 0x80], BAD + BAD], ['utf-8', [0xf4, 0x90, 0x80, 0x80], BAD.repeat(4)],
    ['utf-16le', [0x61], BAD], ['utf-16le', [0x3d, 0xd8], BAD], ['utf-16le', [0, 0xde, 0x61, 0], BAD + 'a'], ['utf-16le', [0x3d, 0xd8, 0x61, 0], BAD + 'a'],
    ['shift_jis', [0x82, 0x22], BAD + '"'], ['euc-jp', [0xa4, 0x22], BAD + '"'], ['gb18030', [0x81, 0x22], BAD + '"'],
    ['gb18030', [0x81, 0x30, 0x81, 0x22], BAD + '0' + BAD + '"'], ['gb18030', [0xfc, 0x30, 0xfc, 0x31], BAD], ['big5', [0xa4, 0x22], BAD + '"'],
    ['euc-kr', [0xc9, 0xa1], BAD], ['euc-jp', [0x8f, 0xf3, 0xf3], BAD], ['iso-2022-jp', [0x1b, 0x28, 0x22], BAD + '("'],
  ];
  for (const [label, bytes, wanted] of cases) {
    equal(hex(decode(label, bytes)), hex(wanted), `${label} ${bytes}`);
    throws(TypeError, () => decode(label, bytes, { fatal: true }), `${label} ${bytes}`);
  }
  let message;
  try { decode('utf-8', [0xff], { fatal: true }); } catch (e) { message = e.message; }
  equal(message, 'Failed to decode input.');
});

await test('byte order marks', () => {
  const marks = { 'utf-8': [0xef, 0xbb, 0xbf], 'utf-16le': [0xff, 0xfe], 'utf-16be': [0xfe, 0xff] };
  for (const [label, mark] of Object.entries(marks)) {
    equal(decode(label, mark), '', label);
    equal(decode(label, [...mark, ...mark]), '\ufeff', label);
    equal(decode(label, mark, { ignoreBOM: true }), '\ufeff', label);
    const decoder = new TextDecoder(label);
    let text = '';
    for (const byte of [...mark, ...mark]) text += decoder.decode(bytesOf(byte), { stream: true });
    equal(text + decoder.decode(), '\ufeff', `${label} in pieces`);
    equal(decoder.decode(bytesOf(...mark)), '', `${label} again`);
  }
  equal(decode('gb18030', [0x84, 0x31, 0x95, 0x33]), '\ufeff');
  equal(decode('utf-16le', [0xef, 0xbb]), '\ubbef');
});

await test('pieces', () => {
  const euro = bytesOf(0xe2, 0x82, 0xac), decoder = new TextDecoder();
  equal(decoder.decode(euro.subarray(0, 2), { stream: true }), '');
  equal(decoder.decode(euro.subarray(2), { stream: true }), '€');
  equal(decoder.decode(euro.subarray(0, 1), { stream: true }), '');
  equal(decoder.decode(), BAD);
  equal(decoder.decode(), '');
  const fatal = new TextDecoder('shift_jis', { fatal: true });
  equal(fatal.decode(bytesOf(0x93), { stream: true }), '');
  throws(TypeError, () => fatal.decode());
  equal(fatal.decode(bytesOf(0x61)), 'a');
  equal(fatal.fatal, true);
  equal(fatal.ignoreBOM, false);
});

await test('what is decoded', () => {
  const bytes = utf8('xabcx');
  equal(new TextDecoder().decode(bytes.buffer), 'xabcx');
  equal(new TextDecoder().decode(bytes.subarray(1, 4)), 'abc');
  equal(new TextDecoder().decode(new DataView(bytes.buffer, 1, 2)), 'ab');
  equal(new TextDecoder('latin1').decode(new Uint16Array([0x4241])), 'AB');
  equal(new TextDecoder().decode(undefined), '');
  for (const bad of ['text', 1, {}, [1]]) throws(TypeError, () => new TextDecoder().decode(bad), String(bad));
  throws(TypeError, () => TextDecoder());
  const long = 'Grüße 😀 '.repeat(20000);
  equal(new TextDecoder().decode(utf8(long)), long);
  equal(new TextDecoder('utf-16le').decode(Uint16Array.from(long, (_, i) => long.charCodeAt(i)).buffer).length > 0, true);
});

await test('TextEncoder', () => {
  const encoder = new TextEncoder();
  equal(encoder.encoding, 'utf-8');
  same([...encoder.encode('aé€😀')], [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80]);
  same([...encoder.encode()], []);
  same([...encoder.encode(undefined)], []);
  same([...encoder.encode('\ud800')], [0xef, 0xbf, 0xbd]);
  same([...encoder.encode(12)], [0x31, 0x32]);
  ok(encoder.encode('a') instanceof Uint8Array);
  const cases = [
    ['abc', 3, 3, 3], ['abc', 2, 2, 2], ['abc', 9, 3, 3], ['é€', 4, 1, 2], ['é€', 5, 2, 5], ['😀a', 3, 0, 0], ['😀a', 4, 2, 4], ['😀a', 5, 3, 5],
    ['\ud800a', 3, 1, 3], ['\ud800', 2, 0, 0], ['', 1, 0, 0], ['a', 0, 0, 0], ['\udc00\ud800', 6, 2, 6], ['\0a', 2, 2, 2],
  ];
  for (const [text, room, read, written] of cases) {
    const whole = new Uint8Array(room + 4).fill(7), into = whole.subarray(2, 2 + room);
    same(encoder.encodeInto(text, into), { read, written }, text);
    same([...into.subarray(0, written)], [...encoder.encode(text.slice(0, read))], text);
    same([whole[0], whole[1], ...whole.subarray(2 + written)], new Array(room + 4 - written).fill(7), text);
  }
  throws(TypeError, () => encoder.encodeInto('a', new ArrayBuffer(1)));
  throws(TypeError, () => encoder.encodeInto('a', [1]));
});

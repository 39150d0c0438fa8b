// node:punycode (RFC 3492)
const BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST = 128, DOTS = /[\x2E\u3002\uFF0E\uFF61]/g, MAX = 0x7fffffff;
const bad = (text) => new RangeError(text);

function adapt(delta, count, isFirst) {
  let k = 0;
  delta = isFirst ? Math.floor(delta / DAMP) : delta >> 1;
  delta += Math.floor(delta / count);
  for (; delta > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) delta = Math.floor(delta / (BASE - T_MIN));
  return Math.floor(k + (BASE - T_MIN + 1) * delta / (delta + SKEW));
}
const digitOf = (code) => (code >= 48 && code < 58 ? code - 22 : code >= 65 && code < 91 ? code - 65 : code >= 97 && code < 123 ? code - 97 : BASE);
const codeOf = (digit) => digit + 22 + 75 * (digit < 26);
const threshold = (k, bias) => (k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias);

export function decode(input) {
  const output = [], basic = Math.max(input.lastIndexOf('-'), 0);
  let i = 0, n = FIRST, bias = FIRST_BIAS;
  for (let j = 0; j < basic; j++) {
    if (input.charCodeAt(j) >= 0x80) throw bad('Illegal input >= 0x80 (not a basic code point)');
    output.push(input.charCodeAt(j));
  }
  for (let at = basic > 0 ? basic + 1 : 0; at < input.length;) {
    const before = i;
    for (let weight = 1, k = BASE; ; k += BASE) {
      if (at >= input.length) throw bad('Invalid input');
      const digit = digitOf(input.charCodeAt(at++));
      if (digit >= BASE) throw bad('Invalid input');
      if (digit > Math.floor((MAX - i) / weight)) throw bad('Overflow: input needs wider integers to process');
      i += digit * weight;
      const t = threshold(k, bias);
      if (digit < t) break;
      weight *= BASE - t;
    }
    const count = output.length + 1;
    bias = adapt(i - before, count, before === 0);
    n += Math.floor(i / count);
    i %= count;
    output.splice(i++, 0, n);
  }
  return String.fromCodePoint(...output);
}

export function encode(text) {
  const input = ucs2.decode(text), output = input.filter((code) => code < 0x80).map((code) => String.fromCharCode(code)), basic = output.length;
  let n = FIRST, delta = 0, bias = FIRST_BIAS, handled = basic;
  if (basic) output.push('-');
  while (handled < input.length) {
    let m = MAX;
    for (const code of input) if (code >= n && code < m) m = code;
    if (m - n > Math.floor((MAX - delta) / (handled + 1))) throw bad('Overflow: input needs wider integers to process');
    delta += (m - n) * (handled + 1);
    n = m;
    for (const code of input) {
      if (code < n) delta++;
      if (code !== n) continue;
      let q = delta;
      for (let k = BASE; ; k += BASE) {
        const t = threshold(k, bias);
        if (q < t) break;
        output.push(String.fromCharCode(codeOf(t + (q - t) % (BASE - t))));
        q = Math.floor((q - t) / (BASE - t));
      }
      output.push(String.fromCharCode(codeOf(q)));
      bias = adapt(delta, handled + 1, handled === basic);
      delta = 0;
      handled++;
    }
    delta++;
    n++;
  }
  return output.join('');
}

function mapDomain(domain, f) {
  const parts = domain.split('@');
  return (parts.length > 1 ? `${parts[0]}@` : '') + parts.at(-1).replace(DOTS, '.').split('.').map(f).join('.');
}
export const toUnicode = (input) => mapDomain(input, (label) => (/^xn--/.test(label) ? decode(label.slice(4).toLowerCase()) : label));
export const toASCII = (input) => mapDomain(input, (label) => (/[^\0-\x7F]/.test(label) ? `xn--${encode(label)}` : label));
export const ucs2 = { decode: (text) => Array.from(text, (c) => c.codePointAt(0)), encode: (codes) => String.fromCodePoint(...codes) };
export const version = '2.1.0';
export default { version, ucs2, decode, encode, toASCII, toUnicode };

// data_url.js - the data: URL processor of the Fetch standard: what such a URL holds.

const BASE64 = /; *base64$/i;
const TOKEN = "[!#$%&'*+\\-.^_`|~\\w]+", TYPE = new RegExp(`^${TOKEN}/${TOKEN} *(;|$)`);
const PLAIN = 'text/plain;charset=US-ASCII';
const { atob } = globalThis;

const hexDigit = (c) => (c >= 48 && c <= 57 ? c - 48 : c >= 65 && c <= 70 ? c - 55 : c >= 97 && c <= 102 ? c - 87 : -1);

// The bytes of an URL's text, which is ASCII.
function undoPercent(text) {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const high = c === 37 ? hexDigit(text.charCodeAt(i + 1)) : -1, low = high < 0 ? -1 : hexDigit(text.charCodeAt(i + 2));
    if (low < 0) bytes[length++] = c;
    else {
      bytes[length++] = high * 16 + low;
      i += 2;
    }
  }
  return bytes.subarray(0, length);
}

function latin1(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

// {type, bytes} of a parsed URL; TypeError when it holds nothing that can be read.
internals.readDataUrl = (url) => {
  const text = url.href.slice('data:'.length, url.hash ? -url.hash.length : undefined), comma = text.indexOf(',');
  if (comma < 0) throw new TypeError(`Fetch API cannot load: ${internals.shortened(url.href)} has no comma before its data`);
  let type = text.slice(0, comma).trim(), bytes = undoPercent(text.slice(comma + 1));
  if (BASE64.test(type)) {
    type = type.replace(BASE64, '');
    let decoded;
    try { decoded = atob(latin1(bytes)); } catch { throw new TypeError(`Fetch API cannot load: ${internals.shortened(url.href)} holds no valid base64`); }
    bytes = Uint8Array.from(decoded, (c) => c.charCodeAt(0));
  }
  if (type.startsWith(';')) type = `text/plain${type}`;
  return { type: TYPE.test(type) ? type : PLAIN, bytes };
};

internals.shortened = (text) => (text.length > 80 ? `${text.slice(0, 80)}...` : text);

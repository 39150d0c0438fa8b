// buffer.js - Buffer: bytes with Node's methods.  Numbers are in numbers.js, encodings in bytes.js.
import { argType, argValue, checkInteger, checkNumber, coded, outOfRange } from 'node:internal/errors';
import { encode, encodeInto, findEncoding, UTF8 } from 'node:internal/bytes';
import { inspect } from 'node:internal/inspect';
import { addNumbers } from 'node:internal/numbers';
import { kInspect } from 'node:internal/realm';

export const kMaxLength = 2 ** 32;
export const kStringMaxLength = 2 ** 29 - 24;
export const INSPECT = { max: 50 };

const TypedArray = Object.getPrototypeOf(Uint8Array), { fill: fillBytes, set: setBytes, indexOf: indexOfByte, lastIndexOf: lastIndexOfByte } = TypedArray.prototype;

class FastBuffer extends Uint8Array {}

export function Buffer(value, encodingOrOffset, length) {
  if (typeof value === 'number') {
    if (typeof encodingOrOffset === 'string') throw argType('string', 'string', value);
    return Buffer.alloc(value);
  }
  return Buffer.from(value, encodingOrOffset, length);
}
Object.defineProperty(Buffer, 'name', { value: 'Buffer', configurable: true });      // whatever the linker calls it
Object.setPrototypeOf(Buffer, Uint8Array);
Buffer.prototype = FastBuffer.prototype;
Object.defineProperty(Buffer.prototype, 'constructor', { value: Buffer, writable: true, enumerable: false, configurable: true });
Object.defineProperty(Buffer, Symbol.species, { configurable: true, enumerable: false, get() { return FastBuffer; } });

function checkSize(size) {
  if (typeof size !== 'number') throw argType('size', 'number', size);
  if (!(size >= 0 && size <= kMaxLength)) throw outOfRange('size', `>= 0 && <= ${kMaxLength}`, size);
}
function encodingOf(name) {
  const found = findEncoding(name);
  if (!found) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${name}`);
  return found;
}
const over = (bytes) => new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const isView = (value) => value instanceof Uint8Array;
const isBuffer = (value) => value instanceof ArrayBuffer || (typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer)
  || Object.prototype.toString.call(value) === '[object ArrayBuffer]' || Object.prototype.toString.call(value) === '[object SharedArrayBuffer]';

function fromBuffer(buffer, byteOffset, length) {
  if (byteOffset === undefined) byteOffset = 0;
  else if (Number.isNaN(byteOffset = +byteOffset)) byteOffset = 0;
  const max = buffer.byteLength - byteOffset;
  if (max < 0) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
  if (length === undefined) length = max;
  else {
    length = +length;
    if (!(length > 0)) length = 0;
    else if (length > max) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
  }
  return new FastBuffer(buffer, byteOffset, length);
}
function fromList(list) {
  const length = list.length > 0 ? Math.trunc(list.length) : 0, result = new FastBuffer(length);
  if (isView(list)) result.set(list);
  else for (let i = 0; i < length; i++) result[i] = list[i];
  return result;
}
function fromObject(value) {
  if (value.length !== undefined || isBuffer(value.buffer)) return typeof value.length !== 'number' ? new FastBuffer(0) : fromList(value);
  if (value.type === 'Buffer' && Array.isArray(value.data)) return fromList(value.data);
  return undefined;
}

Buffer.from = function from(value, encodingOrOffset, length) {
  if (typeof value === 'string') {
    return over(encodingOf(typeof encodingOrOffset === 'string' ? encodingOrOffset : undefined).toBytes(value));
  }
  if (typeof value === 'object' && value !== null) {
    if (isView(value)) return fromList(value);
    if (isBuffer(value)) return fromBuffer(value, encodingOrOffset, length);
    const inner = value.valueOf?.();
    if (inner !== null && inner !== undefined && inner !== value && (typeof inner === 'string' || typeof inner === 'object')) return from(inner, encodingOrOffset, length);
    const made = fromObject(value);
    if (made) return made;
    if (typeof value[Symbol.toPrimitive] === 'function') {
      const primitive = value[Symbol.toPrimitive]('string');
      if (typeof primitive === 'string') return from(primitive, encodingOrOffset);
    }
  }
  throw argType('first argument', ['string', 'Buffer', 'ArrayBuffer', 'Array', 'Array-like Object'], value);
};
Buffer.of = function of(...items) { return fromList(items); };
Buffer.alloc = function alloc(size, fill, encoding) {
  checkSize(size);
  const result = new FastBuffer(size);
  return fill !== undefined && fill !== 0 && size > 0 ? result.fill(fill, encoding) : result;
};
Buffer.allocUnsafe = function allocUnsafe(size) {
  checkSize(size);
  return new FastBuffer(size);
};
Buffer.allocUnsafeSlow = function allocUnsafeSlow(size) {
  checkSize(size);
  return new FastBuffer(size);
};
Buffer.copyBytesFrom = function copyBytesFrom(view, offset, length) {
  if (!(view instanceof TypedArray)) throw argType('view', ['TypedArray'], view);
  if (offset !== undefined) checkInteger(offset, 'offset', 0);
  if (length !== undefined) checkInteger(length, 'length', 0);
  const from = offset ?? 0, part = view.subarray(from, length === undefined ? undefined : from + length);
  return fromList(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
};
Buffer.isBuffer = function isBuffer(value) { return value instanceof Buffer; };
Buffer.isEncoding = function isEncoding(name) { return typeof name === 'string' && name.length !== 0 && findEncoding(name) !== undefined; };
Buffer.byteLength = function byteLength(value, encoding) {
  if (typeof value === 'string') return (findEncoding(encoding) ?? UTF8).length(value);
  if (ArrayBuffer.isView(value) || isBuffer(value)) return value.byteLength;
  throw argType('string', ['string', 'Buffer', 'ArrayBuffer'], value);
};
function compareBytes(a, b) {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return a.length < b.length ? -1 : a.length > b.length ? 1 : 0;
}
Buffer.compare = function compare(a, b) {
  if (!isView(a)) throw argType('buf1', ['Buffer', 'Uint8Array'], a);
  if (!isView(b)) throw argType('buf2', ['Buffer', 'Uint8Array'], b);
  return a === b ? 0 : compareBytes(a, b);
};
Buffer.concat = function concat(list, length) {
  if (!Array.isArray(list)) throw argType('list', 'Array', list);
  if (length === undefined) {
    length = 0;
    for (const item of list) if (item.length) length += item.length;
  } else checkInteger(length, 'length', 0);
  const result = new FastBuffer(length);
  let at = 0;
  for (let i = 0; i < list.length; i++) {
    if (!isView(list[i])) throw argType(`list[${i}]`, ['Buffer', 'Uint8Array'], list[i]);
    if (at >= length) continue;
    const item = at + list[i].length > length ? list[i].subarray(0, length - at) : list[i];
    setBytes.call(result, item, at);
    at += item.length;
  }
  return result;
};
Buffer.poolSize = 8192;

const proto = Buffer.prototype;
const methods = {
  toString(encoding, start, end) {
    const { length } = this;
    if (arguments.length === 0) return UTF8.toText(this);
    if (start <= 0) start = 0;
    else if (start >= length) return '';
    else start = Math.trunc(start) || 0;
    if (end === undefined || end > length) end = length;
    else end = Math.trunc(end) || 0;
    if (end <= start) return '';
    const found = encoding === undefined ? UTF8 : encodingOf(encoding);
    return found.toText(start === 0 && end === length ? this : this.subarray(start, end));
  },
  toLocaleString(encoding, start, end) { return this.toString(encoding, start, end); },
  toJSON() { return this.length > 0 ? { type: 'Buffer', data: Array.from(this) } : { type: 'Buffer', data: [] }; },
  equals(other) {
    if (!isView(other)) throw argType('otherBuffer', ['Buffer', 'Uint8Array'], other);
    return this === other || (this.length === other.length && compareBytes(this, other) === 0);
  },
  compare(target, targetStart, targetEnd, sourceStart, sourceEnd) {
    if (!isView(target)) throw argType('target', ['Buffer', 'Uint8Array'], target);
    const bound = (value, name, max, otherwise) => {
      if (value === undefined) return otherwise;
      checkInteger(value, name, 0, max);
      return value;
    };
    targetStart = bound(targetStart, 'targetStart', Number.MAX_SAFE_INTEGER, 0);
    targetEnd = bound(targetEnd, 'targetEnd', target.length, target.length);
    sourceStart = bound(sourceStart, 'sourceStart', Number.MAX_SAFE_INTEGER, 0);
    sourceEnd = bound(sourceEnd, 'sourceEnd', this.length, this.length);
    if (sourceStart >= sourceEnd) return targetStart >= targetEnd ? 0 : -1;
    if (targetStart >= targetEnd) return 1;
    return compareBytes(this.subarray(sourceStart, sourceEnd), target.subarray(targetStart, targetEnd));
  },
  copy(target, targetStart, sourceStart, sourceEnd) {
    if (!isView(target)) throw argType('target', ['Buffer', 'Uint8Array'], target);
    const whole = (value, name, otherwise) => {
      if (value === undefined) return otherwise;
      const n = Math.trunc(value) || 0;
      if (n < 0) throw outOfRange(name, '>= 0', n);
      return n;
    };
    targetStart = whole(targetStart, 'targetStart', 0);
    sourceStart = whole(sourceStart, 'sourceStart', 0);
    if (sourceStart > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, sourceStart);
    sourceEnd = whole(sourceEnd, 'sourceEnd', this.length);
    if (targetStart >= target.length || sourceStart >= sourceEnd) return 0;
    const count = Math.min(sourceEnd - sourceStart, target.length - targetStart, this.length - sourceStart);
    if (count <= 0) return 0;
    setBytes.call(target, this.subarray(sourceStart, sourceStart + count), targetStart);
    return count;
  },
  subarray(start, end) {
    const { length } = this, whole = (n, otherwise) => {
      n = n === undefined ? otherwise : Math.trunc(+n) || 0;
      return n < 0 ? Math.max(0, n + length) : Math.min(n, length);
    };
    start = whole(start, 0);
    end = whole(end, length);
    return new FastBuffer(this.buffer, this.byteOffset + start, end > start ? end - start : 0);
  },
  slice(start, end) { return this.subarray(start, end); },
  write(string, offset, length, encoding) {
    if (offset === undefined) return writeText(this, string, 0, this.length, undefined);
    if (length === undefined && typeof offset === 'string') return writeText(this, string, 0, this.length, offset);
    checkInteger(offset, 'offset', 0, this.length);
    const left = this.length - offset;
    if (length === undefined) length = left;
    else if (typeof length === 'string') {
      encoding = length;
      length = left;
    } else {
      checkInteger(length, 'length', 0, this.length);
      if (length > left) length = left;
    }
    return writeText(this, string, offset, length, encoding);
  },
  fill(value, offset, end, encoding) {
    if (typeof value === 'string') {
      if (offset === undefined || typeof offset === 'string') {
        encoding = offset;
        offset = undefined;
      } else if (typeof end === 'string') {
        encoding = end;
        end = undefined;
      }
      if (encoding !== undefined && typeof encoding !== 'string') throw argType('encoding', 'string', encoding);
      encodingOf(encoding);
      if (value.length === 0) value = 0;
      else if (value.length === 1 && value.charCodeAt(0) < 128 && (encoding === undefined || encoding === 'utf8' || encoding === 'latin1')) value = value.charCodeAt(0);
    }
    if (offset === undefined) {
      offset = 0;
      end = this.length;
    } else {
      checkNumber(offset, 'offset', 0, this.length);
      if (end === undefined) end = this.length;
      else checkNumber(end, 'end', 0, this.length);
    }
    if (offset >= end) return this;
    if (typeof value === 'number' || typeof value === 'boolean') {
      fillBytes.call(this, Number(value) & 255, offset, end);
      return this;
    }
    const bytes = typeof value === 'string' ? encodingOf(encoding).toBytes(value) : value;
    if (!isView(bytes)) {
      fillBytes.call(this, value & 255, offset, end);
      return this;
    }
    if (bytes.length === 0) throw argValue('value', value);
    for (let i = offset, j = 0; i < end; i++) {
      this[i] = bytes[j];
      if (++j === bytes.length) j = 0;
    }
    return this;
  },
  indexOf(value, byteOffset, encoding) { return find(this, value, byteOffset, encoding, true); },
  lastIndexOf(value, byteOffset, encoding) { return find(this, value, byteOffset, encoding, false); },
  includes(value, byteOffset, encoding) { return this.indexOf(value, byteOffset, encoding) !== -1; },
  swap16() { return swap(this, 2); },
  swap32() { return swap(this, 4); },
  swap64() { return swap(this, 8); },
  [kInspect](depth, options) {
    const { max } = INSPECT, shown = Math.min(max, this.length), left = this.length - max;
    let text = this.subarray(0, shown).toString('hex').replace(/(.{2})/g, '$1 ').trim();
    if (left > 0) text += ` ... ${left} more byte${left > 1 ? 's' : ''}`;
    const extra = Object.keys(this).filter((key) => !/^\d+$/.test(key));
    if (extra.length > 0 && options) {
      const own = Object.fromEntries(extra.map((key) => [key, this[key]]));
      text += `${this.length > 0 ? ', ' : ''}${inspect(own, { ...options, breakLength: Infinity, compact: true }).slice(2, -2)}`;
    }
    return `<${this.constructor?.name ?? 'Buffer'}${text ? ` ${text}` : ''}>`.replace(/^<(\w+)>$/, '<$1 >');
  },
};
function writeText(buffer, string, offset, length, encoding) {
  if (typeof string !== 'string') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
  const found = encodingOf(encoding);
  if (length === 0) return 0;
  const room = buffer.subarray(offset, offset + length);
  if (found.isUtf8) return encodeInto(string, room);
  let bytes = found.toBytes(string);
  if (bytes.length > length) bytes = bytes.subarray(0, found.name === 'utf16le' ? length & ~1 : length);
  setBytes.call(buffer, bytes, offset);
  return bytes.length;
}
function find(buffer, value, byteOffset, encoding, isForward) {
  if (typeof byteOffset === 'string') {
    encoding = byteOffset;
    byteOffset = undefined;
  }
  byteOffset = byteOffset > 0x7fffffff ? 0x7fffffff : byteOffset < -0x80000000 ? -0x80000000 : +byteOffset;
  if (Number.isNaN(byteOffset)) byteOffset = isForward ? 0 : buffer.length;
  byteOffset = Math.trunc(byteOffset);
  if (typeof value === 'number') return (isForward ? indexOfByte : lastIndexOfByte).call(buffer, value & 255, byteOffset);
  let needle, step = 1;
  if (typeof value === 'string') {
    const found = encodingOf(encoding);
    needle = found.toBytes(value);
    if (found.name === 'utf16le') step = 2;
  } else if (isView(value)) needle = value;
  else throw argType('value', ['number', 'string', 'Buffer', 'Uint8Array'], value);
  let at = byteOffset < 0 ? byteOffset + buffer.length : byteOffset;
  if (at < 0) {
    if (!isForward) return -1;
    at = 0;
  }
  const last = buffer.length - needle.length;
  if (needle.length === 0) return isForward ? Math.min(at, buffer.length) : Math.min(at, buffer.length);
  if (isForward) {
    for (; (at = indexOfByte.call(buffer, needle[0], at)) >= 0 && at <= last; at++) if (at % step === 0 && isAt(buffer, needle, at)) return at;
    return -1;
  }
  for (at = Math.min(at, last); at >= 0; at--) if (at % step === 0 && isAt(buffer, needle, at)) return at;
  return -1;
}
function isAt(buffer, needle, at) {
  for (let i = 0; i < needle.length; i++) if (buffer[at + i] !== needle[i]) return false;
  return true;
}
function swap(buffer, size) {
  if (buffer.length % size !== 0) throw coded(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
  for (let i = 0; i < buffer.length; i += size) buffer.subarray(i, i + size).reverse();
  return buffer;
}
for (const name of ['ascii', 'base64', 'base64url', 'latin1', 'hex', 'ucs2', 'utf8']) {
  const found = findEncoding(name);
  methods[`${name}Slice`] = function slice(start = 0, end = this.length) { return found.toText(this.subarray(start, end)); };
  methods[`${name}Write`] = function write(string, offset = 0, length = this.length - offset) { return writeText(this, string, offset, length, name); };
}
methods.toLocaleString = methods.toString;
for (const name of Reflect.ownKeys(methods)) Object.defineProperty(proto, name, { value: methods[name], writable: true, enumerable: typeof name === 'string', configurable: true });
Object.defineProperty(proto, 'parent', { enumerable: true, configurable: true, get() { return this instanceof Buffer ? this.buffer : undefined; } });
Object.defineProperty(proto, 'offset', { enumerable: true, configurable: true, get() { return this instanceof Buffer ? this.byteOffset : undefined; } });
addNumbers(proto);

export function SlowBuffer(size) { return Buffer.alloc(size); }
// Bytes of anything that has some, as a view on them.
export function bytesOf(value, encoding) {
  if (typeof value === 'string') return encoding === undefined ? encode(value) : encodingOf(encoding).toBytes(value);
  if (isView(value)) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return isBuffer(value) ? new Uint8Array(value) : undefined;
}
export { over as bufferOver };

// numbers.js - Buffer's numbers: readInt32LE and its like.
import { checkNumber, coded, outOfRange } from 'node:internal/errors';

const viewOf = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

function badOffset(buffer, offset, size) {
  checkNumber(offset, 'offset');
  if (!Number.isInteger(offset)) return outOfRange('offset', 'an integer', offset);
  if (buffer.length - size < 0) return coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  return outOfRange('offset', `>= 0 and <= ${buffer.length - size}`, offset);
}
const checkOffset = (buffer, offset, size) => {
  if (!(offset >= 0 && offset + size <= buffer.length && (offset | 0) === offset)) {
    if (Number.isInteger(offset) && offset >= 0 && offset + size <= buffer.length) return;
    throw badOffset(buffer, offset, size);
  }
};
function badValue(value, min, max, size) {
  if (size > 4 && typeof min !== 'bigint') {
    const bits = size * 8;
    return outOfRange('value', min === 0 ? `>= 0 and < 2 ** ${bits}` : `>= -(2 ** ${bits - 1}) and < 2 ** ${bits - 1}`, value);
  }
  if (typeof min === 'bigint') {
    return outOfRange('value', min === 0n ? '>= 0n and < 2n ** 64n' : '>= -(2n ** 63n) and < 2n ** 63n', value);
  }
  if (size === 3) return outOfRange('value', min === 0 ? '>= 0 and <= 16777215' : '>= -8388608 and <= 8388607', value);
  return outOfRange('value', `>= ${min} and <= ${max}`, value);
}

// The numbers that a DataView knows.
function addFixed(methods, name, aliases, size, view, min, max) {
  for (const [end, isLittle] of size === 1 ? [['', true]] : [['LE', true], ['BE', false]]) {
    const get = DataView.prototype[`get${view}`], set = DataView.prototype[`set${view}`];
    const read = function (offset = 0) {
      checkOffset(this, offset, size);
      return get.call(viewOf(this), offset, isLittle);
    };
    const write = function (value, offset = 0) {
      if (min !== undefined) {
        if (typeof min === 'bigint') {
          if (typeof value !== 'bigint') throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
        } else value = +value;
        if (value > max || value < min) throw badValue(value, min, max, size);
      } else value = +value;
      checkOffset(this, offset, size);
      set.call(viewOf(this), offset, value, isLittle);
      return offset + size;
    };
    for (const alias of [name, ...aliases]) {
      methods[`read${alias}${end}`] = read;
      methods[`write${alias}${end}`] = write;
    }
  }
}

function checkLength(length) {
  checkNumber(length, 'byteLength');
  if (!Number.isInteger(length)) throw outOfRange('byteLength', 'an integer', length);
  if (length < 1 || length > 6) throw outOfRange('byteLength', '>= 1 and <= 6', length);
}

// One to six bytes.
function addAny(methods) {
  const readAny = (isLittle, isSigned) => function (offset, length) {
    if (offset === undefined) throw argType('offset', 'number', offset);
    checkLength(length);
    checkOffset(this, offset, length);
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this[isLittle ? offset + length - 1 - i : offset + i];
    return isSigned && value >= 2 ** (8 * length - 1) ? value - 2 ** (8 * length) : value;
  };
  const writeAny = (isLittle, isSigned) => function (value, offset, length) {
    checkLength(length);
    value = +value;
    const min = isSigned ? -(2 ** (8 * length - 1)) : 0, max = 2 ** (8 * length - (isSigned ? 1 : 0)) - 1;
    if (value > max || value < min) throw badValue(value, min, max, length);
    if (offset === undefined) throw argType('offset', 'number', offset);
    checkOffset(this, offset, length);
    let rest = value < 0 ? Math.ceil(value) + 2 ** (8 * length) : Math.floor(value);
    for (let i = 0; i < length; i++) {
      this[isLittle ? offset + i : offset + length - 1 - i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return offset + length;
  };
  for (const [end, isLittle] of [['LE', true], ['BE', false]]) {
    methods[`readInt${end}`] = readAny(isLittle, true);
    methods[`writeInt${end}`] = writeAny(isLittle, true);
    for (const name of ['UInt', 'Uint']) {
      methods[`read${name}${end}`] = readAny(isLittle, false);
      methods[`write${name}${end}`] = writeAny(isLittle, false);
    }
  }
}

export function addNumbers(proto) {
  const methods = {};
  for (const bits of [8, 16, 32]) {
    addFixed(methods, `UInt${bits}`, [`Uint${bits}`], bits / 8, `Uint${bits}`, 0, 2 ** bits - 1);
    addFixed(methods, `Int${bits}`, [], bits / 8, `Int${bits}`, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
  }
  addFixed(methods, 'BigUInt64', ['BigUint64'], 8, 'BigUint64', 0n, 2n ** 64n - 1n);
  addFixed(methods, 'BigInt64', [], 8, 'BigInt64', -(2n ** 63n), 2n ** 63n - 1n);
  addFixed(methods, 'Float', [], 4, 'Float32');
  addFixed(methods, 'Double', [], 8, 'Float64');
  addAny(methods);
  for (const name of Object.keys(methods)) {
    Object.defineProperty(methods[name], 'name', { value: name, configurable: true });
    Object.defineProperty(proto, name, { value: methods[name], writable: true, enumerable: true, configurable: true });
  }
}

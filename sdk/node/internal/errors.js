// errors.js - errors as Node.js has them: a code, and "[code]" in the stack.
import { inspect } from 'node:internal/inspect';

const TYPES = ['string', 'function', 'number', 'object', 'Function', 'Object', 'boolean', 'bigint', 'symbol'];

export function coded(Base, code, message, properties) {
  const error = new Base(message);
  Object.defineProperty(error, 'code', { value: code, writable: true, configurable: true, enumerable: true });
  const name = Base.prototype.name;
  Object.defineProperty(error, 'toString', { value() { return `${this.name} [${code}]: ${this.message}`; }, enumerable: false, writable: true, configurable: true });
  if (name === 'AbortError') error.name = name;
  return properties ? Object.assign(error, properties) : error;
}

export function received(value) {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') return value.constructor?.name ? ` Received an instance of ${value.constructor.name}` : ` Received ${inspect(value, { depth: -1 })}`;
  let text = inspect(value, { colors: false });
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return ` Received type ${typeof value} (${text})`;
}

function listed(words, last) {
  if (words.length < 2) return words.join('');
  if (words.length === 2) return `${words[0]} ${last} ${words[1]}`;
  return `${words.slice(0, -1).join(', ')}, ${last} ${words.at(-1)}`;
}

function expectedText(expected) {
  const all = Array.isArray(expected) ? expected : [expected], types = [], classes = [], others = [];
  for (const value of all) {
    if (TYPES.includes(value)) types.push(value.toLowerCase());
    else if (/^([A-Z][a-z0-9]*)+$/.test(value)) classes.push(value);
    else others.push(value);
  }
  // An object is named as a class when there are other classes.
  if (classes.length > 0 && types.includes('object')) {
    types.splice(types.indexOf('object'), 1);
    classes.push('Object');
  }
  let text = '';
  if (types.length > 0) {
    text += types.length > 1 ? `one of type ${listed(types, 'or')}` : `of type ${types[0]}`;
    if (classes.length > 0 || others.length > 0) text += ' or ';
  }
  if (classes.length > 0) {
    text += `an instance of ${listed(classes, 'or')}`;
    if (others.length > 0) text += ' or ';
  }
  if (others.length > 0) {
    if (others.length > 1) text += `one of ${listed(others, 'or')}`;
    else text += (others[0].toLowerCase() !== others[0] ? 'an ' : '') + others[0];
  }
  return text;
}

export function argType(name, expected, actual) {
  const what = name.endsWith(' argument') ? `The ${name}` : `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`;
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `${what} must be ${expectedText(expected)}.${received(actual)}`);
}

export function argValue(name, value, reason = 'is invalid') {
  let text = inspect(value);
  if (text.length > 128) text = `${text.slice(0, 128)}...`;
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${text}`);
}

function grouped(text) {
  let result = '', i = text.length;
  const start = text[0] === '-' ? 1 : 0;
  for (; i >= start + 4; i -= 3) result = `_${text.slice(i - 3, i)}${result}`;
  return text.slice(0, i) + result;
}

export function outOfRange(name, range, value, isWhole = false) {
  let text;
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) text = grouped(String(value));
  else if (typeof value === 'bigint') {
    text = String(value);
    if (value > 2n ** 32n || value < -(2n ** 32n)) text = grouped(text);
    text += 'n';
  } else text = inspect(value);
  return coded(RangeError, 'ERR_OUT_OF_RANGE', `${isWhole ? name : `The value of "${name}" is out of range.`} It must be ${range}. Received ${text}`);
}

export class AbortError extends Error {
  constructor(message = 'The operation was aborted', options = undefined) {
    super(message, options);
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

export const notImplemented = (name) => coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `The ${name} method is not implemented`);
export const unimplemented = (name) => new Error(`[unenv] ${name} is not implemented yet!`);

// ---- checks ----

export function checkFunction(value, name) {
  if (typeof value !== 'function') throw argType(name, 'Function', value);
}
export function checkString(value, name) {
  if (typeof value !== 'string') throw argType(name, 'string', value);
}
export function checkNumber(value, name, min = undefined, max = undefined) {
  if (typeof value !== 'number') throw argType(name, 'number', value);
  if ((min !== undefined && value < min) || (max !== undefined && value > max) || ((min !== undefined || max !== undefined) && Number.isNaN(value)))
    throw outOfRange(name, `${min !== undefined ? `>= ${min}` : ''}${min !== undefined && max !== undefined ? ' && ' : ''}${max !== undefined ? `<= ${max}` : ''}`, value);
}
export function checkInteger(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
  if (typeof value !== 'number') throw argType(name, 'number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}
export function checkObject(value, name) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw argType(name, 'Object', value);
}
export function checkBoolean(value, name) {
  if (typeof value !== 'boolean') throw argType(name, 'boolean', value);
}
export function checkSignal(signal, name) {
  if (signal !== undefined && (signal === null || typeof signal !== 'object' || !('aborted' in signal))) throw argType(name, 'AbortSignal', signal);
}
export function checkOneOf(value, name, allowed) {
  if (!allowed.includes(value)) throw argValue(name, value, `must be one of: ${allowed.map((v) => (typeof v === 'string' ? `'${v}'` : String(v))).join(', ')}`);
}

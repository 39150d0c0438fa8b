// node:util
import { Buffer } from 'node:internal/buffer';
import { argType, checkObject, checkOneOf, checkSignal, checkString } from 'node:internal/errors';
import { format, formatWithOptions } from 'node:internal/format';
import { colors, inspect } from 'node:internal/inspect';
import { isDeepStrictEqual } from 'node:internal/equal';
import { stripColors } from 'node:internal/layout';
import { types } from 'node:internal/kinds';
import { callbackify, deprecate, inherits, promisify } from 'node:internal/util';
import { MIMEParams, MIMEType } from 'node:internal/mime';
import { parseArgs } from 'node:internal/parse_args';
import { stubs } from 'node:internal/stubs';
import { systemErrors } from 'node:internal/system';

const { TextDecoder, TextEncoder } = globalThis;
const isArray = Array.isArray, isBoolean = (v) => typeof v === 'boolean', isNull = (v) => v === null, isNullOrUndefined = (v) => v === null || v === undefined;
const isNumber = (v) => typeof v === 'number', isString = (v) => typeof v === 'string', isSymbol = (v) => typeof v === 'symbol', isUndefined = (v) => v === undefined;
const isObject = (v) => v !== null && typeof v === 'object', isFunction = (v) => typeof v === 'function', isPrimitive = (v) => v === null || (typeof v !== 'object' && typeof v !== 'function');
const isError = (v) => types.isNativeError(v) || v instanceof Error, isBuffer = Buffer.isBuffer, { isRegExp, isDate } = types;

function debuglog() {
  const log = () => {};
  Object.defineProperty(log, 'enabled', { value: false });
  return log;
}
const debug = debuglog;
function stripVTControlCharacters(text) {
  checkString(text, 'str');
  return stripColors(text);
}
function toUSVString(text) { return String(text).toWellFormed(); }
function _extend(target, source) {
  if (source === null || typeof source !== 'object') return target;
  return Object.assign(target, source);
}
function log(...args) { console.log(format(...args)); }
function styleText(style, text, { validateStream = true } = {}) {
  checkString(text, 'text');
  const list = Array.isArray(style) ? style : [style];
  let before = '', after = '';
  for (const key of list) {
    const codes = colors[key];
    if (!codes) checkOneOf(key, 'format', Object.keys(colors));
    before += `\u001b[${codes[0]}m`;
    after = `\u001b[${codes[1]}m${after}`;
  }
  return before + text + after;
}
function getSystemErrorName(number) {
  if (typeof number !== 'number') throw argType('err', 'number', number);
  return systemErrors.get(number)?.[0];
}
const getSystemErrorMessage = (number) => {
  if (typeof number !== 'number') throw argType('err', 'number', number);
  return systemErrors.get(number)?.[1];
};
function _errnoException(number, call, original) {
  const code = getSystemErrorName(number) ?? `Unknown system error ${number}`;
  return Object.assign(new Error(`${call} ${code}${original ? ` ${original}` : ''}`), { errno: number, code, syscall: call });
}
function _exceptionWithHostPort(number, call, address, port, more) {
  const code = getSystemErrorName(number) ?? `Unknown system error ${number}`, at = port && port > 0 ? `${address}:${port}` : address;
  return Object.assign(new Error(`${call} ${code} ${at}${more ? ` - Local (${more})` : ''}`), { errno: number, code, syscall: call, address }, port ? { port } : {});
}
const { getCallSite, getCallSites, diff } = stubs('util', 'getCallSite getCallSites diff'), setTraceSigInt = () => {};
const getSystemErrorMap = () => new Map(systemErrors);
async function aborted(signal, resource) {
  checkObject(resource, 'resource');
  if (signal === undefined) throw argType('signal', 'AbortSignal', signal);
  checkSignal(signal, 'signal');
  if (signal.aborted) return undefined;
  return new Promise((resolve) => { signal.addEventListener('abort', () => resolve(), { once: true }); });
}
function parseEnv(content) {
  checkString(content, 'content');
  const result = {};
  for (const [, name, , double, single, tick, plain] of content.matchAll(/^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*("((?:[^"])*)"|'([^']*)'|`([^`]*)`|([^\n#]*))?.*$/gm))
    result[name] = double !== undefined ? double.replaceAll('\\n', '\n') : single ?? tick ?? (plain ?? '').trim();
  return result;
}
const transferableAbortController = () => new AbortController(), transferableAbortSignal = (signal) => signal;

export {
  _extend, aborted, callbackify, debug, debuglog, deprecate, format, formatWithOptions, getSystemErrorMap, getSystemErrorName, inherits, inspect, isArray, isBoolean,
  isBuffer, isDate, isDeepStrictEqual, isError, isFunction, isNull, isNullOrUndefined, isNumber, isObject, isPrimitive, isRegExp, isString, isSymbol, isUndefined, log,
  MIMEParams, MIMEType, parseArgs, parseEnv, promisify, stripVTControlCharacters, styleText, TextDecoder, TextEncoder, toUSVString, transferableAbortController,
  transferableAbortSignal, types, _errnoException, _exceptionWithHostPort, diff, getCallSite, getCallSites, getSystemErrorMessage, setTraceSigInt,
};
export default {
  _extend, aborted, callbackify, debug, debuglog, deprecate, format, formatWithOptions, getSystemErrorMap, getSystemErrorName, inherits, inspect, isArray, isBoolean,
  isBuffer, isDate, isDeepStrictEqual, isError, isFunction, isNull, isNullOrUndefined, isNumber, isObject, isPrimitive, isRegExp, isString, isSymbol, isUndefined, log,
  MIMEParams, MIMEType, parseArgs, parseEnv, promisify, stripVTControlCharacters, styleText, TextDecoder, TextEncoder, toUSVString, transferableAbortController,
  transferableAbortSignal, types, _errnoException, _exceptionWithHostPort, diff, getCallSite, getCallSites, getSystemErrorMessage, setTraceSigInt,
};

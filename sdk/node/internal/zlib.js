// zlib.js - compressors of node:zlib: what their options say, one step of them, and all of a text at once.
import { Buffer, bytesOf, kMaxLength } from 'node:internal/buffer';
import { argType, checkFunction, coded, outOfRange } from 'node:internal/errors';
import { realm } from 'node:internal/realm';
import constants from 'node:internal/zlib_constants';

const OK = 0, END = 1, NEED_DICT = 2, DATA_ERROR = -3, BUF_ERROR = -5, FINISH = 4;
const { DEFLATE, INFLATE, GZIP, GUNZIP, DEFLATERAW, UNZIP, BROTLI_DECODE, BROTLI_ENCODE } = constants;
export const codes = { __proto__: null };
for (const name of ['Z_OK', 'Z_STREAM_END', 'Z_NEED_DICT', 'Z_ERRNO', 'Z_STREAM_ERROR', 'Z_DATA_ERROR', 'Z_MEM_ERROR', 'Z_BUF_ERROR', 'Z_VERSION_ERROR']) {
  codes[name] = constants[name];
  codes[constants[name]] = name;
}

// undefined and NaN are the default.
function ranged(value, name, min, max, otherwise) {
  if (value === undefined || Number.isNaN(value)) return otherwise;
  if (typeof value !== 'number') throw argType(name, 'number', value);
  if (!Number.isFinite(value)) throw outOfRange(name, 'a finite number', value);
  if (value < min || value > max) throw outOfRange(name, max === Infinity ? `>= ${min}` : `>= ${min} and <= ${max}`, value);
  return value;
}
// Both are given: there is no default.
export function checkLevel(value, name) {
  if (typeof value !== 'number') throw argType(name, 'number', value);
  ranged(Number.isNaN(value) ? Infinity : value, name, -1, 9);
}
export function checkStrategy(value, name) {
  if (typeof value !== 'number') throw argType(name, 'number', value);
  ranged(Number.isNaN(value) ? Infinity : value, name, 0, 4);
}
const isBrotli = (mode) => mode === BROTLI_DECODE || mode === BROTLI_ENCODE;

function openBrotli(coder, options) {
  for (const key of Object.keys(options?.params ?? {})) {
    const name = Number(key), value = options.params[key];
    if (Number.isNaN(name) || name < 0 || name > 9) throw coded(RangeError, 'ERR_BROTLI_INVALID_PARAM', `${key} is not a valid Brotli parameter`);
    if (typeof value !== 'number' && typeof value !== 'boolean') throw argType('options.params[key]', 'number', value);
    if (!coder.set(name, Number(value))) throw coded(Error, 'ERR_ZLIB_INITIALIZATION_FAILED', 'Initialization failed');
  }
  return coder;
}

function openZlib(mode, options) {
  let window = 15;
  if (!((options?.windowBits === undefined || options.windowBits === 0 || options.windowBits === null) && (mode === INFLATE || mode === GUNZIP || mode === UNZIP)))
    window = ranged(options?.windowBits, 'options.windowBits', mode === GZIP ? 9 : 8, 15, 15);
  if (mode === DEFLATERAW && window === 8) window = 9;
  const level = ranged(options?.level, 'options.level', -1, 9, -1), memory = ranged(options?.memLevel, 'options.memLevel', 1, 9, 8);
  const strategy = ranged(options?.strategy, 'options.strategy', 0, 4, 0), given = options?.dictionary;
  const dictionary = given === undefined || typeof given === 'string' ? undefined : bytesOf(given);
  if (given !== undefined && !dictionary) throw argType('options.dictionary', ['Buffer', 'TypedArray', 'DataView', 'ArrayBuffer'], given);
  return [realm.openCoder(mode, level, window, memory, strategy, dictionary), dictionary];
}

// A compressor or the other way, with what its options say.
export class Engine {
  #coder; #dictionary; #mode; #left = new Uint32Array(2);
  constructor(mode, options) {
    const last = isBrotli(mode) ? 3 : 5;
    this.#mode = mode;
    this.chunkSize = ranged(options?.chunkSize, 'options.chunkSize', 64, Infinity, 16384);
    this.flush = ranged(options?.flush, 'options.flush', 0, last, 0);
    this.finishFlush = ranged(options?.finishFlush, 'options.finishFlush', 0, last, isBrotli(mode) ? 2 : FINISH);
    this.maxOutputLength = ranged(options?.maxOutputLength, 'options.maxOutputLength', 1, kMaxLength, kMaxLength);
    if (isBrotli(mode)) this.#coder = openBrotli(realm.openCoder(mode, 0, 0, 0, 0), options);
    else [this.#coder, this.#dictionary] = openZlib(mode, options);
  }
  // Room of the output and bytes of the input that stayed.
  get left() { return this.#left; }
  step(flush, input, at, length, output, to, room) {
    const left = this.#left;
    let status = this.#coder.step(flush, input, at, length, output, to, room, left);
    // One gzip behind another is one text; what begins with 0 is a filler.
    while (status === END && left[1] > 0 && (this.#mode === GUNZIP || (this.#mode === UNZIP && input[0] === 31)) && input[at + length - left[1]] !== 0) {
      this.#coder.reset();
      status = this.#coder.step(flush, input, at + length - left[1], left[1], output, to + room - left[0], left[0], left);
    }
    return this.#failure(status, flush);
  }
  // What a status means: an error, or nothing.
  #failure(status, flush) {
    if (isBrotli(this.#mode)) {
      if (status < 0 && this.#mode === BROTLI_ENCODE) return coded(Error, 'ERR_BROTLI_COMPRESSION_FAILED', 'Compression failed', { errno: -1 });
      if (status < 0) {
        const short = this.#coder.message(), name = Object.keys(constants).find((key) => key.startsWith('BROTLI_DECODER_ERROR') && key.endsWith(`_${short}`)) ?? 'BROTLI_DECODER_ERROR_UNREACHABLE';
        return coded(Error, `ERR_${name.slice('BROTLI_DECODER'.length)}`, 'Decompression failed', { errno: constants[name] });
      }
      if (status === OK && this.#mode === BROTLI_DECODE && flush === 2 && this.#left[0] > 0 && this.#left[1] === 0) return this.#error('unexpected end of file', BUF_ERROR);
      return null;
    }
    if (status === OK || status === BUF_ERROR) return this.#left[0] !== 0 && flush === FINISH ? this.#error('unexpected end of file', BUF_ERROR) : null;
    if (status === END) return null;
    const message = this.#coder.message();
    if (status === NEED_DICT || (status === DATA_ERROR && message === 'Bad dictionary')) return this.#error(this.#dictionary ? 'Bad dictionary' : 'Missing dictionary', NEED_DICT);
    return this.#error(message || 'Zlib error', status);
  }
  #error(message, status) { return Object.assign(new Error(message), { errno: status, code: codes[status] ?? 'Z_STREAM_ERROR' }); }
  reset() { this.#coder.reset(); }
  tune(level, strategy, output) { return this.#coder.tune(level, strategy, output); }
  close() {
    this.#coder?.close();
    this.#coder = null;
  }
}
export const tooLarge = (limit) => coded(RangeError, 'ERR_BUFFER_TOO_LARGE', `Cannot create a Buffer larger than ${limit} bytes`);

function inputOf(value, name, types) {
  const bytes = bytesOf(value);
  if (!bytes) throw argType(name, ['string', 'Buffer', 'TypedArray', 'DataView', ...types], value);
  return bytes;
}

// All at once.
function run(engine, input) {
  const { chunkSize, finishFlush } = engine, parts = [];
  let at = 0, total = 0, room = new Uint8Array(chunkSize), offset = 0;
  for (;;) {
    const failure = engine.step(finishFlush, input, at, input.length - at, room, offset, chunkSize - offset);
    if (failure) throw failure;
    const [left, unread] = engine.left, made = chunkSize - offset - left;
    at = input.length - unread;
    total += made;
    if (made > 0) parts.push(room.subarray(offset, offset + made));
    if (total > engine.maxOutputLength) throw tooLarge(engine.maxOutputLength);
    offset += made;
    if (left !== 0) break;
    room = new Uint8Array(chunkSize);
    offset = 0;
  }
  if (parts.length === 1 && parts[0].length === parts[0].buffer.byteLength) return Buffer.from(parts[0].buffer);
  return Buffer.concat(parts, total);
}
export function runSync(mode, value, options) {
  const input = inputOf(value, 'buffer', ['ArrayBuffer']), engine = new Engine(mode, options);
  try {
    const buffer = run(engine, input);
    return options?.info ? { buffer, engine } : buffer;
  } finally { engine.close(); }
}
export function runLater(mode, value, options, callback) {
  if (typeof options === 'function') [callback, options] = [options, undefined];
  checkFunction(callback, 'callback');
  const input = inputOf(value, 'chunk', []), engine = new Engine(mode, options);
  queueMicrotask(() => {
    let buffer, failure = null;
    try { buffer = run(engine, input); } catch (error) { failure = error; }
    engine.close();
    if (failure) callback(failure);
    else callback(null, options?.info ? { buffer, engine } : buffer);
  });
}
export function crc32(value, before = 0) {
  const bytes = value instanceof ArrayBuffer ? undefined : bytesOf(value);
  if (!bytes) throw argType('data', ['string', 'Buffer', 'TypedArray', 'DataView'], value);
  if (typeof before !== 'number') throw argType('value', 'number', before);
  if (!Number.isInteger(before)) throw outOfRange('value', 'an integer', before);
  if (before < 0 || before > 0xffffffff) throw outOfRange('value', '>= 0 && <= 4294967295', before);
  return realm.crc32(bytes, before);
}

// duplex.js - Duplex, which is a Readable and a Writable; Transform and PassThrough, which read what is written.
import { addAbortSignal } from 'node:internal/streams/abort';
import { Stream } from 'node:internal/streams/legacy';
import { Readable, ReadableState, begin as beginReadable } from 'node:internal/streams/readable';
import { errors, highWaterMark, nextTick } from 'node:internal/streams/state';
import { Writable, WritableState, begin as beginWritable, writableProperties } from 'node:internal/streams/writable';

export function Duplex(options) {
  if (!(this instanceof Duplex)) return new Duplex(options);
  this._events ??= {};
  this._readableState = new ReadableState(options, this, true);
  this._writableState = new WritableState(options, this, true);
  this.allowHalfOpen = options?.allowHalfOpen !== false;
  if (options) takeOptions(this, options);
  Stream.call(this, options);
  if (typeof this._construct === 'function') {
    beginReadable(this);
    beginWritable(this);
  }
}
Object.setPrototypeOf(Duplex.prototype, Readable.prototype);
Object.setPrototypeOf(Duplex, Readable);
for (const key of Object.keys(Writable.prototype)) Duplex.prototype[key] ??= Writable.prototype[key];

function takeOptions(stream, options) {
  if (options.readable === false) Object.assign(stream._readableState, { readable: false, ended: true, endEmitted: true });
  if (options.writable === false) Object.assign(stream._writableState, { writable: false, ending: true, ended: true, finished: true });
  for (const key of ['read', 'write', 'writev', 'destroy', 'final', 'construct']) if (typeof options[key] === 'function') stream[`_${key}`] = options[key];
  if (options.signal) addAbortSignal(options.signal, stream);
}
const asked = (get, set) => ({ get, set, enumerable: false, configurable: true });
Object.defineProperties(Duplex.prototype, {
  ...writableProperties,
  closed: asked(function () { return Boolean(this._readableState?.closed || this._writableState?.closed); }),
  destroyed: asked(function () { return Boolean(this._readableState?.destroyed && this._writableState?.destroyed); }, function (value) {
    if (!this._readableState || !this._writableState) return;
    this._readableState.destroyed = this._writableState.destroyed = value;
  }),
});
Duplex.prototype.destroy = Writable.prototype.destroy;

const kCallback = Symbol('kCallback');

export function Transform(options) {
  if (!(this instanceof Transform)) return new Transform(options);
  const own = options ? highWaterMark(Boolean(options.objectMode || options.readableObjectMode), options, 'readableHighWaterMark', true) : null;
  if (own === 0) options = { ...options, highWaterMark: null, readableHighWaterMark: 0, writableHighWaterMark: options.writableHighWaterMark || 0 };
  Duplex.call(this, options);
  this._readableState.sync = false;
  this[kCallback] = null;
  if (typeof options?.transform === 'function') this._transform = options.transform;
  if (typeof options?.flush === 'function') this._flush = options.flush;
  this.on('prefinish', onPrefinish);
}
Object.setPrototypeOf(Transform.prototype, Duplex.prototype);
Object.setPrototypeOf(Transform, Duplex);

function final(callback) {
  if (typeof this._flush !== 'function' || this.destroyed) {
    this.push(null);
    callback?.();
    return;
  }
  this._flush((error, data) => {
    if (error) {
      if (callback) callback(error);
      else this.destroy(error);
      return;
    }
    if (data !== null && data !== undefined) this.push(data);
    this.push(null);
    callback?.();
  });
}
function onPrefinish() { if (this._final !== final) final.call(this); }
Transform.prototype._final = final;
Transform.prototype._transform = function _transform() { throw errors.noMethod('_transform()'); };
Transform.prototype._write = function _write(chunk, encoding, callback) {
  const r = this._readableState, w = this._writableState, { length } = r;
  this._transform(chunk, encoding, (error, value) => {
    if (error) {
      callback(error);
      return;
    }
    if (value !== null && value !== undefined) this.push(value);
    if (w.ended || length === r.length || r.length < r.highWaterMark) callback();
    else this[kCallback] = callback;
  });
};
Transform.prototype._read = function _read() {
  const callback = this[kCallback];
  if (!callback) return;
  this[kCallback] = null;
  callback();
};

export function PassThrough(options) {
  if (!(this instanceof PassThrough)) return new PassThrough(options);
  Transform.call(this, options);
}
Object.setPrototypeOf(PassThrough.prototype, Transform.prototype);
Object.setPrototypeOf(PassThrough, Transform);
PassThrough.prototype._transform = function _transform(chunk, encoding, callback) { callback(null, chunk); };

// Two ends: what is written to one is read from the other.
const kOther = Symbol('kOther'), kWaiting = Symbol('kWaiting');
class DuplexSide extends Duplex {
  constructor(options) {
    super(options);
    this[kOther] = this[kWaiting] = null;
  }
  _read() {
    const callback = this[kWaiting];
    if (!callback) return;
    this[kWaiting] = null;
    callback();
  }
  _write(chunk, encoding, callback) {
    if (chunk.length === 0) nextTick(callback);
    else {
      this[kOther].push(chunk);
      this[kOther][kWaiting] = callback;
    }
  }
  _final(callback) {
    this[kOther].on('end', callback);
    this[kOther].push(null);
  }
}
export function duplexPair(options) {
  const one = new DuplexSide(options), two = new DuplexSide(options);
  one[kOther] = two;
  two[kOther] = one;
  return [one, two];
}

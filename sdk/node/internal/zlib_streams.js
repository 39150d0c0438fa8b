// zlib_streams.js - compressors and the other way as streams: Gzip, createGunzip and their kin.
import { Buffer } from 'node:internal/buffer';
import { Transform } from 'node:internal/streams/duplex';
import { finished } from 'node:internal/streams/finished';
import { Engine, checkLevel, checkStrategy } from 'node:internal/zlib';
import constants from 'node:internal/zlib_constants';

const { queueMicrotask } = globalThis;
const { BROTLI_DECODE, BROTLI_ENCODE, BROTLI_OPERATION_FLUSH, Z_FULL_FLUSH, Z_SYNC_FLUSH } = constants;
const kEngine = Symbol('engine'), kFlush = Symbol('kFlushFlag');
// What asks for more than the other: of zlib's numbers Z_BLOCK is less than its value says.
const weight = (flush) => [0, 1, 2, 4, 5, 3][flush];

function Base(options, mode) {
  const { encoding, objectMode, writableObjectMode } = options ?? {}, engine = new Engine(mode, options);
  Transform.call(this, { autoDestroy: true, ...options, ...(encoding || objectMode || writableObjectMode ? { encoding: null, objectMode: false, writableObjectMode: false } : null) });
  this[kEngine] = engine;
  this.bytesWritten = 0;
  this._fullFlush = mode === BROTLI_ENCODE || mode === BROTLI_DECODE ? BROTLI_OPERATION_FLUSH : Z_FULL_FLUSH;
}
Object.setPrototypeOf(Base.prototype, Transform.prototype);
Object.setPrototypeOf(Base, Transform);

// One chunk, as far as its output is wanted; the rest when somebody reads.
function work(stream, chunk, flush, callback) {
  let at = 0, room = Buffer.allocUnsafeSlow(stream[kEngine].chunkSize), offset = 0;
  const go = () => {
    for (let isMore = true; isMore;) {
      const engine = stream[kEngine];
      if (!engine || stream.destroyed) return;
      const failure = engine.step(flush, chunk, at, chunk.length - at, room, offset, room.length - offset);
      if (failure) {
        stream.destroy(failure);
        return;
      }
      const [left, unread] = engine.left, made = room.length - offset - left;
      stream.bytesWritten += chunk.length - unread - at;
      at = chunk.length - unread;
      isMore = left === 0;
      const isFull = made > 0 && !stream.push(room.subarray(offset, offset + made));
      offset += made;
      if (isMore) {
        room = Buffer.allocUnsafeSlow(room.length);
        offset = 0;
      }
      if (isMore && isFull && !stream.destroyed) {
        stream._read = () => {
          delete stream._read;
          go();
        };
        return;
      }
    }
    if (stream.destroyed) return;
    if (at < chunk.length) stream.push(null);       // the end of it, and something else behind
    else callback();
  };
  queueMicrotask(go);
}
Object.assign(Base.prototype, {
  _transform(chunk, encoding, callback) {
    const engine = this[kEngine];
    let flush = chunk[kFlush] ?? engine.flush;
    if (this.writableEnded && this.writableLength === chunk.byteLength && weight(engine.finishFlush) > weight(flush)) flush = engine.finishFlush;
    work(this, chunk, flush, callback);
  },
  _flush(callback) { this._transform(Buffer.alloc(0), '', callback); },
  _final(callback) { callback(); },
  _destroy(error, callback) {
    this[kEngine]?.close();
    this[kEngine] = null;
    callback(error);
  },
  flush(kind, callback) {
    if (typeof kind === 'function' || (kind === undefined && !callback)) [callback, kind] = [kind, this._fullFlush];
    if (this.writableFinished) {
      if (callback) queueMicrotask(callback);
    } else if (this.writableEnded) {
      if (callback) this.once('end', callback);
    } else this.write(Object.assign(Buffer.alloc(0), { [kFlush]: kind }), '', callback);
  },
  close(callback) {
    if (callback) finished(this, callback);
    this.destroy();
  },
  reset() { this[kEngine].reset(); },
});

function Zlib(options, mode) {
  Base.call(this, options, mode);
  this._level = options?.level ?? -1;
  this._strategy = options?.strategy ?? 0;
}
Object.setPrototypeOf(Zlib.prototype, Base.prototype);
Object.setPrototypeOf(Zlib, Base);
Zlib.prototype.params = function params(level, strategy, callback) {
  checkLevel(level, 'level');
  checkStrategy(strategy, 'strategy');
  if (this._level === level && this._strategy === strategy) {
    queueMicrotask(callback);
    return;
  }
  this.flush(Z_SYNC_FLUSH, () => {
    if (this.destroyed) return;
    const rest = Buffer.alloc(64), [, made] = this[kEngine].tune(level, strategy, rest);
    if (made > 0) this.push(rest.subarray(0, made));
    Object.assign(this, { _level: level, _strategy: strategy });
    callback?.();
  });
};

function streamOf(name, mode) {
  const parent = name.startsWith('Brotli') ? Base : Zlib;
  const Type = { [name]: function (options) {
    if (!(this instanceof Type)) return new Type(options);
    parent.call(this, options, mode);
  } }[name];
  Object.setPrototypeOf(Type.prototype, parent.prototype);
  Object.setPrototypeOf(Type, parent);
  return Type;
}

// {"gzip": mode} -> {Gzip, createGzip}
export function streams(modes) {
  const all = {};
  for (const [name, mode] of Object.entries(modes)) {
    const title = name[0].toUpperCase() + name.slice(1), Type = all[title] = streamOf(title, mode), create = `create${title}`;
    all[create] = { [create]: (options) => new Type(options) }[create];
  }
  return all;
}

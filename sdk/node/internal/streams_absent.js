// streams_absent.js - node:stream and what is below it, while there is none: who imports a name of it links.
const { unimplemented } = require('node:internal/errors');
const EventEmitter = require('node:events');
const { stubs } = require('node:internal/stubs');
const { ReadableStream, WritableStream, TransformStream, CompressionStream, DecompressionStream, TextDecoderStream, TextEncoderStream } = globalThis;

function Stream() { throw unimplemented('stream.Stream'); }
Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
module.exports = Object.assign(Stream, stubs('stream', '_isArrayBufferView _isUint8Array _uint8ArrayToBuffer addAbortSignal arrayBuffer blob buffer compose destroy duplexPair finished '
  + 'getDefaultHighWaterMark isDestroyed isDisturbed isErrored isReadable isWritable json pipeline setDefaultHighWaterMark text', 'Duplex PassThrough Readable Transform Writable'), {
  Stream, ReadableStream, WritableStream, TransformStream, CompressionStream, DecompressionStream, TextDecoderStream, TextEncoderStream,
  promises: stubs('stream', 'finished pipeline'),
});

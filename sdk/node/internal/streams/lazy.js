// lazy.js - a Transform that becomes one when it is first used as a stream: most digests never are.
import { Transform } from 'node:internal/streams/duplex';

const STATES = ['_readableState', '_writableState'];

function begin(stream) {
  Transform.call(stream, stream._options);
  stream._writableState.decodeStrings = false;
}
export class LazyTransform {
  constructor(options) { this._options = options; }
}
Object.setPrototypeOf(LazyTransform.prototype, Transform.prototype);
Object.setPrototypeOf(LazyTransform, Transform);
for (const name of STATES) {
  Object.defineProperty(LazyTransform.prototype, name, {
    configurable: true,
    get() {
      begin(this);
      return this[name];
    },
    set(value) { Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true }); },
  });
}

// strategies.js - CountQueuingStrategy and ByteLengthQueuingStrategy: how much a stream may hold.

const { isObject, publish } = internals.streams;

function markOf(init, name) {
  if (!isObject(init) || init.highWaterMark === undefined)
    throw new TypeError(`${name}: the argument must be an object with a highWaterMark`);
  return Number(init.highWaterMark);
}

// Bytes of Python have a length of another name.
function lengthOf(chunk) {
  const length = chunk.byteLength;
  return length === undefined && isObject(chunk) && native.isPython(chunk) ? native.pythonBytes(chunk)?.byteLength : length;
}

// One function each, whatever the object.
const count = Object.getOwnPropertyDescriptor({ size() { return 1; } }, 'size').value;
const byteLength = Object.getOwnPropertyDescriptor({ size(chunk) { return lengthOf(chunk); } }, 'size').value;

class CountQueuingStrategy {
  #mark;
  constructor(init) { this.#mark = markOf(init, 'CountQueuingStrategy'); }
  get highWaterMark() { return this.#mark; }
  get size() { void this.#mark; return count; }
}

class ByteLengthQueuingStrategy {
  #mark;
  constructor(init) { this.#mark = markOf(init, 'ByteLengthQueuingStrategy'); }
  get highWaterMark() { return this.#mark; }
  get size() { void this.#mark; return byteLength; }
}

publish(CountQueuingStrategy, ByteLengthQueuingStrategy);

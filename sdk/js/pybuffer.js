// pybuffer.js - getBuffer(): the memory of a Python object as a typed array that shares it.

const { transfer } = ArrayBuffer.prototype, { get: lengthOf } = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength');
const { defineProperty } = Object;
const { apply } = Reflect;

const types = new Map([['i8', Int8Array], ['u8', Uint8Array], ['u8clamped', Uint8ClampedArray], ['i16', Int16Array], ['u16', Uint16Array],
  ['i32', Int32Array], ['u32', Uint32Array], ['i64', BigInt64Array], ['u64', BigUint64Array], ['f16', globalThis.Float16Array],
  ['f32', Float32Array], ['f64', Float64Array], ['dataview', DataView]]);
const SIGNED = [, 'i8', 'i16', , 'i32', , , , 'i64'], UNSIGNED = [, 'u8', 'u16', , 'u32', , , , 'u64'], FLOATS = [, , 'f16', , 'f32', , , , 'f64'];
const HINT = ' In this case, you can pass an explicit type argument.';

// The type of array for a format of Python's struct module.
function typeOf(format, itemsize) {
  if (format.length > 2) throw new Error(`Expected format string to have length <= 2, got '${format}'.${HINT}`);
  const letter = format.slice(-1), order = format.slice(0, -1);
  if (!['', '@', '=', '<', '>', '!'].includes(order)) throw new Error(`Unrecognized alignment character ${order}.${HINT}`);
  const list = 'bhilqn'.includes(letter) ? SIGNED : 'BHILQNcsp?'.includes(letter) ? UNSIGNED : 'efd'.includes(letter) ? FLOATS : [];
  const type = types.get(list[itemsize]);
  if (!type) throw new Error(`Unrecognized format character '${letter}'.${HINT}`);
  if ((order === '>' || order === '!') && itemsize > 1)
    throw new Error('JavaScript has no native support for big endian buffers. In this case, you can pass an explicit type argument. For instance, ' +
      "`getBuffer('dataview')` will return a `DataView` which has native support for reading big endian data. Alternatively, toJs will automatically " +
      'convert the buffer to little endian.');
  return type;
}

class PyBufferView {
  #handle; #memory;
  constructor(secret, handle, memory) {
    if (secret !== types) throw new TypeError('PyBufferView is not a constructor');
    this.#handle = handle;
    this.#memory = memory;
  }
  release() {
    const handle = this.#handle, memory = this.#memory;
    if (!handle) return;
    this.#handle = this.#memory = undefined;
    this.data = undefined;
    // Whoever still has the array finds it empty: the memory is Python's again.  One that the engine does not let go of
    // (it copied instead: C code has seen its address) keeps it until it is collected.
    try {
      if (memory) apply(transfer, memory, []);
      if (memory && apply(lengthOf, memory, []) > 0) return;
    } catch {
      return;
    }
    native.pythonRelease(handle);
  }
}
if (Symbol.dispose) defineProperty(PyBufferView.prototype, Symbol.dispose, { value() { this.release(); }, writable: true, configurable: true });

internals.pyBuffer = {
  getBuffer(type) {
    let Type;
    if (type) {
      Type = types.get(type);
      if (!Type) throw new Error(`Unknown type ${type}`);
    }
    const [handle, memory, before, place, readonly, format, itemsize, shape, strides, c_contiguous, f_contiguous] = native.pythonBuffer(this);
    const view = new PyBufferView(types, handle, memory);
    try {
      Type ??= typeOf(format, itemsize);
      const nbytes = memory ? memory.byteLength : 0, size = Type.BYTES_PER_ELEMENT ?? 1;
      if (memory && (place % size || before % size || nbytes % size)) throw new Error(`Buffer does not have valid alignment for a ${Type.name}`);
      const data = memory ? new Type(memory) : new Type(...(Type === DataView ? [new ArrayBuffer(0)] : []));
      return Object.assign(view, {
        offset: before / size, readonly, format, itemsize, ndim: shape.length, nbytes, shape, strides: strides.map((n) => n / size), data,
        c_contiguous, f_contiguous,
      });
    } catch (error) {
      view.release();
      throw error;
    }
  },
};

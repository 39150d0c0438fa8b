// bridge.js - JavaScript's half of the bridge to Python.

internals.fromPairs = (pairs, asMap) => (asMap ? new Map(pairs) : Object.fromEntries(pairs));
internals.toSet = (items) => new Set(items);
const { BigInt } = globalThis, digitsOf = BigInt.prototype.toString;
internals.toBigInt = (digits, isNegative) => (isNegative ? -BigInt(digits) : BigInt(digits));
internals.bigText = (value) => Reflect.apply(digitsOf, value, [16]);

// Of a DataView: [buffer, byteOffset, byteLength].
const partOf = (name) => Object.getOwnPropertyDescriptor(DataView.prototype, name).get;
const bufferOf = partOf('buffer'), offsetOf = partOf('byteOffset'), lengthOf = partOf('byteLength');
internals.viewParts = (view) => [bufferOf.call(view), offsetOf.call(view), lengthOf.call(view)];
const { TextDecoder } = globalThis, { decode } = TextDecoder.prototype;
internals.decodeStrictly = (bytes, label) => {
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  try {
    return decode.call(decoder, bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
};
internals.destroyAll = (proxies) => { for (let i = 0; i < proxies.length; i++) proxies[i].destroy(); };

// values.js - JavaScript's half of the `workers` package: what a value is, and whole values in one crossing.

const { Response, Map, Set, Error, RegExp, Promise, Number, ArrayBuffer } = globalThis;
const { isView } = ArrayBuffer, { isArray } = Array, { getPrototypeOf } = Object, { getTime } = Date.prototype;
const plainPrototype = Object.prototype;

function isDate(value) {
  try {
    Reflect.apply(getTime, value, []);
    return true;
  } catch { return false; }
}

function nameOf(value) {
  try { return `?${value.constructor.name}`; } catch { return '?'; }
}

// Of classes whose objects are asked for often: what nameOf() would say.
const known = new Map(), { get: mapGet } = Map.prototype;
internals.knowKind = (C) => { known.set(C.prototype, `?${C.name}`); };

// The kind of an object that came to Python: a name that the package knows, or '?' and the constructor's.
internals.webKind = (value) => {
  if (typeof value === 'function') return 'function';
  if (typeof value !== 'object' || value === null) return '';
  const proto = getPrototypeOf(value);
  if (proto === plainPrototype || proto === null) return 'object';
  if (isArray(value)) return 'Array';
  const name = mapGet.call(known, proto);
  if (name) return name;
  if (internals.isResponse(value)) return 'Response';
  if (internals.isRequest(value)) return 'Request';
  if (internals.isHeaders(value)) return 'Headers';
  if (isView(value) || value instanceof ArrayBuffer) return 'buffer';
  if (internals.isStream(value)) return 'ReadableStream';
  if (internals.isFormData(value)) return 'FormData';
  if (internals.bytesOfBlob(value)) return internals.isFile(value) ? 'File' : 'Blob';
  if (internals.isSearchParams(value)) return 'URLSearchParams';
  if (value instanceof Map) return 'Map';
  if (value instanceof Set) return 'Set';
  if (value instanceof Error) return 'Error';
  if (value instanceof RegExp) return 'RegExp';
  if (value instanceof Promise) return 'Promise';
  if (value instanceof Number) return 'Number';
  return isDate(value) ? 'Date' : nameOf(value);
};

// new Response(), with headers as Headers or as text (see headersOfText).
internals.newResponse = (body, status, statusText, headers, webSocket) => new Response(body, {
  status, statusText, webSocket, headers: typeof headers === 'string' ? internals.headersOfText(headers) : headers,
});
internals.newTextResponse = (body) => new Response(body);

// Headers for http.client.HTTPMessage: "name\nvalue\nname\nvalue", cookies first.
internals.headerText = (headers) => {
  const cookies = [], others = [];
  for (const [name, value] of internals.pairsOfHeaders(headers)) {
    if (name === 'set-cookie') cookies.push('Set-Cookie', value);
    else others.push(name, value);
  }
  return [...cookies, ...others].join('\n');
};

// An object's own property, whatever its name.
internals.setOwn = (object, name, value) => {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
};

// ---- a body that Python's code gives piece by piece, as it is asked for, or by itself ----

const { ReadableStream, ByteLengthQueuingStrategy } = globalThis;
const onDemand = { highWaterMark: 0 };

// next(): bytes, undefined at the end, or a promise of those.
internals.streamOfPieces = (next, close) => {
  const take = (controller, piece) => {
    if (piece === undefined) controller.close();
    else controller.enqueue(native.pythonBytes(piece) ?? piece);
  };
  return new ReadableStream({
    pull(controller) {
      const piece = next();
      if (typeof piece?.then === 'function') return piece.then((later) => { take(controller, later); });
      take(controller, piece);
      return undefined;
    },
    cancel: close,
  }, onDemand);
};

const OUTLET_BYTES = 64 * 1024;     // what may wait in it; then its writer does

// length: how many bytes it will have, or -1.  wake(isWanted): there is room again, or nobody wants more.
internals.newOutlet = (wake, length) => {
  const outlet = { controller: null, stream: null, wake, isWaited: false };
  outlet.stream = new ReadableStream({
    start(controller) { outlet.controller = controller; },
    pull() {
      if (!outlet.isWaited) return;
      outlet.isWaited = false;
      outlet.wake?.(true);
    },
    cancel() {
      const { wake: call } = outlet;
      outlet.controller = outlet.wake = null;
      call?.(false);
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: OUTLET_BYTES }));
  if (length >= 0) internals.streams.recordOfStream(outlet.stream).length = length;
  return outlet;
};
internals.outletStream = (outlet) => outlet.stream;
// Must the writer wait for wake()?
internals.outletWrite = (outlet, bytes) => {
  if (outlet.controller === null) return false;
  outlet.controller.enqueue(native.pythonBytes(bytes));
  outlet.isWaited = outlet.controller.desiredSize <= 0;
  return outlet.isWaited;
};
// Let go of both languages' ends; a text says why it is incomplete.
internals.outletEnd = (outlet, failure) => {
  const { controller } = outlet;
  outlet.controller = outlet.wake = null;
  if (controller === null) return;
  if (failure === undefined) controller.close();
  else controller.error(new Error(failure));
};

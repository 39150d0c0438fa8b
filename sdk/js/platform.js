// platform.js - the small globals: self, performance, navigator, scheduler, atob and btoa.
//
// performance.now() is real time, to the microsecond, from the moment the
// worker was loaded.  Cloudflare's clock stands still while code computes,
// because workers share a process there; here each has its own, in which
// Python's clocks are to be had anyway.

const { DOMException } = internals;
const fromBase64 = Uint8Array.fromBase64, toBase64 = Uint8Array.prototype.toBase64;
const PIECE = 8192;             // characters for one call of String.fromCharCode

let origin = 0, wallOrigin = 0;
// Called by C when a worker is loaded.
internals.startClock = () => {
  origin = native.now();
  wallOrigin = Date.now();
};
internals.startClock();
internals.clock = () => native.now() - origin;

let illegal = true;
class Performance extends EventTarget {
  constructor() {
    if (illegal) throw new TypeError('Illegal constructor');
    super();
  }
  now() { return internals.clock(); }
  get timeOrigin() { return wallOrigin; }
  toJSON() { return { timeOrigin: wallOrigin }; }
}

class Navigator {
  constructor() { if (illegal) throw new TypeError('Illegal constructor'); }
  get userAgent() { return 'Cloudflare-Workers'; }
  get language() { return 'en'; }
  get languages() { return ['en']; }
  get platform() { return ''; }
  get hardwareConcurrency() { return 1; }
}

class Scheduler {
  constructor() { if (illegal) throw new TypeError('Illegal constructor'); }
  // A promise that resolves after so many milliseconds; options: { signal }.
  wait(delay, options = undefined) {
    const { signal } = internals.options(options, 'scheduler.wait');
    if (signal !== undefined && !internals.isAbortSignal(signal)) return Promise.reject(new TypeError('scheduler.wait: signal must be an AbortSignal'));
    const milliseconds = Number(delay);
    if (!(milliseconds >= 0)) return Promise.reject(new TypeError('scheduler.wait: expected a number of milliseconds, 0 or more'));
    return new Promise((resolve, reject) => {
      if (signal && internals.isAborted(signal)) {
        reject(internals.abortReason(signal));
        return;
      }
      const stop = (reason) => {
        internals.stopTimer(id);
        reject(reason);
      };
      const id = internals.startTimer(() => {
        if (signal) internals.removeAbortAlgorithm(signal, stop);
        resolve();
      }, Math.min(milliseconds, 1e12), true);
      if (signal) internals.addAbortAlgorithm(signal, stop);
    });
  }
}

// The characters of bytes, each below 256.
internals.binaryString = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i += PIECE) text += Reflect.apply(String.fromCharCode, null, bytes.subarray(i, i + PIECE));
  return text;
};
// The other way; null when a character is beyond.
internals.binaryBytes = (text) => {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return null;
    bytes[i] = code;
  }
  return bytes;
};

// The engine's own decoder, `loose`, is the forgiving decode of the standard.
function atob(data) {
  if (arguments.length === 0) throw new TypeError('atob: expected a string');
  const text = String(data);
  let bytes;
  try {
    bytes = Reflect.apply(fromBase64, Uint8Array, [text]);
  } catch {
    throw new DOMException('atob() called with invalid base64-encoded data. (Only whitespace, \'+\', \'/\', alphanumeric ASCII, and up to two terminal \'=\' signs when the input data length is divisible by 4 are allowed.)', 'InvalidCharacterError');
  }
  return internals.binaryString(bytes);
}

function btoa(data) {
  if (arguments.length === 0) throw new TypeError('btoa: expected a string');
  const bytes = internals.binaryBytes(String(data));
  if (!bytes) throw new DOMException('btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.', 'InvalidCharacterError');
  return Reflect.apply(toBase64, bytes, []);
}

for (const c of [Performance, Navigator, Scheduler]) internals.tag(c);
illegal = false;
internals.expose({
  self: globalThis, Performance, performance: new Performance(), Navigator, navigator: new Navigator(),
  Scheduler, scheduler: new Scheduler(), atob, btoa,
});
illegal = true;

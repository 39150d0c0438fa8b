// context.js - what a handler gets beside the request: env and ctx.

const { Promise } = globalThis, { then } = Promise.prototype;

// As Cloudflare says it of what lost its object: const { waitUntil } = ctx.
const ILLEGAL = 'Illegal invocation: function called with incorrect `this` reference: call it as ctx.waitUntil(), or bind() it to ctx.';

class ExecutionContext {
  #id; #props;
  static #of(object) {
    if (typeof object !== 'object' || object === null || !(#id in object)) throw new TypeError(ILLEGAL);
    return object.#id;
  }
  constructor(secret, id, props) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#id = id;
    this.#props = props;
  }
  // Keep the request's surroundings alive until this has ended.
  waitUntil(promise) {
    const id = ExecutionContext.#of(this);
    if (!native.hold(id)) return;       // all has ended already: nothing to keep
    // A promise of ours: a then() of the worker's could call back twice, and each call lets go.
    // One of Python's begins now, while its request is the current one.
    const ended = new Promise((resolve, reject) => {
      if (native.isPython(promise) && typeof promise.then === 'function') promise.then(resolve, reject);
      else resolve(promise);
    });
    Reflect.apply(then, ended, [
      () => { native.release(id); },
      (e) => {
        try {
          const text = internals.describeError(e);
          native.log(4, `waitUntil: ${text}`, id);
          internals.failEvent(native.eventOf(id), text);
        } finally { native.release(id); }
      },
    ]);
  }
  passThroughOnException() { native.passThrough(ExecutionContext.#of(this)); }
  get props() { return (this.#props ??= {}); }
  // Of a worker in JavaScript: what it exports itself.
  get exports() { return internals.isScript() ? internals.exported : undefined; }
}
internals.tag(ExecutionContext);

internals.makeContext = (id, props = undefined) => new ExecutionContext(internals, id, props);

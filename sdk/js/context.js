// context.js - what a handler gets beside the request: env and ctx.

class ExecutionContext {
  #id;
  constructor(secret, id) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#id = id;
  }
  // Keep the request's surroundings alive until this has ended.
  waitUntil(promise) {
    const id = this.#id;
    if (!native.hold(id)) return;       // all has ended already: nothing to keep
    Promise.resolve(promise).then(
      () => native.release(id),
      (e) => {
        native.log(3, `waitUntil: ${internals.describeError(e)}`);
        native.release(id);
      });
  }
  passThroughOnException() { native.passThrough(this.#id); }
  get props() { return {}; }
}
internals.tag(ExecutionContext);

internals.makeContext = (id) => new ExecutionContext(internals, id);
internals.makeEnv = (json) => JSON.parse(json);

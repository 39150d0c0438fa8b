// async_resource.js - AsyncResource: a place in time to which one can come back.
import { checkFunction, checkString } from 'node:internal/errors';
import { currentContext, runIn } from 'node:internal/context';

let lastId = 1;
export class AsyncResource {
  #context = currentContext(); #id = ++lastId; #trigger;
  constructor(type, options = {}) {
    checkString(type, 'type');
    this.#trigger = typeof options === 'number' ? options : options?.triggerAsyncId ?? 1;
  }
  runInAsyncScope(f, self, ...args) { return runIn(this.#context, f, self, args); }
  emitDestroy() { return this; }
  asyncId() { return this.#id; }
  triggerAsyncId() { return this.#trigger; }
  bind(f, self) {
    checkFunction(f, 'fn');
    const resource = this;
    const made = self === undefined ? function (...args) { return resource.runInAsyncScope(f, this, ...args); } : (...args) => resource.runInAsyncScope(f, self, ...args);
    return Object.defineProperty(made, 'length', { value: f.length, configurable: true });
  }
  static bind(f, type, self) { return new AsyncResource(type || f.name || 'bound-anonymous-fn').bind(f, self); }
}

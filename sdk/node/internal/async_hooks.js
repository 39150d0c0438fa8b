// async_hooks.js - node:async_hooks, for those who must not be made of promises because of it, too.
import { AsyncResource } from 'node:internal/async_resource';
import { Context, currentContext, enter, install, runIn } from 'node:internal/context';
import { checkFunction } from 'node:internal/errors';

install();

export class AsyncLocalStorage {
  #default; #name;
  constructor(options = undefined) {
    this.#default = options?.defaultValue;
    this.#name = options?.name;
  }
  get name() { return this.#name ?? ''; }
  static bind(f) { return AsyncResource.bind(f); }
  static snapshot() {
    const context = currentContext();
    return (f, ...args) => runIn(context, f, undefined, args);
  }
  #with(value) { return new Context(currentContext()).set(this, value); }
  run(store, f, ...args) {
    checkFunction(f, 'callback');
    return runIn(this.#with(store), f, null, args);
  }
  exit(f, ...args) {
    const context = new Context(currentContext());
    context.delete(this);
    return runIn(context.size ? context : undefined, f, null, args);
  }
  enterWith(store) { enter(this.#with(store)); }
  disable() {
    const context = new Context(currentContext());
    context.delete(this);
    enter(context.size ? context : undefined);
  }
  getStore() {
    const context = currentContext();
    return context?.has(this) ? context.get(this) : this.#default;
  }
}
const hook = { enable() { return this; }, disable() { return this; } };
export const createHook = () => ({ ...hook });
export const executionAsyncId = () => 0;
export const triggerAsyncId = () => 0;
export const executionAsyncResource = () => ({});
export const asyncWrapProviders = Object.freeze({ __proto__: null });
export { AsyncResource };
export default { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId, triggerAsyncId, executionAsyncResource, asyncWrapProviders };

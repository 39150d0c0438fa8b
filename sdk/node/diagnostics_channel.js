// node:diagnostics_channel
import { checkFunction, argType } from 'node:internal/errors';
import { realm } from 'node:internal/realm';

const channels = new Map();
export class Channel {
  #subscribers = []; #stores = new Map();
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#subscribers.length > 0 || this.#stores.size > 0; }
  subscribe(subscription) {
    checkFunction(subscription, 'subscription');
    this.#subscribers = [...this.#subscribers, subscription];
  }
  unsubscribe(subscription) {
    const at = this.#subscribers.indexOf(subscription);
    if (at < 0) return false;
    this.#subscribers = this.#subscribers.toSpliced(at, 1);
    return true;
  }
  bindStore(store, transform) { this.#stores.set(store, transform); }
  unbindStore(store) { return this.#stores.delete(store); }
  runStores(data, f, self = undefined, ...args) {
    let run = () => {
      this.publish(data);
      return Reflect.apply(f, self, args);
    };
    for (const [store, transform] of this.#stores) {
      const next = run;
      run = () => {
        let value = data;
        try { if (transform) value = transform(data); } catch (error) {
          queueMicrotask(() => realm.report(error));
          return next();
        }
        return store.run(value, next);
      };
    }
    return run();
  }
  publish(data) {
    for (const subscriber of this.#subscribers) {
      try { subscriber(data, this.name); } catch (error) { queueMicrotask(() => realm.report(error)); }
    }
  }
}
export function channel(name) {
  if (typeof name !== 'string' && typeof name !== 'symbol') throw argType('channel', ['string', 'symbol'], name);
  if (!channels.has(name)) channels.set(name, new Channel(name));
  return channels.get(name);
}
export const subscribe = (name, subscription) => channel(name).subscribe(subscription);
export const unsubscribe = (name, subscription) => channel(name).unsubscribe(subscription);
export const hasSubscribers = (name) => channels.get(name)?.hasSubscribers ?? false;

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
export class TracingChannel {
  constructor(given) {
    for (const event of EVENTS) {
      const one = typeof given === 'string' ? channel(`tracing:${given}:${event}`) : given?.[event];
      if (!(one instanceof Channel)) throw typeof given === 'string' || (given !== null && typeof given === 'object') ? argType(`nameOrChannels.${event}`, ['Channel'], one) : argType('nameOrChannels', ['string', 'object', 'TracingChannel'], given);
      Object.defineProperty(this, event, { value: one });
    }
  }
  get hasSubscribers() { return EVENTS.some((event) => this[event].hasSubscribers); }
  subscribe(handlers) { for (const event of EVENTS) if (handlers[event]) this[event].subscribe(handlers[event]); }
  unsubscribe(handlers) { return EVENTS.map((event) => !handlers[event] || this[event].unsubscribe(handlers[event])).every(Boolean); }
  traceSync(f, context = {}, self = undefined, ...args) {
    if (!this.hasSubscribers) return Reflect.apply(f, self, args);
    return this.start.runStores(context, () => {
      try {
        context.result = Reflect.apply(f, self, args);
        return context.result;
      } catch (error) {
        context.error = error;
        this.error.publish(context);
        throw error;
      } finally { this.end.publish(context); }
    });
  }
  tracePromise(f, context = {}, self = undefined, ...args) {
    if (!this.hasSubscribers) return Reflect.apply(f, self, args);
    const settled = (name, value) => {
      context[name] = value;
      if (name === 'error') this.error.publish(context);
      this.asyncStart.publish(context);
      this.asyncEnd.publish(context);
    };
    return this.start.runStores(context, () => {
      try {
        const result = Reflect.apply(f, self, args), promise = result instanceof Promise ? result : Promise.resolve(result);
        return promise.then((value) => { settled('result', value); return value; }, (error) => { settled('error', error); throw error; });
      } catch (error) {
        context.error = error;
        this.error.publish(context);
        throw error;
      } finally { this.end.publish(context); }
    });
  }
  traceCallback(f, position = -1, context = {}, self = undefined, ...args) {
    if (!this.hasSubscribers) return Reflect.apply(f, self, args);
    const callback = args.at(position);
    checkFunction(callback, 'callback');
    const wrapped = (...results) => {
      if (results[0]) {
        [context.error] = results;
        this.error.publish(context);
      } else [, context.result] = results;
      return this.asyncStart.runStores(context, () => {
        try { return Reflect.apply(callback, undefined, results); } finally { this.asyncEnd.publish(context); }
      });
    };
    args.splice(position, 1, wrapped);
    return this.start.runStores(context, () => {
      try { return Reflect.apply(f, self, args); } catch (error) {
        context.error = error;
        this.error.publish(context);
        throw error;
      } finally { this.end.publish(context); }
    });
  }
}
export const tracingChannel = (given) => new TracingChannel(given);
export default { Channel, channel, subscribe, unsubscribe, hasSubscribers, tracingChannel, TracingChannel };

// node:diagnostics_channel
import { checkFunction, argType } from 'node:internal/errors';
import { realm } from 'node:internal/realm';

const channels = new Map();
export class Channel {
  #subscribers = [];
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#subscribers.length > 0; }
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
export default { Channel, channel, subscribe, unsubscribe, hasSubscribers };

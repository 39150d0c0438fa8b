// messaging.js - MessageChannel and MessagePort: two ends in one instance.
//
// What is posted is cloned at once and waits at the other end until that is
// started, by start() or by an assignment to onmessage; each message is then an
// event of its own, behind the code that runs.  A closed port takes nothing
// more; what it had posted before still arrives.

const { Array, Promise, TypeError } = globalThis;
const SECRET = {};
const thenOf = Promise.prototype.then, settled = Promise.resolve();
const later = (f) => { Reflect.apply(thenOf, settled, [f]); };
const MAX_WAITING = 10_000;     // messages at a port that nobody has started
let tie;

class MessagePort extends EventTarget {
  #peer = null; #waiting = []; #isStarted = false; #isClosed = false; #isDue = false;

  constructor(secret) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    super();
  }

  postMessage(value, options = undefined) {
    if (arguments.length === 0) throw new TypeError('postMessage: expected a value');
    const transfer = Array.isArray(options) ? options : internals.options(options, 'postMessage').transfer;
    const data = internals.structuredClone(value, { transfer }), peer = this.#peer;
    if (this.#isClosed || !peer || peer.#isClosed) return;
    if (peer.#waiting.length >= MAX_WAITING) throw new internals.DOMException(`A port holds at most ${MAX_WAITING} messages that nobody has taken.`, 'QuotaExceededError');
    peer.#waiting.push(data);
    peer.#deliver();
  }

  start() {
    this.#isStarted = true;
    this.#deliver();
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    const peer = this.#peer;
    if (!peer || peer.#isClosed) return;
    later(() => { internals.fire(peer, new Event('close')); });
  }

  #deliver() {
    if (!this.#isStarted || this.#isClosed || this.#isDue || this.#waiting.length === 0) return;
    this.#isDue = true;
    later(() => {
      this.#isDue = false;
      if (this.#isClosed || this.#waiting.length === 0) return;
      const data = this.#waiting.shift();
      this.#deliver();
      internals.fire(this, new MessageEvent('message', { data }));
    });
  }

  static {
    tie = (a, b) => {
      a.#peer = b;
      b.#peer = a;
    };
  }
}
for (const type of ['message', 'messageerror', 'close']) internals.addHandler(MessagePort.prototype, type);
const handler = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage'), { start } = MessagePort.prototype;
Object.defineProperty(MessagePort.prototype, 'onmessage', {
  ...handler,
  set(value) {
    Reflect.apply(handler.set, this, [value]);
    Reflect.apply(start, this, []);
  },
});

class MessageChannel {
  #ports = [new MessagePort(SECRET), new MessagePort(SECRET)];
  constructor() { tie(...this.#ports); }
  get port1() { return this.#ports[0]; }
  get port2() { return this.#ports[1]; }
}

internals.tag(MessagePort);
internals.tag(MessageChannel);
internals.expose({ MessageChannel, MessagePort });

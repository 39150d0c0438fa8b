// occasions.js - what a worker is called for other than a request: the objects that its handlers get, and what comes of them.
//
// The node sends { kind, payload } (struct event of the wire) and gets back what closeEvent says.  Payloads:
//   scheduled { cron, time? }   queue { queue, messages: [{ id, timestamp, attempts, body, contentType? }] }   alarm { isRetry, retryCount }
//   trace { traces }            pubsub { messages }            test {}            rpc { method, args }: its result comes back
// A queue's message of contentType "bytes" has its body in base64.

const { Date, Map, Number, Set, TypeError, Uint8Array } = globalThis, { fromBase64 } = Uint8Array, { parse, stringify } = JSON;

class ScheduledController {
  #record;
  constructor(secret, { cron = '', time }, record) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#record = record;
    this.scheduledTime = time ?? Date.now();
    this.cron = cron;
    this.type = 'scheduled';
    Object.freeze(this);
  }
  noRetry() { this.#record.noRetry = true; }
}

const warn = (text) => { native.log(2, text); };
const ignored = (call, id, before) => {
  warn(`Received a call to ${call}()${id ? ` on message ${id}` : ''} after ${before}() was already called. Calling ${call}() ` +
    `${id ? 'on a message ' : ''}after calling ${before}() has no effect.`);
};

class Message {
  #record;
  constructor(secret, { id, timestamp, attempts = 1, body, contentType }, record) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#record = record;
    this.id = id;
    this.timestamp = new Date(timestamp);
    this.attempts = attempts;
    this.body = contentType === 'bytes' ? Reflect.apply(fromBase64, Uint8Array, [body]) : body;
    Object.freeze(this);
  }
  ack() {
    const record = this.#record;
    if (record.ackAll) return;
    if (record.retryAll) ignored('ack', this.id, 'retryAll');
    else if (record.retries.has(this.id)) ignored('ack', this.id, 'retry');
    else record.acks.add(this.id);
  }
  retry(options) {
    const record = this.#record;
    if (record.ackAll) ignored('retry', this.id, 'ackAll');
    else if (record.acks.has(this.id)) ignored('retry', this.id, 'ack');
    else record.retries.set(this.id, options?.delaySeconds);
  }
}

class MessageBatch {
  #record;
  constructor(secret, { queue, messages }, record) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#record = record;
    this.queue = queue;
    this.messages = Object.freeze(messages.map((message) => new Message(internals, message, record)));
    Object.freeze(this);
  }
  ackAll() {
    if (this.#record.retryAll) ignored('ackAll', '', 'retryAll');
    else this.#record.ackAll = true;
  }
  retryAll(options) {
    if (this.#record.ackAll) ignored('retryAll', '', 'ackAll');
    else this.#record.retryAll = { delaySeconds: options?.delaySeconds };
  }
}

class TestController {
  constructor(secret) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
  }
}
for (const type of [ScheduledController, Message, MessageBatch, TestController]) internals.tag(type);

// Calls carry JSON, as yet: what it would lose or change is refused.
function plain(value, depth = 0) {
  if (depth > 100) throw new TypeError('The result of a method is nested deeper than 100 levels, or holds itself');
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  const kind = internals.kindOf(value);
  if (kind === 'array') return value.map((item) => plain(item, depth + 1));
  if (kind !== 'object') {
    throw new TypeError(`The result of a method holds ${internals.inspect(value)}: between workers go text, numbers, booleans, None, lists and dicts`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
}

// kind: { what the handler gets, what the answer says beside the outcome }
const KINDS = {
  __proto__: null,
  scheduled: {
    open: (payload, record) => new ScheduledController(internals, payload, record),
    close: (record) => ({ noRetry: !!record.noRetry }),
  },
  queue: {
    open(payload, record) {
      record.acks = new internals.OwnSet();
      record.retries = new internals.OwnMap();
      return new MessageBatch(internals, payload, record);
    },
    close: ({ ackAll, retryAll, acks, retries }) => ({
      ackAll: !!ackAll,
      retryBatch: { retry: !!retryAll, ...retryAll },
      explicitAcks: [...acks],
      retryMessages: [...retries].map(([msgId, delaySeconds]) => ({ msgId, delaySeconds })),
    }),
  },
  alarm: { open: ({ isRetry = false, retryCount = 0 }) => Object.freeze({ isRetry, retryCount }) },
  trace: { open: ({ traces }) => traces },
  pubsub: { open: ({ messages }) => messages },
  test: { open: () => new TestController(internals) },
  rpc: { open: ({ method, args }) => ({ method, args }), close: ({ object }) => ({ result: plain(object.result) }) },
};

internals.openEvent = (kind, json) => {
  const occasion = KINDS[kind];
  if (!occasion) throw new TypeError(`there are no events '${kind}'`);
  const record = { occasion, outcome: 'ok' };
  record.object = occasion.open(parse(json), record);
  return record;
};
internals.eventObject = (record) => record.object;
internals.failEvent = (record, text) => {
  if (!record || record.outcome !== 'ok') return;
  record.outcome = 'exception';
  record.error = text;
};
const sayRest = ({ occasion, ...record }) => occasion.close?.(record);
internals.closeEvent = (record) => {
  try {
    return stringify({ outcome: record.outcome, ...sayRest(record), error: record.error });
  } catch (e) {     // what a method gave cannot be told
    return stringify({ outcome: 'exception', error: internals.describeError(e) });
  }
};

// node:worker_threads - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

const data = new Map();
module.exports = {
  ...stubs('worker_threads', 'getEnvironmentData isMarkedAsUntransferable markAsUncloneable markAsUntransferable moveMessagePortToContext postMessageToThread '
    + 'receiveMessageOnPort setEnvironmentData', 'BroadcastChannel MessageChannel MessagePort Worker'),
  SHARE_ENV: Symbol.for('nodejs.worker_threads.SHARE_ENV'), isInternalThread: false, isMainThread: true, parentPort: null, workerData: null, resourceLimits: {}, threadId: 0, threadName: '',
  MessageChannel: globalThis.MessageChannel, MessagePort: globalThis.MessagePort,
  getEnvironmentData: (key) => data.get(key), isMarkedAsUntransferable: () => false, markAsUncloneable() {}, markAsUntransferable() {},
  setEnvironmentData(key, value) {
    if (value === undefined) data.delete(key);
    else data.set(key, value);
  },
};

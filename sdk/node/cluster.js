// node:cluster - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('cluster', 'disconnect fork setupMaster setupPrimary', 'Worker'),
  _events: {}, _eventsCount: 0, _maxListeners: undefined, SCHED_NONE: 1, SCHED_RR: 2, schedulingPolicy: 2, settings: {}, workers: {}, isMaster: true, isPrimary: true, isWorker: false,
};

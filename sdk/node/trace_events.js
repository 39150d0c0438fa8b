// node:trace_events - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('trace_events', 'createTracing getEnabledCategories'),
};

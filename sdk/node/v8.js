// node:v8 - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('v8', 'cachedDataVersionTag deserialize getCppHeapStatistics getHeapCodeStatistics getHeapSnapshot getHeapSpaceStatistics getHeapStatistics '
    + 'isStringOneByteRepresentation queryObjects serialize setFlagsFromString setHeapSnapshotNearHeapLimit stopCoverage takeCoverage '
    + 'writeHeapSnapshot', 'DefaultDeserializer DefaultSerializer Deserializer GCProfiler Serializer'),
  promiseHooks: {}, startupSnapshot: {}, setFlagsFromString() {}, cachedDataVersionTag: () => 0, isStringOneByteRepresentation: (text) => !/[^\0-\xff]/.test(text),
};

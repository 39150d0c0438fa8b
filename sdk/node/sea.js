// node:sea - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('sea', 'getAsset getAssetAsBlob getAssetKeys getRawAsset isSea'),
  isSea: () => false,
};

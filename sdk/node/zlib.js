// node:zlib - gzip, deflate and brotli of zlib's and brotli's own libraries; zstd is not there.
const { codes, crc32, runLater, runSync } = require('node:internal/zlib');
const constants = require('node:internal/zlib_constants');
const { stubs } = require('node:internal/stubs');
const { streams } = require('node:internal/zlib_streams');

const MODES = { deflate: 'DEFLATE', inflate: 'INFLATE', gzip: 'GZIP', gunzip: 'GUNZIP', deflateRaw: 'DEFLATERAW', inflateRaw: 'INFLATERAW', unzip: 'UNZIP', brotliCompress: 'BROTLI_ENCODE', brotliDecompress: 'BROTLI_DECODE' };
const functions = Object.entries(MODES).flatMap(([name, mode]) => Object.entries({
  [name](buffer, options, callback) { runLater(constants[mode], buffer, options, callback); },
  [`${name}Sync`]: (buffer, options) => runSync(constants[mode], buffer, options),
}));

module.exports = {
  ...stubs('zlib', 'createZstdCompress createZstdDecompress zstdCompress zstdCompressSync zstdDecompress zstdDecompressSync',
  'ZstdCompress ZstdDecompress'),
  ...Object.fromEntries(functions), ...streams(Object.fromEntries(Object.entries(MODES).map(([name, mode]) => [name, constants[mode]]))), crc32, codes, constants,
};

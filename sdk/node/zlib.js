// node:zlib - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const constants = require('node:internal/zlib_constants');

module.exports = {
  ...stubs('zlib', 'brotliCompress brotliCompressSync brotliDecompress brotliDecompressSync crc32 createBrotliCompress createBrotliDecompress createDeflate '
    + 'createDeflateRaw createGunzip createGzip createInflate createInflateRaw createUnzip createZstdCompress createZstdDecompress deflate '
    + 'deflateRaw deflateRawSync deflateSync gunzip gunzipSync gzip gzipSync inflate inflateRaw inflateRawSync inflateSync unzip unzipSync '
    + 'zstdCompress zstdCompressSync zstdDecompress zstdDecompressSync', 'BrotliCompress BrotliDecompress Deflate DeflateRaw Gunzip Gzip Inflate InflateRaw Unzip ZstdCompress ZstdDecompress'),
  constants, codes: {},
};

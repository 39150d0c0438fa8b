// node:_stream_writable - the class, by its older name.
module.exports = require('node:internal/stream').Stream.Writable;

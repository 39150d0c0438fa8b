// node:_stream_passthrough - the class, by its older name.
module.exports = require('node:internal/stream').Stream.PassThrough;

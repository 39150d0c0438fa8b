// node:_stream_readable - the class, by its older name.
module.exports = require('node:internal/stream').Stream.Readable;

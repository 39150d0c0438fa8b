// node:_stream_duplex - the class, by its older name.
module.exports = require('node:internal/stream').Stream.Duplex;

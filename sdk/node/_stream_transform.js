// node:_stream_transform - the class, by its older name.
module.exports = require('node:internal/stream').Stream.Transform;

// node:_stream_wrap - not there: whoever makes one is told so.
module.exports = require('node:internal/stubs').stubs('_stream_wrap', '', 'JSStreamSocket').JSStreamSocket;

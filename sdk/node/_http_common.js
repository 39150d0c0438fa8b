// node:_http_common - not there: what is called says so.
const { stubs } = require('node:internal/stubs');
const { METHODS } = require('node:internal/http_constants');

module.exports = {
  ...stubs('_http_common', '_checkInvalidHeaderChar _checkIsHttpToken freeParser isLenient prepareError', 'HTTPParser'),
  CRLF: '\r\n', chunkExpression: /(?:^|\W)chunked(?:$|\W)/i, continueExpression: /(?:^|\W)100-continue(?:$|\W)/i, kIncomingMessage: Symbol('IncomingMessage'), kSkipPendingData: Symbol('SkipPendingData'),
  methods: METHODS, parsers: {}, isLenient: () => false, _checkIsHttpToken: (text) => /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/.test(text), _checkInvalidHeaderChar: (text) => /[^\t\x20-\x7e\x80-\xff]/.test(text),
};

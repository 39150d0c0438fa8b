// builtins.js - all modules of Node.js by their names, for require() that learns the name late.
const PREFIXED = new Set(['sea', 'sqlite', 'test', 'test/reporters']);
const load = {
  __proto__: null,
  _http_agent: () => require('node:_http_agent'), _http_client: () => require('node:_http_client'), _http_common: () => require('node:_http_common'),
  _http_incoming: () => require('node:_http_incoming'), _http_outgoing: () => require('node:_http_outgoing'), _http_server: () => require('node:_http_server'),
  _stream_duplex: () => require('node:_stream_duplex'), _stream_passthrough: () => require('node:_stream_passthrough'),
  _stream_readable: () => require('node:_stream_readable'), _stream_transform: () => require('node:_stream_transform'), _stream_wrap: () => require('node:_stream_wrap'),
  _stream_writable: () => require('node:_stream_writable'), stream: () => require('node:stream'), 'stream/consumers': () => require('node:stream/consumers'),
  'stream/promises': () => require('node:stream/promises'), 'stream/web': () => require('node:stream/web'), _tls_common: () => require('node:_tls_common'),
  _tls_wrap: () => require('node:_tls_wrap'), assert: () => require('node:assert'), 'assert/strict': () => require('node:assert/strict'),
  async_hooks: () => require('node:internal/async_hooks'), buffer: () => require('node:buffer'), child_process: () => require('node:child_process'),
  cluster: () => require('node:cluster'), console: () => require('node:console'), constants: () => require('node:constants'), crypto: () => require('node:crypto'),
  dgram: () => require('node:dgram'), diagnostics_channel: () => require('node:diagnostics_channel'), dns: () => require('node:dns'),
  'dns/promises': () => require('node:dns/promises'), domain: () => require('node:domain'), events: () => require('node:events'), fs: () => require('node:fs'),
  'fs/promises': () => require('node:fs/promises'), http: () => require('node:http'), http2: () => require('node:http2'), https: () => require('node:https'),
  inspector: () => require('node:inspector'), 'inspector/promises': () => require('node:inspector/promises'), module: () => require('node:module'),
  net: () => require('node:net'), os: () => require('node:os'), path: () => require('node:path'), 'path/posix': () => require('node:path/posix'),
  'path/win32': () => require('node:path/win32'), perf_hooks: () => require('node:perf_hooks'), process: () => require('node:process'),
  punycode: () => require('node:punycode'), querystring: () => require('node:querystring'), readline: () => require('node:readline'),
  'readline/promises': () => require('node:readline/promises'), repl: () => require('node:repl'), sea: () => require('node:sea'), sqlite: () => require('node:sqlite'),
  string_decoder: () => require('node:string_decoder'), sys: () => require('node:sys'),
  test: () => require('node:test'), 'test/reporters': () => require('node:test/reporters'), timers: () => require('node:timers'),
  'timers/promises': () => require('node:timers/promises'), tls: () => require('node:tls'), trace_events: () => require('node:trace_events'),
  tty: () => require('node:tty'), url: () => require('node:url'), util: () => require('node:util'), 'util/types': () => require('node:util/types'),
  v8: () => require('node:v8'), vm: () => require('node:vm'), wasi: () => require('node:wasi'), worker_threads: () => require('node:worker_threads'),
  zlib: () => require('node:zlib'),
};

const short = (name) => (typeof name === 'string' && name.startsWith('node:') ? name.slice(5) : name);
exports.builtinModules = Object.keys(load).filter((name) => !PREFIXED.has(name));
exports.isBuiltin = (name) => typeof name === 'string' && short(name) in load && (name.startsWith('node:') || !PREFIXED.has(name));
// What require() gives: the module itself, or its default.
exports.builtin = (name) => {
  const module = load[short(name)]();
  return module.__esModule ? module.default : module;
};
require('node:internal/process').process.getBuiltinModule = (name) => (exports.isBuiltin(name) ? exports.builtin(name) : undefined);

// process.js - process: of a worker, which is none; what it says is what Cloudflare's says where that matters.
import EventEmitter from 'node:internal/events';
import { argType, checkFunction, coded, unimplemented } from 'node:internal/errors';
import { stubs } from 'node:internal/stubs';
import { realm } from 'node:internal/realm';
import { warning } from 'node:internal/util';

const isPopulated = typeof __corral_populate_env === 'undefined' || __corral_populate_env;
const isPlain = (value) => value === null || ['number', 'boolean'].includes(typeof value)
  || (typeof value === 'object' && [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value)));

// A copy: texts as they are, JSON as text.  Values become texts when they are set.
function makeEnv() {
  const values = {};
  if (isPopulated) {
    const { env } = __corral.module('cloudflare:workers');
    for (const key of Object.keys(env)) {
      const value = env[key];
      if (typeof value === 'string') values[key] = value;
      else if (isPlain(value)) values[key] = JSON.stringify(value);
    }
  }
  return new Proxy(values, {
    set(target, key, value) {
      if (typeof key === 'symbol' || typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
      target[key] = `${value}`;
      return true;
    },
    defineProperty(target, key, descriptor) {
      return Reflect.defineProperty(target, key, 'value' in descriptor ? { ...descriptor, value: `${descriptor.value}` } : descriptor);
    },
  });
}

function hrtime(before) {
  const now = realm.clock(), seconds = Math.floor(now / 1000), nanos = Math.floor((now % 1000) * 1e6);
  if (before === undefined) return [seconds, nanos];
  if (!Array.isArray(before)) throw argType('time', 'Array', before);
  const rest = nanos - before[1];
  return rest < 0 ? [seconds - before[0] - 1, rest + 1e9] : [seconds - before[0], rest];
}
hrtime.bigint = () => BigInt(Math.floor(realm.clock() * 1000)) * 1000n;

const stream = (level, fd) => ({
  fd, isTTY: false, writable: true, columns: 80,
  write(text) {
    realm.log(level, String(text).replace(/\n$/, ''));
    return true;
  },
  end() {}, on() { return this; }, once() { return this; }, emit() { return false; }, removeListener() { return this; },
});

let env, exitCode;
const memory = () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 });
export const process = Object.assign(Object.create(Object.create(EventEmitter.prototype, { constructor: { value: { process() {} }.process, enumerable: false }, [Symbol.toStringTag]: { value: 'process' } })), {
  title: 'workerd', version: 'v22.19.0', versions: { node: '22.19.0' }, arch: 'x64', platform: 'linux', release: { name: 'node', lts: 'Jod' },
  argv: ['workerd'], argv0: 'workerd', execArgv: [], execPath: '', pid: 1, ppid: 0, debugPort: 0, config: { target_defaults: {}, variables: {} },
  features: { inspector: false, debug: false, uv: false, ipv6: true, tls_alpn: true, tls_sni: true, tls_ocsp: true, tls: true, cached_builtins: true, require_module: false, typescript: false },
  allowedNodeEnvironmentFlags: new Set(), stdout: stream(1, 1), stderr: stream(3, 2), stdin: { fd: 0, isTTY: false, on() { return this; }, once() { return this; } },
  nextTick(callback, ...args) {
    checkFunction(callback, 'callback');
    queueMicrotask(args.length ? () => callback(...args) : callback);
  },
  hrtime, uptime: () => realm.clock() / 1000, cwd: () => directory,
  chdir(path) {
    if (typeof path !== 'string') throw argType('directory', 'string', path);
    directory = path.startsWith('/') ? path : `${directory === '/' ? '' : directory}/${path}`;
  },
  umask: () => 0o22, getuid: () => 0, geteuid: () => 0, getgid: () => 0, getegid: () => 0, getgroups: () => [],
  memoryUsage: Object.assign(memory, { rss: () => 0 }), cpuUsage: () => ({ user: 0, system: 0 }), resourceUsage: () => ({}), constrainedMemory: () => 0, availableMemory: () => 0,
  emitWarning(text, type, code) {
    if (type !== null && typeof type === 'object') ({ type, code } = type);
    const made = text instanceof Error ? text : Object.assign(new Error(text), { name: typeof type === 'string' ? type : 'Warning' });
    if (code !== undefined && typeof code === 'string') made.code = code;
    process.nextTick(() => {
      if (!process.emit('warning', made)) console.warn(`${made.code ? `[${made.code}] ` : ''}${made.name}: ${made.message}`);
    });
  },
  exit(code = exitCode) { throw coded(Error, 'ERR_PROCESS_EXIT', `process.exit(${code ?? 0}) was called`); },
  abort() { throw unimplemented('process.abort'); },
  kill() { throw unimplemented('process.kill'); },
  binding() { throw unimplemented('process.binding'); },
  dlopen() { throw unimplemented('process.dlopen'); },
  getBuiltinModule() { return undefined; },
  ...stubs('process', '_debugEnd _debugProcess _kill _linkedBinding _startProfilerIdleNotifier _stopProfilerIdleNotifier execve initgroups openStdin reallyExit setegid seteuid setgid setgroups setuid'),
  _fatalException() {}, _tickCallback() {}, _getActiveHandles: () => [], _getActiveRequests: () => [], _rawDebug() {}, _exiting: false, _preload_modules: [], moduleLoadList: [],
  domain: null, noProcessWarnings: false, finalization: { register() {}, registerBeforeExit() {}, unregister() {} }, ref() {}, unref() {}, threadCpuUsage: () => ({ user: 0, system: 0 }),
  assert(value, message) { if (!value) throw coded(Error, 'ERR_ASSERTION', message ?? 'assertion error'); },
  getActiveResourcesInfo: () => [], setUncaughtExceptionCaptureCallback() {}, hasUncaughtExceptionCaptureCallback: () => false,
  setSourceMapsEnabled() {}, sourceMapsEnabled: false, report: undefined, loadEnvFile() { throw unimplemented('process.loadEnvFile'); },
});
let directory = '/bundle';
Object.defineProperties(process, {
  env: {
    enumerable: true, configurable: true, get: () => (env ??= makeEnv()),
    set(value) { env = value; },
  },
  exitCode: { enumerable: true, configurable: true, get: () => exitCode, set(value) { exitCode = value; } },
});
warning.emit = (message, type, code) => process.emitWarning(message, type, code);

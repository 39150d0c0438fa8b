// globals.js - what workers have under nodejs_compat: Buffer, process, global, setImmediate, clearImmediate.
import { Buffer } from 'node:internal/buffer';
import { clearImmediate, setImmediate } from 'node:internal/timers';
import { process } from 'node:internal/process';

const globals = { Buffer, process, global: globalThis, setImmediate, clearImmediate };
for (const name of Object.keys(globals)) Object.defineProperty(globalThis, name, { value: globals[name], writable: true, configurable: true, enumerable: false });

// node:module - createRequire() of the modules of Node.js; a worker has no files to require.
const { argValue, coded } = require('node:internal/errors');
const { builtin, builtinModules, isBuiltin } = require('node:internal/builtins');
const { stubs } = require('node:internal/stubs');

const isPlace = (value) => value instanceof URL || (typeof value === 'string' && (value.startsWith('/') || value.startsWith('file:') || /^[a-z]+:/.test(value)));

function createRequire(place) {
  if (!isPlace(place)) throw argValue('filename', place, 'must be a file URL object, file URL string, or absolute path string');
  const requires = (name) => {
    if (isBuiltin(name)) return builtin(name);
    throw coded(Error, 'MODULE_NOT_FOUND', `Cannot find module '${name}'\nRequire stack:\n- ${place}`, { requireStack: [`${place}`] });
  };
  requires.resolve = Object.assign((name) => {
    if (isBuiltin(name)) return name;
    throw coded(Error, 'MODULE_NOT_FOUND', `Cannot find module '${name}'`, { requireStack: [`${place}`] });
  }, { paths: () => null });
  return Object.assign(requires, { main: undefined, extensions: Module._extensions, cache: Module._cache });
}

function Module(id = '', parent = undefined) {
  this.id = id;
  this.path = '/bundle';
  this.exports = {};
  this.filename = null;
  this.loaded = false;
  this.children = [];
  void parent;
}
Object.assign(Module, {
  ...stubs('module', '_debug _findPath _initPaths _load _nodeModulePaths _preloadModules _resolveFilename _resolveLookupPaths enableCompileCache findPackageJSON findSourceMap '
    + 'flushCompileCache getCompileCacheDir getSourceMapsSupport register registerHooks runMain setSourceMapsSupport stripTypeScriptTypes', 'SourceMap'),
  Module, createRequire, builtinModules, isBuiltin, _cache: Object.create(null), _extensions: Object.create(null), _pathCache: Object.create(null), globalPaths: [],
  constants: { compileCacheStatus: { FAILED: 0, ENABLED: 1, ALREADY_ENABLED: 2, DISABLED: 3 } }, findSourceMap: () => undefined, getCompileCacheDir: () => undefined,
  syncBuiltinESMExports() {}, flushCompileCache() {}, _initPaths() {}, wrap: (text) => `(function (exports, require, module, __filename, __dirname) { ${text}\n});`,
});
module.exports = Module;

// node:vm - not there: what is called says so.
const { stubs } = require('node:internal/stubs');

module.exports = {
  ...stubs('vm', 'compileFunction createContext createScript isContext measureMemory runInContext runInNewContext runInThisContext', 'Script'),
  isContext: () => false,
  constants: { __proto__: null, USE_MAIN_CONTEXT_DEFAULT_LOADER: Symbol('vm_dynamic_import_main_context_default'), DONT_CONTEXTIFY: Symbol('vm_context_no_contextify') },
};

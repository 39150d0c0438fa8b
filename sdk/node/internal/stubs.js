// stubs.js - names of Node.js that workers do not have: whoever imports them links, and is told when they are called.
import { unimplemented } from 'node:internal/errors';

const words = (text) => text.split(' ').filter((word) => word !== '');
const stub = (module, name) => ({ [name]() { throw unimplemented(`${module}.${name}`); } })[name];
const stubClass = (module, name) => ({ [name]: class { constructor() { throw unimplemented(`${module}.${name}`); } } })[name];

// functions, classes: names with spaces between.
export const stubs = (module, functions, classes = '') => Object.fromEntries([
  ...words(functions).map((name) => [name, stub(module, name)]), ...words(classes).map((name) => [name, stubClass(module, name)]),
]);

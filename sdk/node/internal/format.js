// format.js - util.format: a text with directives, as console.log takes it.
import { inspect } from 'node:internal/inspect';

const { getPrototypeOf, hasOwn } = Object;

function hasOwnText(value) {
  const builtins = [Object, Array, Error, Date, RegExp, Function, Map, Set, Promise].map((C) => C.prototype);
  for (let o = value; o !== null && o !== undefined; o = getPrototypeOf(o)) {
    if (builtins.includes(o)) return o === Error.prototype || o === Date.prototype;
    if (hasOwn(o, 'toString') || hasOwn(o, Symbol.toPrimitive)) return true;
  }
  return false;
}
const numberText = (number) => (Object.is(number, -0) ? '-0' : `${number}`);

function directive(letter, value, options) {
  switch (letter) {
    case 's':
      if (typeof value === 'number') return numberText(value);
      if (typeof value === 'bigint') return `${value}n`;
      if (typeof value !== 'object' || value === null || hasOwnText(value)) return String(value);
      return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
    case 'd':
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'symbol' ? 'NaN' : numberText(Number(value));
    case 'i':
      if (typeof value === 'bigint') return `${value}n`;
      return typeof value === 'symbol' ? 'NaN' : numberText(parseInt(value));
    case 'f': return typeof value === 'symbol' ? 'NaN' : numberText(parseFloat(value));
    case 'j':
      try { return String(JSON.stringify(value)); } catch (error) {
        if (/circular|cyclic/i.test(error.message)) return '[Circular]';
        throw error;
      }
    case 'O': return inspect(value, options);
    case 'o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
    default: return '';
  }
}

export function formatWithOptions(options, ...args) {
  let text = '', start = 0;
  if (typeof args[0] === 'string') {
    start = 1;
    text = args.length === 1 ? args[0] : args[0].replace(/%[sdifjoOc%]/g, (found) => (found === '%%' ? '%' : start < args.length ? directive(found[1], args[start++], options) : found));
  }
  for (let i = start; i < args.length; i++) text += (i > 0 ? ' ' : '') + (typeof args[i] === 'string' ? args[i] : inspect(args[i], { ...options, compact: 3 }));
  return text;
}
export const format = (...args) => formatWithOptions(undefined, ...args);

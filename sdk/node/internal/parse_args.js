// parse_args.js - util.parseArgs: options and positionals of a command line.
import { argType, argValue, coded } from 'node:internal/errors';

const unknown = (option, hasPositionals) => coded(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION',
  `Unknown option '${option}'${hasPositionals ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- ${JSON.stringify(option)}` : ''}`);
const badValue = (text) => coded(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', text);

function tokensOf(args, options) {
  const tokens = [], rest = [...args], byShort = (short) => Object.keys(options).find((name) => options[name].short === short) ?? short;
  const typeOf = (name) => options[name]?.type;
  let index = -1, group = 0;
  const option = (name, rawName, value, inlineValue) => tokens.push({ kind: 'option', name, rawName, index, value, inlineValue });
  while (rest.length > 0) {
    const arg = rest.shift(), next = rest[0];
    if (group > 0) group--;
    else index++;
    if (arg === '--') {
      tokens.push({ kind: 'option-terminator', index });
      for (const value of rest) tokens.push({ kind: 'positional', index: ++index, value });
      break;
    }
    if (/^-[^-]$/.test(arg)) {
      const name = byShort(arg[1]);
      if (typeOf(name) === 'string' && next !== undefined && (next.length < 2 || !next.startsWith('-'))) {
        option(name, arg, rest.shift(), false);
        index++;
      } else option(name, arg, undefined, undefined);
    } else if (/^-[^-]./.test(arg)) {
      const first = byShort(arg[1]);
      if (typeOf(first) === 'string') option(first, `-${arg[1]}`, arg.slice(2), true);
      else {
        const expanded = [];
        for (let i = 1; i < arg.length; i++) {
          if (typeOf(byShort(arg[i])) !== 'string' || i === arg.length - 1) expanded.push(`-${arg[i]}`);
          else {
            expanded.push(`-${arg.slice(i)}`);
            break;
          }
        }
        rest.unshift(...expanded);
        group = expanded.length;
      }
    } else if (/^--[^=]+$/.test(arg)) {
      const name = arg.slice(2);
      if (typeOf(name) === 'string' && next !== undefined && (next.length < 2 || !next.startsWith('-'))) {
        option(name, arg, rest.shift(), false);
        index++;
      } else option(name, arg, undefined, undefined);
    } else if (/^--[^=]+=/.test(arg)) {
      const at = arg.indexOf('=');
      option(arg.slice(2, at), arg.slice(0, at), arg.slice(at + 1), true);
    } else tokens.push({ kind: 'positional', index, value: arg });
  }
  return tokens;
}

export function parseArgs(config = {}) {
  const { args = [], strict = true, allowPositionals = !strict, options = {}, tokens: wantsTokens = false } = config;
  if (!Array.isArray(args)) throw argType('args', 'Array', args);
  for (const [name, { type, short, multiple, default: initial }] of Object.entries(options)) {
    if (type !== 'string' && type !== 'boolean') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The "options.${name}.type" property must be one of type ('string|boolean').${type === undefined ? ' Received undefined' : ''}`);
    if (short !== undefined && short.length !== 1) throw argValue(`options.${name}.short`, short, 'must be a single character');
    if (initial !== undefined && !multiple && typeof initial !== type) throw argType(`options.${name}.default`, type, initial);
  }
  const tokens = tokensOf(args, options), values = Object.create(null), positionals = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (!allowPositionals) throw coded(TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${token.value}'. This command does not take positional arguments`);
      positionals.push(token.value);
    } else if (token.kind === 'option') {
      const { name, rawName, value } = token, known = Object.hasOwn(options, name) ? options[name] : undefined;
      if (strict) {
        if (!known) throw unknown(rawName, allowPositionals);
        const title = known.short ? `-${known.short}, --${name}` : `--${name}`;
        if (known.type === 'string' && typeof value !== 'string') throw badValue(`Option '${title} <value>' argument missing`);
        if (known.type === 'boolean' && value !== undefined) throw badValue(`Option '${title}' does not take an argument`);
      }
      if (name === '__proto__') continue;
      const given = value ?? true;
      if (known?.multiple) (values[name] ??= []).push(given);
      else values[name] = given;
    }
  }
  for (const [name, known] of Object.entries(options)) if (known.default !== undefined && values[name] === undefined) values[name] = known.default;
  return wantsTokens ? { values, positionals, tokens } : { values, positionals };
}

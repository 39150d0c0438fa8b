// mime.js - util.MIMEType.
import { coded } from 'node:internal/errors';

const TOKEN = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/, VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const bad = (what, text, at) => coded(TypeError, 'ERR_INVALID_MIME_SYNTAX', `The MIME syntax for a ${what} in ${JSON.stringify(text)} is invalid${at >= 0 ? ` at ${at}` : ''}`);
const shown = (value) => (value.length > 0 && TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`);

export class MIMEParams {
  #map = new Map();
  delete(name) { this.#map.delete(name); }
  get(name) { return this.#map.has(String(name)) ? this.#map.get(String(name)) : null; }
  has(name) { return this.#map.has(String(name)); }
  set(name, value) {
    name = String(name);
    value = String(value);
    if (!TOKEN.test(name)) throw bad('parameter name', name, 0);
    if (!VALUE.test(value)) throw bad('parameter value', value, 0);
    this.#map.set(name, value);
  }
  *entries() { yield* this.#map.entries(); }
  *keys() { yield* this.#map.keys(); }
  *values() { yield* this.#map.values(); }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return [...this.#map].map(([name, value]) => `${name}=${shown(value)}`).join(';'); }
  toJSON() { return this.toString(); }
}

export class MIMEType {
  #type; #subtype; #params = new MIMEParams();
  constructor(input) {
    const text = `${input}`, found = /^\s*([^/]*)\/([^;]*)(.*)$/s.exec(text);
    if (!found || !TOKEN.test(found[1])) throw bad('type', text, found ? 0 : -1);
    const subtype = found[2].trimEnd();
    if (!TOKEN.test(subtype)) throw bad('subtype', text, found[1].length + 1);
    this.#type = found[1].toLowerCase();
    this.#subtype = subtype.toLowerCase();
    for (const [, name, quoted, plain] of found[3].matchAll(/;\s*([^;=]*)(?:=(?:"((?:[^"\\]|\\.)*)"[^;]*|([^;]*)))?/gs)) {
      const key = name.toLowerCase(), value = quoted !== undefined ? quoted.replace(/\\(.)/g, '$1') : (plain ?? '').trimEnd();
      if (TOKEN.test(key) && (quoted !== undefined || value) && VALUE.test(value) && !this.#params.has(key)) this.#params.set(key, value);
    }
  }
  get type() { return this.#type; }
  set type(value) {
    if (!TOKEN.test(value)) throw bad('type', value, 0);
    this.#type = `${value}`.toLowerCase();
  }
  get subtype() { return this.#subtype; }
  set subtype(value) {
    if (!TOKEN.test(value)) throw bad('subtype', value, 0);
    this.#subtype = `${value}`.toLowerCase();
  }
  get essence() { return `${this.#type}/${this.#subtype}`; }
  get params() { return this.#params; }
  toString() {
    const params = this.#params.toString();
    return `${this.essence}${params ? `;${params}` : ''}`;
  }
  toJSON() { return this.toString(); }
}

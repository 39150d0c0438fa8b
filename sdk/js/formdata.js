// formdata.js - FormData of the XMLHttpRequest standard, and the two ways in which forms travel.
//
// Multipart bodies are read by C (text/multipart.c) and written here, by the HTML
// standard's multipart/form-data encoding algorithm.

let listOf;

// An entry's value: a string or a File.
function entryValue(value, filename, where) {
  if (typeof filename === 'object' && filename !== null && typeof filename.filename === 'string') filename = filename.filename;   // filename="..." of Python
  let bytes = internals.bytesOfBlob(value);
  if (bytes) {
    const isFile = internals.isFile(value);
    if (isFile && filename === undefined) return value;
    const name = filename !== undefined ? internals.toUSVString(filename) : 'blob';
    return internals.makeFile(bytes, name, value.type, isFile ? value.lastModified : undefined);
  }
  if (typeof value === 'object' && value !== null) {
    bytes = native.pythonBytes(value);
    if (bytes) return internals.makeFile(bytes, filename !== undefined ? internals.toUSVString(filename) : 'blob', '');
  }
  if (filename !== undefined) throw new TypeError(`${where}: a filename goes with a Blob, a File or bytes, not with text`);
  return internals.toUSVString(value);
}

class FormData {
  #list = [];       // [name, value] of each entry

  constructor(form = undefined) {
    if (form === undefined) return;
    const pairs = internals.pythonPairs(form);
    if (!pairs) throw new TypeError('FormData: takes no argument but a dict of Python');
    for (let i = 0; i < pairs.length; i += 2) this.append(pairs[i], pairs[i + 1]);
  }

  append(name, value, filename = undefined) {
    internals.needArguments(2, arguments.length, 'FormData.append');
    name = internals.toUSVString(name);
    this.#list.push([name, entryValue(value, filename, 'FormData.append')]);
  }

  delete(name) {
    internals.needArguments(1, arguments.length, 'FormData.delete');
    name = internals.toUSVString(name);
    this.#list = this.#list.filter((entry) => entry[0] !== name);
  }

  get(name) {
    internals.needArguments(1, arguments.length, 'FormData.get');
    name = internals.toUSVString(name);
    for (const entry of this.#list) if (entry[0] === name) return entry[1];
    return null;
  }

  getAll(name) {
    internals.needArguments(1, arguments.length, 'FormData.getAll');
    name = internals.toUSVString(name);
    return this.#list.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  }

  has(name) {
    internals.needArguments(1, arguments.length, 'FormData.has');
    name = internals.toUSVString(name);
    return this.#list.some((entry) => entry[0] === name);
  }

  set(name, value, filename = undefined) {
    internals.needArguments(2, arguments.length, 'FormData.set');
    name = internals.toUSVString(name);
    const set = [name, entryValue(value, filename, 'FormData.set')];
    const at = this.#list.findIndex((entry) => entry[0] === name);
    if (at < 0) this.#list.push(set);
    else this.#list = this.#list.filter((entry, i) => i <= at || entry[0] !== name).with(at, set);
  }

  [internals.inspectFields]() {
    const fields = new internals.OwnMap();
    for (const [name, value] of this.#list) {
      const values = fields.get(name);
      if (values) values.push(value);
      else fields.set(name, [value]);
    }
    return Object.fromEntries(Array.from(fields, ([name, values]) => [name, values.length > 1 ? values : values[0]]));
  }

  static {
    listOf = (form) => form.#list;
    internals.isFormData = (value) => typeof value === 'object' && value !== null && #list in value;
  }
}
internals.addIteration(FormData, listOf);

// ---- writing ----

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function newBoundary() {
  const random = new Float64Array(24);
  native.fillRandom(random);
  let text = '----CorralFormBoundary';
  for (let i = 0; i < random.length; i++) text += LETTERS[Math.floor(random[i] * LETTERS.length)];
  return text;
}

function withCRLF(text) { return text.replace(/\r\n|\r|\n/g, '\r\n'); }
function escaped(name) { return name.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22'); }

// [bytes, content type] of a form as a body.
internals.writeForm = (form) => {
  const boundary = newBoundary(), chunks = [];
  let text = '';
  for (const [name, value] of listOf(form)) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(withCRLF(name))}"`;
    if (typeof value === 'string') {
      text += `\r\n\r\n${withCRLF(value)}\r\n`;
      continue;
    }
    text += `; filename="${escaped(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`;
    chunks.push(native.encode(text), internals.bytesOfBlob(value));
    text = '\r\n';
  }
  chunks.push(native.encode(`${text}--${boundary}--\r\n`));
  return [internals.concat(chunks), `multipart/form-data; boundary=${boundary}`];
};

// ---- reading ----

const FIELDS_MAX = 100_000;     // of an urlencoded form; of a multipart one MULTIPART_PARTS_MAX

function checkFields(text) {
  let count = 0;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1))
    if (++count >= FIELDS_MAX) throw new RangeError(`The form has more than ${FIELDS_MAX} fields`);
}

// The FormData in bytes that are ours, which came with this Content-Type (or null).
internals.readForm = (bytes, header) => {
  if (header === null) throw new TypeError('Parsing a Body as FormData requires a Content-Type header.');
  const type = native.mimeType(header), form = new FormData();
  const essence = type.split(';', 1)[0], list = listOf(form);
  if (essence === 'multipart/form-data') {
    native.multipart(type, bytes, (name, filename, partType, start, end) => {
      const content = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
      list.push([name, filename === null ? native.decode(content, false) : internals.makeFile(content, filename, partType ?? 'text/plain')]);
    });
    return form;
  }
  if (essence === 'application/x-www-form-urlencoded') {
    const text = native.decode(bytes, false);
    checkFields(text);
    for (const pair of internals.parseForm(text)) list.push(pair);
    return form;
  }
  throw new TypeError(`Unrecognized Content-Type header value '${header}'. FormData can only parse the following MIME types: multipart/form-data, application/x-www-form-urlencoded.`);
};

internals.tag(FormData);
internals.expose({ FormData });

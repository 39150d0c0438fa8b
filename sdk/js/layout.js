// layout.js - how inspect.js and console.table put parts of text on lines, by Node's rules.

const WIDTH = 80, MAX_COLUMNS = 12, GROUP_FROM = 6;
const ESCAPES = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
const ESCAPED = /[\x00-\x1f\\\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

function quote(text) {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') && !text.includes('${') ? '`' : "'";
  const plain = text.replace(ESCAPED, (c) => ESCAPES[c] ??
    (c.charCodeAt(0) < 256 ? `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : `\\u${c.charCodeAt(0).toString(16)}`));
  return mark + (mark === "'" ? plain.replaceAll("'", "\\'") : plain) + mark;
}

function keyText(key) {
  if (typeof key === 'symbol') return `[${key.toString().replace(ESCAPED, (c) => quote(c).slice(1, -1))}]`;
  if (key === '__proto__') return "['__proto__']";
  return /^[A-Za-z_]\w*$/.test(key) ? key : quote(key);
}

// Columns of a terminal that a text takes.
function widthOf(text) {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const c of text.normalize('NFC')) if (!/[\p{Mn}\p{Me}\p{Cf}]/u.test(c)) width += WIDE.test(c) ? 2 : 1;
  return width;
}

// Many short items: in columns under each other, numbers to the right.
function inColumns(items, { indent, list, max }) {
  const count = items.length > max ? items.length - 1 : items.length;     // the last says "... more items"
  const widths = items.slice(0, count).map(widthOf);
  let total = 0, widest = 0;
  for (const width of widths) {
    total += width + 2;
    if (width > widest) widest = width;
  }
  const cell = widest + 2;
  if (cell * 3 + indent >= WIDTH || (total / cell <= 5 && widest > 6)) return items;
  // About 2.5 times as wide as high, narrower the more the widths differ.
  const bias = Math.max(cell - 3 - Math.sqrt(cell - total / items.length), 1);
  const columns = Math.min(Math.round(Math.sqrt(2.5 * bias * count) / bias), Math.floor((WIDTH - indent) / cell), MAX_COLUMNS);
  if (columns <= 1) return items;
  const columnWidths = Array.from({ length: columns }, (_, column) => {
    let width = 0;
    for (let i = column; i < count; i += columns) if (widths[i] > width) width = widths[i];
    return width + 2;
  });
  let isNumeric = true;
  for (let i = 0; i < items.length && isNumeric; i++) isNumeric = typeof list[i] === 'number' || typeof list[i] === 'bigint';
  const rows = [];
  for (let first = 0; first < count; first += columns) {
    const end = Math.min(first + columns, count);
    let row = '';
    for (let i = first; i < end; i++) {
      const isLast = i === end - 1, text = isLast ? items[i] : `${items[i]}, `;
      const room = ' '.repeat(Math.max(0, columnWidths[i - first] - widths[i] - 2));
      row += isNumeric ? room + text : isLast ? text : text + room;
    }
    rows.push(row);
  }
  if (count < items.length) rows.push(items[count]);
  return rows;
}

// parts, between open and close: on one line when they are few, short and not too deep.
function layOut(parts, how) {
  const { base, open, close, indent, isShallow, list } = how, head = base ? `${base} ${open}` : open;
  const lines = list !== undefined && parts.length > GROUP_FROM ? inColumns(parts, how) : parts;
  if (isShallow && lines === parts) {
    let total = parts.length * 2 + indent + open.length + base.length + 10;
    for (const part of parts) total += part.length;
    if (total <= WIDTH && !base.includes('\n') && !parts.some((part) => part.includes('\n'))) return `${head} ${parts.join(', ')} ${close}`;
  }
  const end = `\n${' '.repeat(indent)}`;
  return `${head}${end}  ${lines.join(`,${end}  `)}${end}${close}`;
}

// Rows of texts under heads, in a box.
function table(heads, rows) {
  const widths = heads.map((head, i) => rows.reduce((width, row) => Math.max(width, widthOf(row[i])), widthOf(head)) + 2);
  const line = (cells) => `│${cells.map((cell, i) => ` ${cell}${' '.repeat(widths[i] - widthOf(cell) - 1)}`).join('│')}│`;
  const rule = (left, middle, right) => left + widths.map((width) => '─'.repeat(width)).join(middle) + right;
  return [rule('┌', '┬', '┐'), line(heads), rule('├', '┼', '┤'), ...rows.map(line), rule('└', '┴', '┘')].join('\n');
}

internals.layout = { quote, keyText, layOut, table };

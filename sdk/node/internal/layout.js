// layout.js - how inspect puts parts of text on lines, by Node's rules.
const ESCAPES = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\', '\v': '\\x0B' };
const ESCAPED = /[\x00-\x1f\\\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const WIDE = /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
// eslint-disable-next-line no-control-regex
const ANSI = /[\u001B\u009B][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d\/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d\/#&.:=?%@~_]*)*)?(?:\u0007|\u001B\u005C|\u009C))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g;

export const stripColors = (text) => text.replace(ANSI, '');
const escaped = (c) => ESCAPES[c] ?? (c.charCodeAt(0) < 256 ? `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : `\\u${c.charCodeAt(0).toString(16)}`);

export function quote(text) {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') && !text.includes('${') ? '`' : "'";
  const plain = text.replace(ESCAPED, escaped);
  return mark + (mark === "'" ? plain.replaceAll("'", "\\'") : plain) + mark;
}

export function keyText(key) {
  if (typeof key === 'symbol') return `[${Symbol.prototype.toString.call(key).replace(ESCAPED, escaped)}]`;
  if (key === '__proto__') return "['__proto__']";
  return /^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key) ? key : quote(key);
}

// Columns of a terminal that a text takes.
export function widthOf(text) {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const c of stripColors(text).normalize('NFC')) if (!/[\p{Mn}\p{Me}\p{Cf}\x00-\x1f\x7f-\x9f]/u.test(c)) width += WIDE.test(c) ? 2 : 1;
  return width;
}

// Many short items: in columns under each other, numbers to the right.
function inColumns(context, parts, value) {
  let count = parts.length;
  if (context.maxArrayLength < parts.length) count--;           // the last says "... more items"
  const widths = [];
  let total = 0, widest = 0;
  for (let i = 0; i < count; i++) {
    const width = context.colors ? widthOf(stripColors(parts[i])) : widthOf(parts[i]);
    widths.push(width);
    total += width + 2;
    if (widest < width) widest = width;
  }
  const cell = widest + 2;
  if (!(cell * 3 + context.indent < context.breakLength && (total / cell > 5 || widest <= 6))) return parts;
  const bias = Math.sqrt(cell - total / parts.length), biased = Math.max(cell - 3 - bias, 1);
  const columns = Math.min(Math.round(Math.sqrt(2.5 * biased * count) / biased), Math.floor((context.breakLength - context.indent) / cell), context.compact * 4, 15);
  if (columns <= 1) return parts;
  const columnWidths = [];
  for (let i = 0; i < columns; i++) {
    let width = 0;
    for (let j = i; j < count; j += columns) if (widths[j] > width) width = widths[j];
    columnWidths.push(width + 2);
  }
  const isNumeric = value !== undefined && Array.prototype.every.call({ length: parts.length, ...Array.from({ length: parts.length }, (_, i) => value[i]) }, (item) => typeof item === 'number' || typeof item === 'bigint');
  const rows = [];
  for (let i = 0; i < count; i += columns) {
    const end = Math.min(i + columns, count);
    let row = '', j = i;
    for (; j < end - 1; j++) {
      const text = `${parts[j]}, `, room = ' '.repeat(Math.max(0, columnWidths[j - i] - widths[j] - 2));
      row += isNumeric ? room + text : text + room;
    }
    row += isNumeric ? ' '.repeat(Math.max(0, columnWidths[j - i] - 2 - widths[j])) + parts[j] : parts[j];
    rows.push(row);
  }
  if (count < parts.length) rows.push(parts[count]);
  return rows;
}

// type: 2 for lists
export function layOut(context, parts, base, braces, type, depth, value) {
  const { compact, breakLength, indent } = context;
  if (parts.length === 0) return `${base ? `${base} ` : ''}${braces[0]}${braces[1]}`;
  if (compact !== true) {
    if (typeof compact === 'number' && compact >= 1) {
      const entries = parts.length;
      if (type === 2 && entries > 6) parts = inColumns(context, parts, value);
      if (context.current - depth < compact && entries === parts.length) {
        const start = parts.length + indent + braces[0].length + base.length + 10;
        let total = parts.length + start;
        for (const part of parts) total += context.colors ? stripColors(part).length : part.length;
        if (total <= breakLength && !base.includes('\n') && !parts.some((part) => part.includes('\n'))) return `${base ? `${base} ` : ''}${braces[0]} ${parts.join(', ')} ${braces[1]}`;
      }
    }
    const indentation = `\n${' '.repeat(indent)}`;
    return `${base ? `${base} ` : ''}${braces[0]}${indentation}  ${parts.join(`,${indentation}  `)}${indentation}${braces[1]}`;
  }
  const total = parts.reduce((sum, part) => sum + part.length, parts.length + braces[0].length);
  if (total + parts.length <= breakLength && !base.includes('\n') && !parts.some((part) => part.includes('\n')))
    return `${braces[0]}${base ? ` ${base}` : ''} ${parts.join(', ')} ${braces[1]}`;
  const indentation = `\n${' '.repeat(indent)}`, line = base === '' && braces[0].length === 1 ? ' ' : `${base ? ` ${base}` : ''}\n${' '.repeat(indent)}  `;
  return `${braces[0]}${line}${parts.join(`,${indentation}  `)} ${braces[1]}`;
}

// show.js - any value as text, by nothing that is tested: what a case gave, to be compared between Corral and Node.js.
export function show(value, depth = 0) {
  if (depth > 6) return '...';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Error) return `${value.name}[${value.code ?? ''}]: ${value.message}`;
  if (value instanceof Uint8Array) return `${value.constructor.name}<${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}>`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${show(new Uint8Array(value), depth + 1)}`;
  if (Array.isArray(value)) return `[${value.map((item) => show(item, depth + 1)).join(', ')}]`;
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name} ${show([...value], depth + 1)}`;
  const name = value.constructor?.name ?? 'null';
  return `${name === 'Object' ? '' : `${name} `}{${Object.keys(value).map((key) => `${key}: ${show(value[key], depth + 1)}`).join(', ')}}`;
}

export async function run(groups) {
  const results = {};
  for (const [group, cases] of Object.entries(groups)) {
    for (const [source, f] of cases) {
      let text, timer;
      try {
        const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('no answer')), 3000); });
        text = show(await Promise.race([f(), late]));
      } catch (error) { text = `throws ${show(error)}`; }
      clearTimeout(timer);
      results[`${group}: ${source}`] = text;
    }
  }
  return results;
}

// programs.mjs - five small programs that compute: the same source in every runtime that bench/js compares.
// Each takes some 25 to 100 ms of a processor and returns a number that all runtimes must agree on.

// Gravity among five bodies: floating point in objects.
function nbody() {
  const body = (x, y, z, vx, vy, vz, mass) => ({ x, y, z, vx, vy, vz, mass });
  const bodies = [
    body(0, 0, 0, 0, 0, 0, 39.47), body(4.84, -1.16, -0.10, 0.606, 2.81, -0.02, 0.037), body(8.34, 4.12, -0.4, -1.01, 1.82, 0.008, 0.011),
    body(12.89, -15.11, -0.22, 1.08, 0.868, -0.01, 0.0017), body(15.37, -25.9, 0.179, 0.979, 0.594, -0.034, 0.002),
  ];
  for (let step = 0; step < 400_000; step++) {
    for (let i = 0; i < 5; i++) {
      const a = bodies[i];
      for (let k = i + 1; k < 5; k++) {
        const b = bodies[k], dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z, d2 = dx * dx + dy * dy + dz * dz;
        const pull = 0.001 / (d2 * Math.sqrt(d2));
        a.vx -= dx * b.mass * pull; a.vy -= dy * b.mass * pull; a.vz -= dz * b.mass * pull;
        b.vx += dx * a.mass * pull; b.vy += dy * a.mass * pull; b.vz += dz * a.mass * pull;
      }
    }
    for (const b of bodies) { b.x += 0.001 * b.vx; b.y += 0.001 * b.vy; b.z += 0.001 * b.vz; }
  }
  return Math.round(bodies[0].x * 1e9);
}

// Permutations turned over: small integers in arrays.
function fannkuch(n = 9) {
  const order = Array.from({ length: n }, (_, i) => i), counts = order.slice();
  let most = 0, checksum = 0, turn = 0, left = n;
  for (;;) {
    while (left !== 1) { counts[left - 1] = left; left--; }
    const work = order.slice();
    let flips = 0;
    for (let first; (first = work[0]) !== 0; flips++) {
      for (let i = 0, k = first; i < k; i++, k--) {
        const kept = work[i];
        work[i] = work[k];
        work[k] = kept;
      }
    }
    most = Math.max(most, flips);
    checksum += turn++ % 2 === 0 ? flips : -flips;
    for (;;) {
      if (left === n) return checksum * 100 + most;
      const first = order[0];
      for (let i = 0; i < left; i++) order[i] = order[i + 1];
      order[left] = first;
      if (--counts[left] > 0) break;
      left++;
    }
  }
}

// What an API does all day: JSON, objects, maps, sorting.
function records() {
  let text = JSON.stringify(Array.from({ length: 4000 }, (_, i) => ({ id: i, name: `user ${(i * 7919) % 4000}`, tags: ['a', 'b', `t${i % 13}`], score: (i * 37) % 1001 })));
  let total = 0;
  for (let round = 0; round < 12; round++) {
    const rows = JSON.parse(text), byTag = new Map();
    for (const { tags, score, ...rest } of rows) {
      for (const tag of tags) byTag.set(tag, (byTag.get(tag) ?? 0) + score);
      rest.score = score;
    }
    rows.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
    total += [...byTag.values()].reduce((a, b) => a + b, 0) + rows[round].id;
    text = JSON.stringify(rows.map((row) => ({ ...row, score: (row.score + 1) % 1001 })));
  }
  return total;
}

// Text: regular expressions, splitting, joining, template strings.
function words() {
  const source = 'The quick brown fox jumps over 13 lazy dogs, again and again; see https://example.com/a?b=c&d=e for more. '.repeat(600);
  let found = 0;
  for (let round = 0; round < 12; round++) {
    const counts = {};
    for (const word of source.toLowerCase().split(/[^a-z0-9]+/)) if (word) counts[word] = (counts[word] ?? 0) + 1;
    const page = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, count]) => `<li>${word}: ${count}</li>`).join('\n');
    found += page.length + source.replace(/\b([a-z])(\w*)/g, (_, first, rest) => first.toUpperCase() + rest).match(/[A-Z]\w+/g).length;
    found += [...source.matchAll(/https?:\/\/([\w.]+)\/(\w+)\?(\S+)/g)].length;
  }
  return found;
}

// Bytes: a checksum and a cipher over typed arrays.
function bytes() {
  const table = new Uint32Array(256), data = new Uint8Array(1 << 20);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    table[i] = c >>> 0;
  }
  for (let i = 0; i < data.length; i++) data[i] = (i * 31 + (i >>> 7)) & 255;
  let crc = 0;
  for (let round = 0; round < 16; round++) {
    crc = 0xffffffff;
    for (let i = 0; i < data.length; i++) crc = table[(crc ^ data[i]) & 255] ^ (crc >>> 8);
    crc = (crc ^ 0xffffffff) >>> 0;
    let x = crc | 1;
    for (let i = 0; i < data.length; i++) { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; data[i] ^= x; }
  }
  return crc;
}

export const programs = { nbody, fannkuch, records, words, bytes };

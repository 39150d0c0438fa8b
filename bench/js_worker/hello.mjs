// hello.mjs - the worker whose requests bench/js counts; Bun serves it as it is.
export default {
  fetch() {
    return new Response('Hello world!');
  },
};

export default {
  async fetch(request, env) {
    const name = request.method === "POST" ? await request.text() : "world";
    return new Response(`${env.GREETING}, ${name}!\n`);
  },
};

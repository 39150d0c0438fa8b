export type Params = Record<string, string>;
export type Handler<Env> = (request: Request, env: Env, params: Params) => Response | Promise<Response>;

interface Route<Env> {
  method: string;
  pattern: RegExp;
  handler: Handler<Env>;
}

/** Routes in the order in which they were added; ":name" in a path stands for one part of it. */
export class Router<Env> {
  #routes: Route<Env>[] = [];

  add(method: string, path: string, handler: Handler<Env>): this {
    const pattern = new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}/?$`);
    this.#routes.push({ method, pattern, handler });
    return this;
  }

  async handle(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    const allowed = new Set<string>();
    for (const { method, pattern, handler } of this.#routes) {
      const match = pattern.exec(pathname);
      if (!match) continue;
      if (method === request.method) return handler(request, env, { ...match.groups });
      allowed.add(method);
    }
    if (allowed.size > 0) {
      return Response.json({ error: "method not allowed" }, { status: 405, headers: { allow: [...allowed].join(", ") } });
    }
    return Response.json({ error: "not found" }, { status: 404 });
  }
}

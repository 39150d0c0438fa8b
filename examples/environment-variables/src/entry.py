from js import Response


async def on_fetch(request, env):
    # A name that is not set is undefined: AttributeError, or what getattr is given instead.
    token = getattr(env, "API_TOKEN", None)
    if token is None:
        token = "not set yet: cp .dev.vars.example .dev.vars"
    # To show it in an answer is for an example only.
    return Response.new(f"host:  {env.API_HOST}\ntoken: {token}\n")

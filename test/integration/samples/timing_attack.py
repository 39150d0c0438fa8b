from js import Response, TextEncoder, crypto


async def on_fetch(request, env):
    auth_token = request.headers["Authorization"] or ""
    secret = env.MY_SECRET_VALUE

    if secret is None:
        return Response.new("Missing secret binding", status=500)

    encoder = TextEncoder.new()
    a = encoder.encode(auth_token)
    b = encoder.encode(secret)

    if a.byteLength != b.byteLength:
        return Response.new("Unauthorized", status=401)

    if not crypto.subtle.timingSafeEqual(a, b):
        return Response.new("Unauthorized", status=401)

    return Response.new("Welcome!")

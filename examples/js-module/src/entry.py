from js import Headers, Response, URL, console, fetch


async def on_fetch(request, env):
    url = URL.new(request.url)

    if url.pathname == "/old":
        return Response.redirect(url.origin, 307)

    response = await fetch(env.API, headers={"accept": "application/json"})
    console.log(response)

    headers = Headers.new([["content-type", "application/json;charset=UTF-8"]])
    return Response.new(await response.text(), headers=headers, status=response.status)

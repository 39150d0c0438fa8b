from js import Response


async def on_fetch(request):
    print(dict(request.headers))
    return Response.new("Hello world")

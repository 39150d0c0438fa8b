from js import Response


def on_fetch(request):
    destinationURL = "https://example.com/"
    statusCode = 301
    return Response.redirect(destinationURL, statusCode)

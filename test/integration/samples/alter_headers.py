from js import Headers, Response, fetch


async def on_fetch(request):
    response = await fetch("https://example.com/html")

    # Clone the response so that it's no longer immutable
    new_response = Response.new(response.body, response)

    # Add a custom header with a value
    new_response.headers.append("x-workers-hello", "Hello from Cloudflare Workers")

    # Delete headers
    new_response.headers.delete("x-powered-by")
    new_response.headers.delete("x-header2-to-delete")

    # Adjust the value for an existing header
    new_response.headers.set("x-header-to-change", "NewValue")
    new_response.headers["x-by-item"] = "item"

    return new_response

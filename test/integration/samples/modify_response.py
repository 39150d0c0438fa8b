from js import JSON, Response, fetch


async def on_fetch(request):
    header_name_src = "foo"
    header_name_dst = "Last-Modified"

    # Response properties are immutable. To change them, construct a new response
    original_response = await fetch("https://example.com/todos/1")

    # Change status and statusText, but preserve body and headers
    response = Response.new(original_response.body, status=500, statusText="some message", headers=original_response.headers)

    # Change response body by adding the foo prop
    new_body = await original_response.json()
    new_body.foo = "bar"
    response = Response.new(JSON.stringify(new_body), response)

    # Add a new header
    response.headers["foo"] = "bar"

    # Set destination header to the value of the source header
    src = response.headers[header_name_src]

    if src is not None:
        response.headers[header_name_dst] = src
        print(f'Response header {header_name_dst} was set to {response.headers[header_name_dst]}')

    return response

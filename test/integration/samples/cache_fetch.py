from js import Object, Response, URL, fetch
from pyodide.ffi import to_js as _to_js


def to_js(x):
    return _to_js(x, dict_converter=Object.fromEntries)


async def on_fetch(request):
    url = URL.new("https://example.com/html")

    # Only use the path for the cache key, removing query strings
    some_custom_key = f"https://{url.hostname}{url.pathname}"

    response = await fetch(
        url.toString(),
        cf=to_js({
            # Always cache this fetch regardless of content type
            # for a max of 5 seconds before revalidating the resource
            "cacheTtl": 5,
            "cacheEverything": True,
            "cacheKey": some_custom_key,
        }),
    )

    # Reconstruct the Response object to make its headers mutable
    response = Response.new(response.body, response)

    # Set cache control headers to cache on browser for 25 minutes
    response.headers["Cache-Control"] = "max-age=1500"

    return response

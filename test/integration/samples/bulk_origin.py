from js import URL, fetch


async def on_fetch(request):
    # A dict with different URLs to fetch
    ORIGINS = {
        "starwarsapi.yourdomain.com": "example.com",
    }

    url = URL.new(request.url)

    # Check if incoming hostname is a key in the ORIGINS object
    if url.hostname in ORIGINS:
        url.host = URL.new("https://example.com/").host
        # If it is, proxy request to that third party origin
        return fetch(url.toString(), request)

    # Otherwise, process request as normal
    return fetch(request)

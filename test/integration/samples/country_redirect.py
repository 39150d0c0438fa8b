from js import Response, fetch


async def on_fetch(request):
    countryMap = {
        "US": "https://example.com/us",
        "EU": "https://example.com/eu",
    }
    # Use the cf object to obtain the country of the request
    # more on the cf object: https://developers.cloudflare.com/workers/runtime-apis/request#incomingrequestcfproperties
    country = request.cf.country

    if country and country in countryMap:
        return Response.redirect(countryMap[country])

    return fetch("https://example.com/html", request)

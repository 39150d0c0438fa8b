import re

from js import Headers, Response, fetch

SENSITIVE = {
    "email": r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b",
    "creditCard": r"\b(?:\d[ -]*?){13,16}\b",
}


async def on_fetch(request, env, ctx):
    response = await fetch(request)
    content_type = response.headers.get("content-type") or ""
    if "text" not in content_type:
        return response
    text = await response.text()
    found = [kind for kind, pattern in SENSITIVE.items() if re.search(pattern, text)]
    for kind in found:
        text = re.sub(SENSITIVE[kind], "**********", text)
    headers = Headers.new(response.headers)
    headers.set("x-dlp", ",".join(found))
    headers.delete("content-length")
    return Response.new(text, status=response.status, headers=headers)

from http.cookies import SimpleCookie

from js import Headers, Response


async def on_fetch(request):
    jar = SimpleCookie()
    jar.load(request.headers.get("cookie") or "")
    seen = int(jar["visits"].value) + 1 if "visits" in jar else 1
    out = SimpleCookie()
    out["visits"] = seen
    out["visits"]["path"] = "/"
    out["visits"]["max-age"] = 3600
    out["session"] = "a b; c"
    out["session"]["httponly"] = True
    out["session"]["samesite"] = "Lax"
    headers = Headers.new()
    for morsel in out.values():
        headers.append("Set-Cookie", morsel.OutputString())
    return Response.new(f"visit {seen}", headers=headers)

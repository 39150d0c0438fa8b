"""Headers of an answer: changed in place, taken over, added to, taken away."""
from workers import Response, WorkerEntrypoint, fetch

BLOCKED = ["X-Powered-By", "Server", "X-AspNet-Version"]
SECURITY = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "interest-cohort=()",
}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.cf and request.cf.tlsVersion and request.cf.tlsVersion not in ("TLSv1.2", "TLSv1.3"):
            return Response("You need to use TLS version 1.2 or higher.", status=400)
        answer = await fetch("https://example.com" + ("/image" if request.url.endswith("/image") else "/page"))
        headers = answer.headers
        if "text/html" not in headers["content-type"]:
            return Response(answer.body, status=answer.status, headers=headers)
        for name in BLOCKED:
            if name in headers:
                del headers[name]
        for name, value in SECURITY.items():
            headers[name] = value
        headers.add_header("Set-Cookie", "a=1", path="/")
        headers.add_header("Set-Cookie", "b=2")
        headers["foo"] = headers["foo"].upper()
        return Response(answer.body, status=answer.status, headers=headers)

from js import Headers, Response, fetch


async def on_fetch(request):
    default_security_headers = {
        "Content-Security-Policy": "default-src 'self' example.com *.example.com",
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
        "X-XSS-Protection": "0",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Embedder-Policy": 'require-corp; report-to="default";',
    }
    blocked_headers = ["Public-Key-Pins", "X-Powered-By", "X-AspNet-Version"]

    res = await fetch(request)
    new_headers = Headers.new(res.headers)

    # This sets the headers for HTML responses
    if "text/html" not in new_headers["Content-Type"]:
        return Response.new(res.body, status=res.status, statusText=res.statusText, headers=new_headers)

    for name in default_security_headers:
        new_headers[name] = default_security_headers[name]

    for name in blocked_headers:
        if new_headers.has(name):
            new_headers.delete(name)

    tls = request.cf.tlsVersion
    if tls and tls not in ("TLSv1.2", "TLSv1.3"):
        return Response.new("You need to use TLS version 1.2 or higher.", status=400)
    return Response.new(res.body, status=res.status, statusText=res.statusText, headers=new_headers)

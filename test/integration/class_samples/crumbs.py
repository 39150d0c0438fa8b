"""Cookies read and set; where the client is, as far as known; who links here."""
import ipaddress
from http.cookies import SimpleCookie
from urllib.parse import urlparse

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = urlparse(request.url).path
        if path == "/where":
            cf = request.cf
            country = (cf.country if cf else None) or "nowhere"
            return Response(f"<p>{country}, {getattr(cf, 'city', None)}, {cf.timezone}", headers={"content-type": "text/html"})
        if path == "/address":
            address = ipaddress.ip_address(request.headers["cf-connecting-ip"])
            return Response(f"{address} {address.is_loopback}")
        if path == "/linked":
            referer = request.headers["Referer"]
            if referer and urlparse(referer).hostname != urlparse(request.url).hostname:
                return Response("no hot links", status=403)
            return Response("the image")
        cookies = SimpleCookie(request.headers["Cookie"] or "")
        if "__uid" in cookies:
            return Response(cookies["__uid"].value)
        made = SimpleCookie()
        made["__uid"] = "u-1"
        made["__uid"]["httponly"] = True
        made["__uid"]["samesite"] = "Lax"
        made["theme"] = "dark mode"
        return Response("No cookie with name: __uid", headers=[("Set-Cookie", morsel.OutputString()) for morsel in made.values()])

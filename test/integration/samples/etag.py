import gzip
import hashlib
from email.utils import formatdate, parsedate_to_datetime

from js import Headers, Response

PAGE = ("<!doctype html><p>" + "hello " * 500).encode()
ETAG = '"' + hashlib.sha1(PAGE).hexdigest()[:16] + '"'
MODIFIED = formatdate(1_700_000_000, usegmt=True)


async def on_fetch(request):
    headers = Headers.new([["etag", ETAG], ["last-modified", MODIFIED], ["cache-control", "public, max-age=60"], ["vary", "accept-encoding"]])
    if request.method not in ("GET", "HEAD"):
        return Response.new("Method Not Allowed", status=405, headers=Headers.new({"allow": "GET, HEAD"}.items()))
    if request.headers.get("if-none-match") == ETAG:
        return Response.new(None, status=304, headers=headers)
    since = request.headers.get("if-modified-since")
    if since and parsedate_to_datetime(since).timestamp() >= 1_700_000_000:
        return Response.new(None, status=304, headers=headers)
    headers.set("content-type", "text/html; charset=utf-8")
    if "gzip" in (request.headers.get("accept-encoding") or ""):
        headers.set("content-encoding", "gzip")
        return Response.new(gzip.compress(PAGE), headers=headers, encodeBody="manual")
    return Response.new(PAGE, headers=headers)

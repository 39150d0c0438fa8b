"""JWT with the standard library alone, checked again with subtle."""
import base64
import hashlib
import hmac
import json
import time

from js import Object, Response, TextEncoder, crypto
from pyodide.ffi import to_js


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(claims, secret):
    head = b64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = b64url(json.dumps(claims).encode())
    mac = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{b64url(mac)}"


async def verify(token, secret):
    head, body, mac = token.split(".")
    key = await crypto.subtle.importKey(
        "raw", to_js(secret.encode()), Object.fromEntries(to_js([["name", "HMAC"], ["hash", "SHA-256"]])), False, to_js(["verify"]))
    if not await crypto.subtle.verify("HMAC", key, to_js(unb64url(mac)), TextEncoder.new().encode(f"{head}.{body}")):
        raise ValueError("bad signature")
    claims = json.loads(unb64url(body))
    if claims["exp"] < time.time():
        raise ValueError("expired")
    return claims


async def on_fetch(request, env):
    if request.method == "POST":
        claims = {"sub": (await request.text()), "exp": int(time.time()) + 60}
        return Response.new(sign(claims, env.MY_SECRET_VALUE))
    bearer = request.headers.get("authorization") or ""
    if not bearer.startswith("Bearer "):
        return Response.new("no token", status=401)
    try:
        claims = await verify(bearer[7:], env.MY_SECRET_VALUE)
    except (ValueError, KeyError) as e:
        return Response.new(f"Unauthorized: {e}", status=401)
    return Response.json(to_js(claims, dict_converter=Object.fromEntries))

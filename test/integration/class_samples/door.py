"""Basic authentication; credentials are compared in constant time."""
import base64
import hmac
from binascii import Error

from workers import Response, WorkerEntrypoint


def same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        given = request.headers.get("Authorization", "")
        scheme, _, encoded = given.partition(" ")
        if scheme != "Basic" or not encoded:
            return Response("You need to log in.", status=401, headers={"WWW-Authenticate": 'Basic realm="my scope", charset="UTF-8"'})
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (Error, UnicodeDecodeError):
            return Response("Malformed authorization header.", status=400)
        if not colon or not (same(user, "demo-user") and same(password, self.env.PASSWORD)):
            return Response("Incorrect credentials.", status=401)
        return Response(f"hello {user}", headers={"Cache-Control": "no-store"})

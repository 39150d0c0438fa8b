import base64
import binascii
import hmac

from js import Headers, Response, URL

USERNAME = "demo-user"
REALM = 'Basic realm="my scope", charset="UTF-8"'


def unauthorized(message):
    return Response.new(message, status=401, headers=Headers.new({"WWW-Authenticate": REALM}.items()))


async def on_fetch(request, env):
    url = URL.new(request.url)
    match url.pathname:
        case "/":
            return Response.new("Anyone can access the homepage.")
        case "/logout":
            return Response.new("Logged out.", status=401)
        case "/admin":
            authorization = request.headers.get("Authorization")
            if not authorization:
                return unauthorized("You need to login.")
            scheme, _, encoded = authorization.partition(" ")
            if not encoded or scheme != "Basic":
                return Response.new("Malformed authorization header.", status=400)
            try:
                credentials = base64.b64decode(encoded, validate=True).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError):
                return Response.new("Malformed authorization header.", status=400)
            user, _, password = credentials.partition(":")
            if not hmac.compare_digest(user, USERNAME) or not hmac.compare_digest(password, env.PASSWORD):
                return unauthorized("You need to login.")
            return Response.new("🎉 You have private access!", headers=Headers.new([["Cache-Control", "no-store"]]))
        case _:
            return Response.new("Not Found.", status=404)

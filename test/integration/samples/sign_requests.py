import base64

from js import Date, Object, Response, TextEncoder, URL, crypto
from pyodide.ffi import to_js as _to_js


def to_js(x):
    return _to_js(x, dict_converter=Object.fromEntries)


encoder = TextEncoder.new()

# How long an HMAC token should be valid for, in seconds
EXPIRY = 60


async def on_fetch(request, env):
    # Get the secret key
    secret_key_data = encoder.encode(env.SECRET_DATA if hasattr(env, "SECRET_DATA") else "my secret symmetric key")

    # Import the secret as a CryptoKey for both 'sign' and 'verify' operations
    key = await crypto.subtle.importKey("raw", secret_key_data, to_js({"name": "HMAC", "hash": "SHA-256"}), False, ["sign", "verify"])

    url = URL.new(request.url)

    if url.pathname.startswith("/generate/"):
        url.pathname = url.pathname.replace("/generate/", "/", 1)

        timestamp = int(Date.now() / 1000)

        # This contains all the data about the request that you want to be able to verify
        data_to_authenticate = f"{url.pathname}{timestamp}"

        mac = await crypto.subtle.sign("HMAC", key, encoder.encode(data_to_authenticate))
        base64mac = base64.b64encode(mac.to_bytes()).decode()

        url.searchParams.set("verify", f"{timestamp}-{base64mac}")

        return Response.new(f"{url.pathname}{url.search}")

    # Verify all requests to other paths
    if not url.searchParams["verify"]:
        return Response.new("Missing query parameter", status=403)

    timestamp, hmac = url.searchParams["verify"].split("-")
    asserted_timestamp = int(timestamp)
    data_to_authenticate = f"{url.pathname}{asserted_timestamp}"
    received_mac = base64.b64decode(hmac)

    # Use crypto.subtle.verify() to guard against timing attacks.
    verified = await crypto.subtle.verify("HMAC", key, to_js(received_mac), encoder.encode(data_to_authenticate))

    if not verified:
        return Response.new("Invalid MAC", status=403)

    # Signed requests expire after one minute.
    if Date.now() / 1000 > asserted_timestamp + EXPIRY:
        expiry_date = Date.new((asserted_timestamp + EXPIRY) * 1000)
        return Response.new(f"URL expired at {expiry_date}", status=403)

    return Response.new("This is the data you asked for")

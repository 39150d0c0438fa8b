"""crypto: random values, digests, and crypto.subtle: docs/compatibility.md names these tests.

The vectors are the standards' own (RFC 4231, 5869, 6070, 7515) or were made by Node.js."""
import hashlib
import json

import pytest

from harness import script

pytestmark = pytest.mark.asan

HELPERS = """
const s = crypto.subtle, utf8 = (text) => new TextEncoder().encode(text), text = (bytes) => new TextDecoder().decode(bytes);
const hex = (bytes) => new Uint8Array(bytes).toHex(), unhex = (t) => Uint8Array.fromHex(t), base64 = (t) => Uint8Array.fromBase64(t);
const refused = async (f) => { try { await f(); return 'done'; } catch (e) { return e.name; } };
"""

SIGNED = "signed by another"
VECTORS = {
    "RS256": {
        "spki": "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDlnc26LIFxWYx7ocObqSpwuvDLvk+NNr7qP2Cp6VSKHZaHJxxPtyGGa8TYqCbbMQPGbZosA5mrkUrBdPErjfWAAUBmzXlCuYJWXSTKuWJX4J+mLoNIb+dp3Hqtj9x1ldjb6izwQwHprHhDsWN5EJoCAPND6GGfMD5572wR8StBVwIDAQAB",
        "signature": "tvqN+dmGo9gqrk7IsvHvuaYLAzP77LrXuTi2oGWYpSlJi/kZOvULF0ShnNJBmCFXgghL66zUCwH1u8WXZWQarwVgWRW41+MGtxaoIUJQwL0aPxfIash/f/zvuGM+EeT42KgKltVCtt3wChwByY6auHygJDw+EchaHFqnsLEoHF4="},
    "PS512": {
        "spki": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuPf2QkEawHfYVxLDaMYMkbS968EE0SBK/HRMszh7Gwy5XpLRt4cRnEzPj+WZejQWUg948euJ9KJnSVb33MZqSUzUXiYFuRociuEhqQscpB1ffvUaI5jn/SUoLwE19cTjKFuTcQ+Jr9ckUO6jAH/VfIHE6bp0wlWVfurf4aOy3BMPgz7fMiVAKD0lNhPH1ylIqyJ9Kpf4kwiMJjv5zgxWAJNGKsGdXKKNy535T42Uj3zRKpSwxtVdnmPkFG36Fz0Sei7gxj2PVvJzZpVo6m7qSImN5uzo9yiSwQA/+HkJn2+M2UL+4laUrzbQU2A5iMn864jfwvFdJ3R/u2rnacVwLQIDAQAB",
        "signature": "Wv6qBhij+U/ShQ6XXv12gjVUQq+1rgUYYpEclnedJx5c24iv6ifygt1wC8jVmlj0D56Imy2du7hVacv2fbTSACGmUkOnQCPrPUSsxkNFCpi7xOsPAbJNXbWGAfRGs41XBWhsAtq7BXvofnW0bBJgEg6lC63f11u9W0ZTeKuVqWvNTU6tqw7tSP1JHWDDjmgqBBSzHMfRAw+gtavuA/08Xn1eOC2Agzg8FUUN9lNQ/zgk8MjqkDELQk6KZ50cG1idCnEzf5VEbqJ3yTcqnPO17vAeS4lh9BSH4Z17CMEEraj0NE052K+6spHDKQMaTvYGLWzpsmMks8maclPRovyOmA=="},
    "ES256": {
        "spki": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwN4jtr+cQOx8QslZHotouiR11cdNK17IWkdTJ1xbsE1hcLOwEOYUR6yOutdFZT8GKHOQEoC5xVbhpXeROLX+Uw==",
        "signature": "CnUn3irzJzpNwFpjdY3lJkJNbINkZnhyfawCaPDzRedoRrsx8bWPsSBQIHiK6bVOeH4R8DGtM+SE0xABgSObIg=="},
    "ES384": {
        "spki": "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEimNLzk637Bm3tCLaVXDuoPTLEKWSrcYa0FJje4vtiorb3dcv1ke7YKsQJ8WMSiinBo6EAwbiFEoSNu3kFlO1uF35l+jy9j0PcvHCLiwODc0yj9Ip/7rcvrctSDbOwqCB",
        "signature": "JaC1f4nCZPA1LOoS0fNhiorXrxVXlKBsuc9JlB3qm8tfyeGlCmMNzRGgD5N6c2mEGfrK5q75GdviJGyQoG+uoz37EM33h3nLB6ErZ+dZjVASRtPQJ6UOKmxpfRyp/mpn"},
    "ES512": {
        "spki": "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAyL0kCYTNY9rpdPr8eTjPIq6NEy3/moJWhhMvcgYwZf+By9YdnKgt8PGGydM4SqLaP0gNauFsKq6WPbI332duNUcBB1vDV/VyzW/KlJWVHU2liQ8NmtWm0UE6150Hj+cZDXxw+qnWCaI6HZooHqRfgBuUdlB0ehCFPqjzw7UiJagvN+8=",
        "signature": "ANWh4oVkoRwh4h35sEIRWbYTznoxQ6Ts1j0ev04cMesl1Wp8JKfalNLyX3Kps9ZFG4H93oWfQI2GSJJuIINrlnEhAZK1+g3e+7CzgXDt7GluwQ27lU8vOgPUnlWBuBRlTG7uchiU79Q4VpcZczP8UJ2TxQWZn8bGed7iEJdDcJUGZEWp"},
    "EdDSA": {
        "spki": "MCowBQYDK2VwAyEAhrpG80zafemQtEEBmXdTq+qKh0DuyE034cEnCi6FK9w=",
        "signature": "NgfjOoEgp+OpmQ+dESKxivYmEHIqF7RYJA1LSBUtXzwEO8sR5CiyaJL85nJT9CaGdbZoXyGyt3SOmkJU1a6aDw=="},
}
ES256_PKCS8 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdnxd+z7AXVLGQi7JOLg3j8eCGS940PnaXBt1Mns+heOhRANCAATA3iO2v5xA7HxCyVkei2i6JHXVx00rXshaR1MnXFuwTWFws7AQ5hRHrI6610VlPwYoc5ASgLnFVuGld5E4tf5T"
ES256_JWK = {"kty": "EC", "crv": "P-256", "x": "wN4jtr-cQOx8QslZHotouiR11cdNK17IWkdTJ1xbsE0", "y": "YXCzsBDmFEesjrrXRWU_BihzkBKAucVW4aV3kTi1_lM", "d": "dnxd-z7AXVLGQi7JOLg3j8eCGS940PnaXBt1Mns-heM"}
ES256_COMPRESSED = "A8DeI7a/nEDsfELJWR6LaLokddXHTSteyFpHUydcW7BN"
OAEP_PKCS8 = ("MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALpKtL8dtCJLrk1qqJDo0GyPsm+UtsR3ZtAHZ7QmEU3gWx52O1LwvRrqHHH1gu"
              "xPBa45nXqhUNE+TDSGipd6eNkpjOcGBMpdN7wr0NW9F6R2S4YvArtvjutarQdeG+x3QeRHKPKGUl33WnSEfiPeFHN8k199FioG8q8r+ezSEFgR"
              "AgMBAAECgYA8VrQibtGIhjDHnHNKtE3Fy+lEoMtt6Sqg2LUrMWVLbw60WCEw5Q6rKAbclmO4fIPfgYPTU2qky2PNY4KCO8XmKmULcb/BTPXNqj"
              "tvp+F7k7ZIKcLbqxR7ZtAAH2h/wCnlGIAFcUY2U1kcYma20g2EZ/1ccZ0a9u6z+Q2v785TDQJBAPRjiCxD+v5DidRquVZ9HQJRviQ5Ut1yiwcp"
              "tUVkMKVkJfy4bA2jDhjOqQo0CSOHlB9pJ9fOUCAPwJDAvGGDx08CQQDDJIxkXqPfnznCCH1ZJJNgzUTgNtxifubOEzXuZ0EvQH0HXBuzHsbAS0"
              "bGK6ZjOyK2qnKC5xkVmWotXCCijBKfAkB9PizhEo2klJQkCfWlf0TIlX+uLLpsxnC9YQCG6UuM1wAovZKSgoeM6wvyMKymSqr8VfWXQSIK7Eex"
              "ZzSjfNc9AkAMsYjsUneoaSwRogm9TbLEfjW3u/nT8ltDFl7Qtii4USKQ4v3uRdc51Ouyok49cDBO34F5YFzyWbtdXfvFdwUTAkEAiw4VH1/HiD"
              "tCO4uoetbFgISb3X4VndU47vcXcQbYbsrbq9XUUUvPwKtvocAgu6vI7tutfxwfVq2GQPfzUwr+EA==")
OAEP_DATA = "IheIgo8FUq+gncZsdT0xjMKum4lnXdVYD/dup1KAMZwhaBrTCJleQZfUOJgoJUzLTjBR4VrCs/Bma+5nDPNifVLI1R0H3h7QZpIxfKlEt7Blf0JvDY4qsl/7bCXrlzkYG8mbLu0w1ZmeEO2kg8ipqLnZPYz75LhocaEWpS+o6DU="
CIPHERS = {
    "AES-GCM": "F8H60vPNiXrxu7oBHVgCVIiPfJV2t0h6IEUmBwiUVMK213ucvHLr5H4fJ3mkXprx73XJdjXXjSvbb9N/uT+Nq9tA6y1fePjJYw==",
    "AES-CBC": "Ya1JFiyMQhV5YnD3N4i1JIkOifodZyiL3egWDohbRQlOlY+RcO5Q7oI3F54SqyL7zX8zY5T1DeWDzbAcu1Tz0Q==",
    "AES-CTR": "m5VLZbMh15Yu+y8ZaAy9VOUlxV4PNXc9t6uOxPS0hWFkUy5ccBtj0HK0pG8RyI/kYBcDEp4YiD7R+9NBCQ==",
}


def run(lab, code):
    return script(lab, HELPERS + code)


# ---- random values ----


def test_random_uuid(lab):
    assert run(lab, """
        const many = new Set(Array.from({ length: 1000 }, () => crypto.randomUUID()));
        return [many.size, [...many].every((u) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(u)), String(crypto)];
    """) == [1000, True, "[object Crypto]"]


def test_get_random_values(lab):
    assert run(lab, """
        const a = new Uint32Array(1000), same = crypto.getRandomValues(a), part = new Uint8Array(8);
        crypto.getRandomValues(part.subarray(2, 4)); crypto.getRandomValues(new BigInt64Array(2)); crypto.getRandomValues(new Uint8Array(65536));
        const bad = [];
        for (const x of [new Uint8Array(65537), new Float64Array(1), new DataView(new ArrayBuffer(1)), new ArrayBuffer(1), 5]) bad.push(await refused(() => crypto.getRandomValues(x)));
        return [same === a, new Set(a).size > 990, [...part.subarray(0, 2), ...part.subarray(4)], bad];
    """) == [True, True, [0] * 6, ["QuotaExceededError"] + ["TypeMismatchError"] * 4]


def test_random_values_are_refused_at_top_level(corral):
    for call in ("randomUUID()", "getRandomValues(js.Uint8Array.new(4))"):
        one = corral("import js\njs.crypto.%s\nasync def on_fetch(request):\n    return js.Response.new('x')\n" % call, ready=False)
        one.wait_log("Disallowed operation called within global scope")
        one.close()


def test_crypto_in_python(lab):
    assert lab.value("""
        from js import crypto, Uint8Array
        array = Uint8Array.new(4)
        crypto.getRandomValues(array)
        digest = (await crypto.subtle.digest("SHA-256", b"abc")).to_bytes()
        key = await crypto.subtle.importKey("raw", b"key", {"name": "HMAC", "hash": "SHA-256"}, False, ["sign", "verify"])
        signature = (await crypto.subtle.sign("HMAC", key, bytearray(b"data"))).to_bytes()
        ok = await crypto.subtle.verify({"name": "HMAC"}, key, signature, memoryview(b"data"))
        try:
            await crypto.subtle.digest("SHA-3", b"")
        except Exception as e:
            said = e.name
        import hashlib, hmac
        return [len(crypto.randomUUID()), array.length, digest.hex(), signature == hmac.digest(b"key", b"data", "sha256"), ok, key.algorithm.hash.name,
                said, crypto.subtle.timingSafeEqual(b"ab", b"ab")]
    """) == [36, 4, hashlib.sha256(b"abc").hexdigest(), True, True, "SHA-256", "NotSupportedError", True]


# ---- digests and secrets ----


def test_digest(lab):
    assert run(lab, """
        const all = [];
        for (const name of ['SHA-1', 'sha-256', { name: 'SHA-384' }, 'SHA-512', 'MD5']) all.push(hex(await s.digest(name, utf8('abc').buffer)));
        return [all, (await s.digest('SHA-256', new Uint8Array(1 << 20))) instanceof ArrayBuffer, await refused(() => s.digest('SHA-256', 'text')), await refused(() => s.digest('SHA-3', utf8('')))];
    """) == [[hashlib.new(n, b"abc").hexdigest() for n in ("sha1", "sha256", "sha384", "sha512", "md5")], True, "TypeError", "NotSupportedError"]


def test_digest_stream(lab):
    assert run(lab, """
        const d = new crypto.DigestStream('SHA-256'), w = d.getWriter();
        await w.write(utf8('ab')); await w.write('c'); await w.write(new ArrayBuffer(0)); await w.close();
        const piped = new crypto.DigestStream({ name: 'MD5' }), bad = new crypto.DigestStream('SHA-1');
        await new Response('abc').body.pipeTo(piped);
        return [hex(await d.digest), String(d.bytesWritten), hex(await piped.digest), d instanceof WritableStream, await refused(() => bad.getWriter().write(5)), await refused(() => bad.digest), await refused(() => new crypto.DigestStream('x'))];
    """) == [hashlib.sha256(b"abc").hexdigest(), "3", hashlib.md5(b"abc").hexdigest(), True, "TypeError", "TypeError", "NotSupportedError"]


def test_hmac(lab):
    """RFC 4231, case 2; RFC 7515, A.1."""
    assert run(lab, """
        const out = [];
        for (const hash of ['SHA-256', 'SHA-512']) out.push(hex(await s.sign('HMAC', await s.importKey('raw', utf8('Jefe'), { name: 'HMAC', hash }, false, ['sign']), utf8('what do ya want for nothing?'))));
        const jwk = { kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow', alg: 'HS256', key_ops: ['verify'] };
        const key = await s.importKey('jwk', jwk, { name: 'HMAC', hash: { name: 'SHA-256' } }, true, ['verify']);
        const signed = utf8('eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ');
        const signature = Uint8Array.fromBase64('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', { alphabet: 'base64url' });
        out.push(await s.verify('HMAC', key, signature, signed), await s.verify('HMAC', key, signature, utf8('x')), await s.verify('HMAC', key, signature.slice(1), signed));
        const made = await s.generateKey({ name: 'HMAC', hash: 'SHA-384' }, true, ['sign', 'verify']), back = await s.exportKey('jwk', key);
        out.push(made.algorithm, (await s.exportKey('raw', made)).byteLength, back.k === jwk.k, back.alg, key.type, key.usages, String(key));
        return out;
    """) == ["5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
             "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
             True, False, False, {"name": "HMAC", "hash": {"name": "SHA-384"}, "length": 1024}, 128, True, "HS256", "secret", ["verify"], "[object CryptoKey]"]


def test_aes(lab):
    assert run(lab, "const vectors = " + json.dumps(CIPHERS) + """;
        const key = new Uint8Array(32).fill(7), iv = new Uint8Array(16).fill(9), out = [], long = utf8('a secret of more than sixteen bytes, and more than thirty-two');
        iv[14] = iv[15] = 255;
        const parameters = {
          'AES-GCM': { name: 'AES-GCM', iv: new Uint8Array(12).fill(1), additionalData: utf8('aad'), tagLength: 96 },
          'AES-CBC': { name: 'AES-CBC', iv }, 'AES-CTR': { name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 17 },
        };
        for (const name of Object.keys(vectors)) {
          const k = await s.importKey('raw', key, name, true, ['encrypt', 'decrypt']), p = parameters[name], data = await s.encrypt(p, k, long);
          out.push([new Uint8Array(data).toBase64() === vectors[name], text(await s.decrypt(p, k, data)) === text(long), (await s.exportKey('jwk', k)).alg, k.algorithm]);
        }
        return out;
    """) == [[True, True, "A256" + mode, {"name": "AES-" + mode, "length": 256}] for mode in ("GCM", "CBC", "CTR")]


def test_aes_refuses(lab):
    assert run(lab, """
        const k = await s.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt', 'decrypt']), iv = new Uint8Array(12), p = { name: 'AES-GCM', iv };
        const data = new Uint8Array(await s.encrypt(p, k, utf8('x')));
        data[0] ^= 1;
        // Of a key by chance each 256th finds a padding in whatever it is given.
        const cbc = await s.importKey('raw', new Uint8Array(24), 'AES-CBC', false, ['decrypt']), ctr = await s.generateKey({ name: 'AES-CTR', length: 128 }, true, ['encrypt']);
        const all = [() => s.decrypt(p, k, data), () => s.decrypt(p, k, new Uint8Array(3)), () => s.decrypt({ ...p, tagLength: 100 }, k, data), () => s.encrypt({ name: 'AES-GCM', iv: new Uint8Array(0) }, k, data),
          () => s.encrypt({ name: 'AES-CBC', iv }, k, data), () => s.exportKey('raw', k), () => s.decrypt({ name: 'AES-CBC', iv }, cbc, data), () => s.decrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, cbc, new Uint8Array(16)),
          () => s.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16), length: 1 }, ctr, new Uint8Array(33)), () => s.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16), length: 0 }, ctr, data),
          () => s.generateKey({ name: 'AES-GCM', length: 100 }, true, ['encrypt']), () => s.importKey('raw', new Uint8Array(5), 'AES-GCM', true, ['encrypt']), () => s.importKey('raw', new Uint8Array(16), 'AES-GCM', true, []),
          () => s.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['sign']), () => s.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['fly']), () => s.importKey('der', new Uint8Array(16), 'AES-GCM', true, ['encrypt']),
          () => s.importKey('raw', new Uint8Array(16), 'AES-XYZ', true, ['encrypt']), () => s.encrypt(p, {}, data)];
        const got = [];
        for (const f of all) got.push(await refused(f));
        return got;
    """) == ["OperationError"] * 4 + ["InvalidAccessError"] * 2 + ["OperationError"] * 5 + ["DataError", "SyntaxError", "SyntaxError", "TypeError", "NotSupportedError", "NotSupportedError", "TypeError"]


def test_pbkdf2_and_hkdf(lab):
    """RFC 6070, RFC 5869 case 1."""
    assert run(lab, """
        const p = await s.importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveBits', 'deriveKey']), salt = utf8('salt');
        const h = await s.importKey('raw', new Uint8Array(22).fill(11), 'HKDF', false, ['deriveBits']);
        const aes = await s.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1000 }, p, { name: 'AES-GCM', length: 256 }, true, ['encrypt']);
        const bits = (more, length) => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt, iterations: 2, ...more }, p, length);
        return [hex(await bits({}, 160)), hex(await bits({ iterations: 4096 }, 160)), hex(await s.exportKey('raw', aes)),
          hex(await s.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: unhex('000102030405060708090a0b0c'), info: unhex('f0f1f2f3f4f5f6f7f8f9') }, h, 336)),
          await refused(() => bits({ iterations: 100001 }, 160)), await refused(() => bits({ iterations: 0 }, 160)), await refused(() => bits({}, 7)), await refused(() => bits({ iterations: 100000 }, 1 << 23)),
          await refused(() => s.importKey('raw', salt, 'HKDF', true, ['deriveBits'])), await refused(() => s.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: salt }, h, 8 * 255 * 32 + 8))];
    """) == ["ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957", "4b007901b765489abead49d926f721d065a429c1",
             hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000).hex(),
             "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
             "NotSupportedError", "OperationError", "OperationError", "NotSupportedError", "SyntaxError", "OperationError"]


# ---- keys of two halves ----

PARAMETERS = {
    "RS256": ({"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"}, {"name": "RSASSA-PKCS1-v1_5"}),
    "PS512": ({"name": "RSA-PSS", "hash": "SHA-512"}, {"name": "RSA-PSS", "saltLength": 64}),
    "ES256": ({"name": "ECDSA", "namedCurve": "P-256"}, {"name": "ECDSA", "hash": "SHA-256"}),
    "ES384": ({"name": "ECDSA", "namedCurve": "P-384"}, {"name": "ECDSA", "hash": "SHA-384"}),
    "ES512": ({"name": "ECDSA", "namedCurve": "P-521"}, {"name": "ECDSA", "hash": "SHA-512"}),
    "EdDSA": ({"name": "Ed25519"}, {"name": "Ed25519"}),
}


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_verify_what_another_signed(lab, name):
    made, used = PARAMETERS[name]
    assert run(lab, "const made = %s, used = %s, v = %s;" % (json.dumps(made), json.dumps(used), json.dumps(VECTORS[name])) + """
        const key = await s.importKey('spki', base64(v.spki), made, true, ['verify']), signature = base64(v.signature), data = utf8('%s');
        const again = await s.importKey('jwk', await s.exportKey('jwk', key), made, true, ['verify']), out = [];
        for (const k of [key, again]) out.push(await s.verify(used, k, signature, data), await s.verify(used, k, signature, utf8('x')), await s.verify(used, k, signature.slice(1), data));
        signature[5] ^= 1;
        out.push(await s.verify(used, key, signature, data), new Uint8Array(await s.exportKey('spki', again)).toBase64() === v.spki);
        return out;
    """ % SIGNED) == [True, False, False] * 2 + [False, True]


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_sign_export_and_import_again(lab, name):
    made, used = PARAMETERS[name]
    assert run(lab, "const made = %s, used = %s;" % (json.dumps(made), json.dumps(used)) + """
        if (made.name.startsWith('RSA')) Object.assign(made, { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) });
        if (made.name === 'RSA-PSS') made.modulusLength = 2048;
        const { publicKey, privateKey } = await s.generateKey(made, true, ['sign', 'verify']), privates = [privateKey], publics = [publicKey], all = [];
        for (const format of ['pkcs8', 'jwk']) privates.push(await s.importKey(format, await s.exportKey(format, privateKey), made, true, ['sign']));
        for (const format of made.name.startsWith('RSA') ? ['spki', 'jwk'] : ['spki', 'jwk', 'raw']) publics.push(await s.importKey(format, await s.exportKey(format, publicKey), made, true, ['verify']));
        for (const p of privates) {
          const signature = await s.sign(used, p, utf8('data'));
          for (const q of publics) all.push(await s.verify(used, q, signature, utf8('data')) && !await s.verify(used, q, signature, utf8('date')));
        }
        return [all.every(Boolean), all.length >= 9, privateKey.type, privateKey.usages, publicKey.type, publicKey.usages, publicKey.extractable];
    """) == [True, True, "private", ["sign"], "public", ["verify"], True]


def test_ecdsa_keys_of_another(lab):
    assert run(lab, "const pkcs8 = base64('%s'), jwk = %s, compressed = base64('%s');" % (ES256_PKCS8, json.dumps(ES256_JWK), ES256_COMPRESSED) + """
        const curve = { name: 'ECDSA', namedCurve: 'P-256' }, used = { name: 'ECDSA', hash: 'SHA-256' }, out = [];
        const a = await s.importKey('pkcs8', pkcs8, curve, true, ['sign']), b = await s.importKey('jwk', jwk, curve, true, ['sign']);
        const point = await s.importKey('raw', compressed, curve, true, ['verify']), back = await s.exportKey('jwk', a);
        for (const k of [a, b]) out.push(await s.verify(used, point, await s.sign(used, k, utf8('d')), utf8('d')));
        out.push(back.x === jwk.x && back.y === jwk.y && back.d === jwk.d, (await s.exportKey('raw', point)).byteLength);
        const { d, ...open } = jwk, other = (await s.exportKey('jwk', (await s.generateKey(curve, true, ['sign'])).privateKey));
        for (const f of [() => s.importKey('jwk', { ...jwk, x: other.x }, curve, true, ['sign']), () => s.importKey('jwk', { ...jwk, d: other.d }, curve, true, ['sign']), () => s.importKey('jwk', { ...open, crv: 'P-384' }, curve, true, ['verify']),
                         () => s.importKey('raw', new Uint8Array(65).fill(4), curve, true, ['verify']), () => s.importKey('pkcs8', pkcs8, { ...curve, namedCurve: 'P-384' }, true, ['sign']), () => s.importKey('pkcs8', pkcs8.slice(1), curve, true, ['sign']),
                         () => s.importKey('spki', pkcs8, curve, true, ['verify']), () => s.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign']), () => s.importKey('jwk', { ...jwk, ext: false }, curve, true, ['sign']),
                         () => s.importKey('jwk', { ...jwk, key_ops: ['verify'] }, curve, true, ['sign'])]) out.push(await refused(f));
        out.push(await refused(() => s.importKey('pkcs8', pkcs8, curve, true, [])), await refused(() => s.importKey('pkcs8', pkcs8, { ...curve, namedCurve: 'P-1' }, true, ['sign'])), await refused(() => s.verify(used, a, compressed, compressed)));
        return out;
    """) == [True, True, True, 65] + ["DataError"] * 10 + ["SyntaxError", "NotSupportedError", "InvalidAccessError"]


def test_rsa_oaep(lab):
    assert run(lab, "const pkcs8 = base64('%s'), data = base64('%s');" % (OAEP_PKCS8, OAEP_DATA) + """
        const made = { name: 'RSA-OAEP', hash: 'SHA-256' }, label = utf8('l'), key = await s.importKey('pkcs8', pkcs8, made, true, ['decrypt']);
        const { n, e, kty } = await s.exportKey('jwk', key), open = await s.importKey('jwk', { n, e, kty }, made, true, ['encrypt']);
        return [text(await s.decrypt({ name: 'RSA-OAEP', label }, key, data)), text(await s.decrypt('RSA-OAEP', key, await s.encrypt('RSA-OAEP', open, utf8('own')))), await refused(() => s.decrypt('RSA-OAEP', key, data)),
          await refused(() => s.encrypt('RSA-OAEP', open, new Uint8Array(100))), key.algorithm.modulusLength, [...key.algorithm.publicExponent],
          await refused(() => s.generateKey({ ...made, modulusLength: 16384, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['decrypt']))];
    """) == ["oaep secret", "own", "OperationError", "OperationError", 1024, [1, 0, 1], "OperationError"]


def test_ecdh_and_x25519(lab):
    assert run(lab, """
        const out = [];
        for (const made of [{ name: 'ECDH', namedCurve: 'P-256' }, { name: 'ECDH', namedCurve: 'P-521' }, { name: 'X25519' }]) {
          const a = await s.generateKey(made, true, ['deriveBits', 'deriveKey']), b = await s.generateKey(made, true, ['deriveBits']);
          const ours = await s.deriveBits({ name: made.name, public: b.publicKey }, a.privateKey), theirs = await s.deriveBits({ name: made.name, public: a.publicKey }, b.privateKey, 128);
          out.push(hex(ours).startsWith(hex(theirs)), (await s.deriveKey({ name: made.name, public: b.publicKey }, a.privateKey, { name: 'AES-GCM', length: 128 }, false, ['encrypt'])).algorithm.length);
        }
        const x = { name: 'X25519' }, mine = await s.importKey('pkcs8', unhex('302e020100300506032b656e042204206061810dbad0a861a87bfae9d0702fa1feafc75bdc59e7691fca4508bffb4f40'), x, true, ['deriveBits']);
        const theirs = await s.importKey('raw', unhex('e78efe35259227faf4a175edef053f5d793e41cf31c26626d39987f39642c22f'), x, true, []), zero = await s.importKey('raw', new Uint8Array(32), x, true, []);
        out.push(hex(await s.deriveBits({ ...x, public: theirs }, mine)), await refused(() => s.deriveBits({ ...x, public: zero }, mine)));
        return out;
    """) == [True, 128] * 3 + ["fe1d346712981571b3723587bf89d44d755175efeb14713581dd2ff593767a71", "OperationError"]


def test_wrap_and_unwrap(lab):
    assert run(lab, """
        const kw = await s.generateKey({ name: 'AES-KW', length: 128 }, true, ['wrapKey', 'unwrapKey']), gcm = await s.generateKey({ name: 'AES-GCM', length: 256 }, true, ['wrapKey', 'unwrapKey', 'encrypt']);
        const wrapped = await s.wrapKey('raw', gcm, kw, 'AES-KW'), back = await s.unwrapKey('raw', wrapped, kw, 'AES-KW', 'AES-GCM', true, ['encrypt']);
        const p = { name: 'AES-GCM', iv: new Uint8Array(12) }, again = await s.unwrapKey('jwk', await s.wrapKey('jwk', kw, gcm, p), gcm, p, 'AES-KW', true, ['wrapKey']);
        return [wrapped.byteLength, hex(await s.exportKey('raw', back)) === hex(await s.exportKey('raw', gcm)), hex(await s.exportKey('raw', again)) === hex(await s.exportKey('raw', kw)),
          await refused(() => s.unwrapKey('raw', new Uint8Array(24), kw, 'AES-KW', 'AES-GCM', true, ['encrypt']))];
    """) == [40, True, True, "OperationError"]


def test_timing_safe_equal(lab):
    assert run(lab, """
        return [s.timingSafeEqual(utf8('same'), utf8('same').buffer), s.timingSafeEqual(utf8('same'), utf8('sane')), await refused(() => s.timingSafeEqual(utf8('a'), utf8('ab')))];
    """) == [True, False, "TypeError"]


def test_crypto_key_is_cloned_and_cannot_be_made(lab):
    assert run(lab, """
        const k = await s.importKey('raw', utf8('key'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']), c = structuredClone({ k }).k;
        k.usages.push('verify'); k.algorithm.name = 'AES-GCM';
        return [c instanceof CryptoKey, c.extractable, hex(await s.sign('HMAC', c, utf8(''))) === hex(await s.sign('HMAC', k, utf8(''))), k.usages, await refused(() => new CryptoKey()), await refused(() => new Crypto())];
    """) == [True, False, True, ["sign"], "TypeError", "TypeError"]

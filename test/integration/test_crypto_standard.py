"""crypto.subtle by its standards, case by case in one worker, and with OpenSSL's own program: cases in crypto_cases/."""
import json
import os
import shutil
import subprocess

import pytest

from harness import run_cases, script

pytestmark = pytest.mark.asan

DATA = b"signed by one, verified by the other"
HELPERS = """
const s = crypto.subtle, base64 = (bytes) => new Uint8Array(bytes).toBase64(), unbase64 = (text) => Uint8Array.fromBase64(text);
"""
# name: [openssl genpkey's words, what importKey takes, what sign takes, openssl's words to sign and verify]
PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]
KINDS = {
    "RS256": [["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"}, {"name": "RSASSA-PKCS1-v1_5"}, ["-sha256"]],
    "PS256": [["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], {"name": "RSA-PSS", "hash": "SHA-256"}, {"name": "RSA-PSS", "saltLength": 32}, ["-sha256"] + PSS],
    "ES256": [["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], {"name": "ECDSA", "namedCurve": "P-256"}, {"name": "ECDSA", "hash": "SHA-256"}, ["-sha256"]],
    "ES384": [["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], {"name": "ECDSA", "namedCurve": "P-384"}, {"name": "ECDSA", "hash": "SHA-384"}, ["-sha384"]],
    "ES512": [["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], {"name": "ECDSA", "namedCurve": "P-521"}, {"name": "ECDSA", "hash": "SHA-512"}, ["-sha512"]],
    "EdDSA": [["ED25519"], {"name": "Ed25519"}, {"name": "Ed25519"}, None],
}
HALVES = {"ES256": 32, "ES384": 48, "ES512": 66}


def test_vectors(lab):
    run_cases(lab, "crypto_cases/vectors.js", 281)


def test_errors_and_forms_of_keys(lab):
    run_cases(lab, "crypto_cases/errors.js", 240)


def test_what_cloudflare_adds(lab):
    run_cases(lab, "crypto_cases/cloudflare.js", 25)


# ---- OpenSSL's program ----


def der_of(flat):
    def number(half):
        half = half.lstrip(b"\0") or b"\0"
        half = b"\0" + half if half[0] & 0x80 else half
        return bytes([2, len(half)]) + half
    inside = number(flat[:len(flat) // 2]) + number(flat[len(flat) // 2:])
    return b"\x30" + (bytes([len(inside)]) if len(inside) < 128 else bytes([0x81, len(inside)])) + inside


def flat_of(der, half):
    at = 3 if der[1] & 0x80 else 2
    numbers = []
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(half, "big"))
        at += 2 + length
    return b"".join(numbers)


class OpenSSL:
    def __init__(self, folder):
        self.folder = folder
        (folder / "data").write_bytes(DATA)

    def run(self, *words, fails=False):
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, env={**os.environ, "OPENSSL_CONF": os.devnull}, timeout=60)
        assert fails or done.returncode == 0, done.stderr
        return done.stdout

    def sign(self, name):
        words = KINDS[name][3]
        if words is None:
            return self.run("pkeyutl", "-sign", "-rawin", "-inkey", name + ".pem", "-in", "data")
        signature = self.run("dgst", *words, "-sign", name + ".pem", "data")
        return flat_of(signature, HALVES[name]) if name in HALVES else signature

    def verifies(self, name, spki, signature):
        words = KINDS[name][3]
        (self.folder / "signature").write_bytes(der_of(signature) if name in HALVES else signature)
        (self.folder / "spki").write_bytes(spki)
        self.run("pkey", "-pubin", "-inform", "DER", "-in", "spki", "-out", "public.pem")
        if words is None:
            return b"Verified Successfully" in self.run("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "public.pem", "-in", "data", "-sigfile", "signature")
        return b"Verified OK" in self.run("dgst", *words, "-verify", "public.pem", "-signature", "signature", "data", fails=True)


@pytest.mark.skipif(not shutil.which("openssl"), reason="the program openssl is not installed")
def test_keys_and_signatures_of_openssl_both_ways(lab, tmp_path):
    import base64 as b
    other = OpenSSL(tmp_path)
    theirs = {}
    for name, (words, made, used, _) in KINDS.items():
        other.run("genpkey", "-algorithm", *words, "-out", name + ".pem")
        theirs[name] = {"made": made, "used": used, "signature": b.b64encode(other.sign(name)).decode(),
                        "spki": b.b64encode(other.run("pkey", "-in", name + ".pem", "-pubout", "-outform", "DER")).decode(),
                        "pkcs8": b.b64encode(other.run("pkcs8", "-topk8", "-nocrypt", "-in", name + ".pem", "-outform", "DER")).decode()}
    ours = script(lab, HELPERS + "const theirs = %s, data = unbase64('%s'), out = {};" % (json.dumps(theirs), b.b64encode(DATA).decode()) + """
        for (const [name, { made, used, signature, spki, pkcs8 }] of Object.entries(theirs)) {
          const open = await s.importKey('spki', unbase64(spki), made, true, ['verify']), secret = await s.importKey('pkcs8', unbase64(pkcs8), made, true, ['sign']);
          const own = await s.generateKey({ ...made, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign', 'verify']);
          out[name] = {
            verified: await s.verify(used, open, unbase64(signature), data), refused: await s.verify(used, open, unbase64(signature), data.slice(1)),
            same: [base64(await s.exportKey('spki', open)) === spki, base64(await s.exportKey('pkcs8', secret)) === pkcs8],
            by: base64(await s.sign(used, secret, data)), spki, own: base64(await s.sign(used, own.privateKey, data)), ownSpki: base64(await s.exportKey('spki', own.publicKey)),
          };
        }
        return out;
    """)
    for name, made in ours.items():
        assert made["verified"] and not made["refused"], name
        assert made["same"][0] and (made["same"][1] or name == "EdDSA"), name
        assert other.verifies(name, b.b64decode(made["spki"]), b.b64decode(made["by"])), name
        assert other.verifies(name, b.b64decode(made["ownSpki"]), b.b64decode(made["own"])), name
    assert set(ours) == set(KINDS)


@pytest.mark.skipif(not shutil.which("openssl"), reason="the program openssl is not installed")
def test_secrets_of_openssl_both_ways(lab, tmp_path):
    other = OpenSSL(tmp_path)
    key, iv = "00112233445566778899aabbccddeeff", "0f0e0d0c0b0a09080706050403020100"
    theirs = {"cbc": other.run("enc", "-aes-128-cbc", "-K", key, "-iv", iv, "-in", "data").hex(),
              "ctr": other.run("enc", "-aes-128-ctr", "-K", key, "-iv", iv, "-in", "data").hex(),
              "hmac": other.run("dgst", "-sha384", "-mac", "HMAC", "-macopt", "hexkey:" + key, "-binary", "data").hex()}
    other.run("genpkey", "-algorithm", "X25519", "-out", "x.pem")
    spki = other.run("pkey", "-in", "x.pem", "-pubout", "-outform", "DER").hex()
    ours = script(lab, "const s = crypto.subtle, un = (t) => Uint8Array.fromHex(t), hex = (b) => new Uint8Array(b).toHex(), theirs = %s;" % json.dumps(theirs) + """
        const data = un('%s'), key = (name, uses) => s.importKey('raw', un('%s'), name, false, uses), iv = un('%s');
        const cbc = await key('AES-CBC', ['encrypt', 'decrypt']), ctr = await key('AES-CTR', ['encrypt']), hmac = await key({ name: 'HMAC', hash: 'SHA-384' }, ['sign']);
        const x = await s.generateKey('X25519', true, ['deriveBits']), open = await s.importKey('spki', un('%s'), 'X25519', true, []);
        return [hex(await s.encrypt({ name: 'AES-CBC', iv }, cbc, data)) === theirs.cbc, hex(await s.decrypt({ name: 'AES-CBC', iv }, cbc, un(theirs.cbc))) === hex(data),
          hex(await s.encrypt({ name: 'AES-CTR', counter: iv, length: 128 }, ctr, data)) === theirs.ctr, hex(await s.sign('HMAC', hmac, data)) === theirs.hmac,
          hex(await s.deriveBits({ name: 'X25519', public: open }, x.privateKey)), hex(await s.exportKey('spki', x.publicKey))];
    """ % (DATA.hex(), key, iv, spki))
    assert ours[:4] == [True] * 4
    (tmp_path / "peer").write_bytes(bytes.fromhex(ours[5]))
    other.run("pkey", "-pubin", "-inform", "DER", "-in", "peer", "-out", "peer.pem")
    assert other.run("pkeyutl", "-derive", "-inkey", "x.pem", "-peerkey", "peer.pem").hex() == ours[4]


# ---- speed ----


def test_a_digest_costs_what_the_library_s_own_costs(lab):
    """SHA-256 of a megabyte: crypto.subtle beside the same library called by Python, in one process; the best of ten each."""
    ours, plain = lab.value("""
        import hashlib, os, time
        from pyodide.ffi import to_js
        data = os.urandom(1 << 20)
        measure = js.eval('''(async (data) => { data = new Uint8Array(data); let best = 1e9;
            for (let i = 0; i < 10; i++) { const t = performance.now(); await crypto.subtle.digest('SHA-256', data); best = Math.min(best, performance.now() - t); } return best; })''')
        ours, plain = 1e9, 1e9
        for _ in range(4):
            ours = min(ours, await measure(to_js(data)))
            for _ in range(10):
                t = time.perf_counter()
                hashlib.sha256(data).digest()
                plain = min(plain, (time.perf_counter() - t) * 1000)
        return [ours, plain]
    """)
    print("SHA-256 of 1 MB: %.3f ms, the library alone %.3f ms" % (ours, plain))
    assert ours < 1.2 * plain + 0.05

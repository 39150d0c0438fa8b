"""Accounts: a password that is hashed, a name that is taken."""
import hashlib
import hmac
import os

from workers import Response, WorkerEntrypoint


def hashed(password, salt=None, rounds=1000):
    salt = salt or os.urandom(16)
    return "pbkdf2$%d$%s$%s" % (rounds, salt.hex(), hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds).hex())


def fits(password, stored):
    _, rounds, salt, _ = stored.split("$")
    return hmac.compare_digest(stored, hashed(password, bytes.fromhex(salt), int(rounds)))


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        body = await request.json()
        username, password = (body.get("username") or "").strip(), body.get("password") or ""
        if request.url.endswith("/login"):
            row = await self.env.DB.prepare("SELECT password_hash FROM users WHERE username = ?").bind(username).first()
            if not row or not fits(password, row.password_hash):
                return Response("Wrong name or password", status=401)
            return Response("welcome")
        try:
            stmt = self.env.DB.prepare("INSERT INTO users (username, password_hash) VALUES (?, ?)").bind(username, hashed(password))
            await stmt.run()
        except Exception as e:
            if "UNIQUE constraint failed: users.username" in str(e):
                return Response("Username already exists", status=409)
            raise
        return Response.json({"ok": True, "username": username}, status=201)

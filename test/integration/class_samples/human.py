"""The server's half of Turnstile: the form's token is verified by somebody else."""
from workers import FormData, Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        form = await request.form_data()
        token = form.get("cf-turnstile-response")
        if not token:
            return Response("Missing token", status=400)
        asked = FormData({"secret": self.env.MY_SECRET_VALUE, "response": token})
        address = request.headers.get("CF-Connecting-IP")
        if address:
            asked.append("remoteip", address)
        answer = await fetch("https://example.com/echo/siteverify", method="POST", body=asked)
        outcome = await answer.json()
        verified = f'name="response"\r\n\r\n{token}\r\n' in outcome["body"] and "multipart/form-data; boundary=" in outcome["headers"]["content-type"]
        if not verified or token != "good":
            return Response("The provided Turnstile token was not valid!", status=401)
        return Response(f"welcome, {form['name']}")

"""An SDK of the shape of OpenAI's, its client made of the secret, the answer streamed on as it comes."""
from shop_ai import AsyncShopAI, ShopAI
from shop_ai.errors import RateLimited
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/blocking"):
            client = ShopAI(api_key=self.env.API_KEY, base_url=self.env.ORIGIN)
            text = "".join(piece for piece in client.chat.stream("hello"))
            return Response(text + " " + client.chat.create("hello")["key"])
        client = AsyncShopAI(api_key=self.env.API_KEY, base_url=self.env.ORIGIN)

        async def pieces():
            async for piece in client.chat.stream("hello"):
                yield f"data: {piece}\n\n"
        if request.url.endswith("/stream"):
            return Response(pieces(), headers={"content-type": "text/event-stream"})
        try:
            await client.chat.create("limited")
        except RateLimited as e:
            limited = str(e)
        return Response.json({"answer": (await client.chat.create("hello"))["text"], "limited": limited})

"""Packages that are installed while it runs, and one that cannot be."""
import micropip
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await micropip.install("lorem-words", index_urls=self.env.INDEX)
        import lorem_words
        try:
            await micropip.install("pandas==2.2.2", index_urls=self.env.INDEX)
        except ValueError as e:
            said = str(e)
        return Response.json({"words": lorem_words.words(2), "said": said.splitlines(), "listed": "lorem-words" in micropip.list()})

"""An export that reads page after page, as CSV."""
import csv
import io

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(self.lines(), headers={"content-type": "text/csv"})

    async def lines(self):
        last, page = 0, self.env.DB.prepare("SELECT id, name FROM items WHERE id > ? ORDER BY id LIMIT 10")
        while True:
            found = await page.bind(last).raw()
            if not len(found):
                return
            text = io.StringIO()
            csv.writer(text).writerows(list(row) for row in found)
            yield text.getvalue()
            last = found[-1][0]

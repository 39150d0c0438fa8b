"""Pages of others, taken apart."""
import httpx
import yaml
from bs4 import BeautifulSoup
from pathlib import Path
from urllib.parse import urljoin
from workers import Response, WorkerEntrypoint

CONFIG = yaml.safe_load((Path(__file__).parent / "config.yaml").read_text())


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = self.env.ORIGIN + "/page"
        async with httpx.AsyncClient(follow_redirects=True, timeout=httpx.Timeout(10.0, connect=5.0), headers={"User-Agent": CONFIG["agent"]}) as client:
            answer = await client.get(url)
            answer.raise_for_status()
        soup = BeautifulSoup(answer.text, "html.parser")
        other = BeautifulSoup(answer.content, "lxml")
        return Response.json({"title": soup.title.string, "links": [urljoin(url, a["href"]) for a in soup.select(CONFIG["select"])],
                              "same": [a["href"] for a in other.find_all("a")], "agent": answer.headers["x-agent"]})

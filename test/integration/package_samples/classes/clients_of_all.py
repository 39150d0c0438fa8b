"""One address asked by every library that people know."""
import asyncio
import json
import socket
import ssl
import urllib.parse
import urllib.request

import aiohttp
import certifi
import httpx
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
from workers import Response, WorkerEntrypoint, fetch

session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(total=3, backoff_factor=0.01, status_forcelist=[502, 503, 504], allowed_methods=["GET", "POST"])))
session.headers.update({"X-Session": "kept"})
context = ssl.create_default_context(cafile=certifi.where())
client = httpx.AsyncClient(timeout=10)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        origin = self.env.ORIGIN
        data = {"text": "grüezi"}
        said = {}

        async with aiohttp.ClientSession(headers={"X-Session": "kept"}, timeout=aiohttp.ClientTimeout(total=10)) as http:
            async with http.post(origin + "/echo", json=data) as answer:
                said["aiohttp"] = await answer.json()
            answers = await asyncio.gather(*(http.get(f"{origin}/json?n={n}") for n in range(3)))
            said["several"] = [(await one.json())["path"] for one in answers]

        said["requests"] = session.post(origin + "/echo", json=data).json()
        said["retried"] = session.get(origin + "/busy/" + str(id(request))).text
        said["httpx"] = (await client.post(origin + "/echo", json=data)).json()
        with httpx.Client(base_url=origin) as blocking:
            said["blocking"] = blocking.post("/echo", json=data).json()
        with urllib.request.urlopen(urllib.request.Request(origin + "/echo", json.dumps(data).encode(), {"Content-Type": "application/json"}), timeout=10) as answer:
            said["urllib"] = json.load(answer)
        said["urllib3"] = json.loads(urllib3.PoolManager(ca_certs=certifi.where()).request("POST", origin + "/echo", body=json.dumps(data),
                                                                                         headers={"Content-Type": "application/json"}).data)
        said["fetch"] = await (await fetch(origin + "/echo", method="POST", body=json.dumps(data), headers={"content-type": "application/json"})).json()
        lines = []
        async with client.stream("GET", origin + "/lines") as answer:
            async for line in answer.aiter_lines():
                lines.append(line.strip())
        with requests.get(origin + "/lines", stream=True) as answer:
            lines += [line.decode() for line in answer.iter_lines()]
        said["lines"] = lines
        try:
            requests.get(origin + "/missing").raise_for_status()
        except requests.HTTPError as e:
            said["missing"] = e.response.status_code
        try:
            await client.get("http://127.0.0.1:9/")
        except httpx.ConnectError:
            said["refused"] = True
        return Response.json(said)

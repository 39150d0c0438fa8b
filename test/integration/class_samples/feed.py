"""XML read and written, markdown-like text, a calendar, dates by zone, text in other alphabets."""
import datetime
import email.utils
import html
import textwrap
import xml.etree.ElementTree as ET
import zoneinfo

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "POST":
            root = ET.fromstring(await request.text())
            return Response.json([{"title": item.findtext("title"), "link": item.get("href")} for item in root.iter("item")])
        rss = ET.Element("rss", version="2.0")
        channel = ET.SubElement(rss, "channel")
        day = datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Zurich"))
        for title in ("Größe & <Maß>", "日本語 🎉"):
            item = ET.SubElement(channel, "item")
            ET.SubElement(item, "title").text = title
            ET.SubElement(item, "pubDate").text = email.utils.format_datetime(day)
            ET.SubElement(item, "description").text = textwrap.shorten(html.escape(title) * 5, 40, placeholder="…")
        return Response(ET.tostring(rss, encoding="utf-8", xml_declaration=True), headers={"content-type": "application/rss+xml"})

"""Files sent and made: form data both ways, File and Blob, a hash of each; a ZIP, a CSV, a picture of bytes."""
import csv
import hashlib
import io
import zipfile

from js import Blob as JsBlob, FormData as JsFormData, Uint8Array
from pyodide.ffi import to_js
from workers import Blob, File, FormData, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.rsplit("/", 1)[1]
        return await getattr(self, path)(request)

    async def upload(self, request):
        form, seen = await request.form_data(), []
        for name, value in form.items():
            if isinstance(value, File):
                data = await value.bytes()
                seen.append([name, value.name, value.content_type, value.size, hashlib.sha256(data).hexdigest()[:8],
                             await value.slice(0, 3).text()])
            else:
                seen.append([name, value])
        return Response.json({"seen": seen, "tags": form.get_all("tag"), "has": "file" in form})

    async def form(self, request):
        form = FormData({"title": "a form"})
        form["notes"] = File("some notes", filename="notes.txt", content_type="text/plain")
        form.append("raw", Blob([b"\x00\x01", "text"], content_type="application/x-raw"), filename="raw.bin")
        return Response(form)

    async def js(self, request):
        form = JsFormData.new()
        form.append("blob", JsBlob.new([Uint8Array.new(to_js(b"abc")), "def"], type="text/plain"), "abc.txt")
        return Response(form)

    async def zip(self, request):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("hello.txt", "hello " * 100)
        return Response(out.getvalue(), headers={"content-type": "application/zip", "Content-Disposition": 'attachment; filename="a.zip"'})

    async def csv(self, request):
        out = io.StringIO()
        rows = csv.DictWriter(out, ["name", "count"])
        rows.writeheader()
        rows.writerows([{"name": 'a "quoted", name', "count": 1}, {"name": "ü", "count": 2}])
        return Response(out.getvalue(), headers={"content-type": "text/csv; charset=utf-8"})

    async def bytes(self, request):
        return Response(to_js(bytes(range(256))).buffer, headers={"Content-Type": "image/x-none", "Cache-Control": "max-age=3600"})

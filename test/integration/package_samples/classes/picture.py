"""A picture made of numbers."""
import base64
import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/numbers"):
            a = np.arange(12.0).reshape(3, 4)
            rng = np.random.default_rng(7)
            return Response.json({"mean": a.mean(axis=0).tolist(), "norm": float(np.linalg.norm(a)), "inv": np.linalg.inv(np.eye(2) * 2).tolist(),
                                  "random": rng.random(2).shape[0], "old": np.random.rand(3).shape[0]})
        if request.method == "POST":
            picture = Image.open(io.BytesIO(await request.bytes()))
            picture.thumbnail((8, 8))
            out = io.BytesIO()
            picture.convert("RGB").save(out, "JPEG", quality=80)
            return Response(out.getvalue(), headers={"content-type": "image/jpeg"})
        picture = Image.fromarray(np.linspace(0, 255, 64 * 32, dtype=np.uint8).reshape(32, 64)).convert("RGB")
        ImageDraw.Draw(picture).text((2, 2), "hi", fill=(255, 0, 0), font=ImageFont.load_default())
        out = io.BytesIO()
        picture.save(out, format="PNG")
        return Response(out.getvalue(), headers={"content-type": "image/png"})

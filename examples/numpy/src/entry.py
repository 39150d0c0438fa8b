from urllib.parse import parse_qs, urlsplit

import numpy as np
from workers import Response


def fit(points, degree):
    """The polynomial nearest to the points, its coefficients from the highest power down."""
    x, y = np.array(points, dtype=float).T
    coefficients = np.polyfit(x, y, degree)
    error = np.sqrt(np.mean((np.polyval(coefficients, x) - y) ** 2))
    return {"coefficients": [float(c) for c in coefficients.round(6) + 0.0], "error": float(error.round(6))}


async def on_fetch(request, env):
    if request.method != "POST":
        return Response("POST points, [[x, y], ...]; ?degree=2\n", status=405, headers={"allow": "POST"})
    query = parse_qs(urlsplit(request.url).query)
    try:
        points = (await request.json()).to_py()
        fitted = fit(points, int(query.get("degree", ["1"])[0]))
    except Exception as e:
        return Response.json({"error": str(e)}, status=400)
    return Response.json(fitted)

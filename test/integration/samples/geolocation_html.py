from js import Headers, Response


async def on_fetch(request):
    html_content = ""
    html_style = "body{padding:6em; font-family: sans-serif;} h1{color:#f6821f;}"

    html_content += "<p> Colo: " + str(request.cf.colo) + "</p>"
    html_content += "<p> Country: " + str(request.cf.country) + "</p>"
    html_content += f"<p> Latitude: {request.cf.latitude}</p>"

    html = f"""
    <!DOCTYPE html>
    <head><title> Geolocation: Hello World </title><style> {html_style} </style></head>
    <body><h1>Geolocation: Hello World!</h1>{html_content}</body>
    """
    headers = Headers.new({"content-type": "text/html;charset=UTF-8"}.items())
    return Response.new(html, headers=headers)

from js import fetch


def on_fetch(request):
    return fetch("https://example.com/html", request)

import os

from workers import wsgi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402: the settings come first

app = get_wsgi_application()


async def on_fetch(request, env):
    return await wsgi.fetch(app, request, env)

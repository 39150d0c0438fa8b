"""Django in one file."""
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path
from workers import WorkerEntrypoint, wsgi

settings.configure(DEBUG=False, SECRET_KEY="demo", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=["django.middleware.common.CommonMiddleware"])


def index(request):
    return HttpResponse("hello from Django %s" % django.VERSION[0])


def show(request, number):
    return JsonResponse({"number": number, "q": request.GET.get("q"), "greeting": request.environ["workers.env"].MESSAGE})


urlpatterns = [path("", index), path("show/<int:number>/", show)]
application = get_wsgi_application()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await wsgi.fetch(application, request, self.env)

import abc

from workers import Response, WorkerEntrypoint


class Page(WorkerEntrypoint, abc.ABC):
    """An entrypoint whose subclasses fill in the pages."""

    pages = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.pages = {name[5:]: getattr(cls, name) for name in dir(cls) if name.startswith("page_")}

    async def fetch(self, request):
        name = request.url.rsplit("/", 1)[1] or "index"
        try:
            page = self.pages[name]
        except KeyError:
            return self.missing(name)
        return await page(self, request)

    @abc.abstractmethod
    def missing(self, name):
        ...

    async def page_index(self, request):
        return Response(f"index of {type(self).__name__}")

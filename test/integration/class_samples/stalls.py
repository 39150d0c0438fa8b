"""Class hierarchies over WorkerEntrypoint: mixins, an abstract base of a package, super()."""
from market import JsonMixin, Page, TimedMixin


class Stall(JsonMixin, Page):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.greeting = env.GREETING.upper()

    def missing(self, name):
        return self.json({"missing": name}, 404, x_stall=type(self).__name__)

    async def page_hello(self, request):
        return self.json({"greeting": self.greeting, "same": self.env is not None and self.ctx is not None})


class Default(TimedMixin, Stall):
    async def page_pages(self, request):
        return self.json(sorted(self.pages))

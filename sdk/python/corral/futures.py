"""futures.py - the futures and tasks that the loop makes: asyncio's, with the methods of a promise."""
import asyncio
import inspect


async def _settled(value):
    """What it comes to when it is awaited until it is awaitable no more."""
    while inspect.isawaitable(value):
        value = await value
    return value


class PyodideFuture(asyncio.Future):
    """An asyncio.Future with then(), catch() and finally_(), as Pyodide's; loop.create_future() makes them."""

    def then(self, onfulfilled, onrejected=None):
        """A new future: of what onfulfilled(result) or onrejected(exception) comes to, awaited if it is awaitable.

        None for either passes the result or the exception on; what the function raises is the new future's exception.
        When this future is cancelled so is the new one.
        """

        async def follow(result, exception):
            if exception is None:
                return await _settled(onfulfilled(result) if onfulfilled else result)
            if onrejected is None:
                raise exception
            return await _settled(onrejected(exception))

        return self._followed(follow)

    def catch(self, onrejected):
        """then(None, onrejected)"""
        return self.then(None, onrejected)

    def finally_(self, onfinally):
        """A new future with this one's outcome, once onfinally() has run; what that raises takes the outcome's place."""

        async def follow(result, exception):
            await _settled(onfinally())
            if exception is not None:
                raise exception
            return result

        return self._followed(follow, is_always=True)

    def _followed(self, follow, is_always=False):
        loop = self.get_loop()
        followed = PyodideFuture(loop=loop)

        async def run(done):
            cancelled = done.cancelled()
            try:
                if cancelled:
                    if is_always:
                        await follow(None, None)
                    outcome = None
                else:
                    exception = done.exception()
                    outcome = await follow(None if exception else done.result(), exception)
            except Exception as e:
                if not followed.done():
                    followed.set_exception(e)
                return
            except asyncio.CancelledError:
                cancelled = True
            if cancelled:
                followed.cancel()
            elif not followed.done():
                followed.set_result(outcome)

        self.add_done_callback(lambda done: loop.create_task(run(done)))
        return followed


class PyodideTask(asyncio.Task, PyodideFuture):
    """An asyncio.Task with then(), catch() and finally_(); loop.create_task() makes them."""


PyodideFuture.__module__ = PyodideTask.__module__ = "pyodide.webloop"

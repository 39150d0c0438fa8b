from js import Response

from shop import cart
from shop.prices import total as price_of
import shop.text.words as words


async def on_fetch(request):
    return Response.new(f"{cart.describe()} {price_of([1, 2])} {words.plural('apple')}")

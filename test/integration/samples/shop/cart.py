from . import prices
from .text import words


def describe():
    return words.plural("cart") + str(prices.total([3]))

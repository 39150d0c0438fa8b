from .base import Page
from .mixins import JsonMixin, TimedMixin

__all__ = ["JsonMixin", "Page", "TimedMixin"]

from .people import People

__all__ = ["People"]

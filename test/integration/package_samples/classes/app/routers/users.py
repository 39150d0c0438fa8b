from fastapi import APIRouter, Depends, Request

from ..deps import Db, db

router = APIRouter(prefix="/users")


@router.get("/{n}")
def user(n: int, request: Request, one: Db = Depends(db)):
    return {"n": n, "open": one.is_open, "url": str(request.url_for("user", n=5))}

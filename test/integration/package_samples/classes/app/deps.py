class Db:
    is_open = True


def db():
    one = Db()
    try:
        yield one
    finally:
        one.is_open = False

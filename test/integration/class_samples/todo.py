"""Flask, whose functions wait for servers by run_sync."""
from flask import Flask, jsonify, request
from pyodide.ffi import run_sync
from workers import fetch, wsgi

app = Flask(__name__)
todos = {}


@app.errorhandler(404)
def missing(error):
    return jsonify({"detail": error.name}), 404


@app.post("/todos")
def create():
    body = request.get_json(silent=True) or {}
    upstream = run_sync(run_sync(fetch("https://example.com/todos/%d" % (len(todos) + 1))).json())
    todos[upstream["id"]] = {"id": upstream["id"], "title": body.get("title", upstream["title"])}
    return jsonify(todos[upstream["id"]]), 201, {"Location": f"{request.url_root}todos/{upstream['id']}"}


@app.get("/todos/<int:number>")
def show(number):
    if number not in todos:
        return jsonify({"detail": "gone"}), 410
    return {**todos[number], "greeting": request.environ["workers.env"].GREETING}


Default = wsgi.entrypoint(app)

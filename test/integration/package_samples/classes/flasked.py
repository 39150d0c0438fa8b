"""Flask, and the environment from its request."""
import requests
from flask import Blueprint, Flask, jsonify, render_template_string, request, session, stream_with_context
from workers import WorkerEntrypoint, wsgi

app = Flask(__name__)
app.secret_key = "demo"
pages = Blueprint("pages", __name__, url_prefix="/pages")


@app.route("/")
def hello_world():
    return "<p>Hello, World!</p>"


@pages.get("/<int:number>")
def page(number):
    return render_template_string("<h1>{{ number }} {{ greeting }}</h1>", number=number, greeting=request.environ["workers.env"].MESSAGE)


@app.post("/echo")
def echo():
    return jsonify(form=request.form, json=request.get_json(silent=True), files={n: len(f.read()) for n, f in request.files.items()}, args=request.args)


@app.get("/visits")
def visits():
    session["n"] = session.get("n", 0) + 1
    return {"n": session["n"]}


@app.get("/fetched")
def fetched():
    return requests.get(request.environ["workers.env"].ORIGIN + "/json").json()


@app.get("/lines")
def lines():
    def each():
        for n in range(3):
            yield f"{request.path} {n}\n"
    return app.response_class(stream_with_context(each()), mimetype="text/plain")


@app.errorhandler(404)
def missing(e):
    return {"error": "nothing here"}, 404


app.register_blueprint(pages)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await wsgi.fetch(app, request, self.env, self.ctx)

"""Packages of npm whose WebAssembly comes with the glue of its language's tools, as they are."""
import json

import pytest

import npm

pytestmark = [pytest.mark.apart, pytest.mark.long]      # npm may have to bring them first

GLUE = """\
import { PhotonImage, SamplingFilter, grayscale, resize } from "@cf-wasm/photon";
import initSqlJs from "sql.js";
import sqlModule from "sql.js/dist/sql-wasm.wasm";
import * as features from "wasm-feature-detect";

globalThis.location = { href: "" };    // where there is a WorkerGlobalScope, as on Cloudflare, Emscripten's asks for it
const opening = initSqlJs({
  instantiateWasm(imports, done) {
    const instance = new WebAssembly.Instance(sqlModule, imports);
    done(instance, sqlModule);
    return instance.exports;
  },
});
const answers = {
  async "/rust"() {
    const image = new PhotonImage(new Uint8Array([255, 0, 0, 255, 0, 255, 0, 255]), 2, 1);
    grayscale(image);
    const large = resize(image, 4, 2, SamplingFilter.Nearest);
    return [[...image.get_raw_pixels()], large.get_width(), [...large.get_bytes().slice(1, 4)]];
  },
  async "/c"() {
    const database = new (await opening).Database();
    database.run("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)");
    return database.exec("SELECT sum(a) FROM t")[0].values;
  },
  async "/features"() {
    const has = {};
    for (const [name, detect] of Object.entries(features)) if (typeof detect === "function") has[name] = await detect();
    return has;
  },
};
export default { fetch: async (request) => Response.json(await answers[new URL(request.url).pathname]()) };
"""


def test_wasm_with_its_glue(corral):
    """wasm-bindgen's of Rust, Emscripten's of C, which asks for modules of Node.js where it is none; and what the engine has of what else compilers ask for."""
    files = npm.files("@cf-wasm/photon@0.4.0", "sql.js@1.13.0", "wasm-feature-detect@1.8.0",
                      without=["sql-asm*.js", "*debug*", "worker.sql*", "*.map", "*.zip", "*.d.ts"])
    one = corral({"wrangler.json": json.dumps({"name": "w", "main": "src/index.js", "compatibility_date": "2026-03-01"}),
                  "src/index.js": GLUE, **files})
    assert one.get("/rust").json() == [[85, 85, 85, 255] * 2, 4, [0x50, 0x4E, 0x47]]
    assert one.get("/c").json() == [[3]]
    has = one.get("/features").json()
    # Kotlin and other languages with collectors want the first three, C++ the fourth or fifth.
    assert all(has[name] for name in ("gc", "typedFunctionReferences", "referenceTypes", "exceptions", "exceptionsFinal")), has
    assert all(has[name] for name in ("simd", "relaxedSimd", "bulkMemory", "multiValue", "tailCall", "extendedConst", "streamingCompilation")), has
    assert not any(has[name] for name in ("threads", "memory64", "jspi")), has

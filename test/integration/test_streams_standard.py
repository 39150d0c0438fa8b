"""The Streams standard, case by case, in JavaScript inside a worker: the cases are in stream_cases/."""
import json
from pathlib import Path

import pytest

from harness import PATIENCE

pytestmark = pytest.mark.asan

CASES = Path(__file__).with_name("stream_cases")


def run_cases(lab, name, least, folder=CASES):
    """Every case of the file passes; there are at least so many checks in them."""
    script = "(async () => {%s%s; return run(%d); })()" % (
        (CASES / "prelude.js").read_text(), (folder / (name + ".js")).read_text(), 10 * PATIENCE)
    answer = lab.run("return Response.new(await js.eval(await request.text()))", method="POST", body=script.encode())
    assert answer.status == 200, answer.text
    results = json.loads(answer.text)
    wrong = ["%s: %s" % (case, why) for case, why, _ in results if why]
    assert not wrong, "\n".join(wrong)
    assert sum(checks for _, _, checks in results) >= least, results


def test_readable(lab):
    run_cases(lab, "readable", 230)


def test_byte_streams(lab):
    run_cases(lab, "bytes", 155)


def test_writable(lab):
    run_cases(lab, "writable", 130)


def test_transform(lab):
    run_cases(lab, "transform", 75)


def test_pipe(lab):
    run_cases(lab, "pipe", 66)


def test_pipe_signal_and_writable_signal(lab):
    run_cases(lab, "signal", 25)


def test_tee(lab):
    run_cases(lab, "tee", 42)


def test_identity_and_fixed_length(lab):
    run_cases(lab, "cloudflare", 26)


def test_text_encoder_and_decoder_streams(lab):
    run_cases(lab, "text", 31)


def test_compression(lab):
    run_cases(lab, "compression", 1000)

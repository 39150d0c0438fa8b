"""Fetch, Encoding, File, URL's parameters and HTML's clone, case by case, in JavaScript: the cases are in web_cases/.

They share stream_cases/prelude.js, run in one request each, and run in Node.js too, which is how they were written."""
from pathlib import Path

import pytest

from test_streams_standard import run_cases

pytestmark = pytest.mark.asan

CASES = Path(__file__).with_name("web_cases")


def test_headers_and_search_params(lab):
    run_cases(lab, "headers", 400, CASES)


def test_requests_responses_and_bodies(lab):
    run_cases(lab, "messages", 680, CASES)


def test_forms_blobs_clones_and_text(lab):
    run_cases(lab, "forms", 280, CASES)


def test_surface(lab):
    run_cases(lab, "surface", 770, CASES)

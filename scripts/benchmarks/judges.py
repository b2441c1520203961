"""Other linters, in the venv that holds them: `-m scripts.benchmarks.judges LINTER NUMBER`.

It prints the microseconds of processor time that one exchange takes.
"""

import importlib
import sys
import time
from collections.abc import Callable

from .sample import Fields, exchange

URL = "https://www.example.com/"


def httplint(asked: Fields, answered: Fields) -> None:
    """Judge with httplint."""
    lint = importlib.import_module("httplint")
    request = lint.HttpRequestLinter(start_time=time.time())
    request.process_request_topline(b"GET", URL.encode(), b"1.1")
    request.process_headers(list(asked))
    request.finish_content(True)
    response = lint.HttpResponseLinter(start_time=time.time())
    response.request = request
    response.process_response_topline(b"1.1", b"200", b"OK")
    response.process_headers(list(answered))
    response.finish_content(True)


def httpolice(asked: Fields, answered: Fields) -> None:
    """Judge with HTTPolice."""
    police = importlib.import_module("httpolice")
    request = police.Request("https", "GET", "/", "HTTP/1.1", _named(asked), b"")
    response = police.Response("HTTP/1.1", 200, "OK", _named(answered), None)
    police.check_exchange(police.Exchange(request, [response]))


def _named(fields: Fields) -> list[tuple[str, bytes]]:
    return [(name.decode(), value) for name, value in fields]


JUDGES: dict[str, Callable[[Fields, Fields], None]] = {"httplint": httplint, "httpolice": httpolice}


def main(linter: str, number: int) -> None:
    """Judge as many exchanges, after some that do not count."""
    judge = JUDGES[linter]
    for _ in range(3):
        judge(*exchange())
    exchanges = [exchange() for _ in range(number)]
    began = time.process_time()
    for one in exchanges:
        judge(*one)
    print((time.process_time() - began) / number * 1e6)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

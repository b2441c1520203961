"""What is not installed with hopguard itself, because the live addon must need nothing."""


class MissingExtraError(RuntimeError):
    """Something needs an optional extra; the text is one sentence that says what to install."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra '{extra}': pip install 'hopguard[{extra}]'")

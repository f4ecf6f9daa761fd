"""`python -m loadtest SCENARIO`: 0 when green, 1 when a threshold broke or the verification failed, 2 when not run."""

import asyncio
import json
import sys

from loadtest.errors import LoadtestError
from loadtest.options import Options, parse
from loadtest.outcome import Outcome
from loadtest.page import page
from loadtest.progress import Progress
from loadtest.run import Run
from loadtest.table import text

NOT_RUN, INTERRUPTED = 2, 130


def write(options: Options, outcome: Outcome) -> None:
    """JSON and the page. Raises LoadtestError."""
    files = {options.json: json.dumps(outcome.json(), indent=1), options.html: page(outcome)}
    try:
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
    except OSError as error:
        raise LoadtestError(f"{error.filename} cannot be written: {error.strerror}.") from None
    print(f"{options.html}  {options.json}")


def main(argv: list[str]) -> int:
    """The exit code."""
    try:
        options = parse(argv)
        outcome = asyncio.run(Run(options, Progress()).go())
        print(text(outcome))
        write(options, outcome)
    except LoadtestError as error:
        print(f"loadtest: {error}", file=sys.stderr)
        return NOT_RUN
    except KeyboardInterrupt:
        return INTERRUPTED
    return outcome.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

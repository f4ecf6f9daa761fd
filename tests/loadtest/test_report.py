"""What is shown while it runs and afterwards: the progress line, the curves, the processes behind a port."""

import io
import os
import socket
import subprocess
import sys
from xml.etree import ElementTree

from loadtest.chart import Chart, Curve, short
from loadtest.listener import behind, listener
from loadtest.meter import Meter
from loadtest.progress import Progress
from loadtest.record import Record

SERVER = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def one_second() -> Record:
    """A record with one second of one worker."""
    meter, record = Meter(), Record()
    meter.counts.update(edits=7, deliveries=21)
    for millis in (1, 2, 30):
        meter.times["delivery"].record(millis * 1000)
    record.add(0, meter.take(0, 4, 0, 0.1, 1.0))
    return record


def test_on_a_terminal_one_line_is_redrawn() -> None:
    """Each drawing erases the one before and ends without a new line; a sentence stays."""
    screen = Terminal()
    progress = Progress(screen)
    progress.say("making 4 guests")
    for elapsed in (1.0, 1.5):
        progress.show(one_second(), elapsed, 10)
    lines = screen.getvalue().split("\n")
    assert len(lines) == 2
    assert lines[0].endswith("making 4 guests")
    first, second = lines[1].split("\r\x1b[2K")[1:]
    assert "4 in  7 edits/s  21 deliveries/s  p50 2.0" in first
    assert second.startswith("━━━")


def test_elsewhere_there_is_a_plain_line_now_and_then() -> None:
    """Two drawings in the same moment are one line, without control characters."""
    log = io.StringIO()
    progress = Progress(log)
    for elapsed in (1.0, 1.5):
        progress.show(one_second(), elapsed, 10)
    assert log.getvalue().count("\n") == 1
    assert "\x1b" not in log.getvalue()


def test_a_curve_is_broken_where_nothing_was_measured() -> None:
    """Two stretches, a lonely point, and the threshold as a line of its own."""
    points = [(0.5, 10.0), (1.5, 20.0), (8.5, 15.0), (9.5, 40.0), (20.5, 5.0)]
    drawing = ElementTree.fromstring(Chart("T", "ms", [Curve("p99", points)], 30, bound=50, log=True).svg())
    assert [len(line.attrib["points"].split()) for line in drawing.findall("polyline")] == [2, 2]
    assert len(drawing.findall("circle")) == 1
    assert [line.attrib["class"] for line in drawing.findall("line")].count("bound") == 1


def test_the_scale_holds_every_point() -> None:
    """Nothing is drawn outside of the frame, and zero is at its foot."""
    points = [(float(at), value) for at, value in enumerate((0, 3, 7777, 12, 9999))]
    drawing = ElementTree.fromstring(Chart("T", "/s", [Curve("edits", points)], 5).svg())
    line = drawing.find("polyline")
    assert line is not None
    heights = [float(pair.split(",")[1]) for pair in line.attrib["points"].split()]
    assert all(12 <= height <= 194 for height in heights)
    assert heights[0] == 194
    assert heights[2] < heights[1]


def test_figures_are_short() -> None:
    """Three digits that matter, whatever the size."""
    assert [short(value) for value in (0.0523, 3.14159, 999, 1234, 56_789, 2_500_000)] == [
        "0.0523", "3.14", "999", "1,234", "56.8k", "2.5M",
    ]  # fmt: skip


def test_the_process_that_listens_is_found_and_what_stands_behind_another() -> None:
    """A server of another process is its listener's, and stands behind whoever is connected to it."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        assert listener(port) == server.pid
        with socket.create_connection(("127.0.0.1", port)):
            assert behind(os.getpid())[port] == server.pid
        server.kill()
    assert listener(port) is None

import subprocess
import sys


def test_a_process_that_decoded_ends_cleanly():
    program = (
        "import threading\n"
        "from vigla.wire.otlp.spans import SpanDecoder\n"
        "from vigla.wire.otlp.admit import admit\n"
        "decoder = SpanDecoder(())\n"
        "thread = threading.Thread(target=decoder.decode, args=([b''],))\n"
        "thread.start(); thread.join(); admit('traces', b'')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

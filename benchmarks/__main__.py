"""Run every benchmark that this machine can run: the app, telemetry, then the recurrent core."""

import subprocess
import sys

from benchmarks import app

if __name__ == "__main__":
    app.main()
    print()
    subprocess.run([sys.executable, "-m", "benchmarks.telemetry"], check=False)
    print()
    # A process of its own: the core is measured on one thread, said before its peers are imported.
    sys.exit(subprocess.run([sys.executable, "-m", "benchmarks.core"], check=False).returncode)

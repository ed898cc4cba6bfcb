"""Run every benchmark that this machine can run."""

from benchmarks import app, core

if __name__ == "__main__":
    app.main()
    print()
    core.main()

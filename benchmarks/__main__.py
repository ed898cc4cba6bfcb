"""Run every benchmark that this machine can run."""

from benchmarks import app

if __name__ == "__main__":
    app.main()

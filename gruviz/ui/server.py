"""What the server does beside running pages: warm workers, the feed, the panel's own files."""

import asyncio
import gc
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import plotly
import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from streamlit.runtime import get_instance

from gruviz.errors import GruvizError
from gruviz.runs import classroom
from gruviz.settings import check_all
from gruviz.ui import cards
from gruviz.ui.audience import audience
from gruviz.ui.feed import ASK_BYTES, feed
from gruviz.ui.guard import Guard

OWN = Path(__file__).parent / "static"
PLOTLY = Path(plotly.__file__).parent / "package_data"
FOREVER = "public, max-age=31536000, immutable"
SWEEP_SECONDS = 15.0
MOST_WAITING = 2  # files of a session that its page has not taken yet
MOST_WAITING_BYTES = 200_000_000  # of all sessions


class LastingFiles(StaticFiles):
    """Files whose address changes with their content, so that a browser needs to ask only once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = FOREVER
        return response


def _fingerprint() -> str:
    files = [*sorted(OWN.iterdir()), PLOTLY / "plotly.min.js"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


PREFIX = f"/{str(st.get_option('server.baseUrlPath')).strip('/')}".rstrip("/")
FEED = f"{PREFIX}/gruviz/feed"
FILES = f"{PREFIX}/gruviz/{_fingerprint()}"

ROUTES: list[BaseRoute] = [
    WebSocketRoute(FEED, feed),
    Mount(f"{FILES}/plotly", LastingFiles(directory=PLOTLY)),
    Mount(f"{FILES}/panel", LastingFiles(directory=OWN)),
]


def make_room(session: str) -> None:
    """Let go of a session's oldest files, of which Streamlit would keep any number: a page takes
    what it was sent within moments, and the store of uploads has it then."""
    manager: Any = get_instance().uploaded_file_mgr
    waiting = list(manager.file_storage.get(session, ()))
    for file in waiting[: max(0, len(waiting) - MOST_WAITING + 1)]:
        manager.remove_file(session, file)
    sent = [(each, file) for each, files in manager.file_storage.items() for file in files.items()]
    total = sum(len(record.data) for _each, (_file, record) in sent)
    for each, (file, record) in sent:  # who came first has had the most time
        if total <= MOST_WAITING_BYTES:
            break
        manager.remove_file(each, file)
        total -= len(record.data)


MIDDLEWARE = [Middleware(Guard, sizes={FEED: ASK_BYTES}, make_room=make_room)]


async def _sweep(runtime: Any) -> None:
    """Let go of closed tabs when their time is up (`server.disconnectedSessionTTL`).

    Streamlit looks only when another tab comes or goes: what the last of a class had would stay.
    """
    manager, before = runtime._session_mgr, 0
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        manager._session_storage._cache.expire()
        there = len(manager.list_sessions())
        if there < before:
            classroom().have_freed()
        before = there


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Start the workers with the server, so that the first Train doesn't wait for torch."""
    try:
        check_all()
        audience()
        classroom().pool.warm()
    except GruvizError as error:
        raise SystemExit(str(error)) from None
    cards.rehearse()
    gc.collect()
    gc.freeze()  # what is there now stays: no later collection needs to look at it
    sweeping = asyncio.create_task(_sweep(get_instance()))
    try:
        yield {}
    finally:
        sweeping.cancel()
        classroom().close()

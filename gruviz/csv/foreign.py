"""What is no table: files of other kinds, told by how they begin, refused with what to do."""

import re

from gruviz.errors import GruvizError
from gruviz.words import N_, _

# What a file begins with that is no text, and what a person calls it.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", N_("a zipped file, perhaps an Excel workbook (.xlsx)")),
    (b"PK\x05\x06", N_("an empty zip file")),
    (b"\xd0\xcf\x11\xe0", N_("an old Excel workbook (.xls)")),
    (b"\x1f\x8b", N_("a gzip-compressed file")),
    (b"BZh", N_("a bzip2-compressed file")),
    (b"\xfd7zXZ", N_("an xz-compressed file")),
    (b"\x28\xb5\x2f\xfd", N_("a zstd-compressed file")),
    (b"7z\xbc\xaf", N_("a 7-Zip archive")),
    (b"Rar!", N_("a RAR archive")),
    (b"%PDF", N_("a PDF document")),
    (b"{\\rtf", N_("a word processor's document (RTF)")),
    (b"\x89PNG", N_("a picture (PNG)")),
    (b"\xff\xd8\xff", N_("a picture (JPEG)")),
    (b"GIF8", N_("a picture (GIF)")),
    (b"II*\0", N_("a picture (TIFF)")),
    (b"MM\0*", N_("a picture (TIFF)")),
    (b"RIFF", N_("a sound, film or picture (RIFF)")),
    (b"ID3", N_("a sound (MP3)")),
    (b"OggS", N_("a sound (Ogg)")),
    (b"fLaC", N_("a sound (FLAC)")),
    (b"SQLite format 3", N_("a SQLite database")),
    (b"PAR1", N_("a Parquet file")),
    (b"ARROW1", N_("an Arrow file")),
    (b"\x89HDF", N_("an HDF5 file")),
    (b"CDF\x01", N_("a NetCDF file")),
    (b"CDF\x02", N_("a NetCDF file")),
    (b"MATLAB 5.0 MAT", N_("a MATLAB file")),
    (b"\x93NUMPY", N_("a NumPy file")),
    (b"\x7fELF", N_("a program")),
    (b"MZ\x90", N_("a program")),
    (b"\x80\x04\x95", N_("a Python pickle")),
)

LOOKED_AT = 400  # characters at the beginning
POINTER = re.compile(
    r"version https?://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/|# git-media"
    r"|oid sha256:[0-9a-f]{64}\s+size \d+"
)
MARKUP = re.compile(r"<(?:[!?]|html|head|body|table|[a-zA-Z][\w:.-]*[\s>/])", re.IGNORECASE)
OBJECT = re.compile(
    r"[\[{]\s*(?:[\[{\]}]|\"(?:[^\"\\]|\\.){0,200}\"\s*[:,\]]|-?\d+(?:\.\d+)?\s*[,\]])"
)


def refuse_bytes(content: bytes) -> None:
    """Raise GruvizError for bytes that are no text, by what they begin with."""
    for start, what in MAGIC:
        if content.startswith(start):
            raise GruvizError(
                _("This is {what}, not a text table; open it and save the table as CSV.").format(
                    what=_(what)
                )
            )


def refuse_text(text: str) -> None:
    """Raise GruvizError for text that is no table: web pages, JSON and the like."""
    start = text[: 10 * LOOKED_AT].lstrip("\ufeff \n\t")[:LOOKED_AT]
    if POINTER.match(start):
        raise GruvizError(
            _(
                "This is a pointer of Git LFS, which only says where the file lies; run “git lfs"
                " pull” in its repository, or download the file itself, and upload that."
            )
        )
    if MARKUP.match(start):
        web = "<html" in text[:3000].lower() or "<!doctype html" in start.lower()
        what = _("a web page (HTML)") if web else _("an XML document")
    elif OBJECT.match(start):
        what = _("JSON")
    elif start.startswith("%!PS"):
        what = _("a PostScript document")
    else:
        return
    raise GruvizError(
        _("This is {what}, not a table of cells; save or export the table as CSV.").format(
            what=what
        )
    )

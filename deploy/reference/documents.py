"""What docs/ says of configuration files and of the programs' other files."""

import dataclasses
import re


@dataclasses.dataclass
class Key:
    name: str
    default: str
    allowed: str
    meaning: str


def plain(markdown):
    """A sentence without Markdown's marks; a link is what it is called."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "").replace("**", "").replace("\\|", "|")


def section(path, heading):
    """The text below a heading of the second level."""
    parts = re.split(r"^## (.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return parts[parts.index(heading) + 1]


def introduction(path):
    return plain(path.read_text(encoding="utf-8").split("\n## ")[0].split("\n", 1)[1]).strip()


def table(text):
    """The rows of the first Markdown table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def keys(docs, file):
    """Every key of `server.yaml` or `client.yaml`: a test keeps that table what the program reads."""
    found = [Key(*row) for row in table(section(docs / "configuration.md", file))]
    if not found:
        raise ValueError(f"docs/configuration.md: no keys of {file}")
    return found


def files(docs, side):
    """Pairs of path and explanation: what belongs to the server, or to the client, or to both."""
    other = {"server": "client", "client": "server"}[side]
    found = [(path, what) for path, what, _ in table(section(docs / "operations.md", "Files"))
             if side in path or other not in path]
    if not found:
        raise ValueError("docs/operations.md: no files")
    return found

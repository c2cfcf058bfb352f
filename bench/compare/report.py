"""Results as a table, as JSON, and as the generated part of docs/performance.md."""

import json
import os
import platform
import re
import statistics
import time

from measuring import ROWS
from path_report import path_cells
from vpns import ALL

NOISY = 0.2


def machine():
    """What the numbers were taken on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    with open("/proc/meminfo", encoding="utf-8") as file:
        kibibytes = int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1))
    return {"cpu": model.group(1) if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "memory_bytes": kibibytes * 1024}


def busy_share(seconds):
    """How much of all cores others use: of this machine, and of the one that it is a guest of."""
    def ticks():
        with open("/proc/stat", encoding="utf-8") as file:
            return [int(ticks) for ticks in file.readline().split()[1:9]]
    before = ticks()
    time.sleep(seconds)
    spent = [after - earlier for earlier, after in zip(before, ticks())]
    return 1 - (spent[3] + spent[4]) / max(1, sum(spent))  # idle, and waiting for a disk


def summarize(results):
    """Adds to each row of each VPN the median and how far its rounds lie apart."""
    for vpn in results["vpns"].values():
        vpn["median"] = {key: statistics.median(values) for key, values in vpn["rounds"].items()}
        vpn["spread"] = {key: (max(values) - min(values)) / statistics.median(values)
                         for key, values in vpn["rounds"].items() if statistics.median(values) > 0}
    peers = [vpn.name for vpn in ALL if vpn.is_peer]
    results["ratio_to_best_peer"] = {
        name: {row.key: ratio for row in ROWS
               if (ratio := ratio_to_best(results, row, name, peers)) is not None}
        for name in ("qdt", "qdt-v1") if name in results["vpns"]}


def ratio_to_best(results, row, name, peers):
    """How many times as good as the best of `peers`; nothing when either is missing."""
    own = results["vpns"][name]["median"].get(row.key)
    others = [value for peer in peers
              if (value := results["vpns"].get(peer, {}).get("median", {}).get(row.key))]
    if not own or not others:
        return None
    return own / max(others) if row.is_more_better else min(others) / own


def cells(results):
    """The table: a head, and a line for each row that anybody has a value of."""
    vpns = [vpn for vpn in ALL if vpn.name in results["vpns"]]
    ratios = results["ratio_to_best_peer"]
    table = [[""] + [vpn.title for vpn in vpns] +
             [f"{vpn.title} : best peer" for vpn in vpns if vpn.name in ratios]]
    for row in ROWS:
        line = [cell(results["vpns"][vpn.name], row) for vpn in vpns]
        if not any(line):
            continue
        line += [f"{ratios[vpn.name][row.key]:.2f}" if row.key in ratios[vpn.name] else ""
                 for vpn in vpns if vpn.name in ratios]
        table.append([f"{row.title} ({row.unit})"] + line)
    return table


def cell(vpn, row):
    value = vpn["median"].get(row.key)
    if value is None:
        return ""
    mark = "~" if vpn["spread"].get(row.key, 0) > NOISY else ""
    return f"{mark}{value * row.scale:,.{row.digits}f}"


def as_text(table):
    # Titles wrap into as many lines as they need: the table fits a terminal.
    heads = [re.sub(" (plain|best)", r"\n\1", head).split("\n") for head in table[0]]
    depth = max(len(head) for head in heads)
    lines = [[([""] * (depth - len(head)) + head)[i] for head in heads] for i in range(depth)]
    lines += table[1:]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines)


def as_markdown(table):
    rows = [table[0], ["---"] + ["---:"] * (len(table[0]) - 1)] + table[1:]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def notes(results):
    """A line on each thing that a reader has to know of these very numbers."""
    on = results["machine"]
    lines = [f"{on['cpu']}, {on['cores']} cores for everything, "
             f"{on['memory_bytes'] / 2**30:.0f} GiB, Linux {on['kernel']}; "
             f"{results['date']}, QDT {results['commit']}; "
             f"{results['rounds']} rounds of {results['seconds']:g} s, medians."]
    versions = [f"{vpn.title} {results['versions'][vpn.name]}" for vpn in ALL
                if results["versions"].get(vpn.name)]
    if versions:
        lines.append("Peers: " + ", ".join(versions) + ".")
    if results["busy_before"] > 0.05:
        lines.append("The machine was not idle: other work took "
                     f"{results['busy_before']:.0%} of its cores just before.")
    lines += [f"{failure}." for failure in results["failures"]]
    return lines


def share_cells(shares):
    parts = list(next(iter(shares.values())))
    return [[""] + parts] + [[who] + [f"{share[part]:.0%}" for part in parts]
                             for who, share in shares.items()]


def save(results, path):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def refresh(path, results):
    """Puts the results between their markers in a document."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    told = "\n\n" + "\n".join(f"- {note}" for note in notes(results))
    if any(vpn["rounds"] for vpn in results["vpns"].values()):
        text = replace_section(text, "comparison", as_markdown(cells(results)) + told)
    if results["paths"]:
        text = replace_section(text, "paths", as_markdown(path_cells(results["paths"])) + told)
    if results.get("shares"):
        text = replace_section(text, "shares", as_markdown(share_cells(results["shares"])))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def replace_section(text, name, content):
    pattern = rf"(<!-- make bench: {name} -->\n).*?(<!-- end -->)"
    changed, count = re.subn(pattern, lambda m: f"{m[1]}\n{content}\n\n{m[2]}", text, flags=re.S)
    if count != 1:
        raise ValueError(f"the document has no section \"make bench: {name}\"")
    return changed

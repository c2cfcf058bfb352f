"""The table of the paths: what QDT shows on each, what others show, and whether that is enough."""

import statistics

from paths import ROWS
from vpns import ALL

SHOWN, MODEL = "qdt", "wireguard-go"
MET = {True: "met", False: "short"}


def path_cells(results):
    """Of {VPN: {key of a row: values}}. The medians of the rounds."""
    median = {name: {key: statistics.median(values) for key, values in rows.items()}
              for name, rows in results.items()}
    vpns = [vpn for vpn in ALL if vpn.name in results]
    table = [[""] + [vpn.title for vpn in vpns] + ["QDT : wireguard-go", "aim", ""]]
    for row in ROWS:
        values = {vpn.name: median[vpn.name].get(row.key) for vpn in vpns}
        if all(value is None for value in values.values()):
            continue
        own, model = values.get(SHOWN), values.get(MODEL)
        # To next to nothing there is no ratio.
        has_ratio = own is not None and model and abs(model) * row.scale >= 1
        ratio = own / model if has_ratio else None
        table.append([f"{row.title} ({row.unit})"] +
                     [cell(values[vpn.name], row) for vpn in vpns] +
                     ["" if ratio is None else f"{ratio:.2f}", *judged(row, own, ratio)])
    return table


def cell(value, row):
    return "" if value is None else f"{value * row.scale:,.{row.digits}f}"


def judged(row, own, ratio):
    """The aim, and whether it is met."""
    if row.aim is None:
        return "", ""
    value = ratio if row.aim.is_ratio else own
    return row.aim.as_text(row), "" if value is None else MET[row.aim.is_met(value)]

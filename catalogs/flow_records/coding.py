"""Records in numbers: of their places, commodities and steps of time, or of their lines."""

from __future__ import annotations

from catalogs.flow_records.pairs_on_lines import PAIR_LINE
from catalogs.flow_records.tables import RecordTable, as_id, as_number, commodity_of


def coded(table: RecordTable, key: str, *, by_line: bool) -> str:
    """Return SQL for the records of a table in the numbers of the tables of dimensions.

    ``key`` is SQL for their time. By line, they are those of the line that they name, or of the
    one that joins their places.
    """
    relation, found = table.relation, table.found
    value = as_number(relation, found["value"])
    number = f"CASE WHEN isfinite({value}) THEN {value} END AS value"
    if by_line and "line" in found:
        cells = f"{as_id(relation, found['line'])} AS id, {key} AS key, {number}"
        return (
            f"SELECT n.line, s.step, r.value FROM (SELECT {cells} FROM {relation.sql}) AS r"
            " JOIN line AS n ON n.id = r.id JOIN step AS s ON s.key = r.key"
        )
    cells = (
        f"{as_id(relation, found['origin'])} AS origin,"
        f" {as_id(relation, found['destination'])} AS destination,"
        f" {commodity_of(table)} AS commodity, {key} AS key, {number}"
    )
    read = f"FROM (SELECT {cells} FROM {relation.sql}) AS r JOIN step AS s ON s.key = r.key"
    if by_line:
        return (
            f"SELECT n.line, s.step, p.sign * r.value AS value {read}"
            f" JOIN {PAIR_LINE} AS p ON p.origin = r.origin AND p.destination = r.destination"
            " AND p.commodity = r.commodity JOIN line AS n ON n.id = p.line"
        )
    return (
        f"SELECT o.place AS origin, d.place AS destination, c.commodity, s.step, r.value {read}"
        " JOIN place_number AS o ON o.id = r.origin"
        " JOIN place_number AS d ON d.id = r.destination"
        " JOIN commodity AS c ON c.name = r.commodity"
    )

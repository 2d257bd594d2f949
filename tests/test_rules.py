"""Rule tables: what a cell fits, which rule decides, and what is said of tables that are wrong."""

from __future__ import annotations

import csv
import re
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from catalogs import palette
from catalogs.errors import TimesError, UnreadableFileError
from catalogs.rule_tables import COLUMNS, Finder, is_rule_table, read_rule_table, shipped_tables
from catalogs.rules import Item, RuleBook, RuleTable, book_for, make_rule, parse_condition

HEAD = "dimension,group,item,set,code,description,region,model,priority,order,colour"


def write(folder: Path, text: str, name: str = "rules.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def book(folder: Path, text: str, *models: str) -> RuleBook:
    return book_for([read_rule_table(write(folder, text))], models)


def process(code: str, description: str = "", region: str = "R1", sets: str = "") -> Item:
    return Item("process", region, code, description, frozenset(sets.split()))


def group(rules: RuleBook, item: Item, dimension: str = "technology") -> str | None:
    verdict = rules.find(dimension, item)
    return verdict.rule.group if verdict else None


# ---------------------------------------------------------------------------- what a cell fits


@pytest.mark.parametrize(
    ("cell", "fits", "fits_not"),
    [
        ("HP1", "HP1", "HP12"),
        ("hp1", "HP1", "AHP1"),
        ("HP*", "HP12", "AHP"),
        ("HP?", "HP1", "HP12"),
        ("HP1 | EB1", "EB1", "GB1"),
        ("HP* | !HPX*", "HP1", "HPX1"),
        ("!HPX*", "EB1", "HPX1"),
        ("/P[12]$/", "HP1", "HP12"),
        ("/^(HP|EB)1/", "EB1X", "GB1"),
        ("!/1$/", "HP2", "HP1"),
        ("/^H/ | !/1$/", "HP2", "HP1"),
        ("A.B", "A.B", "AXB"),
        ("A[1]", "A[1]", "A1"),
        ("a|/b\\/c/", "xb/c", "b"),
    ],
)
def test_a_cell_fits_by_wildcard_regular_expression_and_negation(
    cell: str, fits: str, fits_not: str
) -> None:
    condition = parse_condition(cell)
    assert condition.accepts([fits])
    assert not condition.accepts([fits_not])


def test_a_description_needs_only_to_contain_the_text(tmp_path: Path) -> None:
    rules = book(tmp_path, f"{HEAD}\ntechnology,Heat pumps,,,,heat pump | !gas engine\n")
    assert group(rules, process("X", "Heat Pump, air to water")) == "Heat pumps"
    assert group(rules, process("X", "Heat pump with gas engine")) is None
    assert group(rules, process("X", "Boiler")) is None


def test_all_filled_cells_must_fit(tmp_path: Path) -> None:
    text = f"{HEAD}\ntechnology,Wind,process,ELE | !CHP,W*,turbine,DK?,,,,\n"
    rules = book(tmp_path, text)
    assert group(rules, process("W1", "a turbine", "DKE", "ELE")) == "Wind"
    for other in (
        process("S1", "a turbine", "DKE", "ELE"),
        process("W1", "a mill", "DKE", "ELE"),
        process("W1", "a turbine", "SE", "ELE"),
        process("W1", "a turbine", "DKE", "ELE CHP"),
        process("W1", "a turbine", "DKE"),
        Item("commodity", "DKE", "W1", "a turbine", frozenset({"ELE"})),
    ):
        assert group(rules, other) is None


@given(st.lists(st.text("ABC-_12", min_size=1, max_size=4), min_size=1, max_size=4, unique=True))
def test_codes_without_wildcards_take_just_themselves(codes: list[str]) -> None:
    condition = parse_condition(" | ".join(codes))
    assert condition.names == tuple(codes)
    assert all(condition.accepts([code]) for code in codes)
    assert not condition.accepts(["-".join(codes) + "9"])


# ---------------------------------------------------------------------------- which rule decides


def test_the_higher_priority_decides_and_level_rules_are_rivals(tmp_path: Path) -> None:
    text = """dimension,group,code,priority
    technology,Boilers,B*,
    technology,Gas boilers,BG*,1
    technology,Oil boilers,BO*,
    technology,Boilers,/^BO/,
    """
    rules = book(tmp_path, text)
    assert group(rules, process("BG1")) == "Gas boilers"
    verdict = rules.find("technology", process("BO1"))
    assert verdict is not None
    assert verdict.rule.group == "Boilers"
    assert [rival.group for rival in verdict.rivals] == ["Oil boilers"]
    assert rules.find("sector", process("BG1")) is None


def test_the_first_table_that_takes_an_item_decides(tmp_path: Path) -> None:
    mine = read_rule_table(write(tmp_path, "dimension,group,code\ntechnology,Mine,A1\n", "m.csv"))
    theirs = write(tmp_path, "dimension,group,code,priority\ntechnology,Theirs,A*,9\n", "t.csv")
    rules = book_for([mine, read_rule_table(theirs)], [])
    assert group(rules, process("A1")) == "Mine"
    assert group(rules, process("A2")) == "Theirs"
    verdict = rules.find("technology", process("A1"))
    assert verdict is not None
    assert verdict.rivals == ()
    assert verdict.rule.shown == "m.csv, line 2: code A1"


def test_a_rule_may_be_tied_to_a_model_and_a_region(tmp_path: Path) -> None:
    text = """dimension,group,code,model,region
    technology,Anywhere,A,,
    technology,In TIMES,B,TIMES* | DKE+DKW,
    technology,In the east,C,,E?
    """
    everywhere, here = book(tmp_path, text, "Other"), book(tmp_path, text, "", "DKE+DKW")
    assert group(everywhere, process("A")) == "Anywhere"
    assert group(everywhere, process("B")) is None
    assert group(here, process("B")) == "In TIMES"
    assert group(here, process("C", region="E1")) == "In the east"
    assert group(here, process("C", region="W1")) is None


def test_the_item_follows_from_the_dimension_unless_it_is_given(tmp_path: Path) -> None:
    text = """dimension,group,item,code
    fuel,Wind,,W
    fuel,Wind power,process,W
    sector,Homes,commodity,W
    """
    rules = book(tmp_path, text)
    commodity = Item("commodity", "R1", "W")
    assert group(rules, commodity, "fuel") == "Wind"
    assert group(rules, process("W"), "fuel") == "Wind power"
    assert group(rules, commodity, "sector") == "Homes"
    assert group(rules, process("W"), "sector") is None


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(("A1", "a2", "B1", "A*", "!B1", "/1$/", "?2")), min_size=1),
            st.sampled_from(("X", "Y", "Z")),
            st.integers(0, 2),
        ),
        max_size=6,
    ),
    st.sampled_from(("A1", "A2", "B1", "B2", "Å1")),
)
def test_the_rule_that_decides_is_the_first_of_the_highest_that_take(
    rows: list[tuple[list[str], str, int]], code: str
) -> None:
    rules = tuple(
        make_rule(
            "t",
            line,
            {"dimension": "technology", "group": name, "code": " | ".join(cells)},
            order=None,
            priority=priority,
        )
        for line, (cells, name, priority) in enumerate(rows)
    )
    taking = [rule for rule in rules if rule.takes(process(code))]
    verdict = RuleBook((RuleTable("t", rules),)).find("technology", process(code))
    assert (verdict is None) == (not taking)
    if verdict:
        level = [r for r in taking if r.priority == max(rule.priority for rule in taking)]
        assert verdict.rule == level[0]
        assert list(verdict.rivals) == [rule for rule in level if rule.group != level[0].group]


# ---------------------------------------------------------------------------- formats

ROWS = (
    ("technology", "Heat pumps", "HP*", 2, "#d6649a"),
    ("fuel", "Straw | hay", "1001", None, None),
)


def check_rows(path: Path) -> None:
    table = read_rule_table(path)
    assert is_rule_table(path)
    first, second = table.rules
    assert (first.dimension, first.group, first.cells) == (
        "technology",
        "Heat pumps",
        (("code", "HP*"),),
    )
    assert (first.priority, first.colour, first.table) == (2, "#d6649a", path.name)
    assert (second.group, second.cells, second.priority) == (
        "Straw | hay",
        (("code", "1001"),),
        0,
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_csv_is_read_whatever_its_separator(tmp_path: Path, separator: str, encoding: str) -> None:
    lines = [("Dimension", "GROUP", " code ", "priority", "color"), *ROWS]
    text = "".join(separator.join("" if c is None else str(c) for c in x) + "\r\n" for x in lines)
    path = tmp_path / "rules.csv"
    path.write_bytes(("# a comment\r\n" + text + separator * 4 + "\r\n").encode(encoding))
    check_rows(path)
    assert [rule.line for rule in read_rule_table(path).rules] == [3, 4]


def test_xlsx_is_read(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for cells in [("dimension", "group", "code", "priority", "colour", None), *ROWS]:
        book.active.append(cells)
    book.save(tmp_path / "rules.xlsx")
    check_rows(tmp_path / "rules.xlsx")


def test_yaml_is_read_as_a_list_or_with_what_holds_for_all(tmp_path: Path) -> None:
    entries = """
- {dimension: technology, group: Heat pumps, code: HP*, priority: 2, colour: "#d6649a"}
- dimension: fuel
  group: Straw | hay
  code: 1001
"""
    check_rows(write(tmp_path, entries, "list.yaml"))
    tied = write(tmp_path, f"model: DK*\nrules:{entries.replace(chr(10), chr(10) + '  ')}", "t.yml")
    check_rows(tied)
    assert [rule.model for rule in read_rule_table(tied).rules] == ["DK*", "DK*"]
    assert [rule.line for rule in read_rule_table(tied).rules] == [3, 4]


def test_files_are_known_by_their_columns(tmp_path: Path) -> None:
    assert is_rule_table(write(tmp_path, "group,dimension\n", "anything.csv"))
    assert not is_rule_table(write(tmp_path, "commodity,unit\nCOA,PJ\n", "units.csv"))
    assert not is_rule_table(write(tmp_path, "dimension,group\n", "rules.txt"))
    assert not is_rule_table(write(tmp_path, "a: [1", "broken.yaml"))
    assert not is_rule_table(write(tmp_path, "dimension,group\n", "not_a_workbook.xlsx"))
    assert not is_rule_table(tmp_path / "missing.csv")


# ---------------------------------------------------------------------------- tables that are wrong

WRONG = {
    "": (None, "the column 'dimension' is missing"),
    "dimension,group,code\n": (None, "it holds no rules"),
    "dimension,name,code\nfuel,A,B\n": (1, "the column 'name' is not known"),
    "dimension,group,cod\nfuel,A,B\n": (1, "'cod' is not known; did you mean 'code'?"),
    "dimension,code\nfuel,B\n": (1, "the column 'group' is missing"),
    "dimension,group,code,code\nfuel,A,B,C\n": (1, "two columns are called 'code'"),
    "dimension,group,,code\nfuel,A,,B\n": (1, "a column has no name"),
    "dimension,group,code\nfuels,A,B\n": (2, "dimension is 'fuels'"),
    "dimension,group,code\nfuel,,B\n": (2, "group is empty"),
    "dimension,group,code\nfuel,A,\n": (2, "the row takes nothing and says nothing of its group"),
    "dimension,group,item,code\nfuel,A,plant,B\n": (2, "item is 'plant'"),
    "dimension,group,item,code\ntechnology,A,commodity,B\n": (2, "a commodity has no technology"),
    "dimension,group,code\nfuel,A,B,C\n": (2, "the row has more cells than there are columns"),
    "dimension,group,code\nfuel,A,/(B/\n": (2, "code has a bad regular expression: /(B/"),
    "dimension,group,description\n\nfuel,A,!/[z-a]/\n": (3, "description has a bad regular"),
    "dimension,group,code,model\nfuel,A,B,/*/\n": (2, "model has a bad regular expression: /*/"),
    "dimension,group,code\nfuel,A,/B\n": (2, "the regular expression /B does not end with /"),
    "dimension,group,code\nfuel,A,B | | C\n": (2, "in code, a pattern is empty"),
    "dimension,group,code\nfuel,A,!\n": (2, "in code, a pattern is empty"),
    "dimension,group,code,colour\nfuel,A,B,red\n": (2, "colour is 'red'"),
    "dimension,group,code,order\nfuel,A,B,first\n": (2, "order is 'first'"),
    "dimension,group,code,priority\nfuel,A,B,1.5\n": (2, "priority is '1.5'"),
    f"dimension,group,code\nfuel,{'A' * 81},B\n": (2, "the group's name is too long"),
    "dimension,group,code\nfuel,A,B\nfuel,C,b\n": (3, "takes the same as line 2, with another"),
    "dimension,group,code,colour\nfuel,A,B,#000000\nfuel,A,C,#000001\n": (
        3,
        "'A' has the colour #000001, and #000000 in line 2",
    ),
    "dimension,group,code,order\nfuel,A,B,1\nfuel,A,C,2\n": (3, "'A' has the order 2, and 1 in"),
}


@pytest.mark.parametrize(
    ("text", "expected"), WRONG.items(), ids=[str(x[1]) for x in WRONG.values()]
)
def test_a_wrong_table_is_refused_with_file_row_and_remedy(
    tmp_path: Path, text: str, expected: tuple[int | None, str]
) -> None:
    line, problem = expected
    with pytest.raises(UnreadableFileError, match=re.escape(problem)) as caught:
        read_rule_table(write(tmp_path, text))
    assert caught.value.file == "rules.csv"
    assert line is None or caught.value.line == line
    assert caught.value.remedy.startswith("Expected ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1", "it is no valid YAML"),
        ("just a text", "it is no list of rules"),
        ("rules:\n- 1\n", "it is no list of rules"),
        ("", "it holds no rules"),
        ("rules:\n", "it holds no rules"),
        ("- {dimension: fuel, group: A, code: [B, C]}", "code is no text"),
        ("- {dimension: fuel, group: A, cod: B}", "the column 'cod' is not known"),
        ("- {dimension: fuel, code: B}", "the column 'group' is missing"),
        ("- !!python/object/apply:os.getcwd []", "it is no valid YAML"),
        ("- {? [dimension, group] : A}", "it is no valid YAML"),
    ],
)
def test_wrong_yaml_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UnreadableFileError, match=re.escape(problem)):
        read_rule_table(write(tmp_path, text, "rules.yaml"))


def test_an_xlsx_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="it is not an Excel workbook"):
        read_rule_table(write(tmp_path, "dimension,group\n", "rules.xlsx"))
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as packed:
        packed.writestr("hello.txt", "hello")
    with pytest.raises(UnreadableFileError, match="it is not an Excel workbook"):
        read_rule_table(tmp_path / "other.xlsx")


def test_an_xlsx_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/sheet1.xml", b"\0" * (80 << 20))
    with pytest.raises(UnreadableFileError, match="it unpacks to far more than a rule table"):
        read_rule_table(tmp_path / "bomb.xlsx")


def test_what_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_bytes(b"dimension,group\0,code\n")
    with pytest.raises(UnreadableFileError, match="it is no text file"):
        read_rule_table(tmp_path / "rules.csv")
    with pytest.raises(UnreadableFileError, match=r"missing\.csv: there is no such file"):
        read_rule_table(tmp_path / "missing.csv")
    with pytest.raises(UnreadableFileError, match="there is no such file"):
        read_rule_table(tmp_path)


def test_two_tables_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(write(tmp_path / folder, "dimension,group,code\nfuel,A,B\n"))
    with pytest.raises(TimesError, match=r"Two rule tables are called rules\.csv"):
        Finder(paths)


@given(st.text(max_size=120))
def test_any_text_is_a_table_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("rules.csv", "rules.yaml"):
        path = write(folder, "dimension,group,code\nfuel,A," + text, name)
        with suppress(UnreadableFileError):
            assert read_rule_table(path).rules


# ---------------------------------------------------------------------------- shipped tables


def test_shipped_tables_are_tied_to_their_models_and_agree_on_looks() -> None:
    tables = shipped_tables()
    assert [table.name for table in tables] == ["danish.csv", "demo.csv", "starter.csv"]
    assert all(rule.model for table in tables for rule in table.rules)
    looks: dict[tuple[str, str], str] = {}
    for table in tables:
        for rule in table.rules:
            if rule.colour:
                key = (rule.dimension, rule.group)
                assert looks.setdefault(key, rule.colour) == rule.colour, key
    assert not set(looks) & {("fuel", group) for group in ("Wind", "Solar", "Oil")}


def test_groups_of_shipped_tables_have_a_colour_and_a_place() -> None:
    for table in shipped_tables():
        for rule in table.rules:
            if rule.dimension == "technology":
                colour = palette.colour("technology", rule.group)
                assert colour != palette.OTHER_COLOUR, rule.group
                assert palette.order("technology", rule.group) != palette.LAST, rule.group


def readme_section() -> str:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    return readme[readme.index("## Groups") : readme.index("## In a notebook")]


def test_the_readme_names_every_column() -> None:
    assert all(f"`{column}`" in readme_section() for column in COLUMNS)


def test_the_table_in_the_readme_is_one_and_says_what_it_seems_to(tmp_path: Path) -> None:
    lines = [line for line in readme_section().splitlines() if line.startswith("|")]
    lines = lines[: lines.index("| column | what it says |")]
    rows = [re.split(r" ?(?<!\\)\| ?", line)[1:-1] for line in lines if not line.startswith("|--")]
    with (tmp_path / "readme.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [re.sub(r"\\([*|])", r"\1", cell.strip()) for cell in cells] for cells in rows
        )
    rules = book_for([read_rule_table(tmp_path / "readme.csv")], ["TIMES-DK"])
    assert len(list(rules.rules)) == 10
    for item, expected in (
        (process("ERWIN1", "Wind Turbines Offshore", "DKE", "ELE"), "Offshore wind"),
        (process("ERWIN2", "Wind turbines onshore", "DKE", "ELE"), "Onshore wind"),
        (process("RHTA", "Heat pump, gas engine"), "Heat pumps on gas"),
        (process("INDADEM1", "Heat pump, air-to-air"), None),
        (process("RHTB", "Heat pump, air-to-air"), "Heat pumps"),
        (process("TPCAELCX1", sets="DMD"), "Passenger cars, electric"),
        (process("TPCAELCH1", sets="DMD"), None),
        (process("RHTDBDSL1", "oil boiler, existing", "DKE"), "Oil boilers of the east"),
        (process("RHTDBDSL1", "oil boiler, new", "DKE"), None),
        (process("RHTDBDSL1", "oil boiler, existing", "DKW"), None),
    ):
        assert group(rules, item) == expected, item

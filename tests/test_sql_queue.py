"""Who is next and who has asked enough; settings of limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.backend.api import value_of
from app.backend.queueing import FairQueue, Rates, Turn
from app.backend.settings import BackendSettings
from catalogs.sql.functions import ALLOWED, ALLOWED_IN_FROM, words
from catalogs.sql.service import SqlLimits, SqlRefused
from tests.loops import run_through


def in_a_loop(test: Callable[[], None]) -> Callable[[], None]:
    """Run a test within an event loop: places in a queue belong to one."""

    def run() -> None:
        async def inside() -> None:
            test()

        run_through(inside())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


def runs(*turns: Turn) -> list[bool]:
    return [turn.came.done() for turn in turns]


@in_a_loop
def test_visitors_are_taken_in_turn_however_much_one_of_them_asks() -> None:
    queue = FairQueue(running=1, running_each=1, waiting=100, waiting_each=100)
    busy = [queue.enter("busy") for _ in range(5)]
    other = queue.enter("other")
    third = queue.enter("third")

    assert runs(*busy, other, third) == [True, False, False, False, False, False, False]
    assert queue.place(other) == 2
    queue.leave(busy[0])
    assert runs(busy[1], other, third) == [True, False, False]
    queue.leave(busy[1])
    assert runs(busy[2], other, third) == [False, True, False]
    queue.leave(other)
    assert runs(busy[2], third) == [False, True]
    queue.leave(third)
    assert runs(busy[2]) == [True]


@in_a_loop
def test_one_visitor_does_not_take_all_places_that_run() -> None:
    queue = FairQueue(running=2, running_each=1, waiting=100, waiting_each=100)
    first, second = queue.enter("a"), queue.enter("a")
    other = queue.enter("b")

    assert runs(first, second, other) == [True, False, True]
    assert queue.place(second) == 1
    queue.leave(other)
    assert runs(second) == [False]
    queue.leave(first)
    assert runs(second) == [True]


@in_a_loop
def test_who_leaves_while_waiting_gives_up_the_place() -> None:
    queue = FairQueue(running=1, running_each=1, waiting=100, waiting_each=100)
    first, second, third = (queue.enter(name) for name in "abc")

    queue.leave(second)
    queue.leave(first)

    assert runs(third) == [True]
    queue.leave(third)
    assert runs(queue.enter("b")) == [True]


@in_a_loop
def test_a_full_queue_refuses_and_says_why() -> None:
    queue = FairQueue(running=1, running_each=1, waiting=3, waiting_each=2)
    for _ in range(3):
        queue.enter("a")

    with pytest.raises(SqlRefused, match="2 of your queries are waiting") as own:
        queue.enter("a")
    queue.enter("b")
    with pytest.raises(SqlRefused, match="Too many queries are waiting") as all_of_them:
        queue.enter("c")
    assert own.value.kind == all_of_them.value.kind == "queue"


def test_rates_of_a_visitor_and_of_an_address_are_counted_within_a_minute() -> None:
    now = 1000.0
    rates = Rates(SqlLimits(per_minute=3, per_minute_address=5), lambda: now)
    for _ in range(3):
        rates.count("a", "192.0.2.1")

    with pytest.raises(SqlRefused, match="At most 3 queries a minute") as visitor:
        rates.count("a", "192.0.2.1")
    for _ in range(2):
        rates.count("b", "192.0.2.1")
    with pytest.raises(SqlRefused, match="network address") as address:
        rates.count("c", "192.0.2.1")
    assert visitor.value.kind == address.value.kind == "rate"
    assert "Try again in 60 s" in visitor.value.hint
    rates.count("c", "192.0.2.2")

    now += 61
    rates.count("a", "192.0.2.1")


def test_limits_are_settings() -> None:
    given = {"TIMES_SQL_SECONDS": "2.5", "TIMES_SQL_MEMORY": "512M", "TIMES_SQL_USER": "0"}

    settings = BackendSettings.from_environment(given)

    assert settings.limits == SqlLimits(seconds=2.5, memory=512 * 2**20)
    assert settings.user == 0
    for bad in ("many", "-1", "0", "1X"):
        with pytest.raises(ValueError, match="TIMES_SQL_ROWS"):
            BackendSettings.from_environment({"TIMES_SQL_ROWS": bad})


def test_every_limit_is_described_in_the_readme() -> None:
    from dataclasses import fields

    from tests.browser import ROOT

    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    names = [f"TIMES_SQL_{limit.name.upper()}" for limit in fields(SqlLimits)]
    assert [name for name in names if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2030", 2030),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("'2030'", "2030"),
        ("'it''s'", "it's"),
        ("ELC", "ELC"),
        ("", ""),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("٣", "٣"),
        ("'", "'"),
    ],
)
def test_what_looks_like_a_number_in_an_address_is_one(text: str, value: object) -> None:
    found = value_of(text)

    assert found == value
    assert type(found) is type(value)


def test_functions_that_may_be_used_are_functions_of_this_duckdb() -> None:
    import duckdb

    with duckdb.connect() as connection:
        known = {
            name
            for (name,) in connection.execute(
                "SELECT DISTINCT function_name FROM duckdb_functions()"
            ).fetchall()
        }

    assert sorted((ALLOWED | ALLOWED_IN_FROM) - known) == []


#: Functions that visitors may not use, each for a reason: by name, or by the beginning of it.
NOT_FOR_VISITORS = words("""
    array_to_string_comma_default bitstring_byte_comparable can_cast_implicitly cast_to_type
    col_description combine combine_aggr create_sort_key current_connection_id current_query
    current_query_id current_role current_schemas current_setting current_transaction_id currval
    enum_code finalize format_pg_type format_type get_block_size get_type getvariable
    hive_partition_component in_search_path index_key inet_client_addr inet_client_port
    inet_server_addr inet_server_port invoke is_histogram_other_bin json_copy_strftime_if_date
    json_copy_strftime_if_timestamp json_deserialize_sql json_serialize_plan json_serialize_sql
    make_type map_to_pg_oid nextval obj_description parse_dirname parse_dirpath
    parse_duckdb_log_message parse_filename parse_path path_join remap_struct replace_type
    setseed setval shobj_description sleep_ms st_crs st_setcrs stats timetz_byte_comparable
    to_aggregate_state txid_current variant_bytes_to_variant variant_comparator
    variant_group_array variant_group_object variant_normalize variant_to_parquet_variant
    vector_type write_log
""")
KINDS_NOT_FOR_VISITORS = ("__", "collate_", "icu_", "has_", "pg_")


def test_a_function_that_a_new_duckdb_brings_has_to_be_decided_upon() -> None:
    import duckdb

    with duckdb.connect() as connection:
        known = {
            name
            for (name,) in connection.execute(
                "SELECT DISTINCT function_name FROM duckdb_functions()"
                " WHERE function_type IN ('scalar', 'aggregate', 'macro', 'window')"
            ).fetchall()
        }

    undecided = {
        name
        for name in known - ALLOWED - ALLOWED_IN_FROM - NOT_FOR_VISITORS
        if not name.startswith(KINDS_NOT_FOR_VISITORS)
    }
    assert sorted(undecided) == []

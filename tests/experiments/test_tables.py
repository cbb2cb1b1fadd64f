"""Several documents at once, and tables of several files; a trained run's: `test_evaluate`."""

import json

import pytest

from experiments import tables
from tests.synthetic_runs import evaluation

RESULTS = "<!-- table: results source=one.json,two.json -->\n<!-- end -->\n"


@pytest.fixture
def folder(tmp_path):
    for name, task in (("one", "voltage"), ("two", "campus")):
        found = evaluation(task)
        found["order"] = [
            {"claim": "no_control < mappo", "difference": 0.8, "over_days": [0.7, 0.9], "holds": True}
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(found))
    return tmp_path


def test_a_table_of_several_files_in_several_documents(folder, capsys):
    (folder / "pages").mkdir()
    documents = [folder / "README.md", folder / "pages" / "results.md"]
    documents[0].write_text(RESULTS)
    documents[1].write_text(RESULTS.replace("one.json,two.json", "../one.json,../two.json"))
    names = [str(path) for path in documents]
    assert tables.main([*names, "--check"]) == 1
    told = capsys.readouterr().err
    assert all(name in told for name in names)
    assert tables.main(names) == 0
    for document in documents:
        text = document.read_text()
        assert text.index("| VoltageControl-v0, case33bw ") < text.index("| Resilience-v0, campus13 ")
    assert tables.main([*names, "--check"]) == 0


def test_nothing_is_written_where_one_document_is_wrong(folder, capsys):
    (folder / "right.md").write_text(RESULTS)
    (folder / "wrong.md").write_text(RESULTS.replace(",two.json", ""))
    assert tables.main([str(folder / "right.md"), str(folder / "wrong.md")]) == 2
    assert "one.json is no source for table 'results'" in capsys.readouterr().err
    assert (folder / "right.md").read_text() == RESULTS


def test_a_document_is_needed(capsys):
    assert tables.main([]) == 2
    assert "name a document" in capsys.readouterr().err

from bandwise import system


def test_provenance_names_versions_and_machine() -> None:
    assert {"python", "torch", "numpy", "bandwise"} <= system.versions().keys()
    machine = system.machine()
    assert machine["cores"] >= 1
    assert machine["memory_bytes"] > 2**20
    assert machine["processor"]
